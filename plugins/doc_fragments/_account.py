# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the options that every module shares."""

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
      - "An API token with the permission C(Cloud Email Security: Write), or C(Cloud Email Security: Read) for
        tasks that only read."
      - Falls back to the environment variable E(CLOUDFLARE_API_TOKEN). Credentials of the task take precedence over
        those of the environment, and a token takes precedence over a key.
      - To use O(api_key) in a task although C(module_defaults) sets a token, set O(api_token) to an empty string.
    type: str
  api_email:
    description:
      - The e-mail address of the user that O(api_key) belongs to.
      - If neither is set, E(CLOUDFLARE_EMAIL) and E(CLOUDFLARE_API_KEY) are used. Set both or neither.
    type: str
  api_key:
    description:
      - The global API key of the user O(api_email). Prefer O(api_token), which can be limited to one account and
        one permission.
    type: str
  api_url:
    description:
      - The base URL of the API, with its path C(/client/v4). It must use V(https://), except on loopback addresses.
      - Falls back to the environment variable E(CLOUDFLARE_BASE_URL), and then to
        V(https://api.cloudflare.com/client/v4).
    type: str
  timeout:
    description:
      - Seconds to wait for a connection, and for each part of a response.
      - To limit the whole task, use its keyword C(timeout).
    type: float
    default: 30
  retries:
    description:
      - How many times a call is retried after a transient failure, such as a lost connection or a 429 response. The
        backoff is exponential.
      - A create whose outcome is unknown is never retried before checking whether it succeeded.
    type: int
    default: 5
  rate_limit_reserve:
    description:
      - Percentage of Cloudflare's rate limit to keep free for other clients, from 0 to 90. All tools of a
        user share the limit with the dashboard. Once it is exceeded, Cloudflare refuses every call for five minutes.
      - When only the reserve is left, the task waits until the rate limit resets.
    type: int
    default: 10
  validate_certs:
    description:
      - Whether to check the certificate of the API. Turning this off exposes the credentials to anyone on the
        network path.
    type: bool
    default: true
  ca_path:
    description:
      - A file with CA certificates, or a directory of them, to check the certificate of the API with. It replaces
        the certificates that come with requests and those of the environment variable E(REQUESTS_CA_BUNDLE).
    type: path
notes:
  - The environment variables are read on the host that runs the task, which is the controller for C(hosts=localhost).
  - The Python library requests must be installed for the interpreter that runs the task. On the controller, install it
    where ansible-core is installed, with C(pip install requests) in the same virtual environment, with
    C(pipx inject ansible-core requests), or with the distribution's package.
  - Every host of a play runs the task, even on the same account. Use C(hosts=localhost) or C(run_once=true) to run it
    once.
"""
