# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole module, in this process, against the emulator."""

from __future__ import annotations

import json
import time

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    warning_texts,
)
from in_process import run_module
from samples import mail

MODULE = "sending_domain_senders_info"
PARTNER = {"domain": "Partner.example", "exclude": ["news.partner.example"]}
# Parts of what the emulator returns about messages, and of addresses in them.
PRIVATE = ("secret", "Secret", "somebody", "boss", "mailer")

MAIL = [
    mail("somebody+tag@partner.example", times=3),
    mail("bounce=somebody@News.Partner.EXAMPLE.", age=20, delivery_mode="BCC"),
    mail("bounce@news.partner.example", age=5, delivery_mode="JOURNAL"),
    mail("somebody@relay.example", **{"from": "boss <boss@partner.example>"}),
    mail("", **{"from": "mailer-daemon@partner.example"}),
    mail(None, **{"from": "mailer-daemon@partner.example"}),
    mail(
        "SRS0=h=tt=partner.example=somebody@forwarder.example", **{"from": "boss@partner.example"}
    ),
    mail("somebody@notpartner.example"),
    mail("somebody@xn--bcher-kva.other.example"),
]


@pytest.fixture
def task(options):
    def task(**values):
        return run_module(MODULE, {**options, **values})

    return task


def counts(result):
    return {row["name"]: row["messages"] for row in result["senders"]}


def test_who_sends_as_a_domain_is_listed_with_what_that_means(account, task):
    account.seed([PARTNER])
    account.seed_messages(MAIL)
    result = task(domains=["PARTNER.example."])
    assert not result["changed"]
    assert result["msg"] == (
        "2 names at or below 1 domain sent 5 messages in 30 days; which of them came with TLS is"
        " not known"
    )
    news, partner = result["senders"]
    restriction = account.restrictions()[0]
    seen = (news.pop("first_seen"), news.pop("last_seen"))
    assert seen[0].endswith("Z") and seen[0] < seen[1]
    assert news == {
        "domain": "partner.example",
        "name": "news.partner.example",
        "messages": 2,
        "at_least": False,
        "delivery_modes": ["BCC", "JOURNAL"],
        "tls_required": False,
        "governed_by": restriction,
        "exempted_by": "news.partner.example",
    }
    assert (partner["name"], partner["messages"]) == ("partner.example", 3)
    assert (partner["tls_required"], partner["exempted_by"]) == (True, None)
    assert result["searches"] == [
        {
            "domain": "partner.example",
            "messages": 5,
            "at_least": False,
            "without_sender": 2,
            "problem": None,
        }
    ]
    assert (result["at_least"], result["api_calls"]) == (False, 2)
    assert account.calls() == ["list", "search"]
    assert result["account_id"] == account.id


def test_without_domains_all_restricted_ones_are_searched(account, task):
    account.seed([PARTNER, {"domain": "other.example"}, {"domain": "partner.example."}])
    account.seed_messages(MAIL)
    result = task()
    assert [row["domain"] for row in result["searches"]] == ["other.example", "partner.example"]
    assert [row["name"] for row in result["senders"]] == [
        "xn--bcher-kva.other.example",
        "news.partner.example",
        "partner.example",
    ]


def test_no_domains_are_none(account, task):
    account.seed([PARTNER])
    result = task(domains=[])
    assert (result["senders"], result["searches"]) == ([], [])
    assert account.calls() == ["list"]


def test_idn_is_searched_and_shown_in_ascii(account, task):
    account.seed_messages([mail("a@b\u00fccher.example"), mail("b@XN--BCHER-KVA.example")])
    for domain in ("B\u00dcCHER.example", "xn--bcher-kva.example"):
        result = task(domains=[domain])
        assert set(counts(result)) == {"xn--bcher-kva.example"}
    assert ["sender", "xn--bcher-kva.example"] in [
        list(pair) for pair in account.requests()[-1]["query"].items()
    ]


def test_names_that_restrictions_mention_are_searched_for_if_the_search_is_exact(account, task):
    account.change(sender_match="exact")
    account.seed([PARTNER, {"domain": "sub.partner.example"}])
    account.seed_messages([*MAIL, mail("a@sub.partner.example"), mail("a@x.partner.example")])
    result = task(domains=["partner.example"])
    assert counts(result) == {
        "news.partner.example": 2,
        "partner.example": 3,
        "sub.partner.example": 1,
    }
    assert account.calls() == ["list", "search", "search", "search"]


def test_messages_that_come_twice_count_once(account, task):
    account.change(search_overlap=300)
    account.seed_messages([mail("a@partner.example", times=2500)])
    result = task(domains=["partner.example"])
    assert counts(result) == {"partner.example": 2500}
    assert account.calls() == ["list"] + ["search"] * 3


@pytest.mark.promise("Who sends as a domain is counted, and nothing else is kept")
def test_what_is_cut_off_is_said_in_the_rows_the_result_and_a_warning(account, task):
    account.seed_messages([mail("a@partner.example", times=2500), mail("a@other.example")])
    result = task(domains=["partner.example", "other.example"], max_messages=1500)
    assert [(row["name"], row["messages"], row["at_least"]) for row in result["senders"]] == [
        ("other.example", 1, False),
        ("partner.example", 1500, True),
    ]
    assert [row["at_least"] for row in result["searches"]] == [False, True]
    assert result["at_least"]
    assert result["msg"].startswith(
        "at least 2 names at or below 2 domains sent at least 1501 messages in 30 days; "
    )
    assert warning_texts(result) == [
        "the search stopped after 1500 messages for partner.example, so there may be more messages"
        " and more names; raise max_messages or lower days"
    ]


@pytest.mark.promise("Who sends as a domain is counted, and nothing else is kept")
def test_a_failed_search_is_reported_and_does_not_fail_the_others(account, task):
    account.seed_messages(MAIL)
    account.fault(kind="status", calls=["search"], status=400, code=1, message="Broken")
    result = task(domains=["other.example", "partner.example"], concurrency=1)
    assert not result.get("failed")
    other, partner = result["searches"]
    reason = "Cloudflare refused the request; "
    assert other["problem"].startswith(reason) and other["at_least"] and other["messages"] == 0
    assert (partner["problem"], partner["messages"]) == (None, 5)
    assert result["at_least"]
    assert result["msg"].endswith("; the senders of 1 domain are not known")
    (warning,) = warning_texts(result)
    assert warning.startswith(f"the senders of other.example are not known: {reason}")


def test_failures_with_one_reason_are_one_warning_and_many_reasons_few(account, task):
    for number in range(5):
        account.fault(
            kind="status", calls=["search"], status=400, code=1, message=f"No {max(1, number)}"
        )
    domains = [f"d{number}.example" for number in range(6)]
    result = task(domains=domains, concurrency=1)
    assert [warning.partition(":")[0] for warning in warning_texts(result)] == [
        "the senders of d0.example, d1.example are not known",
        "the senders of d2.example are not known",
        "the senders of d3.example are not known",
        "the senders of 1 more domain are not known",
    ]


def test_transient_failures_and_slow_searches_are_waited_for(account, task):
    account.change(search_polls=2)
    account.seed_messages(MAIL)
    account.fault(kind="status", calls=["search"], status=503)
    account.fault(kind="status", calls=["search_result"], status=429, code=10429)
    assert len(task(domains=["partner.example"])["senders"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"days": 0}, "days is 0; use a number from 1 to 90"),
        ({"days": 91}, "days is 91; use a number from 1 to 90"),
        ({"max_messages": 0}, "max_messages is 0; use a number from 1 to 1000000"),
        ({"concurrency": 51}, "concurrency is 51; use a number from 1 to 50"),
        (
            {"domains": ["partner.example", "a@partner.example"]},
            "domains 'a@partner.example' is an e-mail address; use only the part after the @",
        ),
        (
            {"domains": ["com", "*.example.com"]},
            "domains 'com' has a single label; use a full domain such as partner.example and domains"
            " '*.example.com' is a wildcard; use the plain name, which covers its subdomains",
        ),
        ({"domains": [""]}, "domains is empty; use a domain such as partner.example"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(account, task, options, message):
    result = task(**options)
    assert (result["failed"], result["msg"]) == (True, message)
    assert account.calls() == []


def test_a_token_that_may_not_search_is_told_which_permission_it_needs(emulator, account, task):
    account.seed([PARTNER])
    result = task(api_token=emulator.create_token({account.id: "settings"}))
    assert result["failed"]
    assert result["msg"].startswith(
        "these credentials may read the restrictions, but not search messages; add the permission"
        " 'Cloud Email Security: Read' (GET \u2026/investigate: 403, code 10000: "
    )


@pytest.mark.promise("Who sends as a domain is counted, and nothing else is kept")
def test_nothing_of_other_peoples_mail_is_returned_or_logged(
    account, options, task, monkeypatch, capsys
):
    logged = []
    account.seed_messages(MAIL)
    monkeypatch.setattr(AnsibleModule, "debug", lambda self, text: logged.append(text))
    shown = json.dumps([task(domains=["partner.example"], **more) for more in ({}, {"days": 90})])
    account.fault(
        kind="merge", calls=["search"], set={"result": MAIL, "success": False}, times=None
    )
    shown += json.dumps(task(domains=["partner.example"]))
    shown += "".join(capsys.readouterr()) + "".join(logged)
    assert "news.partner.example" in shown
    assert [word for word in PRIVATE if word in shown] == []
    assert "@" not in shown


def test_the_period_begins_days_ago(account, task, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 7 * 86400))
    assert task(domains=["partner.example"], days=7)["since"] == since
    assert account.requests()[-1]["query"]["start"] == since
