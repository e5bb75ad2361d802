# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random lists, random accounts, random faults: after each run, nothing is lost and nothing is twice.

`SOAK_RUNS` and `SOAK_SEED` set how many runs there are, and which.
"""

from __future__ import annotations

import os
import random

from in_process import run_in_goes, run_module

RUNS = int(os.environ.get("SOAK_RUNS", "200"))
SEED = os.environ.get("SOAK_SEED") or str(random.SystemRandom().randrange(10**9))

DOMAINS = [f"{label}.example" for label in ("a", "b", "c", "d", "sub.a", "sub.b")]
WRITES = ["create", "update", "delete", "batch"]

# What may hit a call before it took effect only, and what after it as well.
REFUSALS = [
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "3"}},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 400, "code": 1, "message": "No"},
    {"kind": "status", "status": 403, "headers": {"Ratelimit": '"default";r=0;t=60'}},
    {"kind": "status", "status": 404, "code": 1, "message": "Not here"},
    {"kind": "status", "status": 409, "code": 1, "message": "Not now"},
]
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
LIES = [
    {"kind": "merge", "set": {"result": None}},
    {"kind": "merge", "set": {"result": {"id": "x"}}},
    {"kind": "merge", "set": {"messages": [{"message": "Hm"}]}, "remove": ["result_info"]},
]


def random_exclude(dice, domain):
    return [f"{label}.{domain}" for label in dice.sample(["x", "y", "z"], dice.randrange(3))]


def random_seed(dice):
    """What an account holds: names in any spelling, some of them twice."""
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


def random_wishes(dice):
    wishes = []
    for domain in dice.sample(DOMAINS, dice.randint(1, len(DOMAINS))):
        wish = {"domain": domain, "state": dice.choice(["present", "present", "absent"])}
        if dice.random() < 0.5:
            wish["exclude"] = random_exclude(dice, domain)
        if dice.random() < 0.5:
            wish["comments"] = dice.choice(["", "One", "Two"])
        wishes.append(wish)
    return wishes


def random_fault(dice):
    fault = dict(dice.choice(REFUSALS + BREAKDOWNS * 2 + LIES))
    if fault in BREAKDOWNS:
        fault["moment"] = dice.choice(["before", "after", "after"])
    fault["calls"] = dice.sample([*WRITES, "list", "get"], dice.randint(1, 3))
    fault["skip"] = dice.randrange(4)
    fault["times"] = dice.choice([1, 1, 2, 3, 5, None])
    return fault


def name_of(record):
    return record["domain"].lower().rstrip(".")


def of(domain, records):
    """What a person would say the account holds for a domain, oldest first."""
    return [
        (sorted(record["exclude"]), record["comments"] or "")
        for record in records
        if name_of(record) == domain
    ]


def as_wanted(wish, held):
    """What the account is to hold for the domain of a wish; `held` is what it held."""
    if wish["state"] == "absent":
        return []
    results = [
        (sorted(wish.get("exclude", exclude)), wish.get("comments", comments))
        for exclude, comments in held or [([], "")]
    ]
    already = [after for before, after in zip(held, results) if before == after]
    return [(already or results)[0]]


def expected(wishes, prune, before):
    """For each domain: what it is to hold, and whatever a run cut short may leave."""
    wished = {wish["domain"]: wish for wish in wishes}
    wanted, allowed = {}, {}
    for domain in DOMAINS:
        held = of(domain, before)
        if domain in wished:
            ambiguous = len(held) > 1 and wished[domain]["state"] == "present" and not prune
            wanted[domain] = held if ambiguous else as_wanted(wished[domain], held)
        else:
            wanted[domain] = [] if prune else held
        allowed[domain] = [held, wanted[domain]]
        if len(held) > 1 and len(wanted[domain]) == 1:
            # The one that stays is changed before the others go.
            allowed[domain].append(wanted[domain] + held[1:])
    return wanted, allowed


def soak(emulator, dice):
    account = emulator.create_account(restrictions=random_seed(dice))
    before = account.restrictions()
    wishes, prune = random_wishes(dice), dice.random() < 0.5
    options = {
        "account_id": account.id,
        "api_token": account.tokens["write"],
        "api_url": emulator.url,
        "retries": dice.randrange(4),
    }
    if dice.random() < 0.3:
        wishes, prune = wishes[:1], False
        options.update(wishes[0])

        def run():
            return run_module("sending_domain_restriction", options)

    else:
        options.update(
            restrictions=wishes,
            prune=prune,
            max_delete_percent=100,
            concurrency=dice.choice([1, 2, 5]),
        )
        seconds = dice.choice([0.002, 0.01, 60])

        def run():
            return run_in_goes("sending_domain_restrictions", options, seconds)

    wanted, allowed = expected(wishes, prune, before)
    can_be_done = not any(
        len(of(wish["domain"], before)) > 1 and wish["state"] == "present" and not prune
        for wish in wishes
    )
    for _number in range(dice.randint(1, 4)):
        account.fault(**random_fault(dice))

    result = run()

    after = account.restrictions()
    for domain in DOMAINS:
        assert of(domain, after) in allowed[domain]
    if not result.get("failed"):
        assert {domain: of(domain, after) for domain in DOMAINS} == wanted
        assert can_be_done
    uncertain = "is not certain" in result.get("msg", "")
    assert bool(result.get("changed")) == (after != before) or uncertain and result["changed"]

    account.clear_faults()
    healed = run()
    assert bool(healed.get("failed")) != can_be_done
    assert {domain: of(domain, account.restrictions()) for domain in DOMAINS} == wanted
    assert not run().get("changed")


def test_soak(emulator, in_no_time, tell):
    tell(f"{RUNS} runs with random lists and faults, SOAK_SEED={SEED}")
    for number in range(RUNS):
        try:
            soak(emulator, random.Random(f"{SEED}-{number}"))
        except BaseException:
            print(f"run {number}")
            raise
