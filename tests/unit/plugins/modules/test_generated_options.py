# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated values for every option of every module.

Each value is accepted and means the same on the account, or it is refused with an error message
before any request is sent. None ends in a traceback.
"""

from __future__ import annotations

import json
import re
import string
import uuid

import idna
import pytest
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SHARED_ARGUMENTS,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from in_process import run_module

SINGLE, PLURAL, INFO, SENDERS = (
    "sending_domain_restriction",
    "sending_domain_restrictions",
    "sending_domain_restriction_info",
    "sending_domain_senders_info",
)
PARTNER = "partner.example"

LABEL_TEXT = (
    string.ascii_letters + string.digits + "-_.\u00fc\u00df\u0130\u0131\u4e2d\u0627\u200c\u3002"
)
NAMES = st.one_of(
    st.sampled_from(
        [
            PARTNER,
            "Partner.Example.",
            "b\u00fccher.example",
            "_dmarc.example.com",
            "example",
            "192.0.2.1",
            "a..example",
            "postmaster@partner.example",
            "{{ partner }}.example",
        ]
    ),
    st.text(LABEL_TEXT, max_size=12).map("{}.example".format),
    st.text(max_size=10).map("{}.example".format),
    st.text(max_size=70),
)
COMMENTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["x", "\u00e4", "\U0001f600"]).flatmap(
        lambda character: st.integers(1020, 1028).map(lambda number: character * number)
    ),
    st.sampled_from(
        ["", "a\tb\r\nc", "\u202eevil", "\ufeff", "True", "null", " x ", "VALUE_SPECIFIED"]
        + ["{{ lookup('env', 'HOME') }}", "a\0b", "\x1b[31mred", "\x7f", False, [""]]
    ),
)
OTHER_TYPES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
ANYTHING = st.one_of(NAMES, COMMENTS, OTHER_TYPES)
INFINITE = re.compile(r"\s*[+-]?inf(inity)?\s*", re.I)

fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def counts(add_to_summary):
    """How many values were accepted and refused."""
    counts = {"accepted": 0, "refused": 0}
    yield counts
    add_to_summary(
        f"fuzzed options: {counts['accepted']} values accepted, {counts['refused']} refused"
    )


@pytest.fixture
def task(emulator, account, no_waiting, counts):
    """Run a task, and return its result and its requests.

    The account gets the restrictions `seed` first; `None` leaves it as it is.
    """
    account.change(quota=10**6)

    def run(module, options, seed=()):
        options = {
            "account_id": account.id,
            "api_token": account.tokens["write"],
            "api_url": emulator.url,
            "retries": 0,
            **options,
        }
        try:
            json.dumps(options, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            assume(False)  # Ansible itself fails, in its YAML reader or its log.
        if any(INFINITE.fullmatch(str(value)) for value in options.values()):
            assume(False)  # Ansible's own check of integers crashes.
        if seed is not None:
            account.seed(list(seed))
        account.clear_requests()
        result = run_module(module, options)
        if result.get("failed"):
            check_message(result["msg"])
        counts["refused" if result.get("failed") else "accepted"] += 1
        return result, account.requests()

    return run


def check_message(message):
    assert message
    # Ansible's own messages quote a value as it is.
    if not message.startswith(("argument ", "value of ")):
        assert all(re.match(r"entry \d+", line) for line in message.split("\n")[1:])
    assert "Traceback" not in message
    assert not re.search(r"Error\(|object at 0x", message)


def canonical(name):
    """The canonical form of an accepted name, computed without the collection."""
    labels = re.sub("[\u3002\uff0e\uff61]", ".", name).rstrip(".").split(".")
    return ".".join(
        label.lower() if label.isascii() else idna.encode(label, uts46=True).decode("ascii")
        for label in labels
    )


def is_refused(result, requests):
    if not result.get("failed"):
        return False
    assert requests == []
    return True


def for_one(module, **options):
    """The options of a task for one restriction."""
    return options if module == SINGLE else {"restrictions": [options]}


@pytest.mark.promise("A name means the same in every spelling")
@fuzz
@given(value=ANYTHING)
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_a_domain_keeps_its_meaning_or_is_refused(account, task, module, value):
    options = for_one(module, domain=value)
    if is_refused(*task(module, options)):
        return
    (restriction,) = account.restrictions()
    assert restriction["domain"] == canonical(str(value))
    result, dummy = task(module, options, None)
    assert not result["changed"]
    result, dummy = task(INFO, {"domain": value}, None)
    assert len(result["sending_domain_restrictions"]) == 1


@fuzz
@given(value=ANYTHING)
@pytest.mark.parametrize("option", ["domain", "sender_domain"])
def test_a_domain_to_read_finds_what_covers_it_or_is_refused(task, option, value):
    result, requests = task(INFO, {option: value}, [{"domain": PARTNER}])
    if is_refused(result, requests):
        return
    found = [record["domain"] for record in result["sending_domain_restrictions"]]
    name = canonical(str(value))
    is_covered = name == PARTNER or option == "sender_domain" and name.endswith("." + PARTNER)
    assert found == ([PARTNER] if is_covered else [])


@fuzz
@given(
    value=st.one_of(
        st.lists(st.one_of(NAMES, NAMES.map(lambda name: f"{name}.{PARTNER}")), max_size=4),
        ANYTHING,
    )
)
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_excluded_names_keep_their_meaning_or_are_refused(account, task, module, state, value):
    options = for_one(module, domain=PARTNER, exclude=value, state=state)
    if is_refused(*task(module, options)):
        return
    restrictions = account.restrictions()
    assert len(restrictions) == (state == "present")
    if restrictions:
        entries = value.split(",") if isinstance(value, str) else value
        assert sorted(restrictions[0]["exclude"]) == sorted(set(map(canonical, entries)))
        assert not task(module, options, None)[0]["changed"]


@fuzz
@given(value=st.one_of(COMMENTS, ANYTHING), before=st.none() | st.sampled_from(["", "Before"]))
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_a_comment_is_stored_as_it_is_or_refused(account, task, module, value, before):
    options = for_one(module, domain=PARTNER, comments=value)
    if is_refused(*task(module, options, [{"domain": PARTNER, "comments": before}])):
        return
    (restriction,) = account.restrictions()
    assert isinstance(value, (str, int)) and not isinstance(value, bool)
    expected = re.sub("\r\n?", "\n", str(value))
    assert (restriction["comments"] or "") == expected
    assert len(expected) <= 1024
    assert not task(module, options, None)[0]["changed"]


@fuzz
@given(value=st.one_of(ANYTHING, st.uuids().map(str), st.uuids().map(lambda value: value.hex)))
@pytest.mark.parametrize("module", [SINGLE, INFO])
def test_an_id_is_a_uuid_or_refused(task, module, value):
    result, requests = task(module, {"id": value}, [{"domain": PARTNER}])
    assert all(request["method"] == "GET" for request in requests)
    try:
        is_uuid = str(uuid.UUID(value)) == value.lower()
    except (AttributeError, TypeError, ValueError):
        is_uuid = False
    if not is_uuid:
        assert is_refused(result, requests)
    elif module == INFO:
        assert result["sending_domain_restrictions"] == []


@pytest.mark.promise("Invalid input changes nothing")
@fuzz
@given(value=st.one_of(ANYTHING, st.lists(ANYTHING, max_size=3)))
def test_an_invalid_list_changes_nothing(account, task, value):
    if not is_refused(*task(PLURAL, {"restrictions": value})):
        assert value in ([], {}) or account.restrictions() == []


@fuzz
@given(value=ANYTHING)
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_a_state_has_its_effect_or_is_refused(account, task, module, value):
    options = for_one(module, domain=PARTNER, state=value)
    if not is_refused(*task(module, options, [{"domain": PARTNER, "comments": "Before"}])):
        assert value in ("present", "absent")
        assert len(account.restrictions()) == (value == "present")


@fuzz
@given(value=st.one_of(ANYTHING, st.sampled_from(["yes", "no", "on", "0", "TRUE", "2"])))
def test_prune_is_a_boolean_or_refused(account, task, value):
    options = {**for_one(PLURAL, domain=PARTNER), "prune": value}
    if not is_refused(*task(PLURAL, options, [{"domain": PARTNER}, {"domain": "other.example"}])):
        assert len(account.restrictions()) == (1 if boolean(value) else 2)


@fuzz
@given(value=st.one_of(ANYTHING, st.integers(-2, 102), st.integers(-2, 102).map(str)))
@pytest.mark.parametrize(
    ("option", "lowest", "highest"),
    [
        ("max_delete_percent", 0, 100),
        ("max_exclusion_loss_percent", 0, 100),
        ("impact_days", 0, 90),
        ("concurrency", 1, 50),
    ],
)
def test_only_a_number_in_its_range_is_accepted(account, task, option, lowest, highest, value):
    options = {**for_one(PLURAL, domain=PARTNER), option: value}
    is_valid = not is_refused(*task(PLURAL, options))
    assert [record["domain"] for record in account.restrictions()] == [PARTNER] * is_valid
    if isinstance(value, int) and not isinstance(value, bool):
        assert is_valid == (lowest <= value <= highest)
    elif is_valid:
        assert lowest <= int(value) <= highest


# The modules check the form of these values, the API whether they are right.
CREDENTIALS = {
    "account_id": "[0-9A-Fa-f]{32}",
    "api_token": "[0-9A-Za-z._~+/-]+=*",
    "api_key": "[0-9A-Za-z._~+/-]+=*",
    "api_email": "[!-~]+",
}


@pytest.mark.promise("Invalid input changes nothing")
@fuzz
@given(value=ANYTHING)
@pytest.mark.parametrize("option", sorted(SHARED_ARGUMENTS))
def test_a_shared_option_is_usable_or_refused_before_anything_is_sent(account, task, option, value):
    # One function checks them for all modules, of which this one sends the fewest requests.
    options = {}
    if option in ("api_key", "api_email"):
        options.update(api_token=None, api_key=account.api_key, api_email=account.email)
    result, requests = task(INFO, {**options, option: value})
    if option in CREDENTIALS and requests:
        assert result["failed"]
        assert re.fullmatch(CREDENTIALS[option], str(value))
    elif option == "timeout" and re.search(
        "did not respond|could not connect", result.get("msg", "")
    ):
        assert 0 < float(value) < 60
    else:
        assert is_refused(result, requests) or requests


@fuzz
@given(value=st.one_of(ANYTHING, st.lists(ANYTHING, max_size=3)))
def test_domains_to_search_keep_their_meaning_or_are_refused(task, value):
    result, requests = task(SENDERS, {"domains": value})
    if is_refused(result, requests):
        return
    names = value if isinstance(value, list) else str(value).split(",") if value else []
    domains = [search["domain"] for search in result["searches"]]
    assert domains == sorted({canonical(str(name)) for name in names})
    assert (
        sorted(request["query"]["sender"] for request in requests if request["call"] == "search")
        == domains
    )


@fuzz
@given(value=st.one_of(ANYTHING, st.integers(-1, 100), st.integers(10**6 - 1, 10**6 + 1)))
@pytest.mark.parametrize(
    ("option", "highest"), [("days", 90), ("max_messages", 10**6), ("concurrency", 50)]
)
def test_only_a_limit_of_searches_in_its_range_is_accepted(task, option, highest, value):
    result, requests = task(SENDERS, {"domains": [PARTNER], option: value})
    if not is_refused(result, requests):
        assert 1 <= int(value) <= highest
        assert [request["call"] for request in requests] == ["list", "search"]
    elif isinstance(value, int) and not isinstance(value, bool):
        assert not 1 <= value <= highest


@pytest.mark.promise("Invalid input changes nothing")
@pytest.mark.parametrize("module", [SINGLE, PLURAL, INFO, SENDERS])
def test_every_module_checks_the_shared_options(task, module):
    options = {} if module in (INFO, SENDERS) else for_one(module, domain=PARTNER)
    result, requests = task(module, {**options, "timeout": 0})
    assert result["msg"].startswith("timeout is 0; ")
    assert requests == []


@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_ten_thousand_exempt_names_are_applied_once(account, task, module):
    names = [f"s{number}.{PARTNER}" for number in range(10_000)]
    options = for_one(module, domain=PARTNER, exclude=names)
    assert task(module, options)[0]["changed"]
    assert sorted(account.restrictions()[0]["exclude"]) == sorted(names)
    assert not task(module, options, None)[0]["changed"]
