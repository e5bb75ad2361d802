# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether restrictions can drop any mail, by how it reaches Cloudflare."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CREDENTIALS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._findings import (
    Finding,
    findings_about_delivery,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
    own_domains,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )


def read_delivery(api: RestrictionsApi) -> tuple[list[Finding], list[str]]:
    """Return the findings about how mail reaches Cloudflare, and warnings.

    There are none if the credentials may not read the account's own domains. A time slice does not
    wait for the rate limit because of them.
    """
    try:
        return findings_about_delivery(own_domains(api.client, api.account_id)), []
    except RateLimitWait:
        reason = "Cloudflare's rate limit is used up; run again later"
    except CloudflareError as error:
        if error.kind == CREDENTIALS:
            return [], []
        reason = str(error)
    return [], [f"could not check how mail for the account's own domains is delivered: {reason}"]
