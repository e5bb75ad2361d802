# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the time slices of a run add up to."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    MAX_MESSAGE_LENGTH,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._time_slice import (
    Progress,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._run_total import Total
from samples import domains

CUT_OFF = {"failed": True}


def slice_of(*created, **values):
    """The result of a time slice that created these domains."""
    return {
        "changed": bool(created),
        "created": [{"id": domain, "domain": domain} for domain in created],
        "updated": [],
        "deleted": [],
        "failures": [],
        "unchanged": 0,
        **values,
    }


def left(remaining, **unknown_outcomes):
    """What a slice reports about the rest."""
    writes = {f"{name}.example": {"action": action} for name, action in unknown_outcomes.items()}
    return {"remaining": remaining, "progress": asdict(Progress(unknown_outcomes=writes))}


def total_of(*slices):
    total = Total()
    for values, report in slices:
        total.add(values, report)
    return total


@pytest.mark.parametrize("order", [1, -1])
def test_a_run_changed_something_if_a_slice_did(order):
    slices = [(slice_of("a.example"), left(1)), (slice_of(), left(0))]
    assert total_of(*slices[::order]).result()["changed"]
    assert not total_of(slices[1]).result()["changed"]


def test_records_warnings_and_calls_of_all_slices_add_up():
    first = slice_of("b.example", api_calls=3, unchanged=2)
    second = slice_of("a.example", api_calls=4, unchanged=5)
    for name in ("warnings", "deprecations"):
        first[name], second[name] = ["one", "two"], ["two", "three"]
    result = total_of((first, left(1)), (second, left(0))).result()
    assert [record["domain"] for record in result["created"]] == ["a.example", "b.example"]
    assert result["warnings"] == result["deprecations"] == ["one", "two", "three"]
    assert result["api_calls"] == 7
    # Each slice counts what it found, so the last one knows best.
    assert result["msg"] == "2 created, 5 unchanged"


def test_progress_counts_failures_as_done_and_keeps_the_rest_during_a_reading():
    total = Total()
    assert total.progress == "reading the account"
    failure = {"domain": "b.example", "reason": "no", "kind": "refused", "action": "create"}
    total.add(slice_of("a.example", failures=[failure]), left(3))
    assert total.progress == "2 of 5 changes done"
    total.add({"changed": False, "api_calls": 1}, left(None))
    assert total.progress == "2 of 5 changes done"


def test_what_two_slices_report_counts_once():
    failures = [
        {"domain": f"{name}.example", "reason": "no", "kind": "refused", "action": "create"}
        for name in ("x", "y")
    ]
    first = slice_of("a.example", failures=failures[:1])
    again = slice_of("a.example", failures=failures)
    again["created"][0]["comments"] = "changed since"
    total = total_of((first, left(1)), (again, left(0)))
    assert total.progress == "3 of 3 changes done"
    result = total.result()
    assert result["failures"] == failures
    assert result["created"] == first["created"]


def test_an_update_of_which_one_of_two_calls_was_made_is_not_done():
    half = left(1)
    half["progress"]["tightened"] = ["b.example"]
    updated = {"id": "1", "domain": "b.example", "previous": None, "effect": "both"}
    total = total_of((slice_of("a.example", updated=[updated]), half))
    assert total.progress == "1 of 2 changes done"


@pytest.mark.parametrize("died", [True, False])
def test_a_slice_that_died_may_have_changed_something(died):
    total = total_of((slice_of(), left(4)))
    values = {"failed": True, "msg": "it is broken", **({"module_stdout": ""} if died else {})}
    result = total.ended_by(values)
    assert (result["failed"], result["changed"]) == (True, died)
    assert result["msg"] == (
        "it is broken. Changes left: 4. Result: no changes. Run again to finish the rest."
    )


def test_calls_of_a_slice_without_a_result_of_its_own_stay_counted():
    total = total_of((slice_of("a.example", api_calls=3), left(1)))
    result = total.ended_by({"failed": True})
    assert result["api_calls"] == 3
    assert result["msg"].startswith("the module ended without a result. Changes left: 1. ")


def test_a_write_without_confirmation_is_a_failure_and_counts_as_changed():
    earlier, latest = left(2, lost="create", found="update"), left(1, lost="create")
    failure = {"domain": "odd.example", "reason": "no", "kind": "refused", "action": "update"}
    total = total_of((slice_of(failures=[failure]), earlier), (slice_of(), latest))
    result = total.cut_short(CUT_OFF, "it was stopped", is_certain=True)
    assert result["changed"]
    assert [(failure["domain"], failure["action"]) for failure in result["failures"]] == [
        ("lost.example", "create"),
        ("odd.example", "update"),
    ]


def test_a_cut_off_is_certain_only_if_nothing_was_under_way():
    def changed(*created, is_certain):
        total = total_of((slice_of(*created), left(1)))
        return total.cut_short(CUT_OFF, "it was stopped", is_certain)["changed"]

    assert changed("a.example", is_certain=True)
    assert changed(is_certain=False)
    assert not changed(is_certain=True)


def test_a_run_that_was_cut_off_while_it_read_the_account_has_empty_lists():
    total = total_of(({"changed": False, "api_calls": 1}, left(None)))
    result = total.cut_short(CUT_OFF, "it was stopped")
    names = ("created", "updated", "deleted", "failures", "unchanged")
    assert [result[name] for name in names] == [[], [], [], [], 0]
    assert result["msg"] == "it was stopped. Result: no changes. Run again to finish the rest."


def test_what_was_done_before_a_cut_off_is_sorted_and_fits_into_a_message():
    total = total_of((slice_of("b.example"), left(2)), (slice_of("a.example"), left(1)))
    result = total.cut_short({"unreachable": True}, "x" * 3000)
    assert domains(result["created"]) == [record["domain"] for record in result["created"]]
    assert len(result["msg"]) == MAX_MESSAGE_LENGTH
    assert result["msg"].endswith(
        "…. Changes left: 1. Result: 2 created. Run again to finish the rest."
    )
    assert result["unreachable"] and "failed" not in result
