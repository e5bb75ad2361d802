# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run of a task for a list, or one time slice of it: read, plan, apply, report."""

from __future__ import annotations

import re
import select
import sys
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._alteration import (
    alteration_warnings,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import (
    Outcome,
    apply,
    predict,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._diff import (
    diff_of,
    drift_of,
)
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
    DesiredRestriction,
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import (
    REPORTS,
    RunResult,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import MAX_DAYS
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_end import (
    confirm,
    remember,
    slice_report,
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

# The value of `max_affected_messages` without a limit.
UNLIMITED = "unlimited"


def run_list(module: AnsibleModule) -> tuple[dict[str, t.Any], list[str]]:
    """Bring a list of restrictions into the desired state, or run one time slice of that.

    Returns the result of the module, and warnings.

    Raises:
        InvalidOption, InvalidEntries: the options are wrong; nothing was sent.
        CloudflareError: the account could not be read.
    """
    options = module.params
    concurrency = number_between("concurrency", options["concurrency"], 1, 50)
    for guard in ("max_delete_percent", "max_exclusion_loss_percent"):
        number_between(guard, options[guard], 0, 100)
    number_between("impact_days", options["impact_days"], 0, MAX_DAYS)
    max_affected_messages = _max_affected_messages(options)
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
        run = ListRun(module, api, time_slice, current, max_affected_messages)
        return run.bring_into(desired)
    except SliceOver as over:
        return over.report.as_dict(), client.warnings()


def output_is_closed() -> bool:
    """Return whether nobody can receive the result, as after Ctrl-C in Ansible."""
    try:
        poll = select.poll()
        poll.register(t.cast(t.TextIO, sys.__stdout__).fileno(), 0)
        return bool(poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False


class ListRun:
    """The part of a run that follows once the account has been read.

    Arguments:
        current: all restrictions on the account.
        max_affected_messages: the option of this name; `None` without a limit.
    """

    def __init__(
        self,
        module: AnsibleModule,
        api: RestrictionsApi,
        time_slice: TimeSlice,
        current: list[Restriction],
        max_affected_messages: int | None,
    ) -> None:
        self._options = module.params
        self._secrets = module.no_log_values
        self._wants_diff = module._diff
        self._is_comparison = module.params["compare"]
        self._is_preview = module.check_mode or self._is_comparison
        self._api = api
        self._time_slice = time_slice
        self._progress = time_slice.progress
        self._current = current
        self._max_affected_messages = max_affected_messages

    def bring_into(self, desired: list[DesiredRestriction]) -> tuple[dict[str, t.Any], list[str]]:
        """Bring the account into this state, as far as the options and the time slice allow.

        Returns the result of the module, and warnings.

        Raises:
            SliceOver: there was no time to find out whom that affects.
        """
        progress = self._progress
        plan = self._plan(desired)
        impact = self._impact(plan)
        warnings, diff = self._warnings_and_diff(plan)
        refusal = "" if self._is_comparison else self._refusal(plan, impact)
        outcome = self._outcome(plan, refusal)
        warnings += alteration_warnings(
            outcome.alterations, progress.altered, not outcome.remaining, self._secrets
        )
        confirmed = confirm(plan, progress, outcome)
        remember(outcome, progress, self._api)
        result = self._result(plan, outcome, refusal)
        result.unchanged = len(plan.unchanged) + progress.unaltered - confirmed
        result.diff = diff
        if impact and (refusal or not progress.is_impact_known):
            result.impact = vars(impact)
            progress.is_impact_known = True
        is_last = not (self._time_slice.is_part and outcome.remaining)
        if is_last and any(self._options[name] for name in REPORTS):
            result.account, about_delivery = self._account(outcome)
            warnings += about_delivery
        result.api_calls = self._api.client.calls
        warnings += self._api.warnings()
        if self._time_slice.is_part:
            return slice_report(result, progress, outcome, self._api).as_dict(), warnings
        return result.as_dict(), warnings

    def _plan(self, desired: list[DesiredRestriction]) -> Plan:
        progress = self._progress
        return make_plan(
            desired,
            self._current,
            self._options["prune"],
            done={*progress.created, *progress.updated},
            tightened=progress.tightened,
            failed=progress.failed,
            failed_to_protect=progress.failed_to_protect,
        )

    def _impact(self, plan: Plan) -> Impact | None:
        """Return whom the plan affects; `None` if nobody asked, or an earlier time slice said it."""
        progress = self._progress
        is_limited = self._max_affected_messages is not None
        # A limit holds in each slice, because others may have changed the account meanwhile.
        is_due = is_limited or not progress.is_impact_known
        if not self._options["impact_days"] or self._is_comparison or not is_due:
            return None
        # Imported where needed: Ansible compiles a collection's code again for each task.
        from ansible_collections.cloudflare_email.security.plugins.module_utils._impact_search import (
            find_impact,
        )

        impact = find_impact(
            plan,
            self._current,
            self._api,
            self._options["impact_days"],
            self._options["concurrency"],
            self._time_slice,
            changes=0 if self._is_preview else plan.size,
        )
        if not is_limited:
            progress.senders = {}
        return impact

    def _warnings_and_diff(self, plan: Plan) -> tuple[list[str], list[dict[str, str]] | None]:
        """Return the warnings about the plan, and its diff; none after the first slice with a plan."""
        if self._progress.is_planned:
            return [], None
        self._progress.is_planned = True
        shown = drift_of if self._is_comparison else diff_of
        return warnings_about(plan, self._current), shown(plan) if self._wants_diff else None

    def _refusal(self, plan: Plan, impact: Impact | None) -> str:
        """Return why the guards do not allow the plan; empty if they do."""
        refused = refusals(
            plan,
            self._current,
            self._options["max_delete_percent"],
            self._options["max_exclusion_loss_percent"],
            created=set(self._progress.created),
        )
        if impact and self._max_affected_messages is not None:
            refused += impact_refusals(plan, impact, self._max_affected_messages)
        if not refused:
            return ""
        planned = _result_of(predict(plan), is_preview=True)
        planned.unchanged = len(plan.unchanged)
        return f"{'. '.join(refused)}. Plan: {planned.summary}"

    def _outcome(self, plan: Plan, refusal: str) -> Outcome:
        if self._is_preview:
            return predict(plan)
        if refusal:
            return Outcome()
        return apply(
            plan,
            self._api,
            self._options["concurrency"],
            self._time_slice.seconds,
            self._progress.consecutive_failures,
            output_is_closed,
        )

    def _result(self, plan: Plan, outcome: Outcome, refusal: str) -> RunResult:
        result = _result_of(outcome, self._is_preview)
        result.unlisted = plan.unlisted
        result.changed = outcome.changed and not refusal and not self._is_comparison
        if self._is_comparison:
            result.compared_with = file_of_list(self._options) or "the list"
        result.prune = self._options["prune"]
        result.refusal = refusal
        return result

    def _account(self, outcome: Outcome) -> tuple[dict[str, t.Any], list[str]]:
        """Return what the account has after the run, for reports, and warnings."""
        known = {restriction.id: restriction for restriction in self._current}
        if not self._is_preview:
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

            about_delivery, warnings = read_delivery(self._api)
            findings = about_delivery + findings
        account = {
            "account_id": self._api.account_id,
            "restrictions": [dict(restriction.record) for restriction in restrictions],
            "findings": [finding.result() for finding in findings],
        }
        return account, warnings


def _max_affected_messages(options: t.Mapping[str, t.Any]) -> int | None:
    """Return the option of this name, or `None` without a limit; raises `InvalidOption`."""
    given = options["max_affected_messages"]
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


def _result_of(outcome: Outcome, is_preview: bool) -> RunResult:
    return RunResult(
        is_preview=is_preview,
        created=outcome.created,
        updated=outcome.updated,
        deleted=outcome.deleted,
        failures=[failure.result() for failure in outcome.failures],
        exception=outcome.traceback,
    )
