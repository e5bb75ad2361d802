# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host names that the API accepts."""

from __future__ import annotations

import re

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)+(?=[^.]*[A-Za-z]){_LABEL}", re.ASCII)
MAX_LENGTH = 253


def is_host_name(name: str) -> bool:
    """Whether ``name`` has two or more labels of letters, digits, hyphens and underscores.

    No label starts or ends with a hyphen. The last one has a letter, unlike that of an IP address.
    """
    return len(name) <= MAX_LENGTH and _HOST_NAME.fullmatch(name) is not None


def same_name(name: str) -> str:
    """The name in lower case without a trailing dot, for comparisons."""
    return name.lower().rstrip(".")


def is_below(name: str, domain: str) -> bool:
    """Whether ``name`` is a strict subdomain of ``domain``."""
    return same_name(name).endswith("." + same_name(domain))
