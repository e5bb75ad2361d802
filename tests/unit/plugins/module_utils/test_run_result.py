# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the value of a run becomes a module's result."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    Failure,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import (
    RunResult,
    SingleResult,
)

CREATED = {"id": "1", "domain": "a.example", "effect": "newly_requires_tls"}
DONE = "1 newly requires TLS (1 created, 2 unchanged)"
PLANNED = "1 would newly require TLS (1 to create, 2 unchanged)"
FAILURE = Failure("b.example", "x; y", "refused").result()


def result_of(**values):
    return RunResult(**{"changed": True, "created": [CREATED], "unchanged": 2, **values}).as_dict()


@pytest.mark.parametrize(
    ("values", "status", "msg"),
    [
        ({}, "changed", DONE),
        ({"changed": False, "created": []}, "unchanged", "no changes, 2 unchanged"),
        ({"refusal": "too many"}, "refused", f"too many. Result: {DONE}"),
        ({"refusal": "too many", "is_preview": True}, "refused", "too many"),
        (
            {"refusal": "too many", "is_preview": True, "failures": [FAILURE]},
            "refused",
            "too many",
        ),
        (
            {"failures": [FAILURE]},
            "failed",
            f"x for 1 entry (b.example); y. Result: {DONE}. Run again to finish the rest.",
        ),
        (
            {"failures": [FAILURE], "is_preview": True},
            "failed",
            f"x for 1 entry (b.example); y. Plan: {PLANNED}",
        ),
    ],
)
def test_a_result_fails_with_its_failures_or_with_the_refusal_of_the_guard(values, status, msg):
    result = result_of(**values)
    assert (result["status"], result["msg"]) == (status, msg)
    assert result.get("failed", False) == (status not in ("changed", "unchanged"))


def test_a_result_has_no_field_for_the_inside_of_a_run():
    internal = {"refusal", "is_preview", "time_slice"}
    assert not internal.intersection(result_of(refusal="too many", is_preview=True))


@pytest.mark.parametrize("name", ["diff", "account", "exception"])
def test_an_optional_field_is_only_in_a_result_that_has_it(name):
    assert name not in result_of()
    assert result_of(**{name: "x"})[name] == "x"


def test_the_lists_of_a_result_are_sorted_by_domain():
    other = {**CREATED, "id": "2", "domain": "A.example0"}
    names = [record["domain"] for record in result_of(created=[other, CREATED])["created"]]
    assert names == ["a.example", "A.example0"]


def test_the_result_for_one_restriction_fails_with_its_failure():
    result = SingleResult("b.example", False, False, failure=FAILURE).as_dict()
    assert (result["failed"], result["msg"]) == (True, "x; y")
    assert "deleted" not in result and "diff" not in result


def test_a_comparison_fails_if_the_account_differs():
    equal = RunResult(compared_with="a.csv", unchanged=2).as_dict()
    assert (equal["status"], "failed" in equal) == ("equal", False)
    drift = RunResult(compared_with="a.csv", created=[{"domain": "a.example"}]).as_dict()
    assert (drift["status"], drift["failed"]) == ("drift", True)
    assert drift["msg"] == "The account differs from a.csv. Missing on the account: a.example"


@pytest.mark.parametrize(("kind", "status"), [("duplicates", "drift"), ("invalid", "failed")])
def test_only_duplicates_are_a_difference_and_other_failures_are_not(kind, status):
    failure = {"domain": "a.example", "kind": kind, "reason": "no; fix it", "action": "entry"}
    result = RunResult(compared_with="a.csv", failures=[failure]).as_dict()
    assert (result["status"], result["failed"]) == (status, True)


def test_messages_name_domains_in_order():
    names = ["c.example", "a.example", "b.example"]
    failures = [
        {"domain": name, "kind": "refused", "reason": "no; fix it", "action": "create"}
        for name in names
    ]
    failed = RunResult(failures=failures).as_dict()
    assert "(a.example, b.example, c.example)" in failed["msg"]
    created = [{"domain": name} for name in names]
    drift = RunResult(compared_with="a.csv", created=created).as_dict()
    assert drift["msg"].endswith("a.example, b.example, c.example")


def test_what_still_requires_tls_is_never_passed_over_in_silence():
    one = RunResult(unchanged=1, unlisted=["mistake.example"]).as_dict()
    assert one["msg"] == (
        "no changes, 1 unchanged; 1 on the account but not in the list: mistake.example (stays;"
        " prune deletes it)"
    )
    many = RunResult(unlisted=[f"d{number}.example" for number in range(12)]).as_dict()
    assert many["msg"].endswith(" and 2 more (stay; prune deletes them)")
