#!/usr/bin/python
# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sending_domain_restriction_info
short_description: Read the sending domains that must use TLS in Cloudflare Email Security
version_added: 0.1.0
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
description:
  - Returns the I(sending domain restrictions) of an account, which the dashboard calls I(Partner domain TLS), and
    findings about them, such as duplicates.
  - With O(sender_domain), also returns whether mail from that domain needs TLS, and why; with O(file) or
    O(restrictions), whether it will once that list is applied.
extends_documentation_fragment:
  - cloudflare_email.security._account
  - cloudflare_email.security._attributes.info
attributes:
  action:
    description: An action plugin reads O(file). The work is done on the target.
    support: full
options:
  domain:
    description: Return only the restrictions for this domain.
    type: str
  id:
    description: Return only the restriction with this ID.
    type: str
  sender_domain:
    description:
      - The domain of a sender, such as V(mail.partner.example). The task returns whether its mail needs TLS, and the
        restrictions for it and for the domains above it.
      - Every restriction that covers the sender applies. Mail needs TLS unless all of them exempt it.
    type: str
  restrictions:
    description:
      - A list as in O(cloudflare_email.security.sending_domain_restrictions#module:restrictions). The answer for
        O(sender_domain) is then what applies once that module has applied the list. Nothing is changed.
      - The guards of that module, such as
        O(cloudflare_email.security.sending_domain_restrictions#module:max_delete_percent), are not considered. If a
        change for the sender's domain or for one above it cannot be made, the task warns, and the answer does not
        include that change.
    type: list
    elements: raw
  file:
    description:
      - A YAML or CSV file on the controller with the list, instead of O(restrictions), as in
        O(cloudflare_email.security.sending_domain_restrictions#module:file). A relative path starts at the playbook's
        directory.
    type: path
  ignore_columns:
    description:
      - The names of columns of a CSV O(file) to ignore, as in
        O(cloudflare_email.security.sending_domain_restrictions#module:ignore_columns).
    type: list
    elements: str
    default: []
  prune:
    description:
      - Whether the list will be applied with O(cloudflare_email.security.sending_domain_restrictions#module:prune).
    type: bool
    default: false
  controller:
    description: Internal. What the action plugin of this module passes to it.
    type: dict
notes:
  - Cloudflare does not publish how restrictions combine. This collection assumes that a restriction covers the
    subdomains of its domain, that an entry of C(exclude) also exempts the names below it, and that mail is dropped if
    B(any) restriction covers the sender and does not exempt it. To be safe, list every sending name in C(exclude).
seealso:
  - module: cloudflare_email.security.sending_domain_restriction
    description: Manage one restriction.
  - module: cloudflare_email.security.sending_domain_restrictions
    description: Manage the whole list in one task.
  - module: cloudflare_email.security.sending_domain_restrictions_export
    description: Write the restrictions of an account to a file.
  - ref: Getting started <ansible_collections.cloudflare_email.security.docsite.getting_started>
    description: A guide in this collection.
  - name: Partner domain TLS
    description: The setting in Cloudflare's documentation.
    link: https://developers.cloudflare.com/cloudflare-one/email-security/
"""

EXAMPLES = r"""
- name: Read all restrictions
  cloudflare_email.security.sending_domain_restriction_info:
  register: all_restrictions

- name: Fail if there are findings about the account
  ansible.builtin.assert:
    that: all_restrictions.findings == []
    fail_msg: "{{ all_restrictions.findings | map(attribute='message') | join('; ') }}"

- name: Check whether mail from a partner's host needs TLS
  cloudflare_email.security.sending_domain_restriction_info:
    sender_domain: mail.partner.example
  register: mail

- name: Fail if it does not
  ansible.builtin.assert:
    that: mail.tls_required
    fail_msg: "{{ mail.msg }}"

- name: Check whether it will once a file in git is applied
  cloudflare_email.security.sending_domain_restriction_info:
    sender_domain: invoices.partner.example
    file: partners.yml
    prune: true
  register: invoices

- name: Show the answer, and that for today
  ansible.builtin.debug:
    var: invoices.msg
"""

RETURN = r"""
msg:
  description: How many restrictions were found, or the answer for O(sender_domain), or what went wrong.
  returned: always
  type: str
  sample: 180 restrictions, 2 findings
account_id:
  description: The ID of the account.
  returned: success
  type: str
  sample: 0123456789abcdef0123456789abcdef
sending_domain_restrictions:
  description: The restrictions on the account, sorted by domain. The list is empty if there are none.
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
findings:
  description: Possible problems. Those about the whole account come first, the others are sorted by domain.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The domain that the finding is about, or V(none) if it is about the whole account.
      type: str
      sample: news.partner.example
    kind:
      description:
        - V(duplicates) are several restrictions for one domain. V(outside_domain) is an entry of C(exclude) that is
          not below the domain, so it has no effect. V(void_exemption) is an excluded name that another restriction
          still covers. V(redundant) is a restriction that one for a parent domain makes unnecessary.
          V(public_suffix) is a domain below which anyone can register, V(mail_provider) one whose users are unrelated.
          V(mixed_scripts) is a name that mixes letters that look alike, such as Latin and Cyrillic ones.
        - V(no_direct_delivery) means that Cloudflare delivers mail for none of the account's own domains itself. Then a
          restriction probably cannot drop any mail, but Cloudflare does not publish this. It is only checked if all
          restrictions are read, with credentials that may list the own domains.
      type: str
      sample: void_exemption
    message:
      description: What is wrong and what to do.
      type: str
      sample: >-
        news.partner.example is excluded from the restriction for partner.example, but the restriction for
        news.partner.example still requires TLS from it; delete one of the two
tls_required:
  description:
    - Whether Cloudflare drops mail from O(sender_domain) that arrives without TLS; with O(file) or O(restrictions),
      whether it will once the list is applied.
  returned: if O(sender_domain) is given
  type: bool
  sample: true
tls_required_now:
  description: Whether Cloudflare drops it today, before the list is applied.
  returned: if O(file) or O(restrictions) is given
  type: bool
  sample: false
governed_by:
  description:
    - The most specific restriction that requires TLS from O(sender_domain), otherwise the most specific one that covers
      it, or V(none).
    - With O(file) or O(restrictions), this is the restriction after the list is applied. Values that only Cloudflare
      knows are V(none).
  returned: if O(sender_domain) is given
  type: dict
  contains: *restriction
exempted_by:
  description: The entry in the C(exclude) of RV(governed_by) that exempts O(sender_domain), or V(none).
  returned: if O(sender_domain) is given
  type: str
  sample: newsletter.partner.example
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudflare_email.security.plugins.module_utils._delivery import (
    read_delivery,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import parents
from ansible_collections.cloudflare_email.security.plugins.module_utils._entries import (
    InvalidEntries,
    file_of_list,
    list_of_task,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._findings import (
    findings_about,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import counted
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SHARED_ARGUMENTS,
    InvalidOption,
    SharedOptions,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
    parse_domain,
    parse_id,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    RestrictionsApi,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    finish,
    hide,
    known_secrets,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_requirement import (
    TlsRequirement,
    covering,
    tls_requirement,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        DesiredRestriction,
        Restriction,
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SHARED_ARGUMENTS,
            "domain": {"type": "str"},
            "id": {"type": "str"},
            "sender_domain": {"type": "str"},
            # Checked like those of the module sending_domain_restrictions.
            "restrictions": {"type": "list", "elements": "raw"},
            "file": {"type": "path"},
            "ignore_columns": {"type": "list", "elements": "str", "default": []},
            "prune": {"type": "bool", "default": False},
            "controller": {"type": "dict"},
        },
        mutually_exclusive=[("domain", "id", "sender_domain"), ("restrictions", "file")],
        supports_check_mode=True,
        # Ansible would log the options before the secrets of the environment are hidden.
        no_log=True,
    )
    hide(module, known_secrets(module.params))
    try:
        shared = SharedOptions.of(module)
        api = RestrictionsApi(shared.client(), shared.account_id)
        result, warnings = read(module.params, api)
    except (InvalidOption, InvalidEntries, InvalidRestriction, CloudflareError) as error:
        finish(module, {"failed": True, "msg": str(error)})
    finish(module, {"changed": False, **result}, [*warnings, *api.warnings()])


def read(
    options: t.Mapping[str, t.Any], api: RestrictionsApi
) -> tuple[dict[str, t.Any], list[str]]:
    """Return what the options ask for, in the form of the module's result, and warnings."""
    refuse_incomplete_question(options)
    domain = parse_domain(options["domain"])
    sender_domain = parse_domain(options["sender_domain"], "sender_domain")
    restriction_id = parse_id(options["id"])
    desired = None if options["restrictions"] is None else list_of_task(options)
    if restriction_id is not None:
        restriction = api.get(restriction_id)
        found = [restriction] if restriction else []
    else:
        found = api.list_all()
    account = found
    if domain is not None:
        found = [restriction for restriction in found if restriction.domain == domain]
    elif sender_domain is not None:
        found = covering(sender_domain, found)
    found.sort(key=lambda restriction: (restriction.domain, *restriction.age))
    findings = findings_about(found)
    warnings: list[str] = []
    if found and not any((domain, sender_domain, restriction_id)):
        about_delivery, warnings = read_delivery(api)
        findings = about_delivery + findings
    result: dict[str, t.Any] = {
        "msg": f"{counted(len(found), 'restriction')}, {counted(len(findings), 'finding')}",
        "account_id": api.account_id,
        "sending_domain_restrictions": [dict(restriction.record) for restriction in found],
        "findings": [finding.result() for finding in findings],
    }
    if sender_domain is None:
        return result, warnings
    if desired is None:
        now = tls_requirement(sender_domain, found)
        return {**result, **now.result(), "msg": explain(sender_domain, now)}, warnings
    answer, warnings = answer_once_applied(options, sender_domain, desired, account)
    return {**result, **answer}, warnings


def answer_once_applied(
    options: t.Mapping[str, t.Any],
    sender_domain: str,
    desired: list[DesiredRestriction],
    account: list[Restriction],
) -> tuple[dict[str, t.Any], list[str]]:
    """Return whether mail from a domain needs TLS once the list is applied, and warnings."""
    # Imported where needed: Ansible compiles a collection's code again for each task.
    from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan

    plan = make_plan(desired, account, options["prune"])
    now = tls_requirement(sender_domain, account)
    after = tls_requirement(sender_domain, plan.applied_to(account))
    name = file_of_list(options) or "the list"
    answer = {
        **after.result(),
        "tls_required_now": now.required,
        "msg": f"once {name} is applied {'with' if options['prune'] else 'without'} prune,"
        f" {explain(sender_domain, after)} (today: {_answer(now)})",
    }
    names = {sender_domain, *parents(sender_domain)}
    return answer, [
        f"the answer does not include the change for {failure.domain}, which cannot be applied:"
        f" {failure.reason}"
        for failure in plan.failures
        if failure.domain in names
    ]


def refuse_incomplete_question(options: t.Mapping[str, t.Any]) -> None:
    """Raise `InvalidOption` for a list without a sender, or an option that belongs to a missing list.

    Ansible makes a text of a list of senders.
    """
    if (options["sender_domain"] or "").startswith("["):
        raise InvalidOption("sender_domain is a list; use one name per task, in a loop")
    given = "file" if file_of_list(options) else "restrictions"
    if options["restrictions"] is not None and options["sender_domain"] is None:
        raise InvalidOption(
            f"{given} requires sender_domain; set it to the domain of a sender, or omit {given}"
        )
    if options["restrictions"] is None and options["prune"]:
        raise InvalidOption("prune requires file or restrictions; set one of them, or omit prune")


def explain(sender_domain: str, requirement: TlsRequirement) -> str:
    """Return one sentence that says whether mail from a domain needs TLS, and why."""
    return f"mail from {sender_domain} {_answer(requirement)}"


def _answer(requirement: TlsRequirement) -> str:
    governing = requirement.governed_by
    if governing is None:
        return "does not need TLS: no restriction covers it"
    if requirement.required:
        return f"needs TLS: required by the restriction for {governing.domain}"
    return f"does not need TLS: the restriction for {governing.domain} excludes {requirement.exempted_by}"


if __name__ == "__main__":
    main()
