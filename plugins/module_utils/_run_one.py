# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run of a task for one restriction: read, plan, apply, report."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._alteration import (
    alteration_warnings,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import (
    Outcome,
    apply,
    predict,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._diff import diff_of
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._findings import (
    warnings_about,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SharedOptions,
    number_between,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Plan,
    make_plan,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    RECORD_FIELDS,
    DesiredRestriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import (
    SingleResult,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import MAX_DAYS
from ansible_collections.cloudflare_email.security.plugins.module_utils._unknown_outcome import (
    SettlingApi,
)

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def run_one(module: AnsibleModule) -> tuple[dict[str, t.Any], list[str]]:
    """Bring one restriction into the state that the options of `module` describe.

    Returns the result of the module, and warnings.

    Raises:
        InvalidOption, InvalidRestriction: the options are wrong; nothing was sent.
        CloudflareError: the account could not be read.
    """
    shared = SharedOptions.of(module)
    api = SettlingApi(shared.client(), shared.account_id)
    desired = DesiredRestriction.from_options(module.params)
    days = number_between("impact_days", module.params["impact_days"], 0, MAX_DAYS)
    current = api.list_all()
    plan = make_plan([desired], current)
    warnings = warnings_about(plan, current)
    impact = None
    if days:
        # Imported where needed: Ansible compiles a collection's code again for each task.
        from ansible_collections.cloudflare_email.security.plugins.module_utils._impact_search import (
            find_impact,
        )

        impact = find_impact(plan, current, api, days)
    outcome = predict(plan) if module.check_mode else apply(plan, api)
    warnings += alteration_warnings(outcome.alterations, secrets=module.no_log_values)
    result = _single_result(plan, outcome, desired, module.check_mode)
    result.diff = diff_of(plan) if module._diff else None
    result.impact = vars(impact) if impact else None
    return result.as_dict(), warnings + api.warnings()


def _single_result(
    plan: Plan, outcome: Outcome, desired: DesiredRestriction, is_preview: bool
) -> SingleResult:
    previous: dict[str, t.Any] | None = None
    record: dict[str, t.Any] | None = None
    verb = ""
    if outcome.created:
        (changed,), verb = outcome.created, "created"
        record = _record(changed)
    elif outcome.updated:
        (changed,), verb = outcome.updated, "updated"
        record, previous = _record(changed), changed["previous"]
    elif outcome.deleted:
        previous, verb = _record(outcome.deleted[0]), "deleted"
    elif outcome.unaltered:
        (unaltered,) = outcome.unaltered
        record, previous = _record(unaltered), unaltered["previous"]
    elif plan.unchanged:
        record = previous = dict(plan.unchanged[0].record)
    name = desired.domain or (comparison_key(previous["domain"]) if previous else str(desired.id))
    changes = [*outcome.created, *outcome.updated, *outcome.deleted]
    return SingleResult(
        name,
        is_preview,
        outcome.changed,
        record,
        previous,
        effect=changes[0]["effect"] if changes else None,
        deleted=list(map(_record, outcome.deleted)) if desired.state == "absent" else None,
        verb=verb,
        failure=outcome.failures[0].result() if outcome.failures else None,
    )


def _record(changed: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the fields that the API knows."""
    return {name: changed[name] for name in RECORD_FIELDS}
