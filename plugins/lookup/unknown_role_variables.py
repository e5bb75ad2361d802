# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds variables that look as if they belonged to the role."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unknown_role_variables
short_description: Warn of variables that look as if they belonged to the role
version_added: 0.1.0
description:
  - Ansible ignores variables that nothing uses, so that a typo in the name of a guard would turn it off.
  - This lookup is for the role of this collection. It warns of variables that have the prefix of the role and that the
    role does not have, wherever they are set.
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
options:
  _terms:
    description: The variables of the role.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Warn of unknown variables
  ansible.builtin.debug:
    msg: "{{ query('cloudflare_email.security.unknown_role_variables', 'sending_domain_restrictions_file') }}"
"""

RETURN = r"""
_raw:
  description: Always empty.
  type: list
  elements: str
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._variables import (
    unknown_role_variables,
)

display = Display()


class LookupModule(LookupBase):
    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any
    ) -> list[str]:
        for text in unknown_role_variables(variables or {}, terms):
            display.warning(text)
        return []
