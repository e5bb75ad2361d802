# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports as JSON, and the schema that describes them."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

if sys.version_info < (3, 10):
    pytest.skip("reports are made on the controller", allow_module_level=True)

from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import EFFECTS
from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact
from ansible_collections.cloudflare_email.security.plugins.module_utils._problem_kinds import (
    PROBLEM_KINDS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import STATUSES
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_json import (
    json_report,
)
from browser.report_samples import (
    HOSTILE,
    TIME,
    affected_report,
    comparison_report,
    failure,
    finding,
    large_report,
    report,
    report_full_of,
    restriction,
    typical_report,
)
from report_schema import SCHEMA, VALIDATOR

SAMPLES = {
    "empty": report(),
    "typical": typical_report(),
    "result": typical_report(is_preview=False),
    "comparison": comparison_report(),
    "large": large_report(100),
    "affected": affected_report(),
    "nobody affected": report(impact=Impact(1)),
    "account not read": report(
        restrictions=None, findings=None, problem="No", problem_kind="unavailable"
    ),
    "no origin": report(account_id="", list_file="", version=""),
    "account without findings": report(findings=[finding(None, "no domain")]),
    "incomplete fields": report(
        created=[restriction("a.example", exclude=None, id=None, created_at=None)],
        updated=[{**restriction("b.example"), "previous": None}],
    ),
    **{f"hostile {number}": report_full_of(text) for number, text in enumerate(HOSTILE)},
}
UNREAD = (
    "restrictions",
    "domains",
    "domains_with_exclusions",
    "exclusions",
    "effective_exclusions",
    "findings",
)
UNPLANNED = (
    "created",
    "updated",
    "deleted",
    "unchanged",
    "unlisted",
    "failures",
    "outcome_unknown",
)


def written(sample):
    return json.loads(json_report(sample))


def objects_in(schema):
    """Yield each part of a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects_in(part)


def objects_of(document):
    """Yield each object in a document."""
    if isinstance(document, dict):
        yield document
    if isinstance(document, (dict, list)):
        for part in document.values() if isinstance(document, dict) else document:
            yield from objects_of(part)


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_every_report_is_valid_for_the_schema(sample):
    VALIDATOR.validate(written(sample))


def test_the_schema_refuses_unknown_and_missing_keys_everywhere():
    assert all(
        part["additionalProperties"] is False and part["required"] == list(part["properties"])
        for part in objects_in(SCHEMA)
    )
    document = written(affected_report())
    number = 0
    for part in objects_of(document):
        part["unknown"] = 1
        assert not VALIDATOR.is_valid(document)
        del part["unknown"]
        for key in list(part):
            value = part.pop(key)
            assert not VALIDATOR.is_valid(document)
            part[key] = value
            number += 1
    assert number > 100
    VALIDATOR.validate(document)


def test_the_schema_names_the_statuses_problems_and_effects_of_results():
    properties = SCHEMA["properties"]
    assert tuple(properties["status"]["enum"]) == STATUSES
    assert tuple(properties["problem_kind"]["enum"]) == (None, *PROBLEM_KINDS)
    for name in ("effects", "changes"):
        assert tuple(properties[name]["properties"]) == EFFECTS


# Half of a character, which JSON can have.
@example("\ud800")
@given(st.text())
def test_values_are_exact_and_invisible_characters_escaped(text):
    sample = report(restrictions=[restriction("a.example", comments=text)], title=text)
    found = json_report(sample)
    assert all(character.isprintable() or character == "\n" for character in found)
    document = json.loads(found)
    assert (document["restrictions"][0]["comments"], document["title"] or "") == (text, text)


def test_what_people_can_read_is_not_escaped():
    text = "b\xfccher \u65e5\u672c \U0001f600"
    assert f'"title": "{text}",\n' in json_report(report(title=text))


def test_changes_are_in_groups_by_effect_with_what_was_before_and_is_after():
    document = written(typical_report())
    groups = document["changes"]
    assert tuple(groups) == EFFECTS
    assert document["effects"] == {effect: len(groups[effect]) for effect in EFFECTS}
    bank = restriction("bank.example", "crm.bank.example", "news.bank.example")
    assert groups["both"] == [
        {
            "domain": "bank.example",
            "action": "update",
            "duplicate_of": None,
            "previous": bank,
            "new": {**bank, "exclude": ["list.bank.example", "news.bank.example"]},
            "account_is": None,
        }
    ]
    (created,) = groups["newly_requires_tls"]
    assert (created["action"], created["previous"]) == ("create", None)
    assert created["new"]["exclude"] == ["news.added.example"]
    (deleted,) = groups["duplicate_removed"]
    assert (deleted["action"], deleted["new"], deleted["duplicate_of"]) == ("delete", None, "kept")
    assert deleted["previous"] == restriction("twice.example", id="duplicate")


def test_a_difference_says_whether_the_account_is_weaker_than_the_list():
    sample = comparison_report()
    comment = {**restriction("c.example", comments="x"), "effect": "comment_or_spelling"}
    renewed = {**comment, "previous": restriction("c.example")}
    document = written(replace(sample, updated=[*sample.updated, renewed]))
    assert {
        effect: [change["account_is"] for change in group]
        for effect, group in document["changes"].items()
    } == {
        "newly_requires_tls": ["weaker"],
        "both": ["both"],
        "no_longer_requires_tls": ["stricter"],
        "duplicate_removed": ["same"],
        "comment_or_spelling": ["same"],
    }


def test_whom_changes_affect_is_listed_by_the_domain_because_of_which():
    impact = written(affected_report())["impact"]
    assert impact["days"] == 30
    assert [
        (each["domain"], each["problem"], [sender["name"] for sender in each["senders"]])
        for each in impact["domains"]
    ] == [
        ("added.example", None, ["mail.added.example", "added.example"]),
        ("bank.example", None, ["crm.bank.example", "list.bank.example"]),
        ("old.example", "not all messages were counted; lower impact_days", []),
    ]
    assert impact["domains"][1]["senders"][1] == {
        "name": "list.bank.example",
        "messages": 3,
        "first_seen": "2026-11-01T07:00:00Z",
        "last_seen": "2026-11-20T08:30:00Z",
        "at_least": False,
        "delivery_modes": [],
        "effect": "no_longer_requires_tls",
    }


def test_a_domain_that_could_not_be_searched_is_listed_without_senders():
    impact = written(report(impact=Impact(7, {}, {"a.example": "broken"})))["impact"]
    assert impact["domains"] == [{"domain": "a.example", "problem": "broken", "senders": []}]


def test_a_masked_effect_could_be_anything():
    masked = [{**restriction("a.example"), "effect": "n********wly_requires_tls"}]
    assert [change["domain"] for change in written(report(created=masked))["changes"]["both"]] == [
        "a.example"
    ]


def test_counts_are_those_of_the_result():
    sample = replace(
        affected_report(),
        unchanged=7,
        failures=[failure("a.example"), failure("b.example", kind="outcome_unknown")],
    )
    assert written(sample)["counts"] == {
        "restrictions": 8,
        "domains": 7,
        "domains_with_exclusions": 2,
        "exclusions": 11,
        "effective_exclusions": 2,
        "created": 1,
        "updated": 1,
        "deleted": 2,
        "unchanged": 7,
        "unlisted": 1,
        "failures": 2,
        "outcome_unknown": 1,
        "affected_senders": 4,
        "findings": 1,
        "warnings": 1,
    }


@pytest.mark.parametrize(
    ("sample", "unknown"),
    [
        (
            report(restrictions=None, findings=None, problem="No"),
            (*UNREAD, *UNPLANNED, "affected_senders"),
        ),
        (report(summary="no changes", impact=Impact(30)), ()),
        (report(summary="no changes"), ("affected_senders",)),
        (report(restrictions=None, findings=None, summary="x", impact=Impact(30)), UNREAD),
    ],
)
def test_what_is_not_known_is_null_and_not_zero(sample, unknown):
    document = written(sample)
    counts = document["counts"]
    assert {name for name, count in counts.items() if count is None} == set(unknown)
    for name in ("restrictions", "findings"):
        assert document[name] == (None if name in unknown else [])
    assert (document["impact"] is None) == ("affected_senders" in unknown)


def test_the_rows_are_in_the_same_order_each_time():
    rows = [restriction(name, id=name) for name in ("B.example", "a.example", "c.example")]
    fields = ("restrictions", "created", "deleted", "failures")
    forwards, backwards = (
        json_report(report(**dict.fromkeys(fields, [{**failure("x"), **row} for row in ordered])))
        for ordered in (rows, rows[::-1])
    )
    assert forwards == backwards
    domains = [known["domain"] for known in json.loads(forwards)["restrictions"]]
    assert domains == ["a.example", "B.example", "c.example"]


@pytest.mark.parametrize("prune", [True, False])
def test_the_report_says_whether_prune_is_on(prune):
    assert written(report(prune=prune))["prune"] is prune


def test_the_time_is_in_utc():
    for zone in (timezone.utc, timezone(timedelta(hours=-8))):
        assert written(report(time=TIME.astimezone(zone)))["time"] == "2026-11-25T04:30:00Z"
