#!/usr/bin/python
# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sending_domain_restriction
short_description: Require TLS from a sending domain in Cloudflare Email Security
version_added: 0.1.0
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
description:
  - Manages one I(sending domain restriction), which the dashboard calls I(Partner domain TLS).
  - Mail that arrives B(without TLS) from a restricted domain or one of its subdomains is B(dropped),
    and the recipient is not told. Look at the change in check mode with C(--check --diff) first.
  - An option that is left out is left alone. An update keeps what the account holds, a creation
    exempts no subdomain and has no comment.
  - Names are compared as DNS compares them, so letter case, a trailing dot, the order of O(exclude) and
    the spelling of an internationalized name (IDNA 2008) make no difference.
  - A task makes one call for every 1,000 restrictions on the account, and one more if something is to
    be changed.
extends_documentation_fragment:
  - cloudflare_email.security._account
  - cloudflare_email.security._attributes
options:
  domain:
    description:
      - The domain that mail comes from, such as V(partner.example). Its subdomains are covered too.
      - Together with O(id), the domain that the restriction is to have from now on.
    type: str
  exclude:
    description:
      - The subdomains of O(domain) that may send without TLS, as a set. V([]) clears it.
    type: list
    elements: str
  comments:
    description:
      - A note for people, a text of at most 1,024 characters. An empty string clears it.
    type: raw
  state:
    description:
      - Whether the restriction is to be there.
      - With V(absent), every restriction for O(domain) is removed, or the one with O(id) only.
    type: str
    choices: [present, absent]
    default: present
  id:
    description:
      - The ID of one restriction, to name it for certain. It must be on the account already, unless
        O(state=absent).
      - Needed to rename a restriction, and to say which one is meant when the account has two
        restrictions for one domain.
      - With O(state=absent) and O(domain) given too, the restriction must be for that domain.
    type: str
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

- name: See what would change, without changing it
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
sending_domain_restriction:
  description:
    - The restriction as it is after the task, or V(none) with O(state=absent).
    - In check mode, what it would be. What only Cloudflare can know is V(none) then.
  returned: success
  type: dict
  contains:
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
      description: The note for people, or V(none).
      type: str
      sample: TLS agreed with the postmaster of partner.example
    created_at:
      description: When the restriction was made (RFC 3339).
      type: str
      sample: '2026-01-01T05:20:00.12345Z'
    modified_at:
      description: When the restriction was last changed (RFC 3339).
      type: str
      sample: '2026-01-01T05:20:00.12345Z'
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import (
    apply,
    predict,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._arguments import (
    RESTRICTION_ARGUMENTS,
    SHARED_ARGUMENTS,
    InvalidOption,
    restrictions_api_from,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    InvalidRestriction,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SHARED_ARGUMENTS,
            **RESTRICTION_ARGUMENTS,
            "id": {"type": "str"},
        },
        required_one_of=[("domain", "id")],
        supports_check_mode=True,
    )
    try:
        api = restrictions_api_from(module)
        desired = DesiredRestriction.from_options(module.params)
        plan = make_plan([desired], api.list_all())
    except (InvalidOption, InvalidRestriction, CloudflareError) as error:
        module.fail_json(msg=str(error))
    outcome = predict(plan) if module.check_mode else apply(plan, api)
    for notice in api.client.notices():
        module.warn(notice)
    if outcome.failures:
        module.fail_json(msg=outcome.failures[0].reason, changed=outcome.changed)
    records = [*outcome.created, *outcome.updated, *(kept.record for kept in plan.unchanged)]
    result: dict[str, t.Any] = {
        "changed": outcome.changed,
        "sending_domain_restriction": records[0] if records else None,
    }
    if module._diff:
        diffs = plan.diffs()
        result["diff"] = diffs[0] if len(diffs) == 1 else diffs
    module.exit_json(**result)


if __name__ == "__main__":
    main()
