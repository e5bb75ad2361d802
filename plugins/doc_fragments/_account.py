# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options mean that every module shares."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - Python 3.8 or newer
  - requests 2.25.1 or newer
options:
  account_id:
    description:
      - The ID of the Cloudflare account, 32 hexadecimal digits.
      - Required, unless the environment variable E(CLOUDFLARE_ACCOUNT_ID) is set.
    type: str
  api_token:
    description:
      - "An API token with the permission C(Cloud Email Security: Write), or C(Cloud Email Security: Read) to
        look only."
      - Falls back to the environment variable E(CLOUDFLARE_API_TOKEN). Credentials that are given to
        the task beat those of the environment, and a token beats a key.
    type: str
  api_email:
    description:
      - The e-mail address that belongs to O(api_key).
      - Falls back to the environment variable E(CLOUDFLARE_EMAIL).
    type: str
  api_key:
    description:
      - The global API key of the user O(api_email). An O(api_token) can do less harm and is to be
        preferred.
      - Falls back to the environment variable E(CLOUDFLARE_API_KEY).
    type: str
  api_url:
    description:
      - Where the API is. It must be V(https://), except on loopback addresses.
      - Falls back to the environment variable E(CLOUDFLARE_BASE_URL), and then to
        V(https://api.cloudflare.com/client/v4).
    type: str
  timeout:
    description:
      - How many seconds to wait for a connection, and for each part of an answer.
      - An answer that trickles in without end is cut off by the keyword C(timeout) of the task only.
    type: float
    default: 30
  retries:
    description:
      - How often a call is repeated after a passing fault, such as a dropped connection or the rate
        limit, before the task fails. A creation is not repeated before the list has shown that the
        first one did not take effect.
    type: int
    default: 5
  rate_limit_reserve:
    description:
      - How many percent of Cloudflare's rate limit to leave to others, from 0 to 90. A user shares it with all
        their tools and the dashboard, and once it is used up, nobody gets an answer for five minutes.
      - When no more than that is left, the task waits until Cloudflare counts anew.
    type: int
    default: 10
  validate_certs:
    description:
      - Whether to check the certificate of the API. Turning it off hands the credentials to whoever
        sits in between.
    type: bool
    default: true
  ca_path:
    description:
      - A file with the CA certificates, or a directory of them, to check the certificate of the API
        with, instead of those that requests brings or that the environment variable
        E(REQUESTS_CA_BUNDLE) names.
    type: path
"""
