# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds mistakes in what the command line gives to a playbook of this collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: playbook_mistakes
short_description: Find mistakes in the variables of a playbook
version_added: 0.1.0
description:
  - Ansible ignores variables that nothing uses, so that a typo in the name of a guard would turn it off.
  - This lookup is for the playbooks of this collection. It warns of unknown variables of the command line, and
    returns those that resemble a known one as mistakes.
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
options:
  _terms:
    description:
      - The variables of the playbook twice, with their default values and with their values.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Check the variables of the command line
  ansible.builtin.fail:
    msg: "{{ mistakes | join('. ') }}"
  when: mistakes | length > 0
  vars:
    mistakes: "{{ query('cloudflare_email.security.playbook_mistakes', {'prune': false}, {'prune': prune}) }}"
"""

RETURN = r"""
_raw:
  description: What is wrong, and what to do, one sentence for each mistake.
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
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._variables import (
    cut_values,
    wrong_names,
    wrong_values,
)

display = Display()


class LookupModule(LookupBase):
    def run(
        self,
        terms: list[dict[str, t.Any]],
        variables: dict[str, t.Any] | None = None,
        **options: t.Any,
    ) -> list[str]:
        defaults, values = terms
        cut = cut_values(extra_arguments())
        if cut:
            return cut
        mistakes, warning = wrong_names(extra_variables(self._loader), defaults)
        if warning:
            display.warning(warning)
        return mistakes + wrong_values(defaults, values)
