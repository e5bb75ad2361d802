# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the time slices of a run add up to."""

from __future__ import annotations

import json

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    MAX_MESSAGE_LENGTH,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import RunResult
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
    SliceReport,
    UnknownOutcome,
    WaitReason,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._run_total import Total
from samples import domains

CUT_OFF = {"failed": True}


def slice_of(*created, remaining=0, unknown_outcomes=None, tightened=(), added=None, **values):
    """What a time slice that created these domains reports, and what else its result contains."""
    records = [
        {"id": domain, "domain": domain, "effect": "newly_requires_tls"} for domain in created
    ]
    outcomes = {
        f"{name}.example": UnknownOutcome(action, "newly_requires_tls")
        for name, action in (unknown_outcomes or {}).items()
    }
    return SliceReport(
        RunResult(changed=bool(created), created=records, **values),
        Progress(unknown_outcomes=outcomes, tightened=list(tightened)),
        remaining,
    ), added or {}


def total_of(*slices):
    total = Total()
    for report, added in slices:
        total.add(report, added)
    return total


def test_a_report_is_the_same_on_the_other_side():
    report, _added = slice_of(
        "a.example", remaining=3, unknown_outcomes={"lost": "create"}, refusal="no", account={}
    )
    report.wait, report.estimate, report.problem = 1.5, 2.5, "no"
    for report.reason in (None, *WaitReason):
        (crossed,) = json.loads(json.dumps(report.as_dict())).values()
        assert SliceReport.from_dict(crossed) == report


def test_the_traceback_of_a_slice_is_where_ansible_looks_for_it():
    report, _added = slice_of(exception="Traceback")
    result = report.as_dict()
    assert result.pop("exception") == "Traceback"
    assert "Traceback" not in str(result)
    total = Total()
    total.add(SliceReport.from_dict(result["time_slice"]), {"exception": "Traceback"})
    assert total.result()["exception"] == "Traceback"


@pytest.mark.parametrize("order", [1, -1])
def test_a_run_changed_something_if_a_slice_did(order):
    slices = [slice_of("a.example", remaining=1), slice_of()]
    assert total_of(*slices[::order]).result()["changed"]
    assert not total_of(slices[1]).result()["changed"]


def test_records_warnings_and_calls_of_all_slices_add_up():
    names = ("warnings", "deprecations")
    added = [{name: list(texts) for name in names} for texts in (["one", "two"], ["two", "three"])]
    first = slice_of("b.example", remaining=1, added=added[0], api_calls=3, unchanged=2)
    second = slice_of("a.example", added=added[1], api_calls=4, unchanged=5)
    result = total_of(first, second).result()
    assert [record["domain"] for record in result["created"]] == ["a.example", "b.example"]
    assert result["warnings"] == result["deprecations"] == ["one", "two", "three"]
    assert result["api_calls"] == 7
    # Each slice counts what it found, so the last one knows best.
    assert result["msg"] == "2 newly require TLS (2 created, 5 unchanged)"


def test_progress_counts_failures_as_done_and_keeps_the_rest_during_a_reading():
    total = Total()
    assert total.progress == "reading the account"
    failure = {"domain": "b.example", "reason": "no", "kind": "refused", "action": "create"}
    total.add(*slice_of("a.example", remaining=3, failures=[failure]))
    assert total.progress == "2 of 5 changes done"
    total.add(*slice_of(remaining=None, api_calls=1))
    assert total.progress == "2 of 5 changes done"


def test_what_two_slices_report_counts_once():
    failures = [
        {"domain": f"{name}.example", "reason": "no", "kind": "refused", "action": "create"}
        for name in ("x", "y")
    ]
    first = slice_of("a.example", remaining=1, failures=failures[:1])
    again = slice_of("a.example", failures=failures)
    again[0].result.created[0]["comments"] = "changed since"
    total = total_of(first, again)
    assert total.progress == "3 of 3 changes done"
    result = total.result()
    assert result["failures"] == failures
    assert result["created"] == first[0].result.created


def test_an_update_of_which_one_of_two_calls_was_made_is_not_done():
    updated = {"id": "1", "domain": "b.example", "previous": None, "effect": "both"}
    half = slice_of("a.example", remaining=1, updated=[updated], tightened=["b.example"])
    total = total_of(half)
    assert total.progress == "1 of 2 changes done"


def test_the_diff_of_the_first_slice_is_that_of_the_run():
    first, second = slice_of(remaining=1, diff=[{"after": "x"}]), slice_of()
    assert total_of(first, second).result()["diff"] == [{"after": "x"}]


def test_two_updates_of_one_restriction_are_one():
    first = {"id": "1", "domain": "a.example", "exclude": [], "previous": {"id": "1"}}
    later = {**first, "exclude": ["b.a.example"], "previous": {"id": "1", "exclude": []}}
    effects = ({"effect": "newly_requires_tls"}, {"effect": "no_longer_requires_tls"})
    slices = [
        slice_of(updated=[{**first, **effects[0]}]),
        slice_of(updated=[{**later, **effects[1]}]),
    ]
    assert total_of(*slices).result()["updated"] == [
        {**later, "previous": {"id": "1"}, "effect": "both"}
    ]


@pytest.mark.parametrize("died", [True, False])
def test_a_slice_that_died_may_have_changed_something(died):
    total = total_of(slice_of(remaining=4))
    values = {"failed": True, "msg": "it is broken", **({"module_stdout": ""} if died else {})}
    result = total.ended_by(values)
    assert (result["failed"], result["changed"]) == (True, died)
    assert result["msg"] == (
        "it is broken. Changes left: 4. Result: no changes. Run again to finish the rest."
    )


def test_calls_of_a_slice_without_a_result_of_its_own_stay_counted():
    total = total_of(slice_of("a.example", remaining=1, api_calls=3))
    result = total.ended_by({"failed": True})
    assert result["api_calls"] == 3
    assert result["msg"].startswith("the module ended without a result. Changes left: 1. ")


def test_a_write_without_confirmation_is_a_failure_and_counts_as_changed():
    failure = {"domain": "odd.example", "reason": "no", "kind": "refused", "action": "update"}
    outcomes = {"lost": "create", "found": "update"}
    total = total_of(
        slice_of(remaining=2, failures=[failure], unknown_outcomes=outcomes),
        slice_of(remaining=1, unknown_outcomes={"lost": "create"}),
    )
    result = total.cut_short(CUT_OFF, "it was stopped", is_certain=True)
    assert result["changed"]
    assert [(failure["domain"], failure["action"]) for failure in result["failures"]] == [
        ("lost.example", "create"),
        ("odd.example", "update"),
    ]


def test_a_cut_off_is_certain_only_if_nothing_was_under_way():
    def changed(*created, is_certain):
        total = total_of(slice_of(*created, remaining=1))
        return total.cut_short(CUT_OFF, "it was stopped", is_certain)["changed"]

    assert changed("a.example", is_certain=True)
    assert changed(is_certain=False)
    assert not changed(is_certain=True)


def test_a_run_that_was_cut_off_while_it_read_the_account_has_empty_lists():
    total = total_of(slice_of(remaining=None, api_calls=1))
    result = total.cut_short(CUT_OFF, "it was stopped")
    names = ("created", "updated", "deleted", "failures", "unchanged")
    assert [result[name] for name in names] == [[], [], [], [], 0]
    assert not any(result["effects"].values())
    assert result["msg"] == "it was stopped. Result: no changes. Run again to finish the rest."


def test_what_was_done_before_a_cut_off_is_sorted_and_fits_into_a_message():
    total = total_of(slice_of("b.example", remaining=2), slice_of("a.example", remaining=1))
    result = total.cut_short({"unreachable": True}, "x" * 3000)
    assert domains(result["created"]) == [record["domain"] for record in result["created"]]
    assert len(result["msg"]) == MAX_MESSAGE_LENGTH
    assert result["msg"].endswith(
        "…. Changes left: 1. Result: 2 newly require TLS (2 created). Run again to finish the rest."
    )
    assert result["unreachable"] and "failed" not in result
