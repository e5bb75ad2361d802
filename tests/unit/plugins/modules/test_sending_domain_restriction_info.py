# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers for a sender, today and once a list is applied, and the findings of an account."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    warning_texts,
)
from in_process import run_module
from samples import FIRST, SECOND

INFO, PLURAL = "sending_domain_restriction_info", "sending_domain_restrictions"
PARTNER = {"domain": "partner.example"}
SENDER = "invoices.partner.example"
EXEMPT = {**PARTNER, "exclude": [SENDER]}
REQUIRED = f"needs TLS: required by the restriction for {PARTNER['domain']}"
EXEMPTED = f"does not need TLS: the restriction for {PARTNER['domain']} excludes {SENDER}"
NOT_COVERED = "does not need TLS: no restriction covers it"


@pytest.fixture
def ask(options):
    """Return the answer for the sender, and for a list if one is given."""

    def answer(**given):
        return run_module(INFO, {**options, "sender_domain": SENDER, **given})

    return answer


@pytest.mark.parametrize(
    ("on_account", "listed", "prune", "now", "after"),
    [
        ([], [], False, NOT_COVERED, NOT_COVERED),
        ([], [PARTNER], False, NOT_COVERED, REQUIRED),
        ([], [EXEMPT], False, NOT_COVERED, EXEMPTED),
        ([EXEMPT], [PARTNER], False, EXEMPTED, EXEMPTED),
        ([EXEMPT], [{**PARTNER, "exclude": []}], False, EXEMPTED, REQUIRED),
        ([PARTNER], [EXEMPT], False, REQUIRED, EXEMPTED),
        ([PARTNER], [{**PARTNER, "state": "absent"}], False, REQUIRED, NOT_COVERED),
        ([PARTNER], [], False, REQUIRED, REQUIRED),
        ([PARTNER], [], True, REQUIRED, NOT_COVERED),
        # A restriction for another domain that covers the sender still applies.
        ([PARTNER], [{"domain": SENDER, "state": "absent"}], False, REQUIRED, REQUIRED),
        ([EXEMPT, PARTNER], [EXEMPT], True, REQUIRED, EXEMPTED),
    ],
)
def test_the_answer_for_a_list_is_the_one_after_it_is_applied(
    account, options, ask, on_account, listed, prune, now, after
):
    account.seed(on_account)
    given = {"restrictions": listed, "prune": prune}
    account.clear_requests()
    answer = ask(**given)
    applied = f"once the list is applied {'with' if prune else 'without'} prune"
    assert answer["msg"] == f"{applied}, mail from {SENDER} {after} (today: {now})"
    assert [request["call"] for request in account.requests()] == ["list"]
    today = ask()
    assert today["msg"] == f"mail from {SENDER} {now}"
    assert answer["tls_required_now"] is today["tls_required"]
    assert answer["sending_domain_restrictions"] == today["sending_domain_restrictions"]
    assert "tls_required_now" not in today
    run_module(PLURAL, {**options, **given})
    applied = ask()
    for name in ("tls_required", "exempted_by"):
        assert answer[name] == applied[name]
    for name in ("domain", "exclude", "comments"):
        assert (answer["governed_by"] or {}).get(name) == (applied["governed_by"] or {}).get(name)


def test_only_changes_for_the_sender_that_cannot_be_applied_are_warned_of(account, ask):
    duplicates = [{**PARTNER, "id": FIRST}, {**EXEMPT, "id": SECOND}]
    others = [{"domain": "other.example"}, {"domain": "OTHER.example"}]
    account.seed([*duplicates, *others])
    entries = [PARTNER, {"domain": "other.example"}]
    answer = ask(restrictions=entries)
    assert answer["tls_required"]
    (warning,) = warning_texts(answer)
    assert warning.startswith(
        "the answer does not include the change for partner.example, which cannot be applied:"
        " partner.example is on the account twice"
    )
    assert "warnings" not in ask(restrictions=entries, prune=True)


def test_the_answer_knows_what_other_domains_of_the_list_hold_back(account, ask):
    below = "mail.partner.example"
    account.seed([PARTNER, {"domain": below}, {"domain": below}])
    answer = ask(restrictions=[{**PARTNER, "state": "absent"}, {"domain": below}])
    assert answer["tls_required"]
    (warning,) = warning_texts(answer)
    assert (
        f"for partner.example, which cannot be applied: held back because the entry for {below}"
        in (warning)
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"sender_domain": None, "restrictions": []},
            "restrictions requires sender_domain; set it to the domain of a sender, or omit"
            " restrictions",
        ),
        (
            {
                "sender_domain": None,
                "restrictions": [],
                "controller": {"source": {"file": "partners.yml", "lines": []}},
            },
            "file requires sender_domain; set it to the domain of a sender, or omit file",
        ),
        (
            {"sender_domain": ["a.example", "b.example"]},
            "sender_domain is a list; use one name per task, in a loop",
        ),
        (
            {"prune": True},
            "prune requires file or restrictions; set one of them, or omit prune",
        ),
        (
            {"restrictions": [], "file": "partners.yml"},
            "parameters are mutually exclusive: restrictions|file",
        ),
        (
            {"restrictions": [{"domain": "com"}]},
            "1 of 1 entries is invalid, so nothing was sent; fix it and run again: entry 1 (com):"
            " domain 'com' has a single label; use a full domain such as partner.example",
        ),
    ],
)
def test_an_incomplete_or_invalid_question_is_refused_before_anything_is_sent(
    account, ask, given, problem
):
    answer = ask(**given)
    assert (answer["failed"], answer["msg"]) == (True, problem)
    assert account.requests() == []


BCC = {"domain": "own.example", "allowed_delivery_modes": ["BCC"]}


@pytest.fixture
def task(account, options):
    account.seed([{"domain": "partner.example"}])
    account.change(domains=[BCC])

    def task(**values):
        return run_module(INFO, {**options, **values})

    return task


def kinds(result):
    return [finding["kind"] for finding in result["findings"]]


def test_restrictions_that_can_probably_drop_nothing_are_a_finding(account, task):
    account.seed([{"domain": "partner.example"}, {"domain": "sub.partner.example"}])
    result = task()
    assert kinds(result) == ["no_direct_delivery", "redundant"]
    assert result["msg"] == "2 restrictions, 2 findings"
    account.change(domains=[BCC, {"domain": "other.example"}])
    assert kinds(task()) == ["redundant"]


@pytest.mark.parametrize(
    "question", [{"domain": "partner.example"}, {"sender_domain": "a.partner.example"}]
)
def test_questions_about_one_domain_do_not_read_the_own_domains(account, task, question):
    assert kinds(task(**question)) == []
    assert account.calls() == ["list"]


def test_an_account_without_restrictions_does_not_read_the_own_domains(account, task):
    account.seed([])
    assert kinds(task()) == []
    assert account.calls() == ["list"]


def test_credentials_that_may_not_read_the_own_domains_get_no_finding(account, task):
    account.fault(
        kind="status", calls=["domains"], status=403, code=10000, message="Authentication error"
    )
    result = task()
    assert (kinds(result), result.get("warnings", [])) == ([], [])
    assert not result.get("failed")


def test_own_domains_that_cannot_be_read_are_a_warning(account, task):
    account.fault(kind="html", calls=["domains"], status=503, times=None)
    result = task()
    assert kinds(result) == []
    assert "could not check how mail for the account's own domains is delivered: " in str(
        result["warnings"]
    )
