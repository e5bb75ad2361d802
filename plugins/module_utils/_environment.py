# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that Cloudflare's own environment variables set."""

from __future__ import annotations

import os
import re
import typing as t

ACCOUNT_ID = re.compile("[0-9a-fA-F]{32}")

VARIABLES = {
    "account_id": "CLOUDFLARE_ACCOUNT_ID",
    "api_url": "CLOUDFLARE_BASE_URL",
    "api_token": "CLOUDFLARE_API_TOKEN",
    "api_email": "CLOUDFLARE_EMAIL",
    "api_key": "CLOUDFLARE_API_KEY",
}


def from_environment(variables: t.Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Return the values of the environment, by the names of the options.

    Arguments:
        variables: those of another environment than that of this process.
    """
    variables = os.environ if variables is None else variables
    return {name: variables.get(variable) for name, variable in VARIABLES.items()}
