#!/usr/bin/python
# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sending_domain_restrictions
short_description: Require TLS from many sending domains in Cloudflare Email Security
version_added: 0.1.0
author:
  - Contributors to the cloudflare_email.security collection (!UNKNOWN)
description:
  - Manages a whole list of I(sending domain restrictions), which the dashboard calls I(Partner domain TLS), in
    one task.
  - Mail that arrives B(without TLS) from a restricted domain or one of its subdomains is B(dropped), and the
    recipient is not told. Look at the changes in check mode with C(--check --diff) first.
  - The account is read once and compared with the list. Creates and updates are sent side by side, and then
    deletes, in batches of up to 1,000 that are carried out as a whole or not at all. So a run that is cut short
    leaves more protection, not less, and running it again does the rest.
  - A change that Cloudflare refuses does not stop the others. The task then fails, and names each domain with the
    reason.
  - It warns of restrictions in the list that are below another restriction.
  - A run with more than a few seconds of work shows what is done and what is left, and until when the rate limit
    holds it, unless the task has C(no_log=true) or C(async).
extends_documentation_fragment:
  - cloudflare_email.security._account
  - cloudflare_email.security._attributes
attributes:
  action:
    description: Has an action plugin, which shows the progress. The work is done on the target.
    support: full
options:
  restrictions:
    description:
      - The restrictions, at most one for each domain.
      - What O(restrictions[].exclude) and O(restrictions[].comments) do not say is left alone, as with
        M(cloudflare_email.security.sending_domain_restriction).
    type: list
    elements: dict
    required: true
    suboptions:
      domain:
        description: The domain that mail comes from. Its subdomains are covered too.
        type: str
        required: true
      exclude:
        description: The subdomains that may send without TLS, as a set. V([]) clears it.
        type: list
        elements: str
      comments:
        description: A note for people, a text of at most 1,024 characters. An empty string clears it.
        type: raw
      state:
        description: Whether there is to be a restriction for the domain.
        type: str
        choices: [present, absent]
        default: present
  prune:
    description:
      - Whether to delete every restriction that O(restrictions) does not name, so that the account equals the list.
      - Where the account has two restrictions for one domain, all but one go. Kept is the one that is as wanted,
        else the oldest. Without O(prune), such a domain is a failure.
    type: bool
    default: false
  max_delete_percent:
    description:
      - If more than this share of the restrictions on the account would be deleted, the task fails and changes
        nothing at all. A truncated list must not disarm a company's mail.
      - An account with fewer than 10 restrictions is not guarded.
    type: int
    default: 30
  concurrency:
    description: How many creates and updates are sent at a time, from 1 to 50.
    type: int
    default: 10
  _progress:
    description: Used between this module and its action plugin, to show the progress. Not for playbooks.
    type: dict
"""

EXAMPLES = r"""
- name: Require TLS from all partners
  cloudflare_email.security.sending_domain_restrictions:
    restrictions:
      - domain: partner.example
        exclude:
          - newsletter.partner.example
      - domain: bank.example
        comments: Agreed with their postmaster
      - domain: former-partner.example
        state: absent

- name: Make the account equal to a list that is kept elsewhere
  cloudflare_email.security.sending_domain_restrictions:
    restrictions: "{{ partner_domains }}"
    prune: true
  vars:
    partner_domains:
      - domain: partner.example
      - domain: bank.example

- name: Remove all restrictions, which takes saying so twice
  cloudflare_email.security.sending_domain_restrictions:
    restrictions: []
    prune: true
    max_delete_percent: 100
"""

RETURN = r"""
created:
  description:
    - The restrictions that were created, sorted by domain.
    - In check mode, those that would be. What only Cloudflare can know is V(none) then.
  returned: once the account was read
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
updated:
  description: The restrictions that were updated, as they are now, sorted by domain.
  returned: once the account was read
  type: list
  elements: dict
  contains: *restriction
deleted:
  description: The restrictions that were deleted, as they were, sorted by domain.
  returned: once the account was read
  type: list
  elements: dict
  contains: *restriction
unchanged:
  description: How many restrictions of the list were there already, as wanted.
  returned: once the account was read
  type: int
  sample: 998
failures:
  description: What was not carried out, sorted by domain.
  returned: once the account was read
  type: list
  elements: dict
  contains:
    domain:
      description: The domain.
      type: str
      sample: partner.example
    reason:
      description: Why.
      type: str
      sample: 'the account holds 2 restrictions for partner.example, with the ids …'
api_calls:
  description: How many calls of the API the task made.
  returned: once the account was read
  type: int
  sample: 3
"""

import time
import typing as t
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudflare_email.security.plugins.module_utils import _unfinished
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import (
    Outcome,
    apply,
    predict,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._arguments import (
    RESTRICTION_ARGUMENTS,
    SHARED_ARGUMENTS,
    InvalidOption,
    number_between,
    restrictions_api_from,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    SHORTEST_SECRET,
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Plan,
    TooManyDeletes,
    contradictions,
    make_plan,
    refuse_mass_deletion,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import (
    FOR_EVER,
    Held,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
    desired_restrictions,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )

# Seconds that a hold of the rate limit is sat out; the action plugin waits for longer ones, and shows it.
LONGEST_WAIT = 2.5
MOST_WARNINGS = 20
MOST_FAILURES_IN_MESSAGE = 20

Report = t.Dict[str, t.Any]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SHARED_ARGUMENTS,
            "restrictions": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {**RESTRICTION_ARGUMENTS, "domain": {"type": "str", "required": True}},
            },
            "prune": {"type": "bool", "default": False},
            "max_delete_percent": {"type": "int", "default": 30},
            "concurrency": {"type": "int", "default": 10},
            "_progress": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    try:
        concurrency = number_between("concurrency", module.params["concurrency"], 1, 50)
        number_between("max_delete_percent", module.params["max_delete_percent"], 0, 100)
        api = restrictions_api_from(module, concurrency)
        outcome, report = run(module, api, concurrency)
    except (InvalidOption, InvalidRestriction, CloudflareError, TooManyDeletes) as error:
        module.fail_json(msg=str(error))
    report["api_calls"] += api.client.calls
    report["notices"] += api.client.notices()
    if outcome.remaining.size or "unchanged" not in report:
        progress = unfinished(outcome, report)
        progress["refused"] = api.client.refused_before + api.client.is_refused
        module.exit_json(changed=outcome.changed, _progress=progress)
    finish(module, outcome, report)


def run(module: AnsibleModule, api: RestrictionsApi, concurrency: int) -> tuple[Outcome, Report]:
    """Read, plan and apply, or go on with what an earlier go left to do."""
    earlier, time_limit = None, FOR_EVER
    report: Report = {"api_calls": 0, "notices": []}
    progress = module.params["_progress"]
    # Ansible hides secrets in all that a module returns, and a short one may be part of anything, so
    # that a later go could not be told what is left.
    if progress and all(len(secret) >= SHORTEST_SECRET for secret in module.no_log_values):
        time_limit = progress["time_limit"]
        api.longest_wait = LONGEST_WAIT
        report = progress.get("report", report)
        api.client.rate_limit.block(progress.get("held_until", 0) - time.time())
        api.client.refused_before = progress.get("refused", 0)
    if "unchanged" in report:
        earlier = _unfinished.load(progress["outcome"])
        plan = earlier.remaining
    else:
        try:
            plan = read_and_plan(module, api, report)
        except Held as held:
            return Outcome(held_for=held.seconds), report
    if module.check_mode:
        return predict(plan), report
    return apply(plan, api, concurrency, time_limit, earlier), report


def read_and_plan(module: AnsibleModule, api: RestrictionsApi, report: Report) -> Plan:
    """Compare the account with the list; what people are to know of that goes into `report`."""
    wanted = desired_restrictions(module.params["restrictions"])
    current = api.list_all()
    plan = make_plan(wanted, current, module.params["prune"])
    refuse_mass_deletion(plan, len(current), module.params["max_delete_percent"])
    report["unchanged"] = len(plan.unchanged)
    report["notices"] += shortened(contradictions(plan, current), MOST_WARNINGS)
    if module._diff:
        report["diff"] = plan.diffs()
    return plan


def unfinished(outcome: Outcome, report: Report) -> dict[str, t.Any]:
    """Return what the action plugin shows, and hands to the next go."""
    left = outcome.remaining.size
    done = outcome.size
    done_and_left = f"{done} of {done + left} changes done, {left} left"
    return {
        "show": done_and_left if "unchanged" in report else "reading the account",
        "held_for": outcome.held_for,
        "held_until": time.time() + outcome.held_for,
        "outcome": _unfinished.dump(outcome),
        "report": report,
    }


def finish(module: AnsibleModule, outcome: Outcome, report: Report) -> None:
    """End the module with the result of the whole run."""
    for notice in dict.fromkeys(report["notices"]):
        module.warn(notice)
    failures = sorted(outcome.failures, key=lambda failure: failure.domain)
    result = {
        "changed": outcome.changed,
        "created": by_domain(outcome.created),
        "updated": by_domain(outcome.updated),
        "deleted": by_domain(outcome.deleted),
        "unchanged": report["unchanged"],
        "failures": [asdict(failure) for failure in failures],
        "api_calls": report["api_calls"],
    }
    if "diff" in report:
        result["diff"] = report["diff"]
    if not failures:
        module.exit_json(**result)
    reasons = shortened(
        [f"{failure.domain}: {failure.reason}" for failure in failures], MOST_FAILURES_IN_MESSAGE
    )
    module.fail_json(
        msg=f"{len(failures)} of {outcome.size + report['unchanged']} restrictions are not as wanted."
        f" {' | '.join(reasons)}",
        **result,
    )


def by_domain(records: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    return sorted(records, key=lambda record: (record["domain"].lower(), record["id"] or ""))


def shortened(sentences: list[str], most: int) -> list[str]:
    """Return at most so many of the sentences, and how many more there are."""
    if len(sentences) <= most:
        return sentences
    return [*sentences[:most], f"... and {len(sentences) - most} more"]


if __name__ == "__main__":
    main()
