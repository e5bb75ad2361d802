# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that every module shares, and the client that they describe."""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.cloudflare_email.security.plugins.module_utils import _libraries
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareClient,
    Limits,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import (
    Credentials,
    KeyAuth,
    TokenAuth,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._environment import (
    ACCOUNT_ID,
    VARIABLES,
    from_environment,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import shortened
from ansible_collections.cloudflare_email.security.plugins.module_utils._problem_kinds import (
    OPTIONS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import RetryPolicy
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import hide

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

API_URL = "https://api.cloudflare.com/client/v4"

# There is no env_fallback: it would hide which credentials the task itself sets, and would not
# treat an empty option as omitted.
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

_NO_CREDENTIALS = (
    "credentials are missing; set api_token, or the environment variable CLOUDFLARE_API_TOKEN"
)
_NO_ACCOUNT = (
    "the account is missing; set account_id, or the environment variable CLOUDFLARE_ACCOUNT_ID"
)

# Deliberately strict: for unusual URLs, requests and urlsplit disagree about the host.
_URL = re.compile(r"(?ai:https?)://([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[!-\[\]-~]*)?")


class InvalidOption(ValueError):
    """An option that every module needs is missing or wrong; the message says what to set."""

    kind = OPTIONS


@dataclass(frozen=True)
class SharedOptions:
    """The account and how to reach it, checked; the environment sets what the task omits."""

    account_id: str
    api_url: str
    auth: Credentials
    timeout: float
    retries: int
    reserve: float
    verify: bool | str

    @classmethod
    def of(cls, module: AnsibleModule) -> SharedOptions:
        """Return the shared options of `module`, and have Ansible mask their secrets.

        Raises:
            InvalidOption: an option is missing or wrong, or a library is not installed.
        """
        if _libraries.IMPORT_ERROR is not None:
            # requests depends on the others.
            library = missing_required_lib("requests")
            raise InvalidOption(f"{library} ({_libraries.IMPORT_ERROR})")
        options, environment = module.params, from_environment()
        api_url = options["api_url"] or environment["api_url"] or API_URL
        account_id = options["account_id"] or environment["account_id"]
        auth = _auth(options, environment)
        missing = [*([] if auth else [_NO_CREDENTIALS]), *([] if account_id else [_NO_ACCOUNT])]
        if auth is None or missing:
            raise InvalidOption(" and ".join(missing))
        hide(module, auth.secrets)
        return cls(
            api_url=_checked_url(api_url),
            auth=auth,
            timeout=_timeout(options["timeout"]),
            retries=number_between("retries", options["retries"], 0, 100),
            reserve=number_between("rate_limit_reserve", options["rate_limit_reserve"], 0, 90)
            / 100,
            verify=_verify(options["validate_certs"], options["ca_path"]),
            account_id=_checked_account_id(str(account_id)),
        )

    def client(self, connections: int = 1, limits: Limits | None = None) -> CloudflareClient:
        """Return a client for up to `connections` threads."""
        return CloudflareClient(
            self.api_url,
            self.auth,
            timeout=self.timeout,
            retry=RetryPolicy(self.retries),
            verify=self.verify,
            reserve=self.reserve,
            connections=connections,
            limits=limits,
        )


def number_between(name: str, number: int, lowest: int, highest: int) -> int:
    """Return the option `name`, a number from `lowest` to `highest`; raises `InvalidOption`."""
    if not lowest <= number <= highest:
        raise InvalidOption(f"{name} is {number}; use a number from {lowest} to {highest}")
    # Ansible takes a boolean for a number.
    return int(number)


def _auth(
    options: t.Mapping[str, t.Any], environment: t.Mapping[str, str | None]
) -> Credentials | None:
    """Return the credentials: the task's before the environment's, a token before a key.

    An e-mail address and a key come from the same place, because they belong to the same user.
    """
    if options["api_token"]:
        return TokenAuth(_secret(options["api_token"], "api_token"), "option api_token")
    if options["api_key"] or options["api_email"]:
        return _key_auth(options, {"api_email": "api_email", "api_key": "api_key"}, "option")
    if environment["api_token"]:
        variable = VARIABLES["api_token"]
        token = _secret(environment["api_token"], variable)
        return TokenAuth(token, f"environment variable {variable}")
    if environment["api_key"]:
        return _key_auth(environment, VARIABLES, "environment variable")
    return None


def _key_auth(given: t.Mapping[str, t.Any], names: t.Mapping[str, str], place: str) -> KeyAuth:
    """Return the key that is given; `names` are those by which messages call the two settings."""
    if not given["api_email"]:
        raise InvalidOption(
            f"{names['api_key']} requires {names['api_email']}; set both, or use an API token instead"
        )
    if not given["api_key"]:
        raise InvalidOption(
            f"{names['api_email']} requires {names['api_key']}; set both, omit both to use the"
            " credentials of the environment, or use an API token instead"
        )
    if not re.fullmatch("[!-~]+", given["api_email"]):
        raise InvalidOption(
            f"{names['api_email']} contains a space, a line break or another character that is not"
            " allowed in the e-mail address of a Cloudflare user; copy it again"
        )
    key = _secret(given["api_key"], names["api_key"])
    return KeyAuth(given["api_email"], key, f"{place} {names['api_key']}")


def _secret(text: str, name: str) -> str:
    # RFC 6750, section 2.1
    if not re.fullmatch("[0-9A-Za-z._~+/-]+=*", text):
        raise InvalidOption(
            f"{name} contains a space, a line break or another character that is not allowed in"
            " Cloudflare credentials; copy it again (a file often ends in a line break)"
        )
    return text


def _checked_account_id(text: str) -> str:
    if not ACCOUNT_ID.fullmatch(text):
        raise InvalidOption(
            f"account_id {shortened(repr(text), 80)} is not the ID of an account; use the 32"
            " hexadecimal digits that the dashboard shows"
        )
    return text


def _checked_url(text: str) -> str:
    if "@" in text or "?" in text or "#" in text:
        raise InvalidOption(
            "api_url contains a user, a query or a fragment; use only a scheme, a host and a path"
        )
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError:
        host = None
    if not host or not _URL.fullmatch(text):
        raise InvalidOption(f"api_url {text!r} is not a URL; omit it, or use {API_URL}")
    if url.scheme == "http" and not _is_loopback(host):
        raise InvalidOption(
            f"api_url {text!r} would send the credentials without encryption; use https"
        )
    if f".{host}".endswith(".cloudflare.com") and url.path.rstrip("/") != urlsplit(API_URL).path:
        raise InvalidOption(
            f"api_url {text!r} does not have the path /client/v4 of the API; use {API_URL}, or omit it"
            " and the environment variable CLOUDFLARE_BASE_URL"
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
            f"timeout is {seconds:g}; use a number of seconds above 0 and below 3600"
        )
    return seconds


def _verify(validate_certs: bool, ca_path: str | None) -> bool | str:
    if not validate_certs or not ca_path:
        return validate_certs
    if not os.path.exists(ca_path):
        raise InvalidOption(
            f"ca_path {ca_path!r} does not exist on the host that runs the task; correct the path"
        )
    return ca_path
