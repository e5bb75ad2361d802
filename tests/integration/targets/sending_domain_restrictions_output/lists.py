# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes an account, and a list that makes 200 changes to it; or a list of as many creates as given."""

from __future__ import annotations

import json
import sys

IDN = "xn--mller-kva.example"
if sys.argv[1:]:
    print(
        json.dumps({"restrictions": [{"domain": f"d{n}.example"} for n in range(int(sys.argv[1]))]})
    )
    sys.exit()

partners = [
    {
        "domain": f"partner{number:03}.example",
        "exclude": [f"news.partner{number:03}.example"] if number % 3 == 0 else [],
        "comments": f"Agreed with {number}" if number % 2 else None,
    }
    for number in range(150)
]
idn = {"domain": IDN, "exclude": [f"a.{IDN}"], "comments": "Grüße"}
duplicates = [
    {
        "id": f"{number}a111111-1111-4111-8111-11111111111a",
        "domain": domain,
        "created_at": f"2026-01-0{number}T00:00:00Z",
    }
    for number, domain in ((1, "bank.example"), (2, "Bank.example."))
]
changed = [
    *({**entry, "comments": "Reviewed\nin May"} for entry in partners[:30]),
    *({**entry, "exclude": [f"crm.{entry['domain']}"]} for entry in partners[30:59]),
]
with open("account.json", "w") as file:
    json.dump({"restrictions": [*partners, idn, *duplicates]}, file)
with open("list.json", "w") as file:
    new = [{"domain": f"new{number:02}.example"} for number in range(47)]
    mueller = {"domain": "müller.example", "exclude": ["a.müller.example", "b.müller.example"]}
    new += [mueller, {"domain": "bücher.example"}, {"domain": "bank.example"}]
    json.dump({"restrictions": [*changed, *new]}, file)
