# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying plans, against a fake API and, where the contract matters, against the emulator."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _apply
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import apply, predict
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareClient,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import (
    TokenAuth,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
    interrupted,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure import Failure
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Create,
    Delete,
    Plan,
    Update,
    make_plan,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    NoBatchCall,
    RestrictionsApi,
)
from samples import FIRST, desired, existing

# Longer than any test takes; ends one that would hang.
DEADLINE = 20


class FakeApi:
    """Accepts every call unless `react`, which is given the domain of the call, raises.

    The restriction with the ID `7`, or `7-x` for any x, is for `d7.example`.
    """

    def __init__(self, react=lambda domain: None, has_batch_call=True):
        self.has_batch_call = has_batch_call
        self.calls = []
        self.stopped = threading.Event()
        self.client = SimpleNamespace(stop=self.stopped.set)
        self._react = react

    def create(self, body):
        self._call("create", body["domain"])
        return existing(FIRST, body["domain"])

    def update(self, restriction_id, changes):
        domain = domain_of(restriction_id)
        self._call("update", domain)
        return existing(restriction_id, domain, **changes)

    def delete(self, restriction_id):
        self._call("delete", domain_of(restriction_id))
        return True

    def delete_batch(self, restriction_ids):
        self._call("batch", domain_of(restriction_ids[0]))
        return restriction_ids

    def _call(self, name, domain):
        self.calls.append((name, domain))
        self._react(domain)


def domain_of(restriction_id):
    return f"d{restriction_id.partition('-')[0]}.example"


def raising(errors):
    def react(domain):
        if domain in errors:
            raise errors[domain]

    return react


def error(kind, **attributes):
    return CloudflareError("a problem", "an advice", kind, **attributes)


def rate_limit_wait(seconds, outcome_unknown=False):
    wait = RateLimitWait(seconds)
    wait.outcome_unknown = outcome_unknown
    return wait


def names(*numbers):
    return [f"d{number}.example" for number in numbers]


def creates(*numbers):
    return [Create({"domain": domain, "exclude": []}) for domain in names(*numbers)]


def updates(*numbers):
    return [
        Update(existing(str(number), domain_of(str(number))), {"comments": "x"})
        for number in numbers
    ]


def deletes(*ids, kept=None):
    return [Delete(existing(str(id_), domain_of(str(id_))), kept) for id_ in ids]


def domains(records):
    return [record["domain"] for record in records]


def kinds(outcome):
    return {failure.domain: failure.kind for failure in outcome.failures}


@pytest.fixture
def make_api(emulator):
    def make(account):
        auth = TokenAuth(account.tokens["write"], "option api_token")
        return RestrictionsApi(CloudflareClient(emulator.url, auth, connections=5), account.id)

    return make


@pytest.mark.parametrize("concurrency", [1, 5])
def test_creates_and_updates_come_first_and_deletes_last_in_batches(
    emulator, make_api, concurrency
):
    seed = [{"domain": domain} for domain in names(*range(1510))]
    account = emulator.create_account(restrictions=seed, quota=1_000_000)
    api = make_api(account)
    listed = [desired(domain=domain) for domain in names(*range(1500, 1505))]
    listed += [desired(domain=domain, comments="x") for domain in names(*range(1505, 1520))]
    outcome = apply(make_plan(listed, api.list_all(), prune=True), api, concurrency)
    assert (len(outcome.created), len(outcome.updated), len(outcome.deleted)) == (10, 5, 1500)
    assert (outcome.changed, outcome.failures, outcome.remaining) == (True, [], 0)
    assert sorted(domains(account.restrictions())) == names(*range(1500, 1520))
    calls = [entry["call"] for entry in account.requests()]
    assert calls[:2] == ["list", "list"]
    assert sorted(calls[2:17]) == ["create"] * 10 + ["update"] * 5
    assert calls[17:] == ["batch", "batch"]


def test_a_prediction_is_what_happens_except_for_what_only_the_api_knows(account, make_api):
    account.seed([{"domain": domain} for domain in names(*range(10))])
    api = make_api(account)
    listed = [desired(domain=domain, comments="x") for domain in names(*range(5, 15))]
    plan = make_plan(listed, api.list_all(), prune=True)
    plan.failures.append(Failure("other.example", "a problem; an advice", "invalid"))
    predicted, outcome = predict(plan), apply(plan, api)
    for record in (*predicted.created, *predicted.updated, *outcome.created, *outcome.updated):
        for field in ("id", "created_at", "modified_at"):
            record.pop(field)
    assert predicted == outcome
    assert predicted.changed


def test_results_have_every_field_also_where_a_response_lacks_it():
    create = Create({"domain": "d0.example", "exclude": [], "comments": "x"})
    plan = Plan([create], updates(1), deletes("1-b", kept="1"))
    outcome = apply(plan, FakeApi())
    (created,), (updated,), (deleted,) = outcome.created, outcome.updated, outcome.deleted
    assert (created["id"], created["comments"]) == (FIRST, "x")
    assert (updated["comments"], updated["previous"]["comments"]) == ("x", None)
    assert (deleted["id"], deleted["duplicate_of"]) == ("1-b", "1")


@pytest.mark.parametrize("ids", [["1"], ["1", "2", "3"]])
def test_what_someone_else_deleted_before_is_neither_deleted_nor_a_failure(ids):
    api = FakeApi()
    api.delete = lambda restriction_id: False
    api.delete_batch = lambda restriction_ids: ["2"]
    outcome = apply(Plan(deletes=deletes(*ids)), api)
    assert domains(outcome.deleted) == [domain_of(found) for found in ids if found == "2"]
    assert outcome.failures == []
    assert outcome.remaining == 0


def test_a_refused_batch_is_a_failure_of_every_domain_in_it():
    api = FakeApi(raising({"d0.example": error("refused", status=400, code=1)}))
    outcome = apply(Plan(deletes=deletes(0, 1)), api)
    reason = "a problem; an advice"
    assert sorted(outcome.failures, key=lambda failure: failure.domain) == [
        Failure(domain, reason, "refused", "delete", 400, 1) for domain in names(0, 1)
    ]
    assert not outcome.changed


@pytest.mark.parametrize("kind", ["unavailable", "credentials", "rate_limited", "uncertain"])
def test_ten_consecutive_failures_that_are_not_specific_to_one_change_end_the_run(kind):
    failing = {domain: error(kind) for domain in names(*range(30))}
    api = FakeApi(raising(failing))
    plan = Plan(creates(*range(1, 30)), updates(0), deletes("0-b", 30, kept="0"))
    plan.creates, plan.updates = plan.creates[:9], [*plan.updates, *updates(*range(10, 20))]
    outcome = apply(plan, api)
    assert len(api.calls) == 10
    # Each domain is named once, also the one whose duplicate could not be deleted either.
    assert len(outcome.failures) == len(kinds(outcome)) == 21
    assert kinds(outcome) == {
        **dict.fromkeys(names(*range(10)), kind),
        **dict.fromkeys(names(*range(10, 20), 30), "not_attempted"),
    }
    assert outcome.remaining == 0


@pytest.mark.parametrize("ending", [error("refused"), error("conflict"), None])
def test_a_success_or_a_failure_of_one_change_begins_the_count_of_failures_again(ending):
    failing = {domain: error("unavailable") for domain in names(*range(20))}
    failing["d9.example"] = ending
    api = FakeApi(raising({domain: why for domain, why in failing.items() if why}))
    outcome = apply(Plan(creates(*range(19))), api)
    assert len(api.calls) == 19
    assert "not_attempted" not in kinds(outcome).values()
    assert outcome.consecutive_failures == 9


@pytest.mark.parametrize(("before", "calls"), [(0, 10), (9, 1)])
def test_failures_of_earlier_slices_count(before, calls):
    api = FakeApi(raising({domain: error("unavailable") for domain in names(*range(20))}))
    outcome = apply(Plan(creates(*range(20))), api, consecutive_failures=before)
    assert len(api.calls) == calls
    assert outcome.consecutive_failures == 10


def test_a_certain_failure_does_not_hide_an_uncertain_one():
    failing = {
        "d0.example": error("uncertain", outcome_unknown=True),
        "d1.example": error("refused"),
    }
    outcome = apply(Plan(creates(0, 1)), FakeApi(raising(failing)))
    assert outcome.uncertain
    assert outcome.changed


@pytest.mark.parametrize(
    ("plan", "failed"),
    [
        (Plan(), ["d0.example"]),
        (Plan(failures=[Failure("d0.example", "a problem; an advice", "invalid")]), []),
        (Plan(updates=updates(0)), []),
    ],
    ids=["in an earlier slice", "while planning", "now"],
)
def test_a_domain_whose_change_failed_keeps_all_its_restrictions(plan, failed):
    api = FakeApi(raising({"d0.example": error("refused")}))
    plan = Plan(plan.creates, plan.updates, deletes("0-b", 1, kept="0"), failures=plan.failures)
    outcome = apply(plan, api, failed=failed)
    assert domains(outcome.deleted) == ["d1.example"]
    assert outcome.remaining == 0


def test_as_many_changes_as_requested_are_in_flight_at_the_same_time():
    barrier = threading.Barrier(3)
    in_flight, highest = [], []

    def react(domain):
        in_flight.append(domain)
        barrier.wait(DEADLINE)
        highest.append(len(in_flight))
        barrier.wait(DEADLINE)
        in_flight.remove(domain)

    outcome = apply(Plan(creates(*range(9))), FakeApi(react), concurrency=3)
    assert len(outcome.created) == 9
    assert max(highest) == 3


@pytest.mark.parametrize("concurrency", [1, 3])
def test_each_worker_makes_a_change_before_the_time_limit_ends_the_slice(concurrency):
    api = FakeApi()
    outcome = apply(Plan(creates(*range(8)), deletes=deletes(8, 9)), api, concurrency, time_limit=0)
    assert len(outcome.created) == len(api.calls) == concurrency
    assert outcome.remaining == 10 - concurrency
    assert outcome.failures == []


def test_a_rate_limit_wait_ends_the_slice_and_leaves_what_it_delays():
    both = threading.Barrier(2)

    def react(domain):
        if domain == "d0.example":
            return
        both.wait(DEADLINE)
        if domain == "d1.example":
            raise rate_limit_wait(60)
        # The longer wait is recorded first.
        time.sleep(0.05)
        raise rate_limit_wait(5)

    api = FakeApi(react)
    plan = Plan(creates(0, 1, 2, 3), deletes=deletes(4, 5))
    outcome = apply(plan, api, concurrency=2, consecutive_failures=4)
    assert domains(outcome.created) == ["d0.example"]
    assert sorted(api.calls) == [("create", domain) for domain in names(0, 1, 2)]
    assert outcome.wait == 60
    assert (outcome.remaining, outcome.failures, outcome.unconfirmed) == (5, [], {})


@pytest.mark.parametrize(
    ("plan", "unconfirmed"),
    [
        (Plan(creates(0)), {"d0.example": "create"}),
        (Plan(updates=updates(0)), {"d0.example": "update"}),
        (Plan(deletes=deletes(0)), {"d0.example": "delete"}),
        (Plan(deletes=deletes(0, 1)), {"d0.example": "delete", "d1.example": "delete"}),
    ],
    ids=["create", "update", "delete", "batch"],
)
def test_a_delayed_change_that_may_have_taken_effect_is_recorded_with_its_action(plan, unconfirmed):
    api = FakeApi(raising({"d0.example": rate_limit_wait(5, outcome_unknown=True)}))
    outcome = apply(plan, api)
    assert outcome.unconfirmed == unconfirmed
    assert (outcome.remaining, outcome.failures) == (len(unconfirmed), [])


@pytest.mark.parametrize(
    ("has_batch_call", "count", "batches"),
    [(True, 1, 0), (True, 2, 1), (True, 1200, 2), (False, 1200, 0)],
)
def test_without_the_batch_call_single_deletes_do_the_work(has_batch_call, count, batches):
    api = FakeApi(has_batch_call=has_batch_call)

    def delete_batch(restriction_ids):
        api.calls.append(("batch", len(restriction_ids)))
        raise NoBatchCall

    api.delete_batch = delete_batch
    outcome = apply(Plan(creates(0), updates(1), deletes(*range(2, 2 + count))), api)
    calls = [name for name, _target in api.calls]
    assert calls == ["create", "update", *["batch"] * batches, *["delete"] * count]
    assert domains(outcome.deleted) == names(*range(2, 2 + count))
    assert (outcome.failures, outcome.remaining) == ([], 0)
    assert api.has_batch_call == (has_batch_call and not batches)


def test_after_an_interrupt_calls_in_flight_end_and_no_other_one_begins(monkeypatch):
    in_flight = threading.Barrier(3)

    def react(domain):
        if domain in names(1, 2):
            in_flight.wait(DEADLINE)
            assert api.stopped.wait(DEADLINE)

    def interrupted_wait(workers):
        in_flight.wait(DEADLINE)
        raise KeyboardInterrupt

    monkeypatch.setattr(_apply, "wait", interrupted_wait)
    api = FakeApi(react)
    outcome = apply(Plan(creates(0, 1, 2, 3), updates(4), deletes(5, 6)), api, concurrency=2)
    assert sorted(domains(outcome.created)) == names(0, 1, 2)
    assert len(api.calls) == 3
    assert kinds(outcome) == dict.fromkeys(names(3, 4, 5, 6), "not_attempted")
    assert {failure.action for failure in outcome.failures} == {"create", "update", "delete"}
    assert not outcome.uncertain
    assert outcome.remaining == 0


@pytest.mark.parametrize(
    ("outcome_unknown", "kind"), [(False, "not_attempted"), (True, "interrupted")]
)
def test_an_interrupted_call_failed_only_if_it_may_have_taken_effect(
    monkeypatch, outcome_unknown, kind
):
    in_flight = threading.Event()

    def react(domain):
        in_flight.set()
        assert api.stopped.wait(DEADLINE)
        raise interrupted(outcome_unknown)

    def interrupted_wait(workers):
        assert in_flight.wait(DEADLINE)
        raise KeyboardInterrupt

    monkeypatch.setattr(_apply, "wait", interrupted_wait)
    api = FakeApi(react)
    outcome = apply(Plan(creates(0)), api)
    assert kinds(outcome) == {"d0.example": kind}
    assert outcome.uncertain == outcome_unknown


def test_after_an_unexpected_exception_no_call_begins_and_nothing_done_is_lost():
    def react(domain):
        if domain == "d1.example":
            raise RuntimeError("it broke")

    api = FakeApi(react)
    outcome = apply(Plan(creates(0, 1, 2), deletes=deletes(3, 4)), api)
    assert domains(outcome.created) == ["d0.example"]
    assert len(api.calls) == 2
    assert api.stopped.is_set()
    assert kinds(outcome) == {
        "d1.example": "unexpected",
        **dict.fromkeys(names(2, 3, 4), "not_attempted"),
    }
    assert outcome.uncertain
    assert outcome.traceback.endswith("RuntimeError: it broke\n")


def test_a_run_whose_result_nobody_can_receive_makes_no_further_call():
    api = FakeApi()
    plan = Plan(creates(0, 1, 2), deletes=deletes(3, 4))
    outcome = apply(plan, api, is_cancelled=lambda: len(api.calls) == 1)
    assert domains(outcome.created) == ["d0.example"]
    assert len(api.calls) == 1
    assert kinds(outcome) == dict.fromkeys(names(1, 2, 3, 4), "not_attempted")
