# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps secrets out of everything that modules return and that plugins show or write.

Up to ansible-core 2.21, Ansible masks secrets in what a module returns. Since 2.22 it masks them
only where it shows them, and files that plugins write are not covered. So this collection masks
them itself, on every version, and registers them so that Ansible also masks them on the screen.
"""

from __future__ import annotations

import base64
import os
import typing as t
from urllib.parse import quote

from ansible_collections.cloudflare_email.security.plugins.module_utils._environment import (
    from_environment,
)

try:
    from ansible.module_utils.secrets import register_secrets as _register
except ImportError:  # ansible-core before 2.22

    def _register(values: t.Iterable[str]) -> None:
        """Do nothing."""


if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

Value = t.TypeVar("Value")

MASK = "********"
# Shorter secrets, and their encoded forms, may occur in ordinary words and numbers.
MIN_SECRET_LENGTH = 16


def secret_forms(secret: str) -> tuple[str, ...]:
    """Return how a secret may appear in a text: as it is, URL-encoded, and within base64."""
    if len(secret) < MIN_SECRET_LENGTH or not secret.isascii():
        return (secret,)
    # The base64 form depends on the offset modulo 3.
    bits = 8 * len(secret)
    encoded = [
        base64.b64encode(b"\0" * offset + secret.encode("ascii")).decode("ascii")[
            -(-8 * offset // 6) : (8 * offset + bits) // 6
        ]
        for offset in range(3)
    ]
    return (secret, quote(secret, safe=""), *encoded)


def known_secrets(
    options: t.Mapping[str, t.Any], task_environment: t.Mapping[str, str] | None = None
) -> set[str]:
    """Return all forms of the credentials in the options of a task and in the environment.

    This includes credentials that are not used, unless they are so short that they must be
    placeholders, and a URL of the API that may contain a password.

    Arguments:
        task_environment: the variables of the task keyword `environment`, which the controller does not have.
    """
    places = (options, from_environment(), from_environment(task_environment or {}))
    texts = [str(place.get(name) or "") for place in places for name in ("api_token", "api_key")]
    forms = {
        form
        # Texts may show a secret without the line break that it was given with.
        for secret in [*texts, *map(str.strip, texts)]
        if len(secret) >= MIN_SECRET_LENGTH
        for form in secret_forms(secret)
    }
    urls = [place.get("api_url") for place in places]
    return forms | {url for url in urls if url and "@" in url}


def masked(value: Value, secrets: t.Iterable[str]) -> Value:
    """Return a copy of a result in which no text and no key contains one of the secrets.

    A secret shorter than `MIN_SECRET_LENGTH` stays in keys, as it may be part of `failed`.
    """
    # The longest first: one secret may contain another.
    ordered = sorted(filter(None, secrets), key=len, reverse=True)
    in_keys = [secret for secret in ordered if len(secret) >= MIN_SECRET_LENGTH]
    copy: Value = _masked(value, ordered, in_keys)
    return copy


def register_secrets(secrets: t.Iterable[str]) -> None:
    """Have Ansible mask these secrets wherever it shows something, if its version can."""
    _register(secrets)


def hide(module: AnsibleModule, secrets: t.Collection[str]) -> None:
    """Have `finish` and Ansible mask these secrets."""
    module.no_log_values.update(secrets)
    # Since ansible-core 2.22, a module with `async` writes the secrets that it registers to its job file.
    if "ANSIBLE_ASYNC_DIR" not in os.environ:
        register_secrets(secrets)


def finish(
    module: AnsibleModule, values: dict[str, t.Any], warnings: t.Iterable[str] = ()
) -> t.NoReturn:
    """End a module with this result, which may have `failed`, without secrets."""
    secrets = module.no_log_values
    for warning in warnings:
        module.warn(masked(warning, secrets))
    # Ansible adds the options to the result.
    module.params = masked(module.params, secrets)
    values = masked(values, secrets)
    if values.get("failed"):
        module.fail_json(**values)
    module.exit_json(**values)


def _masked(value: t.Any, secrets: list[str], in_keys: list[str]) -> t.Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, t.Mapping):
        return {
            _masked(key, in_keys, in_keys): _masked(entry, secrets, in_keys)
            for key, entry in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_masked(entry, secrets, in_keys) for entry in value]
    return value
