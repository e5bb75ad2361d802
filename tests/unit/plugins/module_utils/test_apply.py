# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workers that apply plans to a fake API: order, failures, limits and interruptions."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _workers
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import (
    Outcome,
    apply,
    predict,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CONFLICT,
    INTERRUPTED,
    OUTCOME_UNKNOWN,
    REFUSED,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Create,
    Delete,
    Plan,
    Update,
    make_plan,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    NoBatchCall,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._step import Failed
from samples import FIRST, SECOND, desired, domains, existing

# Seconds; only a test that fails waits that long.
TIMEOUT = 60


class FakeApi:
    """Records the calls.

    `errors` has the errors of the next calls by domain or ID; `before` is called with each of them.
    A call takes one second.
    """

    def __init__(self, errors=None, before=lambda domain: None, batch_errors=()):
        self.calls = []
        self.has_batch_call = True
        self.stopped = threading.Event()
        self.client = SimpleNamespace(stop=self.stopped.set, clock=lambda: float(len(self.calls)))
        self._errors = errors or {}
        self._batch_errors = list(batch_errors)
        self.before = before
        self._lock = threading.Lock()

    def _call(self, call, domain):
        with self._lock:
            self.calls.append((call, domain))
            error = next(iter(self._errors.get(domain, ())), None)
            if error:
                self._errors[domain] = self._errors[domain][1:]
        self.before(domain)
        if error:
            raise error

    def create(self, body):
        self._call("create", body["domain"])
        return existing(f"id-of-{body['domain'].replace('.', '-')}", **body)

    def update(self, before, changes):
        self._call("update", before.id)
        return existing(before.id, "a.example", **changes)

    def delete(self, restriction_id):
        self._call("delete", restriction_id)
        return restriction_id != "gone"

    def delete_batch(self, ids):
        self.calls.append(("batch", tuple(ids)))
        if self._batch_errors:
            raise self._batch_errors.pop(0)
        return [restriction_id for restriction_id in ids if restriction_id != "gone"]


def creates(*domains):
    return Plan(creates=[Create({"domain": domain, "exclude": []}) for domain in domains])


def names(number):
    return [f"d{index}.example" for index in range(number)]


def failing(kind=UNAVAILABLE, **attributes):
    return CloudflareError("no", "try again", kind, **attributes)


def kinds(outcome):
    return {failure.domain: failure.kind for failure in outcome.failures}


@pytest.mark.promise("An incomplete run leaves more protection, not less")
@pytest.mark.parametrize("concurrency", [1, 5])
def test_creates_and_updates_come_first_and_deletes_last_in_batches(concurrency):
    current = [existing(str(index), name) for index, name in enumerate(names(1510))]
    listed = [desired(domain=name) for name in names(5)]
    listed += [desired(domain=f"d{index}.example", comments="x") for index in range(5, 8)]
    listed += [desired(domain=f"new{index}.example") for index in range(5)]
    api = FakeApi()
    outcome = apply(make_plan(listed, current, prune=True), api, concurrency)
    kinds_in_order = [call for call, _target in api.calls]
    assert sorted(kinds_in_order[:8]) == ["create"] * 5 + ["update"] * 3
    assert kinds_in_order[8:] == ["batch", "batch"]
    assert sorted(len(ids) for _call, ids in api.calls[8:]) == [502, 1000]
    assert (len(outcome.created), len(outcome.updated), len(outcome.deleted)) == (5, 3, 1502)
    assert outcome.changed
    assert (outcome.remaining, outcome.failures) == (0, [])


@pytest.mark.promise("An incomplete run leaves more protection, not less")
@pytest.mark.parametrize("concurrency", [1, 5])
def test_nothing_is_deleted_while_creates_or_updates_are_left(concurrency):
    current = [existing(FIRST, "a.example"), existing(SECOND, "b.example")]
    listed = [desired(domain=name) for name in names(5)]
    listed.append(desired(domain="a.example", comments="x"))
    api = FakeApi()
    outcome = apply(make_plan(listed, current, prune=True), api, concurrency, time_limit=0)
    assert len(api.calls) == concurrency
    assert {call for call, _target in api.calls} <= {"create", "update"}
    assert (outcome.remaining, outcome.deleted) == (7 - concurrency, [])


def test_a_prediction_equals_the_outcome_except_for_what_only_the_api_knows():
    current = [existing(FIRST, "a.example", comments="old"), existing(SECOND, "b.example")]
    listed = [desired(domain="a.example", comments="x"), desired(domain="c.example")]
    plan = make_plan(listed, current, prune=True)
    done, predicted = apply(plan, FakeApi()), predict(plan)
    assert predicted.changed
    assert predicted.updated == done.updated
    assert predicted.deleted == done.deleted
    (created,) = done.created
    assert predicted.created == [{**created, "id": None}]
    assert done.updated[0]["previous"] == current[0].record


def test_a_prediction_and_an_outcome_have_the_failures_of_the_plan():
    current = [existing(FIRST, "a.example"), existing(SECOND, "a.example")]
    plan = make_plan([desired(domain="a.example")], current)
    assert predict(plan).failures == plan.failures != []
    assert not predict(plan).changed
    assert apply(plan, FakeApi()).failures == plan.failures


def test_exactly_as_many_changes_as_allowed_are_in_flight_at_once():
    in_flight, most = set(), []
    barrier = threading.Barrier(4, timeout=TIMEOUT)

    def meet_the_others(domain):
        in_flight.add(domain)
        most.append(len(in_flight))
        barrier.wait()
        in_flight.remove(domain)

    outcome = apply(creates(*names(20)), FakeApi(before=meet_the_others), concurrency=4)
    assert len(outcome.created) == 20
    assert max(most) == 4


@pytest.mark.promise("One failed change does not stop the others")
def test_a_failed_change_does_not_stop_the_others():
    api = FakeApi({"d1.example": [failing(REFUSED, status=400, code=7)]})
    outcome = apply(creates(*names(3)), api)
    assert domains(outcome.created) == ["d0.example", "d2.example"]
    (failure,) = outcome.failures
    assert failure.result() == {
        "domain": "d1.example",
        "action": "create",
        "kind": "refused",
        "reason": "no; try again",
        "status": 400,
        "code": 7,
    }


def duplicates_of(domain, current):
    listed = [desired(domain=domain, comments="new")]
    return make_plan(listed, current, prune=True)


@pytest.mark.promise("A domain whose change failed keeps all its restrictions")
def test_a_domain_whose_change_failed_keeps_its_duplicates():
    current = [
        existing(FIRST, "a.example"),
        existing(SECOND, "a.example"),
        existing("3", "b.example"),
    ]
    plan = duplicates_of("a.example", current)
    outcome = apply(plan, FakeApi({FIRST: [failing(REFUSED)]}))
    assert domains(outcome.deleted) == ["b.example"]


def test_a_deleted_duplicate_names_the_restriction_that_stays():
    current = [existing(FIRST, "a.example"), existing(SECOND, "a.example")]
    (deleted,) = apply(duplicates_of("a.example", current), FakeApi()).deleted
    assert (deleted["id"], deleted["duplicate_of"]) == (SECOND, FIRST)


@pytest.mark.promise("changed is true exactly when something changed")
def test_a_certain_failure_does_not_settle_an_unknown_outcome():
    errors = {
        "d0.example": [failing(OUTCOME_UNKNOWN, outcome_unknown=True)],
        "d1.example": [failing(REFUSED)],
    }
    outcome = apply(creates(*names(2)), FakeApi(errors))
    assert outcome.outcome_unknown
    assert outcome.changed
    assert not apply(creates("d0.example"), FakeApi({"d0.example": [failing()]})).changed


@pytest.mark.parametrize(
    ("numbers", "error", "earlier", "attempted"),
    [
        (range(30), UNAVAILABLE, 0, 10),
        (range(30), UNAVAILABLE, 7, 3),
        (range(30), REFUSED, 9, 30),
        (range(30), CONFLICT, 9, 30),
        # A success resets the count.
        ([*range(9), *range(10, 30)], UNAVAILABLE, 0, 20),
    ],
)
def test_ten_consecutive_failures_that_are_not_specific_to_one_change_end_the_run(
    numbers, error, earlier, attempted
):
    errors = {f"d{index}.example": [failing(error, status=503)] for index in numbers}
    api = FakeApi(errors)
    outcome = apply(creates(*names(30)), api, consecutive_failures=earlier)
    assert len(api.calls) == attempted
    assert len(outcome.failures) == 30 - len(outcome.created)
    assert list(kinds(outcome).values()).count("not_attempted") == 30 - attempted
    assert outcome.remaining == 0


def test_a_specific_failure_resets_the_count_of_consecutive_failures():
    errors = {name: [failing()] for name in names(15)}
    errors["d9.example"] = [failing(REFUSED)]
    outcome = apply(creates(*names(15)), FakeApi(errors))
    assert "not_attempted" not in kinds(outcome).values()
    assert outcome.consecutive_failures == 5


def test_after_giving_up_nothing_is_deleted():
    plan = creates(*names(10))
    plan.deletes = [Delete(existing(FIRST, "a.example"))]
    api = FakeApi({name: [failing()] for name in names(10)})
    outcome = apply(plan, api)
    assert ("delete", FIRST) not in api.calls
    assert kinds(outcome)["a.example"] == "not_attempted"
    reasons = {failure.domain: failure.reason for failure in outcome.failures}
    assert reasons["a.example"] == "not attempted after 10 consecutive failures; run again"


def test_even_the_shortest_time_slice_makes_progress():
    plan = creates(*names(10))
    plan.deletes = [Delete(existing(FIRST, "a.example"))]
    outcome = apply(plan, FakeApi(), concurrency=2, time_limit=0)
    assert len(outcome.created) == 2
    assert outcome.remaining == 9
    assert outcome.failures == []


def test_no_change_begins_after_the_time_limit():
    outcome = apply(creates(*names(10)), FakeApi(), time_limit=3)
    assert (len(outcome.created), outcome.remaining) == (3, 7)


def test_no_delete_begins_after_the_time_limit_even_if_all_writes_are_done():
    plan = creates(*names(2))
    plan.deletes = [Delete(existing(FIRST, "a.example"))]
    outcome = apply(plan, FakeApi(), time_limit=2)
    assert (len(outcome.created), outcome.deleted, outcome.remaining) == (2, [], 1)


@pytest.mark.parametrize("is_unknown", [False, True])
def test_a_wait_for_the_rate_limit_ends_a_time_slice(is_unknown):
    def delay(seconds):
        return RateLimitWait(seconds, outcome_unknown=is_unknown)

    errors = {"d0.example": [delay(20)], FIRST: [delay(60)]}
    plan = creates(*names(9))
    plan.updates = [Update(existing(FIRST, "a.example"), {"comments": "x"})]
    barrier = threading.Barrier(10, timeout=TIMEOUT)
    api = FakeApi(errors, before=lambda domain: barrier.wait())
    outcome = apply(plan, api, concurrency=10)
    assert outcome.wait == 60
    assert (len(outcome.created), outcome.remaining) == (8, 2)
    unknown = {change.domain: change for change in (plan.creates[0], plan.updates[0])}
    assert outcome.unknown_outcomes == (unknown if is_unknown else {})
    assert outcome.failures == []
    assert not apply(creates("b.example"), FakeApi({"b.example": [delay(1)]})).changed


def test_no_call_begins_after_a_wait_for_the_rate_limit():
    api = FakeApi({"d0.example": [RateLimitWait(60)]})
    plan = creates(*names(3))
    plan.deletes = [Delete(existing(FIRST, "a.example"))]
    assert apply(plan, api).remaining == 4
    assert api.calls == [("create", "d0.example")]


def deletes(number):
    return [Delete(existing(f"id-{index}", name)) for index, name in enumerate(names(number))]


def test_without_the_batch_call_restrictions_are_deleted_one_by_one():
    plan = creates("new.example")
    plan.deletes = deletes(2500)
    api = FakeApi(batch_errors=[NoBatchCall(), NoBatchCall(), NoBatchCall()])
    outcome = apply(plan, api)
    assert len(outcome.deleted) == 2500
    assert [call for call, _target in api.calls] == ["create"] + ["batch"] * 3 + ["delete"] * 2500


def test_a_missing_batch_call_is_not_tried_again():
    api = FakeApi()
    api.has_batch_call = False
    outcome = apply(Plan(deletes=deletes(20)), api, concurrency=4)
    assert len(outcome.deleted) == 20
    assert {call for call, _target in api.calls} == {"delete"}


def test_a_single_delete_does_not_need_the_batch_call():
    api = FakeApi()
    apply(Plan(deletes=[Delete(existing(FIRST, "a.example"))]), api)
    assert api.calls == [("delete", FIRST)]


def test_every_domain_of_a_batch_that_has_to_wait_may_be_deleted_already():
    wait = RateLimitWait(60, outcome_unknown=True)
    plan = Plan(deletes=deletes(3))
    outcome = apply(plan, FakeApi(batch_errors=[wait]))
    assert outcome.unknown_outcomes == dict(zip(names(3), plan.deletes))
    assert outcome.remaining == 3


def test_a_refused_batch_is_a_failure_of_each_of_its_domains():
    api = FakeApi(batch_errors=[failing(REFUSED)])
    outcome = apply(Plan(deletes=deletes(20)), api)
    assert domains(outcome.deleted) == []
    assert kinds(outcome) == dict.fromkeys(names(20), "refused")


def test_an_unexpected_error_of_a_batch_is_a_failure_of_each_of_its_domains():
    outcome = apply(Plan(deletes=deletes(3)), FakeApi(batch_errors=[ValueError("x")]))
    assert kinds(outcome) == dict.fromkeys(names(3), "unexpected")


@pytest.mark.parametrize("number", [1, 2])
def test_what_somebody_else_deleted_does_not_count_as_changed(number):
    plan = Plan(deletes=[Delete(existing("gone", "a.example")), *deletes(5)][:number])
    outcome = apply(plan, FakeApi())
    assert domains(outcome.deleted) == ["d0.example"][: number - 1]
    assert outcome.changed == (number == 2)
    assert outcome.failures == []


def test_several_failures_of_one_domain_are_reported_once():
    plan = Plan(
        deletes=[Delete(existing(FIRST, "a.example")), Delete(existing(SECOND, "a.example"))]
    )
    outcome = apply(plan, FakeApi(batch_errors=[failing(REFUSED)]))
    assert len(outcome.failures) == 1


def test_the_first_of_several_failures_of_one_domain_is_reported():
    plan = Plan(
        deletes=[Delete(existing(FIRST, "a.example")), Delete(existing(SECOND, "a.example"))]
    )
    api = FakeApi({FIRST: [failing(REFUSED)], SECOND: [failing(UNAVAILABLE)]})
    api.has_batch_call = False
    (failure,) = apply(plan, api).failures
    assert failure.kind == "refused"


@pytest.fixture
def interrupt(monkeypatch):
    """Raise KeyboardInterrupt in the main thread once both workers of an API are busy.

    Their calls end after the workers were stopped.
    """
    busy = threading.Barrier(3, timeout=TIMEOUT)

    def wait(workers):
        busy.wait()
        raise KeyboardInterrupt

    def interrupt(api):
        def before(domain):
            busy.wait()
            assert api.stopped.wait(TIMEOUT)

        api.before = before
        monkeypatch.setattr(_workers, "wait", wait)

    return interrupt


@pytest.mark.promise("Ctrl-C stops the writes")
def test_after_ctrl_c_calls_in_flight_end_and_no_new_ones_begin(interrupt):
    api = FakeApi()
    interrupt(api)
    plan = creates(*names(10))
    plan.deletes = [Delete(existing(FIRST, "a.example"))]
    outcome = apply(plan, api, concurrency=2)
    assert api.stopped.is_set()
    assert len(api.calls) == len(outcome.created) == 2
    left = [failure for failure in outcome.failures if failure.kind == "not_attempted"]
    assert len(left) == 9
    assert left[0].reason == "not attempted because the run was interrupted; run again"
    assert outcome.remaining == 0


def test_a_call_that_is_interrupted_before_it_is_sent_counts_as_not_attempted(interrupt):
    api = FakeApi({"d0.example": [failing(INTERRUPTED)]})
    interrupt(api)
    outcome = apply(creates(*names(2)), api, concurrency=2)
    assert kinds(outcome) == {"d0.example": "not_attempted"}
    assert not outcome.outcome_unknown


def test_an_interrupted_call_that_may_have_taken_effect_is_a_failure():
    error = failing(INTERRUPTED, outcome_unknown=True)
    outcome = apply(creates("d0.example"), FakeApi({"d0.example": [error]}))
    assert kinds(outcome) == {"d0.example": "interrupted"}
    assert outcome.outcome_unknown


@pytest.mark.promise("Ctrl-C stops the writes")
@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x")])
def test_an_unexpected_error_ends_the_run_and_keeps_its_results(error):
    errors = {"d5.example": [error]}
    api = FakeApi(errors)
    outcome = apply(creates(*names(10)), api)
    assert len(outcome.created) == 5
    assert len(api.calls) == 6
    assert kinds(outcome)["d5.example"] == "unexpected"
    assert list(kinds(outcome).values()).count("not_attempted") == 4
    assert outcome.outcome_unknown
    assert f"{error.__class__.__name__}: x" in outcome.traceback
    assert api.stopped.is_set()


def test_a_later_failure_does_not_hide_an_unexpected_error():
    outcome = Outcome()
    outcome.add([Failed([], traceback="Traceback"), Failed([])])
    assert outcome.traceback == "Traceback"


def test_a_run_ends_if_nobody_waits_for_its_result():
    api = FakeApi()
    outcome = apply(creates(*names(10)), api, is_cancelled=lambda: len(api.calls) >= 3)
    assert len(outcome.created) == 3
    assert api.stopped.is_set()
    reasons = {failure.reason for failure in outcome.failures}
    assert reasons == {"not attempted because Ansible stopped waiting for the result; run again"}


def test_what_stopped_a_run_first_is_reported():
    started, stopped = threading.Event(), threading.Event()
    checks = iter([False])

    def crash(domain):
        started.set()
        stopped.wait(TIMEOUT)
        raise ValueError("x")

    api = FakeApi(before=crash)
    api.client.stop = stopped.set
    outcome = apply(
        creates(*names(3)),
        api,
        concurrency=2,
        # Only the first worker begins a change; the other one then stops the run.
        is_cancelled=lambda: next(checks, True) and started.wait(TIMEOUT),
    )
    reasons = {failure.reason for failure in outcome.failures if failure.kind == "not_attempted"}
    assert reasons == {"not attempted because Ansible stopped waiting for the result; run again"}
    assert kinds(outcome)["d0.example"] == "unexpected"


def test_what_a_response_lacks_is_taken_from_the_plan():
    api = FakeApi()
    api.update = lambda before, changes: existing(before.id, "a.example", **changes)
    current = existing(FIRST, "a.example", created_at="2026-01-01T00:00:00Z")
    plan = Plan(updates=[Update(current, {"comments": "x"})])
    (updated,) = apply(plan, api).updated
    assert (updated["comments"], updated["created_at"]) == ("x", "2026-01-01T00:00:00Z")


@pytest.mark.promise("changed is true exactly when something changed")
def test_an_update_that_changed_nothing_is_not_a_change():
    api = FakeApi()
    current = existing(FIRST, "a.example", comments="x", exclude=["b.a.example"])
    api.update = lambda before, changes: current
    plan = Plan(updates=[Update(current, {"comments": " x"})])
    outcome = apply(plan, api)
    assert not outcome.changed
    assert [record["id"] for record in outcome.unaltered] == [FIRST]
    assert [(found.sent, found.stored) for found in outcome.alterations] == [(" x", "x")]


def test_a_record_shows_that_a_value_was_not_stored():
    api = FakeApi()
    api.create = lambda body: existing(FIRST, body["domain"], comments=None)
    plan = Plan(creates=[Create({"domain": "a.example", "exclude": [], "comments": "x"})])
    (created,) = apply(plan, api).created
    assert created["comments"] is None
