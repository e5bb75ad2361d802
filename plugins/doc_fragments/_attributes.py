# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of modules that change restrictions and, with `.info`, of modules that read them."""

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
    description: Predicts exactly what a real run would do, without changing anything.
    support: full
  diff_mode:
    description: Shows what changes for every restriction, one fact per line.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
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
    description: Works the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  idempotent:
    description: Changes nothing.
    support: full
"""
