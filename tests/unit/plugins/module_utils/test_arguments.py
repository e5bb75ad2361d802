# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _client
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SHARED_ARGUMENTS,
    InvalidOption,
    client_from,
    restrictions_api_from,
)

ACCOUNT_ID = "0123456789abcdef0123456789abcdef"

OPTION_TOKEN = {"api_token": "option-token"}
OPTION_KEY = {"api_email": "option@company.example", "api_key": "option-key"}
ENV_TOKEN = {"CLOUDFLARE_API_TOKEN": "env-token"}
ENV_KEY = {"CLOUDFLARE_EMAIL": "env@company.example", "CLOUDFLARE_API_KEY": "env-key"}


@pytest.fixture
def task(monkeypatch):
    """A task with these options and this environment, as far as `_arguments` looks at it."""

    def make(options, environment=None):
        for variable in [*ENV_TOKEN, *ENV_KEY, "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_BASE_URL"]:
            monkeypatch.delenv(variable, raising=False)
        for variable, value in (environment or {}).items():
            monkeypatch.setenv(variable, value)
        defaults = {name: argument.get("default") for name, argument in SHARED_ARGUMENTS.items()}
        params = {**defaults, "account_id": ACCOUNT_ID, **options}
        return SimpleNamespace(params=params, no_log_values=set())

    return make


def sent_headers(client):
    request = SimpleNamespace(headers={})
    client._auth(request)
    return request.headers


BEARER_OPTION = {"Authorization": "Bearer option-token"}
BEARER_ENV = {"Authorization": "Bearer env-token"}
KEY_OPTION = {"X-Auth-Email": "option@company.example", "X-Auth-Key": "option-key"}
KEY_ENV = {"X-Auth-Email": "env@company.example", "X-Auth-Key": "env-key"}


@pytest.mark.parametrize(
    ("options", "environment", "headers"),
    [
        (OPTION_TOKEN, {}, BEARER_OPTION),
        (OPTION_KEY, {}, KEY_OPTION),
        ({}, ENV_TOKEN, BEARER_ENV),
        ({}, ENV_KEY, KEY_ENV),
        ({}, {**ENV_TOKEN, **ENV_KEY}, BEARER_ENV),
        (OPTION_TOKEN, {**ENV_TOKEN, **ENV_KEY}, BEARER_OPTION),
        (OPTION_KEY, {**ENV_TOKEN, **ENV_KEY}, KEY_OPTION),
        ({**OPTION_TOKEN, **OPTION_KEY}, {**ENV_TOKEN, **ENV_KEY}, BEARER_OPTION),
        (
            {"api_key": "option-key"},
            {**ENV_TOKEN, **ENV_KEY},
            {"X-Auth-Email": "env@company.example", "X-Auth-Key": "option-key"},
        ),
        (
            {"api_email": "option@company.example"},
            ENV_KEY,
            {"X-Auth-Email": "option@company.example", "X-Auth-Key": "env-key"},
        ),
        ({"api_token": "", "api_key": ""}, ENV_TOKEN, BEARER_ENV),
    ],
)
def test_options_beat_the_environment_and_a_token_beats_a_key(task, options, environment, headers):
    assert sent_headers(client_from(task(options, environment))) == headers


def test_a_secret_of_the_environment_is_hidden_like_an_option(task):
    unused = "an-unused-token-of-the-environment"
    module = task(OPTION_TOKEN, {"CLOUDFLARE_API_TOKEN": unused, "CLOUDFLARE_API_KEY": "0"})
    client_from(module)
    assert {"option-token", unused} <= module.no_log_values
    # Hiding a placeholder would garble every number.
    assert "0" not in module.no_log_values


def test_a_secret_that_is_used_is_hidden_however_short(task):
    module = task({}, {"CLOUDFLARE_API_TOKEN": "short"})
    client_from(module)
    assert "short" in module.no_log_values


NO_EMAIL = (
    "the API key ({}) comes without its e-mail address: give api_email, or set the environment"
    " variable CLOUDFLARE_EMAIL, or use an API token instead"
)


@pytest.mark.parametrize(
    ("options", "environment", "sentence"),
    [
        (
            {},
            {},
            "there are no credentials: give api_token, or set the environment variable"
            " CLOUDFLARE_API_TOKEN",
        ),
        ({"api_key": "option-key"}, {}, NO_EMAIL.format("option api_key")),
        ({"api_key": "option-key"}, ENV_TOKEN, NO_EMAIL.format("option api_key")),
        (
            {},
            {"CLOUDFLARE_API_KEY": "env-key"},
            NO_EMAIL.format("environment variable CLOUDFLARE_API_KEY"),
        ),
        (
            {"api_email": "option@company.example"},
            ENV_TOKEN,
            "api_email comes without its API key: give api_key, or set the environment variable"
            " CLOUDFLARE_API_KEY, or use an API token instead",
        ),
        (
            {"account_id": ""},
            ENV_TOKEN,
            "the account is missing: give account_id, or set the environment variable"
            " CLOUDFLARE_ACCOUNT_ID",
        ),
        *(
            (
                {"account_id": account_id},
                ENV_TOKEN,
                f"account_id: {account_id!r} is not the id of an account: give the 32 hexadecimal"
                " digits that the dashboard shows",
            )
            for account_id in ["../x", "a/b", "a?b", "a#b", "a%2fb", " ", "a\n", "a" * 33]
        ),
        ({"timeout": 0}, ENV_TOKEN, "timeout: 0 is not a number of seconds above 0 and below 3600"),
        (
            {"timeout": float("nan")},
            ENV_TOKEN,
            "timeout: nan is not a number of seconds above 0 and below 3600",
        ),
        ({"retries": -1}, ENV_TOKEN, "retries: -1 is not a number from 0 to 100"),
        (
            {"ca_path": "/no/such/file"},
            ENV_TOKEN,
            "ca_path: there is no file '/no/such/file' on the host that runs the task",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_refused_with_a_sentence(task, options, environment, sentence):
    with pytest.raises(InvalidOption) as refusal:
        restrictions_api_from(task(options, environment))
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("character", "place"),
    [*itertools.product(["\n", "\r", "\0", " ", "\x7f", "ä"], [OPTION_TOKEN, OPTION_KEY])],
)
def test_a_secret_with_a_character_that_none_has_is_refused_unprinted(task, character, place):
    options = {name: value + character for name, value in place.items()}
    with pytest.raises(InvalidOption) as refusal:
        client_from(task(options))
    assert not any(value in str(refusal.value) for value in options.values())


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cloudflare.com/client/v4",
        "https://proxy.company.example:8443/client/v4/",
        "http://127.0.0.1:8080/client/v4",
        "http://127.1.2.3/client/v4",
        "http://[::1]:8080/client/v4",
        "http://localhost:8080/client/v4",
        "HTTP://LOCALHOST/client/v4",
    ],
)
def test_an_encrypted_or_loopback_url_is_accepted(task, url):
    client_from(task({**OPTION_TOKEN, "api_url": url}))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        *(
            (url, f"api_url: {url!r} would send the credentials without encryption: use https")
            for url in [
                "http://api.cloudflare.com/client/v4",
                "http://localhost.evil.example/client/v4",
                "http://127.0.0.1.evil.example/client/v4",
                "http://2130706433/client/v4",
                "http://0.0.0.0/client/v4",
            ]
        ),
        *(
            (
                url,
                f"api_url: {url!r} is not a URL: leave it out, or give"
                " https://api.cloudflare.com/client/v4",
            )
            for url in [
                "api.cloudflare.com",
                "ftp://api.cloudflare.com",
                "https://",
                "https://a:b",
                "http://[::1",
                "file:///etc/passwd",
                "http://evil.example\\.localhost/client/v4",
                "http://local\nhost/client/v4",
                "https://api.cloudflare.com/client/v4\n",
            ]
        ),
        *(
            (
                url,
                "api_url: it must be a scheme, a host and a path, with no user, query or fragment",
            )
            for url in [
                "http://127.0.0.1@evil.example/client/v4",
                "https://user:secret@api.cloudflare.com/client/v4",
                "https://api.cloudflare.com/client/v4?x=1",
                "https://api.cloudflare.com/client/v4#x",
            ]
        ),
    ],
)
def test_a_url_that_could_give_credentials_away_is_refused(task, url, sentence):
    with pytest.raises(InvalidOption) as refusal:
        client_from(task({**OPTION_TOKEN, "api_url": url}))
    assert str(refusal.value) == sentence


def test_an_empty_option_is_none_so_that_the_environment_counts(task):
    environment = {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT_ID, "CLOUDFLARE_BASE_URL": "http://[::1]/v4"}
    module = task({**OPTION_TOKEN, "account_id": "", "api_url": ""}, environment)
    restrictions_api_from(module)
    with pytest.raises(InvalidOption, match="^the account is missing"):
        restrictions_api_from(task({**OPTION_TOKEN, "account_id": ""}, {"CLOUDFLARE_BASE_URL": ""}))


def test_the_password_in_a_refused_url_is_hidden(task):
    module = task({**OPTION_TOKEN, "api_url": "https://user:secret@api.cloudflare.com"})
    with pytest.raises(InvalidOption):
        client_from(module)
    assert "https://user:secret@api.cloudflare.com" in module.no_log_values


@pytest.mark.parametrize("name", ["requests", None])
def test_a_missing_library_is_named_with_the_interpreter_that_lacks_it(task, monkeypatch, name):
    monkeypatch.setattr(_client, "IMPORT_ERROR", ImportError("it is broken", name=name))
    with pytest.raises(
        InvalidOption, match=r"Python library \(requests\) on .*Python .*/"
    ) as error:
        client_from(task(OPTION_TOKEN))
    assert str(error.value).endswith("(it is broken)")
