# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    by_domain,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    Failure,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import duration
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    MAX_MESSAGE_LENGTH,
    failure_message,
    single_failure_message,
    summary,
    warning_of_drops,
)
from hypothesis import given
from hypothesis import strategies as st


def counts(created, updated, deleted, unchanged):
    records = {"created": created, "updated": updated, "deleted": deleted}
    return {**{name: [{}] * count for name, count in records.items()}, "unchanged": unchanged}


@pytest.mark.parametrize(
    ("numbers", "done", "planned"),
    [
        (
            (30, 50, 150, 2300),
            "30 created, 50 updated, 150 deleted, 2300 unchanged",
            "30 to create, 50 to update, 150 to delete, 2300 unchanged",
        ),
        ((0, 1, 0, 0), "1 updated", "1 to update"),
        ((0, 0, 0, 2530), "no changes, 2530 unchanged", "no changes, 2530 unchanged"),
        ((0, 0, 0, 0), "no changes", "no changes"),
    ],
)
def test_a_summary_leaves_out_counts_of_zero(numbers, done, planned):
    assert summary(counts(*numbers)) == done
    assert summary(counts(*numbers), check_mode=True) == planned


def test_a_summary_says_first_what_the_changes_do_to_mail():
    changes = {
        "created": [{"effect": "newly_requires_tls"}] * 3,
        "updated": [
            {"effect": "both"},
            {"effect": "no_longer_requires_tls"},
            *[{"effect": "comment_or_spelling"}] * 5,
        ],
        "deleted": [{"effect": "duplicate_removed"}] * 2,
        "unchanged": 1,
    }
    assert summary(changes) == (
        "3 newly require TLS, 1 newly requires TLS for some names, no longer for others,"
        " 1 no longer requires TLS, 2 duplicates removed, 5 comment or spelling only (3 created,"
        " 7 updated, 2 deleted, 1 unchanged)"
    )
    assert summary(changes, check_mode=True) == (
        "3 would newly require TLS, 1 would newly require TLS for some names, no longer for others,"
        " 1 would no longer require TLS, 2 duplicates to remove, 5 comment or spelling only (3 to"
        " create, 7 to update, 2 to delete, 1 unchanged)"
    )
    one = {"created": [], "updated": changes["updated"][:1], "deleted": changes["deleted"][:1]}
    assert summary({**one, "unchanged": 0}) == (
        "1 newly requires TLS for some names, no longer for others, 1 duplicate removed"
        " (1 updated, 1 deleted)"
    )


@pytest.mark.parametrize(
    ("effects", "check_mode", "warning"),
    [
        ([], True, ""),
        (["no_longer_requires_tls", "comment_or_spelling"], True, ""),
        (["newly_requires_tls"], True, "mail from this one would be dropped"),
        (["both", "newly_requires_tls"], True, "mail from these 2 would be dropped"),
        (["both", "newly_requires_tls"], False, "mail from these 2 is dropped from now on"),
    ],
)
def test_what_newly_requires_tls_comes_with_a_warning_of_drops(effects, check_mode, warning):
    changes = {"created": [], "updated": [{"effect": each} for each in effects], "deleted": []}
    rest = " if it arrives without TLS" if warning else ""
    assert warning_of_drops(changes, check_mode) == warning + rest


def failed(number, reason, kind="refused", action="create"):
    return Failure(f"p{number}.example", reason, kind, action).result()


def test_failures_are_grouped_by_reason_with_the_largest_group_first():
    failures = [
        failed(1, "Cloudflare refused the request; fix it (POST …: 400)"),
        *(
            failed(n, "Cloudflare returned 503; try again later (POST …: 503)")
            for n in range(20, 30)
        ),
        failed(7, "not attempted after 10 consecutive failures; run again", "not_attempted"),
        failed(8, "not attempted after 10 consecutive failures; run again", "not_attempted"),
    ]
    assert failure_message(failures, "20 created") == (
        "Cloudflare returned 503 for 10 creates (p20.example, p21.example, p22.example and 7 more);"
        " try again later (POST …: 503). Cloudflare refused the request for 1 create (p1.example);"
        " fix it (POST …: 400). 2 changes were not attempted after 10 consecutive failures."
        " Result: 20 created. Run again to finish the rest."
    )


@pytest.mark.parametrize(
    ("causes", "why"),
    [
        (["bank.example"], "the create for bank.example failed"),
        (["bank.example", "a.example"], "related changes failed"),
    ],
)
def test_what_was_held_back_is_one_sentence(causes, why):
    failures = [
        failed(n, f"held back because the create for {cause} failed; run again", "held_back")
        for n, cause in enumerate(causes)
    ]
    changes, names = "1 change was", "p0.example"
    if len(causes) > 1:
        changes, names = "2 changes were", "p0.example, p1.example"
    assert failure_message(failures, "no changes") == (
        f"{changes} held back because {why} ({names}). Result: no changes."
        " Run again to finish the rest."
    )


def test_a_group_counts_entries_updates_and_deletes_separately():
    failures = [
        failed(1, "x; y", action="update"),
        failed(2, "x; y", action="delete"),
        failed(3, "x; y", action="delete"),
        failed(4, "x; y", action="entry"),
    ]
    assert failure_message(failures, "no changes").startswith(
        "x for 1 update and 2 deletes and 1 entry (p1.example, p2.example, p3.example and 1 more);"
    )


def test_duplicates_are_one_group_although_their_ids_differ():
    failures = [failed(n, f"d{n} is twice; fix (IDs {n})", "duplicates", "entry") for n in (1, 2)]
    assert failure_message(failures, "no changes").startswith(
        "2 domains are on the account more than once (p1.example, p2.example); fix."
    )
    assert failure_message(failures[:1], "no changes").startswith("d1 is twice; fix (IDs 1).")


@pytest.mark.parametrize(
    ("reasons", "end"),
    [(5, "advice"), (6, "advice. 3 more failed for other reasons; see failures")],
)
def test_five_reasons_are_given_and_the_other_failures_counted(reasons, end):
    failures = [failed(n, f"reason {n % reasons}; advice") for n in range(3 * reasons)]
    message = failure_message(failures, "no changes")
    assert message.count("advice") == 5
    assert f"{end}. Result: no changes." in message


LONG_TEXT = st.text(max_size=3000)


@pytest.mark.promise("Errors say what is wrong and what to do")
@given(
    st.lists(
        st.builds(
            lambda domain, reason, kind: Failure(domain, reason, kind).result(),
            *(
                LONG_TEXT,
                LONG_TEXT,
                st.sampled_from(["refused", "not_attempted", "held_back", "duplicates"]),
            ),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_a_message_is_always_below_2000_characters_and_ends_with_the_result(failures):
    message = failure_message(failures, "1 created")
    assert len(message) < 2000
    assert message.endswith(". Result: 1 created. Run again to finish the rest.")
    assert len(single_failure_message(failures[0])) < 2000


def test_a_message_stays_short_however_long_its_reasons_are():
    failures = [failed(number, f"{number}" + "x" * 600 + "; y") for number in range(5)]
    message = failure_message(failures, "1 created")
    assert len(message) == MAX_MESSAGE_LENGTH
    assert message.endswith("…. Result: 1 created. Run again to finish the rest.")


@pytest.mark.parametrize("number", [1, 2])
def test_changes_that_were_not_attempted_are_counted(number):
    failures = [
        failed(n, "not attempted after 10 consecutive failures; run again", "not_attempted")
        for n in range(number)
    ]
    changes = "1 change was" if number == 1 else "2 changes were"
    assert failure_message(failures, "no changes").startswith(
        f"{changes} not attempted after 10 consecutive failures. Result"
    )


def test_records_are_sorted_by_domain_without_letter_case_and_then_by_id():
    records = [
        {"domain": "b.example", "id": "1"},
        {"domain": "A.example", "id": "2"},
        {"domain": "a.example", "id": "1"},
        {"domain": "A.example", "id": None},
    ]
    assert [record["id"] for record in by_domain(records)] == [None, "1", "2", "1"]


def test_a_single_failure_names_its_domain():
    assert single_failure_message(failed(1, "x; y (z)")) == "x for p1.example; y (z)"
    assert single_failure_message(failed(1, "x; y", action="entry")) == "x; y"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 minute"),
        (89, "1 minute"),
        (150, "2 minutes"),
        (3569, "59 minutes"),
        (3570, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_are_in_minutes_or_hours(seconds, text):
    assert duration(seconds) == text
