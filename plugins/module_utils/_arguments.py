# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that every module shares, and the client that they describe."""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.cloudflare_email.security.plugins.module_utils import (
    _client,
    _domain_name,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    SHORTEST_SECRET,
    CloudflareClient,
    KeyAuth,
    TokenAuth,
    secret_forms,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    RestrictionsApi,
)

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

API_URL = "https://api.cloudflare.com/client/v4"

# There is no env_fallback: it would hide which credentials the task itself gave, and take an empty
# option for one that is given.
SHARED_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "account_id": {"type": "str"},
    "api_token": {"type": "str", "no_log": True},
    "api_email": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "api_url": {"type": "str"},
    "timeout": {"type": "float", "default": 30.0},
    "retries": {"type": "int", "default": 5},
    "rate_limit_reserve": {"type": "int", "default": 10},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
}

# One restriction, as `DesiredRestriction.from_options` reads it.
RESTRICTION_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "domain": {"type": "str"},
    "exclude": {"type": "list", "elements": "str"},
    # Any other type would make a text of true, false and lists, and write that.
    "comments": {"type": "raw"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

# No more than that, as in what is odd requests may see another host than urlsplit does.
_URL = re.compile(r"(?ai:https?)://([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[!-\[\]-~]*)?")

_VARIABLES = {
    "account_id": "CLOUDFLARE_ACCOUNT_ID",
    "api_url": "CLOUDFLARE_BASE_URL",
    "api_token": "CLOUDFLARE_API_TOKEN",
    "api_email": "CLOUDFLARE_EMAIL",
    "api_key": "CLOUDFLARE_API_KEY",
}


class InvalidOption(ValueError):
    """What every module needs is missing or wrong; the message says what to give."""


def client_from(module: AnsibleModule, connections: int = 1) -> CloudflareClient:
    """Return the client that the options of `module` and the environment describe.

    It is for up to `connections` threads.

    Raises:
        InvalidOption: an option is missing or wrong, or a library is not there.
    """
    import_error = _client.IMPORT_ERROR or _domain_name.IMPORT_ERROR
    if import_error is not None:
        library = missing_required_lib(import_error.name or "requests")
        raise InvalidOption(f"{library} ({import_error})")
    options, environment = module.params, _environment()
    api_url = options["api_url"] or environment["api_url"] or API_URL
    # What may be secret is hidden in the output, wherever it is from. Of what is not used, a short
    # one is a placeholder: to hide it would garble words and numbers.
    for source in (options, environment):
        for secret in filter(None, (source["api_token"], source["api_key"])):
            if len(secret) >= SHORTEST_SECRET:
                module.no_log_values.update(secret_forms(secret))
    if "@" in api_url:
        module.no_log_values.add(api_url)
    auth = _auth(options, environment)
    module.no_log_values.update(auth.secrets)
    return CloudflareClient(
        _checked_url(api_url),
        auth,
        timeout=_timeout(options["timeout"]),
        retries=number_between("retries", options["retries"], 0, 100),
        reserve=number_between("rate_limit_reserve", options["rate_limit_reserve"], 0, 90) / 100,
        verify=_verify(options["validate_certs"], options["ca_path"]),
        connections=connections,
    )


def restrictions_api_from(module: AnsibleModule, connections: int = 1) -> RestrictionsApi:
    """Return the restrictions of the account that the options of `module` name.

    Raises:
        InvalidOption: an option is missing or wrong, or a library is not there.
    """
    client = client_from(module, connections)
    account_id = module.params["account_id"] or _environment()["account_id"]
    return RestrictionsApi(client, _checked_account_id(account_id))


def number_between(name: str, number: int, lowest: int, highest: int) -> int:
    """Return the option `name`, a number from `lowest` to `highest`; raises `InvalidOption`."""
    if not lowest <= number <= highest:
        raise InvalidOption(f"{name}: {number} is not a number from {lowest} to {highest}")
    return number


def _environment() -> dict[str, str | None]:
    return {name: os.environ.get(variable) for name, variable in _VARIABLES.items()}


def _auth(
    options: t.Mapping[str, t.Any], environment: t.Mapping[str, str | None]
) -> TokenAuth | KeyAuth:
    """What the task gives beats the environment; in either place a token beats a key."""
    if options["api_token"]:
        return TokenAuth(_secret(options["api_token"], "api_token"), "option api_token")
    if options["api_key"] or options["api_email"]:
        return _key_auth(
            options["api_email"] or environment["api_email"],
            options["api_key"] or environment["api_key"],
            "option api_key" if options["api_key"] else "environment variable CLOUDFLARE_API_KEY",
        )
    if environment["api_token"]:
        token = _secret(environment["api_token"], "CLOUDFLARE_API_TOKEN")
        return TokenAuth(token, "environment variable CLOUDFLARE_API_TOKEN")
    if environment["api_key"]:
        return _key_auth(
            environment["api_email"],
            environment["api_key"],
            "environment variable CLOUDFLARE_API_KEY",
        )
    raise InvalidOption(
        "there are no credentials: give api_token, or set the environment variable"
        " CLOUDFLARE_API_TOKEN"
    )


def _key_auth(email_address: str | None, key: str | None, source: str) -> KeyAuth:
    if not email_address:
        raise InvalidOption(
            f"the API key ({source}) comes without its e-mail address: give api_email, or set the"
            " environment variable CLOUDFLARE_EMAIL, or use an API token instead"
        )
    if not key:
        raise InvalidOption(
            "api_email comes without its API key: give api_key, or set the environment variable"
            " CLOUDFLARE_API_KEY, or use an API token instead"
        )
    if not re.fullmatch("[!-~]+", email_address):
        raise InvalidOption(
            "the e-mail address of the API key has a space, a line break or another character that"
            " no e-mail address of a Cloudflare user has"
        )
    return KeyAuth(email_address, _secret(key, source), source)


def _secret(text: str, source: str) -> str:
    # RFC 6750, 2.1
    if not re.fullmatch("[0-9A-Za-z._~+/-]+=*", text):
        raise InvalidOption(
            f"the secret in {source} has a space, a line break or another character that no"
            " Cloudflare credential has: copy it again (a file often ends in a line break)"
        )
    return text


def _checked_account_id(text: str | None) -> str:
    if not text:
        raise InvalidOption(
            "the account is missing: give account_id, or set the environment variable"
            " CLOUDFLARE_ACCOUNT_ID"
        )
    if not re.fullmatch("[0-9A-Za-z]{1,32}", text):
        raise InvalidOption(
            f"account_id: {text!r} is not the id of an account: give the 32 hexadecimal digits that"
            " the dashboard shows"
        )
    return text


def _checked_url(text: str) -> str:
    if "@" in text or "?" in text or "#" in text:
        raise InvalidOption(
            "api_url: it must be a scheme, a host and a path, with no user, query or fragment"
        )
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError:
        host = None
    if not host or not _URL.fullmatch(text):
        raise InvalidOption(f"api_url: {text!r} is not a URL: leave it out, or give {API_URL}")
    if url.scheme == "http" and not _is_loopback(host):
        raise InvalidOption(
            f"api_url: {text!r} would send the credentials without encryption: use https"
        )
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _timeout(seconds: float) -> float:
    if not 0 < seconds < 3600:
        raise InvalidOption(
            f"timeout: {seconds:g} is not a number of seconds above 0 and below 3600"
        )
    return seconds


def _verify(validate_certs: bool, ca_path: str | None) -> bool | str:
    if not validate_certs or not ca_path:
        return validate_certs
    if not os.path.exists(ca_path):
        raise InvalidOption(f"ca_path: there is no file {ca_path!r} on the host that runs the task")
    return ca_path
