# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lower bound: the same searches from a thread pool with requests, which read the JSON.

Arguments: the URL of the restrictions, a token, the number of domains, the concurrency.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import requests

url, token, count, concurrency = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

session = requests.Session()
session.headers["Authorization"] = f"Bearer {token}"
session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=concurrency))
search_url = url.replace("/settings/sending_domain_restrictions", "/investigate")
session.mount(search_url, requests.adapters.HTTPAdapter(pool_maxsize=concurrency))


def search(number: int) -> None:
    query = {"sender": f"d{number}.example", "detections_only": "false", "per_page": 1000}
    response = session.get(search_url, params=query)
    response.raise_for_status()
    response.json()


session.get(url, params={"per_page": 1000}).raise_for_status()
session.get(url, params={"per_page": 1000, "page": 2}).raise_for_status()
with ThreadPoolExecutor(concurrency) as pool:
    list(pool.map(search, range(count)))
