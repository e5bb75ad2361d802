# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lower bound: the same calls from a thread pool with requests, and nothing else.

Arguments: the URL of the restrictions, a token, the number of creates, the concurrency.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import requests

url, token, count, concurrency = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

session = requests.Session()
session.headers["Authorization"] = f"Bearer {token}"
session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=concurrency))


def create(number: int) -> None:
    body = {"domain": f"d{number}.example", "exclude": []}
    session.post(url, json=body).raise_for_status()


session.get(url, params={"per_page": 1000}).raise_for_status()
with ThreadPoolExecutor(concurrency) as pool:
    list(pool.map(create, range(count)))
