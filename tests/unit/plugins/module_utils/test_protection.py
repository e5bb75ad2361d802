# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever fails, no sender loses protection that it had and that the list keeps.

Runs are judged by the rule for mail, sender by sender and after every single call: mail needs TLS if
any restriction at or above the sender's domain does not exempt it.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import NamedTuple
from unittest import mock

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _run_list
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import apply
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    OUTCOME_UNKNOWN,
    REFUSED,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    NoBatchCall,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    SliceReport,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._time_slice import TimeSlice
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._run_total import Total
from hypothesis import given, settings
from hypothesis import strategies as st

MAX_SLICES = 500

# What may become of a write: it takes effect or not, and its caller learns that or not.
DONE, REFUSED_CALL, OUTAGE = "done", "refused", "outage"
LOST, FAILED_UNSEEN = "took effect, unknown", "no effect, unknown"
WAIT, WAIT_LOST, WAIT_UNSEEN = "wait", "took effect, wait", "no effect, wait, unknown"
CRASH, CRASH_LOST = "crash", "took effect, crash"
INTERRUPT = "took effect, interrupted"
EFFECTIVE = (DONE, LOST, WAIT_LOST, CRASH_LOST, INTERRUPT)
FATES = (REFUSED_CALL, OUTAGE, LOST, FAILED_UNSEEN, WAIT, WAIT_LOST, WAIT_UNSEEN, CRASH, CRASH_LOST)

# The cases are cheap, and most of them are harmless.
many_examples = settings(max_examples=max(1000, settings.default.max_examples))


class FakeAccount:
    """An account in memory, with the interface of `RestrictionsApi` and of its client.

    Arguments:
        restrictions: pairs of a domain and the names that it excludes.
        fates: what becomes of each write, in this order; those after them are done.
        refused: the targets of writes that are always refused, such as `create a.example`.
        lag: how many writes the list lags behind.
        has_batch: whether the API has the batch call.
        check: called with the pairs after each write; says what is wrong with them.

    Attributes:
        wrong: what `check` said. The code under test would catch an exception.
    """

    def __init__(self, restrictions, fates=(), refused=(), lag=0, has_batch=True, check=None):
        self.current = {
            f"id-{index}": Restriction.from_api(
                {"id": f"id-{index}", "domain": domain, "exclude": sorted(exclude)}
            )
            for index, (domain, exclude) in enumerate(restrictions)
        }
        self.client = self.rate_limit = self
        self.calls, self.refusals = 0, 0
        self.writes = []
        self.has_batch_call = True
        self.is_interrupted = False
        self._fates = list(fates)
        self._refused = refused
        self._lag = lag
        self._has_batch = has_batch
        self._check = check or (lambda restrictions: [])
        self.wrong = []
        self._history = [self.current]

    def recover(self):
        """End all faults."""
        self._fates, self._refused, self.is_interrupted = [], (), False

    def stop(self):
        pass

    def clock(self):
        return 0.0

    def warnings(self):
        return []

    def seconds_for(self, calls):
        return float(calls)

    def list_all(self):
        return list(self._history[max(0, len(self._history) - 1 - self._lag)].values())

    @property
    def restrictions(self):
        return [(known.domain, known.exclude) for known in self.current.values()]

    def create(self, body):
        restriction_id = f"id-{len(self._history)}-new"
        created = Restriction.from_api({**body, "id": restriction_id})
        self._write(f"create {created.domain}", {restriction_id: created})
        return created

    def update(self, before, changes):
        restriction_id = before.id
        known = self.current[restriction_id]
        updated = Restriction.from_api({**known.record, **changes})
        self._write(f"update {known.domain}", {restriction_id: updated})
        return updated

    def delete(self, restriction_id):
        known = self.current.get(restriction_id)
        self._write(f"delete {known.domain if known else restriction_id}", {restriction_id: None})
        return known is not None

    def delete_batch(self, ids):
        if not self._has_batch:
            raise NoBatchCall
        present = [restriction_id for restriction_id in ids if restriction_id in self.current]
        self._write("batch", dict.fromkeys(ids))
        return present

    def _write(self, call, changed):
        self.calls += 1
        self.writes.append(call)
        fate = self._fates.pop(0) if self._fates else DONE
        fate = REFUSED_CALL if call in self._refused else fate
        if fate in EFFECTIVE:
            after = {**self.current, **changed}
            self.current = {known: after[known] for known in after if after[known]}
        self._history.append(self.current)
        self.wrong += [(self.writes, found) for found in self._check(self.restrictions)]
        self.is_interrupted = self.is_interrupted or fate == INTERRUPT
        if fate in (CRASH, CRASH_LOST):
            raise RuntimeError("x")
        if fate in (WAIT, WAIT_LOST, WAIT_UNSEEN):
            raise RateLimitWait(60, outcome_unknown=fate != WAIT)
        if fate in (REFUSED_CALL, OUTAGE):
            raise CloudflareError("no", "fix it", REFUSED if fate == REFUSED_CALL else UNAVAILABLE)
        if fate in (LOST, FAILED_UNSEEN):
            raise CloudflareError("lost", "run again", OUTCOME_UNKNOWN, outcome_unknown=True)


def run(account, entries, prune, is_sliced, check_mode=False, failures_before=0, observe=None):
    """Run the module for lists, in slices of one step or as a whole, and return the result.

    Arguments:
        failures_before: how many consecutive failures there were.
        observe: called with the total after each slice.
    """
    total, progress = Total(), {"consecutive_failures": failures_before}
    for _number in range(MAX_SLICES):
        account.calls = 0
        module = SimpleNamespace(
            params={
                "prune": prune,
                "compare": False,
                "max_delete_percent": 100,
                "max_exclusion_loss_percent": 100,
                "impact_days": 0,
                "concurrency": 1,
                "report_html": None,
                "report_markdown": None,
                "report_json": None,
                "controller": {
                    "time_slice": {"seconds": 0 if is_sliced else 10**9, "progress": progress}
                },
            },
            no_log_values=set(),
            check_mode=check_mode,
            _diff=False,
        )
        with mock.patch.object(_run_list, "output_is_closed", lambda: account.is_interrupted):
            run_of_slice = _run_list.ListRun(
                module, account, TimeSlice.of(module), account.list_all(), None
            )
            result, _warnings = run_of_slice.bring_into(entries)
        values = json.loads(json.dumps(result))
        report = SliceReport.from_dict(values.pop("time_slice"))
        if check_mode:
            return report.result.as_dict()
        total.add(report, values)
        if observe:
            observe(total)
        if report.remaining == 0:
            return total.result()
        progress = report.progress.as_dict()
    raise AssertionError(f"the run does not end within {MAX_SLICES} slices")


def at_or_below(name, domain):
    return name == domain or name.endswith(f".{domain}")


def needs_tls(sender, restrictions):
    """The rule, as the documentation of the info module states it."""
    return any(
        at_or_below(sender, domain)
        and not any(
            at_or_below(sender, entry) and entry.endswith(f".{domain}") for entry in exclude
        )
        for domain, exclude in restrictions
    )


def end_state(entries, prune, before):
    """What the account should have once everything has been applied."""
    after = []
    listed = {entry.domain: entry for entry in entries}
    for domain in sorted({*listed, *(domain for domain, _exclude in before)}):
        had = [exclude for known, exclude in before if known == domain]
        entry = listed.get(domain)
        if entry is None:
            after += [] if prune else [(domain, exclude) for exclude in had]
        elif entry.state == "present":
            if entry.exclude is not None or not had:
                after.append((domain, entry.exclude or frozenset()))
            else:
                # The oldest is kept; without prune, the task does not choose.
                after += [(domain, exclude) for exclude in (had[:1] if prune else had)]
    return after


def judge(before, desired, senders):
    """Return a check that finds the senders that are treated as in neither of the two states."""
    answers = {
        sender: {needs_tls(sender, before), needs_tls(sender, desired)} for sender in senders
    }

    return lambda restrictions: [
        sender
        for sender, allowed in answers.items()
        if needs_tls(sender, restrictions) not in allowed
    ]


# Few names, so that most changes are related.
NAMES = ["b.example", "a.b.example", "u.a.b.example", "v.a.b.example"]
DOMAINS = NAMES[:3]
SENDERS = [sender for name in NAMES for sender in (name, f"s.{name}")]
# Above all domains, and so outside each of them.
OUTSIDE = "example"
SWAP = str.maketrans("uv", "vu")


def below(domain):
    return [name for name in NAMES if name.endswith(f".{domain}")]


@st.composite
def some(draw, names):
    """A set of names; any one is as probable as any other."""
    chosen = draw(st.integers(0, 2 ** len(names) - 1))
    return frozenset(name for index, name in enumerate(names) if chosen >> index & 1)


@st.composite
def accounts_and_lists(draw):
    """An account, now and then with duplicates and with names outside the domain, and a list for it.

    An entry often changes the places of names, and now and then it cannot be applied.
    """
    before, entries = [], []
    for domain in draw(st.permutations(DOMAINS)):
        had = [
            draw(some(below(domain)))
            | draw(st.sampled_from([frozenset(), frozenset(), frozenset([OUTSIDE])]))
            for _number in range(draw(st.sampled_from([0, 0, 1, 1, 1, 2])))
        ]
        before += [(domain, exclude) for exclude in had]
        state = draw(st.sampled_from(["present", "present", "present", "absent", None]))
        exclude = draw(
            st.sampled_from(["same", "swapped", "swapped", "any", "any", "any", "invalid"])
        )
        if state:
            exempt = {
                "same": None,
                "swapped": frozenset(name.translate(SWAP) for name in frozenset().union(*had[:1])),
                "any": draw(some(below(domain))),
                "invalid": frozenset([OUTSIDE]),
            }[exclude]
            comments = draw(st.sampled_from([None, None, "x"]))
            entries.append(DesiredRestriction(domain, exempt, comments, state))
    return before, entries


class Case(NamedTuple):
    """An account, a list, and what happens to the run."""

    account_and_list: tuple
    prune: bool
    is_sliced: bool
    has_batch: bool
    lag: int
    fates: list
    refused: set
    failures_before: int

    @property
    def before(self):
        return self.account_and_list[0]

    @property
    def entries(self):
        return self.account_and_list[1]


CASES = st.builds(
    Case,
    accounts_and_lists(),
    prune=st.booleans(),
    is_sliced=st.booleans(),
    has_batch=st.booleans(),
    lag=st.sampled_from([0, 0, 1, 2]),
    fates=st.just([])
    | st.lists(st.just(DONE) | st.sampled_from([*FATES, INTERRUPT]), min_size=3, max_size=12),
    refused=st.just(frozenset())
    | some([f"{call} {domain}" for call in ("create", "update") for domain in DOMAINS]),
    failures_before=st.sampled_from([0, 8]),
)


@pytest.mark.promise("An incomplete run leaves more protection, not less")
@pytest.mark.promise("A failed change holds back what relies on it")
@pytest.mark.promise("No mail is dropped on the way")
@pytest.mark.timeout(600)
@many_examples
@given(CASES)
def test_no_sender_loses_protection_that_it_had_and_that_the_list_keeps(case):
    desired = end_state(case.entries, case.prune, case.before)
    account = FakeAccount(
        case.before,
        case.fates,
        case.refused,
        lag=case.lag,
        has_batch=case.has_batch,
        check=judge(case.before, desired, SENDERS),
    )
    before = dict(account.current)

    result = run(
        account,
        case.entries,
        case.prune,
        case.is_sliced,
        failures_before=case.failures_before,
    )

    assert account.wrong == []
    failures = {failure["domain"]: failure["kind"] for failure in result["failures"]}
    assert len(failures) == len(result["failures"])
    assert bool(result.get("failed")) == bool(failures)
    for name in ("created", "updated", "deleted"):
        ids = [record["id"] for record in result[name]]
        assert len(ids) == len(set(ids))
    for record in result["updated"]:
        assert record["previous"] == before[record["id"]].record
    if not case.lag:
        is_unknown = {"outcome_unknown", "unexpected"} & set(failures.values())
        assert result["changed"] == (account.current != before) or is_unknown
        if not failures:
            assert sorted(account.restrictions) == sorted(desired)


@pytest.mark.timeout(600)
@given(CASES)
def test_running_again_finishes_the_work(case):
    desired = end_state(case.entries, case.prune, case.before)
    check = judge(case.before, desired, SENDERS)
    account = FakeAccount(case.before, case.fates, case.refused, check=check)
    run(account, case.entries, case.prune, case.is_sliced, failures_before=case.failures_before)
    account.recover()
    result = run(account, case.entries, case.prune, case.is_sliced)
    assert account.wrong == []
    assert {failure["kind"] for failure in result["failures"]} <= {
        "duplicates",
        "invalid",
        "held_back",
    }
    if not result["failures"]:
        assert sorted(account.restrictions) == sorted(desired)
    assert not run(account, case.entries, case.prune, case.is_sliced)["changed"]


def managed(records):
    return [{name: value for name, value in record.items() if name != "id"} for record in records]


@pytest.mark.timeout(600)
@given(CASES)
def test_check_mode_predicts_the_result_however_many_calls_and_slices_it_takes(case):
    account = FakeAccount(case.before, has_batch=case.has_batch)
    predicted = run(account, case.entries, case.prune, is_sliced=False, check_mode=True)
    assert account.calls == 0
    counts = []

    real = run(
        account,
        case.entries,
        case.prune,
        case.is_sliced,
        observe=lambda total: counts.append(total.count + total.remaining),
    )

    assert len(set(counts)) == 1
    for name in ("created", "updated", "deleted"):
        assert managed(real[name]) == managed(predicted[name])
    for name in ("failures", "unchanged", "changed"):
        assert real[name] == predicted[name]


def entry(domain, exclude=None, state="present"):
    return DesiredRestriction(domain, None if exclude is None else frozenset(exclude), state=state)


EXAMPLES = {
    "a parent that replaces its children": (
        [("mail.bank.example", []), ("pay.bank.example", []), ("edi.bank.example", [])],
        [entry("bank.example")],
        "create bank.example",
        dict.fromkeys(["mail.bank.example", "pay.bank.example", "edi.bank.example"], "delete"),
    ),
    "a child that replaces its parent": (
        [("bank.example", [])],
        [entry("mail.bank.example")],
        "create mail.bank.example",
        {"bank.example": "delete"},
    ),
    "a parent that takes over an exempt child": (
        [("bank.example", ["mail.bank.example"]), ("mail.bank.example", [])],
        [entry("bank.example", [])],
        "update bank.example",
        {"mail.bank.example": "delete"},
    ),
    "a child that its parent exempts": (
        [("bank.example", [])],
        [entry("bank.example", ["mail.bank.example"]), entry("mail.bank.example")],
        "create mail.bank.example",
        {"bank.example": "update"},
    ),
}


@pytest.mark.promise("A failed change holds back what relies on it")
@pytest.mark.parametrize("is_sliced", [False, True])
@pytest.mark.parametrize(
    ("before", "entries", "refused", "held_back"), EXAMPLES.values(), ids=list(EXAMPLES)
)
def test_what_would_take_protection_away_is_held_back_after_a_failure(
    before, entries, refused, held_back, is_sliced
):
    before = [*before, ("unrelated.example", [])]
    account = FakeAccount(before, refused=[refused])
    result = run(account, entries, True, is_sliced)
    assert result["deleted"] and not result["created"] and not result["updated"]
    assert account.restrictions == [(domain, frozenset(names)) for domain, names in before[:-1]]
    failures = {failure["domain"]: failure for failure in result["failures"]}
    failed = refused.split()[1]
    assert failures.pop(failed)["kind"] == "refused"
    assert {domain: failure["action"] for domain, failure in failures.items()} == held_back
    for failure in failures.values():
        assert failure["kind"] == "held_back"
        assert failure["reason"] == (
            f"held back because the {refused.replace(' ', ' for ')} failed; run again"
        )


# Each of the two exempts what only the other one covers, and they change places.
CROSSED = (
    [("b.example", ["x.a.b.example"]), ("a.b.example", ["y.a.b.example"])],
    [entry("b.example", ["y.a.b.example"]), entry("a.b.example", ["x.a.b.example"])],
)


@pytest.mark.parametrize("is_sliced", [False, True])
def test_updates_that_depend_on_each_other_take_two_calls_each(is_sliced):
    before, entries = CROSSED
    account = FakeAccount(before, check=judge(before, end_state(entries, False, before), SENDERS))
    originals = {known.domain: known.record for known in account.list_all()}
    result = run(account, entries, False, is_sliced)
    assert account.writes == ["update b.example", "update a.b.example"] * 2
    assert account.wrong == []
    assert (result["msg"], result["api_calls"]) == (
        "2 newly require TLS for some names, no longer for others (2 updated)",
        4,
    )
    assert {record["domain"]: record["previous"] for record in result["updated"]} == originals
    assert [record["exclude"] for record in result["updated"]] == [
        ["x.a.b.example"],
        ["y.a.b.example"],
    ]


@pytest.mark.parametrize("is_sliced", [False, True])
def test_a_duplicate_that_is_held_back_does_not_keep_its_restriction_from_being_written(is_sliced):
    account = FakeAccount([("a.b.example", [])] * 2)
    entries = [
        entry("b.example", ["elsewhere.example"]),
        entry("c.example"),
        DesiredRestriction("a.b.example", comments="x"),
    ]
    counts = []
    result = run(
        account,
        entries,
        True,
        is_sliced,
        observe=lambda total: counts.append(total.count + total.remaining),
    )
    assert account.writes == ["create c.example", "update a.b.example"]
    assert set(counts) == {4}
    assert {failure["domain"]: failure["action"] for failure in result["failures"]} == {
        "b.example": "entry",
        "a.b.example": "delete",
    }


@pytest.mark.parametrize("is_sliced", [False, True])
def test_the_first_of_two_calls_is_reported_even_if_the_second_one_is_held_back(is_sliced):
    before, entries = CROSSED
    account = FakeAccount(before, refused=["update a.b.example"])
    result = run(account, entries, False, is_sliced)
    assert account.writes == ["update b.example", "update a.b.example"]
    assert account.restrictions == [("b.example", frozenset()), ("a.b.example", {"y.a.b.example"})]
    assert result["changed"]
    (updated,) = result["updated"]
    assert (updated["exclude"], updated["previous"]["exclude"]) == ([], ["x.a.b.example"])
    assert {failure["domain"]: failure["kind"] for failure in result["failures"]} == {
        "a.b.example": "refused",
        "b.example": "held_back",
    }


@pytest.mark.parametrize("is_sliced", [False, True])
@pytest.mark.parametrize(
    ("refused", "exclude", "kinds"),
    [
        (["create v.b.example"], [], {"v.b.example": "refused", "b.example": "held_back"}),
        (
            ["create v.b.example", "update b.example"],
            ["u.b.example"],
            {"v.b.example": "refused", "b.example": "refused"},
        ),
    ],
)
def test_a_failed_create_holds_back_only_the_second_of_two_calls(
    is_sliced, refused, exclude, kinds
):
    account = FakeAccount([("b.example", ["u.b.example"])], refused=refused)
    entries = [entry("b.example", ["v.b.example"]), entry("v.b.example")]
    result = run(account, entries, False, is_sliced)
    assert account.restrictions == [("b.example", set(exclude))]
    assert {failure["domain"]: failure["kind"] for failure in result["failures"]} == kinds


def test_a_first_call_whose_outcome_stays_unknown_is_a_failure():
    before, entries = CROSSED
    account = FakeAccount(before, [WAIT_LOST])
    result = run(account, entries, False, is_sliced=False)
    assert result["changed"]
    assert {failure["domain"]: failure["kind"] for failure in result["failures"]} == {
        "b.example": "outcome_unknown",
        "a.b.example": "held_back",
    }


def test_one_run_reports_an_update_in_two_calls_once():
    before, entries = CROSSED
    account = FakeAccount(before)
    current = account.list_all()
    outcome = apply(make_plan(entries, current), account)
    assert [record["previous"] for record in outcome.updated] == [known.record for known in current]
    assert not outcome.tightened


def test_what_is_left_counts_changes_and_the_calls_that_they_take():
    before, entries = CROSSED
    account = FakeAccount([*before, ("c.example", []), ("d.example", [])])
    plan = make_plan(entries, account.list_all(), prune=True)
    outcome = apply(plan, account, time_limit=0)
    # One of the four calls for two updates is made; one batch deletes two restrictions.
    assert (outcome.remaining, outcome.remaining_calls) == (4, 4)
    outcome = apply(make_plan(entries[:1], account.list_all(), prune=True), account, time_limit=0)
    assert (outcome.remaining, outcome.remaining_calls) == (3, 1)


def test_a_list_that_lags_behind_does_not_repeat_the_first_of_two_calls():
    before, entries = CROSSED
    account = FakeAccount(before, lag=100)
    assert run(account, entries, False, is_sliced=True)["msg"] == (
        "2 newly require TLS for some names, no longer for others (2 updated)"
    )
    assert len(account.writes) == 4


@pytest.mark.parametrize(
    ("exclude", "relative", "calls"),
    [
        (["y.a.b.example"], [], 1),
        # The relative does not change.
        (["y.a.b.example"], [entry("a.b.example")], 1),
        (["y.a.b.example"], [entry("x.a.b.example")], 2),
        # Only one of the two kinds of change.
        ([], [entry("x.a.b.example")], 1),
        (["x.a.b.example", "y.a.b.example"], [entry("y.a.b.example")], 1),
        # The same exemptions, written differently.
        (["x.a.b.example", "x.x.a.b.example"], [entry("y.a.b.example")], 1),
    ],
)
def test_an_update_takes_two_calls_only_if_a_related_change_could_depend_on_it(
    exclude, relative, calls
):
    account = FakeAccount([("b.example", ["x.a.b.example"]), ("a.b.example", [])])
    run(account, [entry("b.example", exclude), *relative], False, is_sliced=False)
    assert account.writes.count("update b.example") == calls


@pytest.mark.promise("No mail is dropped on the way")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["a.b.example", "x.b.example"], ["x.a.b.example", "y.b.example"]),
        (["x.a.b.example", "x.b.example"], ["a.b.example", "y.b.example"]),
    ],
)
def test_the_first_of_two_calls_keeps_what_is_exempt_before_and_after(before, after):
    seen = []
    account = FakeAccount(
        [("b.example", before)],
        check=lambda restrictions: seen.append(restrictions[0][1]) or [],
    )
    run(account, [entry("b.example", after), entry("y.b.example")], False, is_sliced=False)
    assert seen[1:] == [{"x.a.b.example"}, set(after)]


def test_a_comment_that_is_refused_holds_nothing_back():
    before = [("bank.example", []), ("mail.bank.example", [])]
    account = FakeAccount(before, refused=["update bank.example"])
    entries = [
        DesiredRestriction("bank.example", comments="x"),
        entry("mail.bank.example", state="absent"),
    ]
    result = run(account, entries, False, is_sliced=False)
    assert [record["domain"] for record in result["deleted"]] == ["mail.bank.example"]


class OtherAccount(FakeAccount):
    """An account that stores these names in `exclude`, whatever a create sends."""

    stored = ()

    def create(self, body):
        return super().create({**body, "exclude": list(self.stored)})


@pytest.mark.parametrize("is_sliced", [False, True])
@pytest.mark.parametrize(
    ("sent", "stored", "is_held_back"),
    [
        ([], ["news.bank.example"], True),
        (["news.bank.example"], ["news.bank.example"], False),
        (["news.bank.example"], [], False),
    ],
)
def test_a_create_that_is_stored_with_more_exemptions_is_not_relied_on(
    sent, stored, is_held_back, is_sliced
):
    account = OtherAccount([("news.bank.example", [])])
    account.stored = stored
    result = run(account, [entry("bank.example", sent)], True, is_sliced)
    assert [failure["reason"] for failure in result["failures"]] == [
        "held back because the create for bank.example was stored differently; run again"
    ] * is_held_back
    assert len(result["deleted"]) == (not is_held_back)


def test_a_weakening_change_that_is_refused_holds_nothing_back():
    before = [("bank.example", []), ("mail.bank.example", []), ("pay.bank.example", [])]
    account = FakeAccount(before, refused=["update bank.example"])
    entries = [entry("bank.example", ["x.bank.example"]), entry("pay.bank.example", state="absent")]
    result = run(account, entries, False, is_sliced=True)
    assert [failure["kind"] for failure in result["failures"]] == ["refused"]
    assert [record["domain"] for record in result["deleted"]] == ["pay.bank.example"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_entry_that_cannot_be_applied_holds_back_what_is_related(check_mode):
    before = [*[("bank.example", [])] * 2, ("mail.bank.example", []), ("a.example", [])]
    account = FakeAccount(before)
    entries = [
        entry("bank.example", ["x.bank.example"]),
        entry("mail.bank.example", state="absent"),
        entry("a.example", state="absent"),
    ]
    result = run(account, entries, False, is_sliced=False, check_mode=check_mode)
    assert [record["domain"] for record in result["deleted"]] == ["a.example"]
    assert {failure["domain"]: failure["reason"] for failure in result["failures"]}[
        "mail.bank.example"
    ] == "held back because the entry for bank.example failed; run again"
