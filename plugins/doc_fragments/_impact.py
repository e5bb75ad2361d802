# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option that asks whom a change affects."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  impact_days:
    description:
      - How many days of received messages to search, from 1 to 90, to find out whom a change affects. See RV(impact).
        By default, nothing is searched.
      - For each change, this takes at least one API call, and one more for each 1,000 messages. At most 10,000 messages
        are counted in a search.
      - It does not say which of these messages came with TLS. The notes of
        M(cloudflare_email.security.sending_domain_senders_info) list what else it does not say.
      - "It needs the permission C(Cloud Email Security: Read)."
    type: int
    default: 0
"""
