# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules support: those that change restrictions, and with `.info` those that read them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: Use C(group/cloudflare_email.security.all) in C(module_defaults) to set shared options once.
    support: full
    membership:
      - cloudflare_email.security.all
  check_mode:
    description: Can run in check mode and predicts exactly what a real run does, without changing anything.
    support: full
  diff_mode:
    description: Shows the fields that people manage before and after, for every restriction that changes.
    support: full
  idempotent:
    description: Running it again with the same options changes nothing.
    support: full
"""

    INFO = r"""
attributes:
  action_group:
    description: Use C(group/cloudflare_email.security.all) in C(module_defaults) to set shared options once.
    support: full
    membership:
      - cloudflare_email.security.all
  check_mode:
    description: Can run in check mode, where it does the same.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  idempotent:
    description: Changes nothing.
    support: full
"""
