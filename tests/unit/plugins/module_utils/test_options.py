# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _libraries
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SHARED_ARGUMENTS,
    InvalidOption,
    SharedOptions,
)

ACCOUNT_ID = "0123456789abcdef0123456789abcdef"
API_URL = "https://api.cloudflare.com/client/v4"

OPTION_TOKEN = {"api_token": "option-token"}
OPTION_KEY = {"api_email": "option@company.example", "api_key": "option-key"}
ENV_TOKEN = {"CLOUDFLARE_API_TOKEN": "env-token"}
ENV_KEY = {"CLOUDFLARE_EMAIL": "env@company.example", "CLOUDFLARE_API_KEY": "env-key"}
ENV_BOTH = {**ENV_TOKEN, **ENV_KEY}

INVALID_CHARACTERS = ["\n", "\r\nX-Evil: 1", "\t", " ", "\x7f", "\u00e4", "\u2028"]


@pytest.fixture
def task(environment):
    """Make the part of a module that `_options` reads, from options and environment variables."""

    def make(options, variables=None):
        for variable, value in (variables or {}).items():
            environment.setenv(variable, value)
        defaults = {name: argument.get("default") for name, argument in SHARED_ARGUMENTS.items()}
        params = {**defaults, "account_id": ACCOUNT_ID, **options}
        return SimpleNamespace(params=params, no_log_values=set())

    return make


@pytest.fixture
def client_for(task):
    return lambda *given: SharedOptions.of(task(*given)).client()


@pytest.fixture
def refusal_of(task):
    def refuse(*given):
        with pytest.raises(InvalidOption) as refusal:
            SharedOptions.of(task(*given))
        return str(refusal.value)

    return refuse


def headers_of(client):
    request = SimpleNamespace(headers={})
    client._auth(request)
    return request.headers


def bearer(source):
    return {"Authorization": f"Bearer {source}-token"}


def key_of(email_source, key_source):
    return {
        "X-Auth-Email": f"{email_source}@company.example",
        "X-Auth-Key": f"{key_source}-key",
    }


@pytest.mark.parametrize(
    ("options", "variables", "headers", "source"),
    [
        (OPTION_TOKEN, {}, bearer("option"), "option api_token"),
        (OPTION_KEY, {}, key_of("option", "option"), "option api_key"),
        ({}, ENV_TOKEN, bearer("env"), "environment variable CLOUDFLARE_API_TOKEN"),
        ({}, ENV_KEY, key_of("env", "env"), "environment variable CLOUDFLARE_API_KEY"),
        ({}, ENV_BOTH, bearer("env"), "environment variable CLOUDFLARE_API_TOKEN"),
        (OPTION_TOKEN, ENV_BOTH, bearer("option"), "option api_token"),
        (OPTION_KEY, ENV_BOTH, key_of("option", "option"), "option api_key"),
        ({**OPTION_TOKEN, **OPTION_KEY}, ENV_BOTH, bearer("option"), "option api_token"),
        (
            {"api_token": "", "api_key": "", "api_email": ""},
            ENV_TOKEN,
            bearer("env"),
            "environment variable CLOUDFLARE_API_TOKEN",
        ),
    ],
)
def test_options_beat_the_environment_and_a_token_beats_a_key(
    client_for, options, variables, headers, source
):
    client = client_for(options, variables)
    assert headers_of(client) == headers
    assert f"({source})" in client._auth.description


@pytest.mark.parametrize(
    ("options", "variables", "account_id", "url"),
    [
        ({}, {}, ACCOUNT_ID, API_URL),
        ({"api_url": "https://o.example"}, {}, ACCOUNT_ID, "https://o.example"),
        (
            {"account_id": "A" * 32, "api_url": "https://o.example"},
            {},
            "A" * 32,
            "https://o.example",
        ),
        (
            {"account_id": "A" * 32, "api_url": "https://o.example"},
            {"CLOUDFLARE_ACCOUNT_ID": "e" * 32, "CLOUDFLARE_BASE_URL": "https://e.example"},
            "A" * 32,
            "https://o.example",
        ),
        *(
            (
                {"account_id": omitted, "api_url": omitted},
                {"CLOUDFLARE_ACCOUNT_ID": "e" * 32, "CLOUDFLARE_BASE_URL": "https://e.example"},
                "e" * 32,
                "https://e.example",
            )
            for omitted in (None, "")
        ),
        ({}, {"CLOUDFLARE_BASE_URL": ""}, ACCOUNT_ID, API_URL),
    ],
)
def test_the_account_and_the_url_come_from_the_task_before_the_environment(
    task, options, variables, account_id, url
):
    shared = SharedOptions.of(task({**OPTION_TOKEN, **options}, variables))
    assert shared.account_id == account_id
    assert shared.client()._base_url == url


@pytest.mark.parametrize(
    ("options", "setting", "value"),
    [
        ({}, lambda client: client._timeout, 30.0),
        ({"timeout": 0.5}, lambda client: client._timeout, 0.5),
        ({}, lambda client: client.retry.retries, 5),
        ({"retries": 0}, lambda client: client.retry.retries, 0),
        ({}, lambda client: client.rate_limit._reserve, 0.1),
        ({"rate_limit_reserve": 90}, lambda client: client.rate_limit._reserve, 0.9),
        ({}, lambda client: client._verify, True),
        ({"ca_path": __file__}, lambda client: client._verify, __file__),
        ({"validate_certs": False}, lambda client: client._verify, False),
        ({"validate_certs": False, "ca_path": "/none"}, lambda client: client._verify, False),
    ],
)
def test_the_other_options_reach_the_client(client_for, options, setting, value):
    assert setting(client_for({**OPTION_TOKEN, **options})) == value


NO_CREDENTIALS = (
    "credentials are missing; set api_token, or the environment variable CLOUDFLARE_API_TOKEN"
)
NO_ACCOUNT = (
    "the account is missing; set account_id, or the environment variable CLOUDFLARE_ACCOUNT_ID"
)
NO_EMAIL = "api_key requires api_email; set both, or use an API token instead"
NO_EMAIL_IN_ENVIRONMENT = (
    "CLOUDFLARE_API_KEY requires CLOUDFLARE_EMAIL; set both, or use an API token instead"
)
NO_KEY = (
    "api_email requires api_key; set both, omit both to use the credentials of the environment, or"
    " use an API token instead"
)


@pytest.mark.promise("Credentials are not mixed")
@pytest.mark.parametrize(
    ("options", "variables", "message"),
    [
        ({}, {}, NO_CREDENTIALS),
        ({}, {"CLOUDFLARE_EMAIL": "env@company.example"}, NO_CREDENTIALS),
        ({"account_id": None}, ENV_TOKEN, NO_ACCOUNT),
        ({"account_id": ""}, {**ENV_TOKEN, "CLOUDFLARE_ACCOUNT_ID": ""}, NO_ACCOUNT),
        ({"account_id": None}, {}, f"{NO_CREDENTIALS} and {NO_ACCOUNT}"),
        ({"api_key": "option-key"}, {}, NO_EMAIL),
        # Whoever sets one of them sets both: the environment may be of another user.
        ({"api_key": "option-key"}, ENV_BOTH, NO_EMAIL),
        ({}, {"CLOUDFLARE_API_KEY": "env-key"}, NO_EMAIL_IN_ENVIRONMENT),
        ({"api_email": "option@company.example"}, ENV_BOTH, NO_KEY),
    ],
)
def test_missing_credentials_and_a_missing_account_are_named(
    refusal_of, options, variables, message
):
    assert refusal_of(options, variables) == message


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("timeout", 0, "timeout is 0; use a number of seconds above 0 and below 3600"),
        ("timeout", 3600, "timeout is 3600; use a number of seconds above 0 and below 3600"),
        ("timeout", float("nan"), "timeout is nan; use a number of seconds above 0 and below 3600"),
        ("retries", -1, "retries is -1; use a number from 0 to 100"),
        ("retries", 101, "retries is 101; use a number from 0 to 100"),
        ("rate_limit_reserve", -1, "rate_limit_reserve is -1; use a number from 0 to 90"),
        ("rate_limit_reserve", 91, "rate_limit_reserve is 91; use a number from 0 to 90"),
        (
            "ca_path",
            "/no/such/file",
            "ca_path '/no/such/file' does not exist on the host that runs the task; correct the"
            " path",
        ),
    ],
)
def test_an_option_out_of_range_is_refused(refusal_of, option, value, message):
    assert refusal_of({**OPTION_TOKEN, option: value}) == message


@pytest.mark.promise("No option can redirect a call")
@pytest.mark.parametrize(
    "account_id",
    [
        *("../x", "a/b", "a?b", "a#b", "a%2fb", " ", ".", "\\", "a;b", "a\u202e", "~", "*"),
        *("a" * 31, "a" * 33, "g" * 32, "a" * 31 + "\u0661", "a" * 32 + "\n", " " + "a" * 32),
    ],
)
@pytest.mark.parametrize("place", ["option", "environment"])
def test_an_account_id_other_than_32_hexadecimal_digits_is_refused(refusal_of, account_id, place):
    is_option = place == "option"
    options = {**OPTION_TOKEN, "account_id": account_id if is_option else None}
    variables = {} if is_option else {"CLOUDFLARE_ACCOUNT_ID": account_id}
    assert refusal_of(options, variables) == (
        f"account_id {account_id!r} is not the ID of an account; use the 32 hexadecimal digits that"
        " the dashboard shows"
    )


@pytest.mark.parametrize("character", INVALID_CHARACTERS)
@pytest.mark.parametrize(
    ("options", "variables", "source"),
    [
        ({"api_token": "a-value{}"}, {}, "api_token"),
        ({"api_email": "a@b.example", "api_key": "a-value{}"}, {}, "api_key"),
        ({}, {"CLOUDFLARE_API_TOKEN": "a-value{}"}, "CLOUDFLARE_API_TOKEN"),
        (
            {},
            {"CLOUDFLARE_EMAIL": "a@b.example", "CLOUDFLARE_API_KEY": "a-value{}"},
            "CLOUDFLARE_API_KEY",
        ),
    ],
)
def test_a_secret_with_an_invalid_character_is_refused_and_not_shown(
    refusal_of, options, variables, source, character
):
    given = [
        {name: text.format(character) for name, text in texts.items()}
        for texts in (options, variables)
    ]
    assert refusal_of(*given) == (
        f"{source} contains a space, a line break or another character that is not allowed in"
        " Cloudflare credentials; copy it again (a file often ends in a line break)"
    )


@pytest.mark.parametrize("character", INVALID_CHARACTERS)
def test_an_email_address_that_would_break_a_header_is_refused(refusal_of, character):
    options = {**OPTION_KEY, "api_email": f"a@company.example{character}"}
    assert refusal_of(options) == (
        "api_email contains a space, a line break or another character that is not allowed in the"
        " e-mail address of a Cloudflare user; copy it again"
    )


@pytest.mark.parametrize(
    "url",
    [
        API_URL,
        f"{API_URL}/",
        "https://API.fed.cloudflare.com/client/v4",
        "https://api.cloudflare.com.company.example",
        "https://mycloudflare.com",
        "https://proxy.company.example:8443/client/v4",
        "https://[2001:db8::1]/client/v4",
        "http://127.0.0.1:8080/client/v4",
        "http://127.1.2.3/client/v4",
        "http://[::1]:8080/client/v4",
        "http://localhost:8080/client/v4",
        "HTTP://LOCALHOST",
    ],
)
def test_an_encrypted_or_loopback_url_is_used_as_it_is(client_for, url):
    assert client_for({**OPTION_TOKEN, "api_url": url})._base_url == url.rstrip("/")


NOT_THE_API = (
    f"does not have the path /client/v4 of the API; use {API_URL}, or omit it and the environment"
    " variable CLOUDFLARE_BASE_URL"
)
NOT_ENCRYPTED = "would send the credentials without encryption; use https"
NOT_A_URL = f"is not a URL; omit it, or use {API_URL}"
MORE_THAN_A_URL = (
    "api_url contains a user, a query or a fragment; use only a scheme, a host and a path"
)


@pytest.mark.promise("Plain HTTP is refused")
@pytest.mark.parametrize(
    ("url", "message"),
    [
        *(
            (url, f"api_url {url!r} {NOT_ENCRYPTED}")
            for url in [
                "http://api.cloudflare.com/client/v4",
                "HTTP://evil.example/",
                "http://evillocalhost/",
                "http://localhost.evil.example/",
                "http://127.0.0.1.evil.example/",
                "http://2130706433/",
                "http://0.0.0.0/",
                "http://[::]/",
                "http://169.254.169.254/",
            ]
        ),
        *(
            (url, f"api_url {url!r} {NOT_THE_API}")
            for url in [
                "https://api.cloudflare.com",
                "https://API.Cloudflare.com/",
                "https://api.cloudflare.com/client",
                f"{API_URL}/accounts",
                "https://dash.cloudflare.com",
                "https://cloudflare.com",
            ]
        ),
        *(
            (url, f"api_url {url!r} {NOT_A_URL}")
            for url in [
                "api.cloudflare.com",
                "//evil.example/",
                "http:evil.example",
                "http:///evil.example",
                "ftp://127.0.0.1/",
                "file:///etc/passwd",
                "https://",
                "https://a:b",
                "https://a:99999",
                "http://[::1",
                "http://[::1].evil.example/",
                "http\u017f://127.0.0.1/",
                "http://127.0.0.1\\.evil.example/",
                "http://127.0.0.1%2eevil.example/",
                "http://localhost\u3002evil.example/",
                "http://127.0.0.1 .evil.example/",
                "http://127.0.0.1\r\nHost: evil.example/",
                "http://local\nhost/",
                f"{API_URL}\n",
                f"{API_URL}/a b",
            ]
        ),
        *(
            (url, MORE_THAN_A_URL)
            for url in [
                "http://127.0.0.1@evil.example/",
                "http://localhost:80@evil.example/",
                "http://127.0.0.1\\@evil.example/",
                "http://127.0.0.1\t@evil.example/",
                "http://evil.example#@127.0.0.1/",
                "http://evil.example?@127.0.0.1/",
                "https://user:secret@api.cloudflare.com/client/v4",
                f"{API_URL}?x=1",
                f"{API_URL}#x",
            ]
        ),
    ],
)
def test_a_url_that_could_give_credentials_away_is_refused(refusal_of, url, message):
    assert refusal_of({**OPTION_TOKEN, "api_url": url}) == message
    assert refusal_of(OPTION_TOKEN, {"CLOUDFLARE_BASE_URL": url}) == message


def test_the_secret_that_is_used_is_masked_even_if_it_is_short(task):
    module = task({}, {"CLOUDFLARE_API_TOKEN": "short", "CLOUDFLARE_API_KEY": "0"})
    SharedOptions.of(module)
    # Masking the placeholder would garble every number.
    assert module.no_log_values == {"short"}


def test_the_client_has_a_connection_for_each_thread(task):
    session = SharedOptions.of(task(OPTION_TOKEN)).client(7)._session
    assert session.get_adapter(API_URL)._pool_maxsize == 7


def test_a_missing_library_is_named_with_the_interpreter_that_lacks_it(refusal_of, monkeypatch):
    monkeypatch.setattr(_libraries, "IMPORT_ERROR", ImportError("it is broken", name="idna"))
    message = refusal_of(OPTION_TOKEN)
    assert "Python library (requests) on " in message
    assert message.endswith(" (it is broken)")
