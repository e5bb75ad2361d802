#!/usr/bin/python
# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sending_domain_restriction_info
short_description: Read from which sending domains Cloudflare Email Security requires TLS
version_added: 0.1.0
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
description:
  - Returns the I(sending domain restrictions) of an account, which the dashboard calls I(Partner domain TLS).
  - With O(sender_domain), tells whether mail from that domain needs TLS, and why.
extends_documentation_fragment:
  - cloudflare_email.security._account
  - cloudflare_email.security._attributes.info
options:
  domain:
    description: Return the restrictions for this domain only.
    type: str
  id:
    description: Return the restriction with this ID only.
    type: str
  sender_domain:
    description:
      - The domain of a sender, such as V(mail.partner.example). Whether its mail needs TLS is returned, and the
        restrictions for it and for the domains above it.
      - The restriction for the most specific domain decides. An entry of its C(exclude) exempts that name and what
        is below it.
    type: str
"""

EXAMPLES = r"""
- name: Read all restrictions
  cloudflare_email.security.sending_domain_restriction_info:
  register: all_restrictions

- name: Ask whether mail from a host of a partner needs TLS
  cloudflare_email.security.sending_domain_restriction_info:
    sender_domain: mail.partner.example
  register: mail

- name: Stop if it does not
  ansible.builtin.assert:
    that: mail.tls_required
    fail_msg: >-
      Mail from mail.partner.example is accepted without TLS:
      {{ 'exempted by ' ~ mail.exempted_by if mail.exempted_by else 'no restriction covers it' }}
"""

RETURN = r"""
sending_domain_restrictions:
  description: The restrictions, sorted by domain. The list is empty if there are none.
  returned: success
  type: list
  elements: dict
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
tls_required:
  description: Whether mail from O(sender_domain) is dropped unless it arrives over TLS.
  returned: if O(sender_domain) is given
  type: bool
  sample: true
governed_by:
  description: The restriction that decides this, or V(none).
  returned: if O(sender_domain) is given
  type: dict
  contains: *restriction
exempted_by:
  description: The entry of its C(exclude) that exempts O(sender_domain), or V(none).
  returned: if O(sender_domain) is given
  type: str
  sample: newsletter.partner.example
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudflare_email.security.plugins.module_utils._arguments import (
    SHARED_ARGUMENTS,
    InvalidOption,
    restrictions_api_from,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
    parse_domain,
    parse_id,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_requirement import (
    covering,
    tls_requirement,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SHARED_ARGUMENTS,
            "domain": {"type": "str"},
            "id": {"type": "str"},
            "sender_domain": {"type": "str"},
        },
        mutually_exclusive=[("domain", "id", "sender_domain")],
        supports_check_mode=True,
    )
    try:
        api = restrictions_api_from(module)
        result = read(module.params, api)
    except (InvalidOption, InvalidRestriction, CloudflareError) as error:
        module.fail_json(msg=str(error))
    for notice in api.client.notices():
        module.warn(notice)
    module.exit_json(changed=False, **result)


def read(options: t.Mapping[str, t.Any], api: RestrictionsApi) -> dict[str, t.Any]:
    """Return what the options ask for, in the form of the module's result."""
    domain = parse_domain(options["domain"])
    sender_domain = parse_domain(options["sender_domain"], "sender_domain")
    restriction_id = parse_id(options["id"])
    result: dict[str, t.Any] = {}
    if restriction_id is not None:
        restriction = api.get(restriction_id)
        found = [restriction] if restriction else []
    else:
        found = api.list_all()
    if domain is not None:
        found = [restriction for restriction in found if restriction.name == domain]
    if sender_domain is not None:
        found = covering(sender_domain, found)
        answer = tls_requirement(sender_domain, found)
        result["tls_required"] = answer.required
        result["governed_by"] = answer.governed_by and dict(answer.governed_by.record)
        result["exempted_by"] = answer.exempted_by
    found.sort(key=lambda restriction: (restriction.name, *restriction.age))
    result["sending_domain_restrictions"] = [dict(restriction.record) for restriction in found]
    return result


if __name__ == "__main__":
    main()
