# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of the modules that change restrictions: read, plan, apply, report."""

from __future__ import annotations

import re
import select
import sys
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._alteration import (
    alteration_warnings,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import (
    Outcome,
    apply,
    predict,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
    CREATE,
    DELETE,
    Create,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._diff import (
    diff_of,
    drift_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import effect_of
from ansible_collections.cloudflare_email.security.plugins.module_utils._entries import (
    file_of_list,
    list_of_task,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._findings import (
    findings_about,
    warnings_about,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._guards import (
    impact_refusals,
    refusals,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    InvalidOption,
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
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import (
    REPORTS,
    RunResult,
    SingleResult,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import MAX_DAYS
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
    SliceReport,
    UnknownOutcome,
    WaitReason,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_start import (
    SliceOver,
    limits_of,
    read_account,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._time_slice import TimeSlice
from ansible_collections.cloudflare_email.security.plugins.module_utils._unknown_outcome import (
    SettlingApi,
)

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule
    from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )

# No limit on affected messages.
UNLIMITED = "unlimited"


@dataclass
class Run:
    """What a module returns, and the warnings that it shows."""

    result: RunResult | SingleResult | SliceReport
    warnings: list[str]


def run_one(module: AnsibleModule) -> Run:
    """Bring one restriction into the state that the options of `module` describe.

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
    impact = _find_impact(plan, current, api, days) if days else None
    outcome = predict(plan) if module.check_mode else apply(plan, api)
    warnings += alteration_warnings(outcome.alterations, secrets=module.no_log_values)
    result = _single_result(plan, outcome, desired, module.check_mode)
    result.diff = diff_of(plan) if module._diff else None
    result.impact = vars(impact) if impact else None
    return Run(result, warnings + api.warnings())


def run_list(module: AnsibleModule) -> Run:
    """Bring a list of restrictions into the desired state, or run one time slice of that.

    Raises:
        InvalidOption, InvalidEntries: the options are wrong; nothing was sent.
        CloudflareError: the account could not be read.
    """
    options = module.params
    concurrency = number_between("concurrency", options["concurrency"], 1, 50)
    for guard in ("max_delete_percent", "max_exclusion_loss_percent"):
        number_between(guard, options[guard], 0, 100)
    number_between("impact_days", options["impact_days"], 0, MAX_DAYS)
    _limit_of(options)
    if options["restrictions"] is None:
        raise InvalidOption(
            "restrictions has no value; set it to the list, or to [] only if there should be none"
        )
    shared = SharedOptions.of(module)
    desired = list_of_task(options)
    time_slice = TimeSlice.of(module)
    client = shared.client(concurrency, limits_of(time_slice))
    api = SettlingApi(client, shared.account_id, time_slice.progress.has_batch_call)
    try:
        current = read_account(api, time_slice)
        return _plan_and_apply(module, api, time_slice, desired, current)
    except SliceOver as over:
        return Run(over.report, client.warnings())


def output_is_closed() -> bool:
    """Return whether nobody can receive the result, as after Ctrl-C in Ansible."""
    try:
        poll = select.poll()
        poll.register(t.cast(t.TextIO, sys.__stdout__).fileno(), 0)
        return bool(poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False


def _find_impact(*arguments: t.Any, **options: t.Any) -> Impact:
    # Imported where needed: Ansible compiles a collection's code again for each task.
    from ansible_collections.cloudflare_email.security.plugins.module_utils._impact_search import (
        find_impact,
    )

    return find_impact(*arguments, **options)


def _limit_of(options: t.Mapping[str, t.Any]) -> int | None:
    """Return the option `max_affected_messages`, or `None` without a limit; raises `InvalidOption`."""
    given = options.get("max_affected_messages", UNLIMITED)
    if given == UNLIMITED:
        return None
    if not re.fullmatch("[0-9]{1,15}", given):
        raise InvalidOption(
            f"max_affected_messages is '{given}'; use a whole number, or {UNLIMITED}"
        )
    if not options["impact_days"]:
        raise InvalidOption(
            "max_affected_messages requires impact_days; set it to the number of days in which"
            " messages are counted, or omit max_affected_messages"
        )
    return int(given)


def _plan_and_apply(
    module: AnsibleModule,
    api: RestrictionsApi,
    time_slice: TimeSlice,
    desired: list[DesiredRestriction],
    current: list[Restriction],
) -> Run:
    options, progress = module.params, time_slice.progress
    limit = _limit_of(options)
    plan = make_plan(
        desired,
        current,
        options["prune"],
        done={*progress.created, *progress.updated},
        tightened=progress.tightened,
        failed=progress.failed,
        failed_to_protect=progress.failed_to_protect,
    )
    impact = None
    # A limit holds in each slice, because others may have changed the account meanwhile.
    is_due = limit is not None or not progress.is_impact_known
    if options["impact_days"] and is_due and not options["compare"]:
        impact = _find_impact(
            plan,
            current,
            api,
            options["impact_days"],
            options["concurrency"],
            time_slice,
            changes=0 if module.check_mode else plan.size,
        )
        if limit is None:
            progress.senders = {}
    warnings, diff = [], None
    if not progress.is_planned:
        warnings = warnings_about(plan, current)
        shown = drift_of if options["compare"] else diff_of
        diff = shown(plan) if module._diff else None
        progress.is_planned = True
    refusal = (
        "" if options["compare"] else _refusal(plan, current, progress, options, impact, limit)
    )
    is_preview = module.check_mode or options["compare"]
    if is_preview:
        outcome = predict(plan)
    elif refusal:
        outcome = Outcome()
    else:
        outcome = apply(
            plan,
            api,
            options["concurrency"],
            time_slice.seconds,
            progress.consecutive_failures,
            output_is_closed,
        )
    warnings += alteration_warnings(
        outcome.alterations, progress.altered, not outcome.remaining, module.no_log_values
    )
    progress.altered += len(outcome.alterations)
    progress.unaltered += len(_domains(outcome.unaltered) - outcome.tightened)
    confirmed = _confirm(plan, progress.unknown_outcomes, outcome)
    result = _run_result(outcome, is_preview)
    result.unchanged = len(plan.unchanged) + progress.unaltered - confirmed
    result.unlisted = plan.unlisted
    result.changed = outcome.changed and not refusal and not options["compare"]
    if options["compare"]:
        result.compared_with = file_of_list(options) or "the list"
    result.prune = options["prune"]
    result.api_calls = api.client.calls
    result.refusal = refusal
    result.diff = diff
    if impact and (refusal or not progress.is_impact_known):
        result.impact = vars(impact)
        progress.is_impact_known = True
    is_last = not (time_slice.is_part and outcome.remaining)
    if is_last and any(options[name] for name in REPORTS):
        result.account, about_delivery = _account(
            api, current, Outcome() if is_preview else outcome
        )
        warnings += about_delivery
    warnings += api.warnings()
    if time_slice.is_part:
        _remember(outcome, progress, api)
        return Run(_slice_report(result, progress, outcome, api), warnings)
    return Run(result, warnings)


def _refusal(
    plan: Plan,
    current: list[Restriction],
    progress: Progress,
    options: t.Mapping[str, t.Any],
    impact: Impact | None,
    limit: int | None,
) -> str:
    """Return why the guards do not allow a plan; empty if they do."""
    refused = refusals(
        plan,
        current,
        options["max_delete_percent"],
        options["max_exclusion_loss_percent"],
        created=set(progress.created),
    )
    if impact and limit is not None:
        refused += impact_refusals(plan, impact, limit)
    if not refused:
        return ""
    planned = _run_result(predict(plan), is_preview=True)
    planned.unchanged = len(plan.unchanged)
    return f"{'. '.join(refused)}. Plan: {planned.summary}"


def _run_result(outcome: Outcome, is_preview: bool) -> RunResult:
    return RunResult(
        is_preview=is_preview,
        created=outcome.created,
        updated=outcome.updated,
        deleted=outcome.deleted,
        failures=[failure.result() for failure in outcome.failures],
        exception=outcome.traceback,
    )


def _slice_report(
    result: RunResult, progress: Progress, outcome: Outcome, api: RestrictionsApi
) -> SliceReport:
    return SliceReport(
        result,
        progress,
        outcome.remaining,
        wait=outcome.wait,
        reason=WaitReason.RATE_LIMIT if outcome.wait else None,
        estimate=api.client.rate_limit.seconds_for(outcome.remaining_calls),
    )


def _confirm(plan: Plan, unknown_outcomes: t.Mapping[str, UnknownOutcome], outcome: Outcome) -> int:
    """Count as done what earlier slices changed without receiving the confirmation.

    Returns how many of the unchanged restrictions that concerns.
    """
    # A delete leaves nothing unchanged but the restriction that its duplicate was deleted for.
    written = {domain for domain, write in unknown_outcomes.items() if write.action != DELETE}
    confirmed = [known for known in plan.unchanged if known.domain in written]
    for restriction in confirmed:
        write = unknown_outcomes[restriction.domain]
        record = {**restriction.record, "effect": write.effect}
        if write.action == CREATE:
            outcome.created.append(record)
        else:
            outcome.updated.append({**record, "previous": write.previous})
    remaining = {delete.domain for delete in plan.deletes}
    if any(
        write.action == DELETE and domain not in remaining
        for domain, write in unknown_outcomes.items()
    ):
        outcome.outcome_unknown = True
    return len(confirmed)


def _remember(outcome: Outcome, progress: Progress, api: RestrictionsApi) -> None:
    """Keep what later slices must know."""
    progress.created += [comparison_key(record["domain"]) for record in outcome.created]
    updated = _domains([*outcome.updated, *outcome.unaltered])
    progress.updated += sorted(updated - outcome.tightened)
    tightened = outcome.tightened.union(progress.tightened)
    progress.tightened = sorted(tightened.difference(progress.updated))
    progress.failed += [failure.domain for failure in outcome.failures]
    progress.failed_to_protect.update(outcome.failed_to_protect)
    progress.unknown_outcomes = {
        domain: UnknownOutcome(
            change.action,
            effect_of(change),
            None if isinstance(change, Create) else dict(change.current.record),
        )
        for domain, change in outcome.unknown_outcomes.items()
    }
    progress.consecutive_failures = outcome.consecutive_failures
    progress.refusals = api.client.refusals
    progress.blocked_until = time.time() + outcome.wait
    progress.has_batch_call = api.has_batch_call
    progress.is_stalled = bool(outcome.wait) and not (
        outcome.created or outcome.updated or outcome.deleted or outcome.failures
    )


def _domains(records: t.Iterable[t.Mapping[str, t.Any]]) -> set[str]:
    return {comparison_key(record["domain"]) for record in records}


def _account(
    api: RestrictionsApi, current: list[Restriction], outcome: Outcome
) -> tuple[dict[str, t.Any], list[str]]:
    """Return what the account has after these changes to what it had, for reports, and warnings."""
    known = {restriction.id: restriction for restriction in current}
    for record in [*outcome.created, *outcome.updated]:
        known[record["id"]] = Restriction.from_api(record)
    for record in outcome.deleted:
        known.pop(record["id"], None)
    restrictions = sorted(known.values(), key=lambda each: (each.domain, *each.age))
    findings = findings_about(restrictions)
    warnings: list[str] = []
    # Whoever gave up on the API does not ask it one more thing.
    if restrictions and not outcome.consecutive_failures:
        # Imported where needed, as above.
        from ansible_collections.cloudflare_email.security.plugins.module_utils._delivery import (
            read_delivery,
        )

        about_delivery, warnings = read_delivery(api)
        findings = about_delivery + findings
    account = {
        "account_id": api.account_id,
        "restrictions": [dict(restriction.record) for restriction in restrictions],
        "findings": [finding.result() for finding in findings],
    }
    return account, warnings


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
