# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A script with Cloudflare's official client: lists once, then creates what is missing, one by one.

Arguments: the base URL, a token, the account ID, the number of creates.
"""

from __future__ import annotations

import sys

from cloudflare import Cloudflare

base_url, token, account_id, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

client = Cloudflare(base_url=base_url, api_token=token)
restrictions = client.email_security.settings.sending_domain_restrictions
existing = {known.domain for known in restrictions.list(account_id=account_id, per_page=1000)}
for number in range(count):
    domain = f"d{number}.example"
    if domain not in existing:
        restrictions.create(account_id=account_id, domain=domain, exclude=[])
