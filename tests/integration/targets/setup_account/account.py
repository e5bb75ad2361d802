# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates an account on the emulator for a shell script, and looks at one.

`account.py URL create '{"latency": 0.1}'` prints its ID, token, e-mail address and API key.
`account.py URL change ID '{"latency": 0}'` changes one.
`account.py URL fault '{…}'` scripts a fault. `account.py URL count ID` prints how many restrictions
the account has, and for how many domains; `account.py URL refused ID` how many calls the rate limit
refused; `account.py URL pending ID` how many calls have no response yet.
"""

from __future__ import annotations

import json
import sys
import urllib.request


def control(path: str, body: str | None = None, method: str | None = None) -> dict:
    """Call the control API; a POST if there is a body and no other method."""
    data = body.encode() if body else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(sys.argv[1] + path, data, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as response:
        return json.load(response)


action, argument, *more = sys.argv[2:]
if action == "create":
    account = control("/accounts", argument)
    print(account["id"], account["tokens"]["write"], account["email"], account["api_key"])
elif action == "change":
    control(f"/accounts/{argument}", *more, method="PATCH")
elif action == "fault":
    control("/faults", argument)
elif action == "count":
    restrictions = control(f"/accounts/{argument}/restrictions")["restrictions"]
    print(len(restrictions), len({restriction["domain"] for restriction in restrictions}))
else:
    requests = control(f"/requests?account_id={argument}")["requests"]
    status = {"refused": 429, "pending": None}[action]
    print(sum(request["status"] == status for request in requests))
