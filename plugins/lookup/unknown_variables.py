# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds variables with mistaken names, for the playbooks and the role."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unknown_variables
short_description: Find variables with mistaken names
version_added: 0.1.0
description:
  - Ansible ignores variables that nothing uses, so that a typo in the name of a guard would turn it off.
  - This lookup is for the playbooks and the role of this collection.
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
options:
  _terms:
    description: The names of the known variables.
    type: list
    elements: str
    required: true
  of_role:
    description:
      - If V(false), looks at the variables of the command line. Returns why names that resemble a known one are
        refused, and warns of other unknown ones. If Ansible cut a value at a space, returns only that.
      - If V(true), looks at the variables of all sources that have the prefix of the role. Warns of unknown ones.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check the names of the command line
  ansible.builtin.fail:
    msg: "{{ mistakes | join('. ') }}"
  when: mistakes | length > 0
  vars:
    mistakes: "{{ query('cloudflare_email.security.unknown_variables', 'prune', 'concurrency') }}"
"""

RETURN = r"""
_raw:
  description: Why variables are refused, one sentence each.
  type: list
  elements: str
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    extra_arguments,
    extra_variables,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._variable_names import (
    check_playbook,
    check_role,
    cut_value,
)

display = Display()


class LookupModule(LookupBase):
    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any
    ) -> list[str]:
        if options.get("of_role"):
            refusals: list[str] = []
            warnings = check_role(variables or {}, terms)
        else:
            cut = list(filter(None, map(cut_value, extra_arguments())))
            if cut:
                return cut
            refusals, warning = check_playbook(extra_variables(self._loader), terms)
            warnings = [warning] if warning else []
        for text in warnings:
            display.warning(text)
        return refusals
