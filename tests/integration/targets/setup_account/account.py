# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes an account on the emulator for a shell script, and looks at one.

`account.py URL make '{"latency": 0.1}'` prints variables for the shell, `account.py URL fault '{…}'`
scripts a fault; `account.py URL held ID` prints how many restrictions there are, and for how many
domains; `account.py URL refused ID` how many calls the rate limit refused.
"""

from __future__ import annotations

import json
import sys
import urllib.request


def control(url: str, body: str | None = None) -> dict:
    """Call the control API; a POST if there is a body."""
    request = urllib.request.Request(
        url, body.encode() if body else None, {"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as answer:
        return json.load(answer)


control_url, action, argument = sys.argv[1:]
if action == "make":
    account = control(f"{control_url}/accounts", argument)
    print(f"export CLOUDFLARE_ACCOUNT_ID={account['id']}")
    print(f"export CLOUDFLARE_API_TOKEN={account['tokens']['write']}")
    print(f"api_email={account['email']} api_key={account['api_key']}")
elif action == "fault":
    control(f"{control_url}/faults", argument)
elif action == "held":
    held = control(f"{control_url}/accounts/{argument}/restrictions")["restrictions"]
    print(len(held), len({restriction["domain"] for restriction in held}))
else:
    requests = control(f"{control_url}/requests?account_id={argument}")["requests"]
    print(sum(request["status"] == 429 for request in requests))
