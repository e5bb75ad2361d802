# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random lists, accounts, faults and switches: nothing is lost, and nothing is created twice.

`SOAK_RUNS` sets the number of runs. Each has a seed, which repeats it exactly; `SOAK_SEED` is that
of the first run.
"""

from __future__ import annotations

import json
import os
import random
import re

import pytest
from fake_time import repeatable
from in_process import Task, run_module

RUNS = int(os.environ.get("SOAK_RUNS", "100"))
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**9))
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

DOMAINS = [f"{label}.example" for label in ("a", "b", "c", "d", "sub.a", "sub.b")]
WRITES = ["create", "update", "delete", "batch"]

# These mean that the call took no effect.
REFUSALS = [
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "3"}},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 400, "code": 1, "message": "No"},
    {"kind": "status", "status": 403, "headers": {"Ratelimit": '"default";r=0;t=60'}},
    {"kind": "status", "status": 404, "code": 1, "message": "Not here"},
    {"kind": "status", "status": 409, "code": 1, "message": "Not now"},
]
# These leave the outcome of the call unknown.
BREAKDOWNS = [
    {"kind": "drop"},
    {"kind": "status", "status": 500},
    {"kind": "html", "status": 200},
    {"kind": "html", "status": 502},
    {"kind": "html", "status": 503, "headers": {"Ratelimit": '"default";r=0;t=60'}},
    {"kind": "html", "status": 403},
    {"kind": "empty", "status": 404},
    {"kind": "empty", "status": 200},
    {"kind": "empty", "status": 204},
    {"kind": "redirect", "status": 307, "location": "/"},
    {"kind": "json", "status": 200, "body": {"success": False}},
    {"kind": "cut_off_json"},
    {"kind": "cut_off_body"},
    {"kind": "json", "status": 200, "body": [1]},
]
UNUSABLE = [
    {"kind": "merge", "set": {"result": None}},
    {"kind": "merge", "set": {"result": {"id": "x"}}},
    {"kind": "merge", "set": {"messages": [{"message": "Hm"}]}, "remove": ["result_info"]},
]


def random_exclude(dice, domain):
    return [f"{label}.{domain}" for label in dice.sample(["x", "y", "z"], dice.randrange(3))]


def random_seed(dice):
    """Restrictions with names in any spelling, some of them duplicates."""
    domains = dice.sample(DOMAINS, dice.randrange(len(DOMAINS)))
    domains += dice.sample(domains, dice.randrange(2)) if domains else []
    return [
        {
            "domain": dice.choice([domain, domain.upper(), domain + "."]),
            "exclude": random_exclude(dice, domain),
            "comments": dice.choice([None, "", "One", "Two"]),
        }
        for domain in domains
    ]


def random_entries(dice):
    entries = []
    for domain in dice.sample(DOMAINS, dice.randint(1, len(DOMAINS))):
        entry = {"domain": domain, "state": dice.choice(["present", "present", "absent"])}
        if dice.random() < 0.5:
            entry["exclude"] = random_exclude(dice, domain)
        if dice.random() < 0.5:
            entry["comments"] = dice.choice(["", "One", "Two"])
        entries.append(entry)
    return entries


def random_messages(dice):
    senders = [f"x@{label}{domain}" for domain in DOMAINS for label in ("", "x.", "y.z.")]
    return [{"envelope_from": sender} for sender in dice.sample(senders, dice.randrange(4))]


def random_fault(dice):
    fault = dict(dice.choice(REFUSALS + BREAKDOWNS * 2 + UNUSABLE))
    if fault in BREAKDOWNS:
        fault["moment"] = dice.choice(["before", "after", "after"])
    # If Cloudflare says twice that a restriction does not exist, nobody can know better.
    reads = ["list"] if fault.get("status") == 404 and "code" in fault else ["list", "get"]
    fault["calls"] = dice.sample([*WRITES, *reads, "search"], dice.randint(1, 3))
    fault["skip"] = dice.randrange(4)
    fault["times"] = dice.choice([1, 1, 2, 3, 5, None])
    return fault


def name_of(record):
    return record["domain"].lower().rstrip(".")


def fields_of(domain, records):
    """The managed fields of a domain's restrictions, oldest first."""
    return [
        (sorted(record["exclude"]), record["comments"] or "")
        for record in records
        if name_of(record) == domain
    ]


def desired_fields(entry, had):
    """What the account should have for the domain of an entry, if it `had` that before."""
    if entry["state"] == "absent":
        return []
    results = [
        (sorted(entry.get("exclude", exclude)), entry.get("comments", comments))
        for exclude, comments in had or [([], "")]
    ]
    already = [after for before, after in zip(had, results) if before == after]
    return [(already or results)[0]]


def expected(entries, prune, before):
    """For each domain, what the account should have, and what it may have after a failed run."""
    listed = {entry["domain"]: entry for entry in entries}
    desired, allowed = {}, {}
    for domain in DOMAINS:
        had = fields_of(domain, before)
        if domain in listed:
            ambiguous = len(had) > 1 and listed[domain]["state"] == "present" and not prune
            desired[domain] = had if ambiguous else desired_fields(listed[domain], had)
        else:
            desired[domain] = [] if prune else had
        allowed[domain] = [had, desired[domain]]
        if had and "exclude" in listed.get(domain, {}):
            # The first of two calls only ends exemptions.
            exclude, comments = had[0]
            common = sorted({*exclude} & {*listed[domain]["exclude"]})
            allowed[domain].append([(common, comments), *had[1:]])
        if len(had) > 1 and len(desired[domain]) == 1:
            # The restriction that stays is updated before its duplicates are deleted.
            allowed[domain].append(desired[domain] + had[1:])
        if len(had) > 1 and not desired[domain]:
            # Without the batch call, duplicates are deleted one by one.
            allowed[domain] += [had[:index] + had[index + 1 :] for index in range(len(had))]
    return desired, allowed


def random_switches(dice, seed):
    """Behavior of the API that Cloudflare does not publish."""
    batches = ["available", "available", "method_not_allowed", "no_route", "not_found"]
    has_duplicates = len({name_of(record) for record in seed}) < len(seed)
    return {
        "batch": dice.choice(batches),
        "unique_domains": not has_duplicates and dice.random() < 0.3,
        "normalize_names": dice.random() < 0.3,
        "sparse": dice.random() < 0.3,
        "last_modified": dice.random() < 0.3,
        "empty_list": dice.choice(["list", "null", "missing"]),
        "max_per_page": dice.choice([None, None, 1, 2]),
    }


def soak(emulator, seed):
    """Do the run of a seed, and return its account."""
    dice = random.Random(seed)
    with repeatable(dice):
        return random_run(emulator, dice)


def random_run(emulator, dice):
    seed = random_seed(dice)
    account = emulator.create_account(restrictions=seed, **random_switches(dice, seed))
    account.seed_messages(random_messages(dice))
    before = account.restrictions()
    entries, prune = random_entries(dice), dice.random() < 0.5
    options = {
        "account_id": account.id,
        "api_token": account.tokens["write"],
        "api_url": emulator.url,
        "retries": dice.randrange(4),
        "impact_days": dice.choice([0, 30]),
    }
    if dice.random() < 0.3:
        entries, prune = entries[:1], False
        options.update(entries[0])

        def run():
            return run_module("sending_domain_restriction", options)

    else:
        options.update(
            restrictions=entries,
            prune=prune,
            max_delete_percent=100,
            max_exclusion_loss_percent=100,
            concurrency=dice.choice([1, 2, 5]),
        )
        if options["impact_days"]:
            # A search that fails refuses the run.
            options["max_affected_messages"] = dice.choice(["unlimited", 1000])
        seconds = dice.choice([0, 3, 60])

        def run():
            return Task(options, seconds).run()

    desired, allowed = expected(entries, prune, before)
    can_be_done = not any(
        len(fields_of(entry["domain"], before)) > 1 and entry["state"] == "present" and not prune
        for entry in entries
    )
    for _number in range(dice.randint(1, 4)):
        account.fault(**random_fault(dice))

    result = run()

    after = account.restrictions()
    for domain in DOMAINS:
        assert fields_of(domain, after) in allowed[domain]
    if not result.get("failed"):
        assert {domain: fields_of(domain, after) for domain in DOMAINS} == desired
        assert can_be_done
    kinds = {failure["kind"] for failure in result.get("failures", [])}
    is_unknown = "outcome_unknown" in kinds or "could not confirm" in result["msg"]
    assert bool(result.get("changed")) == (after != before) or is_unknown and result["changed"]
    assert len(result["msg"]) < 2000

    account.clear_faults()
    again = run()
    assert bool(again.get("failed")) != can_be_done
    after = account.restrictions()
    # A domain with duplicates holds back what would take protection from related domains.
    held_back = {
        failure["domain"] for failure in again.get("failures", []) if failure["kind"] == "held_back"
    }
    for domain in DOMAINS:
        fields = fields_of(domain, after)
        assert fields in (allowed[domain] if domain in held_back else [desired[domain]])
    assert not run().get("changed")
    return account


@pytest.mark.promise("Nothing is lost and nothing is created twice")
@pytest.mark.timeout(3600)
def test_random_runs_lose_nothing_and_create_nothing_twice(emulator, add_to_summary):
    add_to_summary(f"{RUNS} runs with random lists and faults, SOAK_SEED={SEED}")
    for seed in range(SEED, SEED + RUNS):
        try:
            soak(emulator, seed)
        except BaseException:
            print(f"SOAK_SEED={seed} SOAK_RUNS=1 repeats this run")
            raise


def requests_of(account):
    """The requests and their results; an ID is replaced by when it first occurs."""
    ids = {}
    values = [
        [entry[name] for name in ("call", "path", "body", "status")] for entry in account.requests()
    ]
    text = json.dumps(values).replace(account.id, "")
    return re.sub(UUID, lambda match: f"ID {ids.setdefault(match.group(), len(ids))}", text)


def test_a_seed_of_the_soak_test_repeats_its_run_exactly(emulator):
    for seed in range(10):
        first, second = (requests_of(soak(emulator, seed)) for _time in range(2))
        assert first == second
