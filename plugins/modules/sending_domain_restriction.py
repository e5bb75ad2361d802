#!/usr/bin/python
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sending_domain_restriction
short_description: Require TLS from one sending domain in Cloudflare Email Security
version_added: 0.1.0
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
description:
  - Manages one I(sending domain restriction), which the dashboard calls I(Partner domain TLS).
  - Cloudflare B(drops) mail that arrives B(without TLS) from a restricted domain or one of its subdomains, and does
    not tell the recipient. Review the change with C(--check --diff) first.
  - Omitted options are not changed. On an update, the current values stay. On a create, no subdomain is excluded and
    there is no comment.
  - Names are compared as DNS compares them. Letter case, a trailing dot, the order of O(exclude) and the spelling of
    an internationalized name (IDNA 2008) make no difference.
  - A task makes one API call for every 1,000 restrictions on the account, and one more if it changes something. If
    their number is that of a full page, such as 100 or 1,000, it makes another one to see whether there are more.
  - The task warns about restrictions that overlap in a way that you may not intend.
extends_documentation_fragment:
  - cloudflare_email.security._account
  - cloudflare_email.security._attributes
  - cloudflare_email.security._impact
options:
  domain:
    description:
      - The domain that mail comes from, such as V(partner.example). Its subdomains are covered too.
      - With O(id), the new domain of the restriction.
    type: str
  exclude:
    description:
      - The subdomains of O(domain) that may send without TLS, in any order. V([]) clears them.
    type: list
    elements: str
  comments:
    description:
      - A comment of at most 1,024 characters. An empty string clears it.
    type: raw
  state:
    description:
      - Whether the restriction should exist.
      - With V(absent), every restriction for O(domain) is deleted, or only the one with O(id).
    type: str
    choices: [present, absent]
    default: present
  id:
    description:
      - The ID of one restriction. It must exist, unless O(state=absent).
      - Required to rename a restriction, or to select one of several restrictions for the same domain.
      - With O(state=absent), O(domain) is optional, but must match that restriction.
    type: str
seealso:
  - module: cloudflare_email.security.sending_domain_restrictions
    description: Manage the whole list in one task.
  - module: cloudflare_email.security.sending_domain_restriction_info
    description: Read the restrictions of an account.
  - ref: Getting started <ansible_collections.cloudflare_email.security.docsite.getting_started>
    description: A guide in this collection.
  - name: Partner domain TLS
    description: The setting in Cloudflare's documentation.
    link: https://developers.cloudflare.com/cloudflare-one/email-security/
"""

EXAMPLES = r"""
- name: Require TLS from a partner, except from its newsletter
  cloudflare_email.security.sending_domain_restriction:
    account_id: 023e105f4ecef8ad9ca31a8372d0c353
    api_token: "{{ cloudflare_api_token }}"
    domain: partner.example
    exclude:
      - newsletter.partner.example
    comments: TLS agreed with the postmaster of partner.example

# The other examples take the account and the token from the environment variables
# CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN.

- name: Preview a change
  cloudflare_email.security.sending_domain_restriction:
    domain: partner.example
    exclude: []
  check_mode: true
  diff: true

- name: Require TLS from several partners
  cloudflare_email.security.sending_domain_restriction:
    domain: "{{ item }}"
  loop:
    - partner.example
    - bank.example

- name: Rename a restriction
  cloudflare_email.security.sending_domain_restriction:
    id: f174e90a-fafe-4643-bbbc-4a0ed4fc8415
    domain: new-name.example
    exclude: []

- name: Accept mail without TLS again
  cloudflare_email.security.sending_domain_restriction:
    domain: partner.example
    state: absent
"""

RETURN = r"""
msg:
  description: What the task did, or what went wrong and what to do.
  returned: always
  type: str
  sample: partner.example created
sending_domain_restriction:
  description:
    - The restriction after the task, or V(none) with O(state=absent).
    - In check mode, the predicted one. Values that only Cloudflare knows are V(none).
  returned: once the account was read
  type: dict
  contains: &restriction
    id:
      description: The ID of the restriction, a UUID.
      type: str
      sample: f174e90a-fafe-4643-bbbc-4a0ed4fc8415
    domain:
      description: The domain that mail comes from.
      type: str
      sample: partner.example
    exclude:
      description: The subdomains that may send without TLS.
      type: list
      elements: str
      sample:
        - newsletter.partner.example
    comments:
      description: The comment, or V(none).
      type: str
      sample: TLS agreed with the postmaster of partner.example
    created_at:
      description: When the restriction was created (RFC 3339).
      type: str
      sample: '2026-01-01T05:20:00.12345Z'
    modified_at:
      description: When the restriction was last changed (RFC 3339).
      type: str
      sample: '2026-01-01T05:20:00.12345Z'
previous:
  description:
    - The restriction before the task, or V(none) if there was none.
    - If O(state=absent) deletes several restrictions for one domain, the first of RV(deleted).
  returned: once the account was read
  type: dict
  contains: *restriction
effect:
  description:
    - What the change does to mail from the domain and its subdomains. V(newly_requires_tls) is a create, or an update
      that removes an exclusion. V(no_longer_requires_tls) is a delete, or an update that adds an exclusion. After
      V(both), some names newly require TLS and others no longer do. V(comment_or_spelling) changes nothing for mail.
    - V(none) if nothing was changed. Other restrictions that cover the same subdomains are not considered.
  returned: once the account was read
  type: str
  sample: newly_requires_tls
impact:
  description:
    - Whom the change affects. Each key is a domain whose change matters to mail. Its value lists the names at or below
      the domain that sent messages in O(impact_days) and that need TLS only after, or only before, the change, most
      messages first.
    - Other restrictions that cover these names are considered.
  returned: with O(impact_days), once the messages were searched
  type: dict
  sample:
    partner.example:
      - name: newsletter.partner.example
        messages: 412
        first_seen: '2026-10-29T06:00:12Z'
        last_seen: '2026-11-20T06:00:09Z'
        delivery_modes:
          - DIRECT
        at_least: false
        effect: newly_requires_tls
impact_days:
  description: How many days were searched.
  returned: with O(impact_days), once the messages were searched
  type: int
  sample: 30
impact_unknown:
  description: The domains for which RV(impact) may lack senders, and why, such as a search that failed.
  returned: with O(impact_days), once the messages were searched
  type: dict
  sample:
    bank.example: not all messages were counted; lower impact_days
deleted:
  description: The deleted restrictions, as they were before the task.
  returned: with O(state=absent), once the account was read
  type: list
  elements: dict
  contains: *restriction
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SHARED_ARGUMENTS,
    InvalidOption,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    STATES,
    InvalidRestriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_one import run_one
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    finish,
    hide,
    known_secrets,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SHARED_ARGUMENTS,
            "domain": {"type": "str"},
            "exclude": {"type": "list", "elements": "str"},
            # As text, Ansible would accept true, false and lists.
            "comments": {"type": "raw"},
            "state": {"type": "str", "choices": list(STATES), "default": "present"},
            "id": {"type": "str"},
            "impact_days": {"type": "int", "default": 0},
        },
        required_one_of=[("domain", "id")],
        supports_check_mode=True,
        # Ansible would log the options before the secrets of the environment are hidden.
        no_log=True,
    )
    hide(module, known_secrets(module.params))
    try:
        result, warnings = run_one(module)
    except (InvalidOption, InvalidRestriction, CloudflareError) as error:
        finish(module, {"failed": True, "msg": str(error)})
    finish(module, result, warnings)


if __name__ == "__main__":
    main()
