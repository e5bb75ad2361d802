# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated values at every option of every module.

Each is accepted and means the same on the account, or refused with a sentence before any request
was sent. None ends in a traceback.
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

SINGLE, PLURAL, INFO = (
    "sending_domain_restriction",
    "sending_domain_restrictions",
    "sending_domain_restriction_info",
)
SOMEWHERE = "partner.example"

# Names that a person may give, and what DNS calls them.
ACCEPTED_NAMES = {
    "partner.example": "partner.example",
    "PARTNER.Example": "partner.example",
    "partner.example.": "partner.example",
    "partner\u3002example": "partner.example",
    "\uff50artner.example": "partner.example",
    "part\u00adner.example": "partner.example",
    "a" * 63 + ".example": "a" * 63 + ".example",
    ".".join(["a" * 49] * 5) + ".com": ".".join(["a" * 49] * 5) + ".com",  # 253 characters
    "b\u00fccher.example": "xn--bcher-kva.example",
    "xn--bcher-kva.example": "xn--bcher-kva.example",
    "XN--BCHER-KVA.example": "xn--bcher-kva.example",
    "stra\u00dfe.example": "xn--strae-oqa.example",
    "\u03b2\u03cc\u03bb\u03bf\u03c2.example": "xn--nxasmm1c.example",
    "\u0430pple.example": "xn--pple-43d.example",  # a Cyrillic a
    "\u05d0\u05d1.example": "xn--4dbc.example",
    # What an account may have, a list may say.
    "_dmarc.Example.com": "_dmarc.example.com",
    "xn--zzzzzz99999.example": "xn--zzzzzz99999.example",
}
REFUSED_NAMES = [
    "",
    " ",
    ".",
    "..",
    "example",
    "com",
    "-partner.example",
    "partner-.example",
    ".partner.example",
    "partner.example..",
    "partner..example",
    "a" * 64 + ".example",
    ".".join(["a" * 49] * 5) + ".comm",  # 254
    "xn--.example",
    "\u202epartner.example",
    "part\u200dner.example",
    "\U0001f600.example",
    "\u05d0b.example",
    "par\0tner.example",
    "partner.example\n",
    "partner.example\r\nX-Evil: 1",
    "[192.0.2.1]",
    "192.0.2.1",
    "[IPv6:2001:db8::1]",
    "2001:db8::1",
    "1.2.3",
    "0x7f.1",
    "https://partner.example/",
    "postmaster@partner.example",
    "*.partner.example",
    "partner.example:25",
    "partner.example/../x",
    "partner%2eexample",
    "a b.example",
    "{{ partner }}.example",
]
LABEL_TEXT = (
    string.ascii_letters + string.digits + "-_.\u00fc\u00df\u0130\u0131\u4e2d\u0627\u200c\u3002"
)
NAMES = st.one_of(
    st.sampled_from([*ACCEPTED_NAMES, *REFUSED_NAMES]),
    st.text(LABEL_TEXT, max_size=12).map("{}.example".format),
    st.text(max_size=10).map("{}.example".format),
    st.text(max_size=70),
)
REFUSED_EXEMPTIONS = [
    "",
    ".",
    "partner.example",
    "other.example",
    "a.notpartner.example",
    ".partner.example",
    "a..partner.example",
    "-a.partner.example",
    "*.partner.example",
    "a@partner.example",
    "a" * 64 + ".partner.example",
    "\u202ea.partner.example",
    "a\0.partner.example",
    "\U0001f600.partner.example",
]
ACCEPTED_COMMENTS = [
    "",
    "x" * 1024,
    "\u00e4" * 1024,
    "\U0001f600" * 1024,
    "a\tb\r\nc",
    "\u202eevil",
    "\u2028",
    "\ufeff",
    "True",
    "null",
    " x ",
    "a\u0301",
    "\u00e1",
    "VALUE_SPECIFIED",
    "{{ lookup('env', 'HOME') }}",
]
REFUSED_COMMENTS = [
    "x" * 1025,
    "\U0001f600" * 1025,
    "a\0b",
    "\x1b[31mred",
    "\x0e",
    "\x7f",
    False,
    [""],
]
COMMENTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(ACCEPTED_COMMENTS),
    st.sampled_from(REFUSED_COMMENTS),
)
OTHER_TYPES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
INFINITE = re.compile(r"\s*[+-]?inf(inity)?\s*", re.I)
ANYTHING = st.one_of(NAMES, COMMENTS, OTHER_TYPES)

fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def tried(tell):
    """What is counted: the values that were accepted, and those that were refused."""
    counts = {"accepted": 0, "refused": 0}
    yield counts
    tell(f"fuzzed options: {counts['accepted']} values accepted, {counts['refused']} refused")


@pytest.fixture
def task(emulator, account, in_no_time, tried):
    """Run a task on an account that is to hold that, or holds what it did; with what it sent."""
    account.change(quota=10**6)

    def run(module, options, held=()):
        given = {
            "account_id": account.id,
            "api_token": account.tokens["write"],
            "api_url": emulator.url,
            "retries": 0,
            **options,
        }
        try:
            json.dumps(given, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            assume(False)  # Ansible itself ends such a task, in its YAML reader or in its log
        if any(INFINITE.fullmatch(str(value)) for value in options.values()):
            assume(False)  # nor does Ansible's own check of a whole number expect an infinite one
        if held is not None:
            account.seed(list(held))
        account.clear_requests()
        result = run_module(module, given)
        if result.get("failed"):
            check_sentence(result["msg"])
            tried["refused"] += 1
        else:
            tried["accepted"] += 1
        return result, account.requests()

    return run


def check_sentence(message):
    assert message
    # Ansible's own sentences repeat a value as it is.
    assert "\n" not in message or message.startswith(("argument ", "value of "))
    assert "Traceback" not in message
    assert not re.search(r"Error\(|object at 0x", message)


def canonical(name):
    """The canonical form of an accepted name, by other means than the collection's."""
    labels = re.sub("[\u3002\uff0e\uff61]", ".", name).rstrip(".").split(".")
    return ".".join(
        label.lower() if label.isascii() else idna.encode(label, uts46=True).decode("ascii")
        for label in labels
    )


def refused(result, requests):
    if not result.get("failed"):
        return False
    assert requests == []
    return True


def for_one(module, **options):
    """Return the options of a task that is for one restriction."""
    return options if module == SINGLE else {"restrictions": [options]}


@pytest.mark.parametrize("module", [SINGLE, PLURAL])
@pytest.mark.parametrize(("given", "name"), ACCEPTED_NAMES.items())
def test_names_in_any_spelling_are_written_as_dns_has_them(account, task, module, given, name):
    options = for_one(module, domain=given)
    assert task(module, options)[0]["changed"]
    assert [record["domain"] for record in account.restrictions()] == [name]
    assert not task(module, options, None)[0]["changed"]


@pytest.mark.parametrize(
    ("module", "option"),
    [(SINGLE, "domain"), (PLURAL, "domain"), (INFO, "domain"), (INFO, "sender_domain")],
)
@pytest.mark.parametrize("given", REFUSED_NAMES)
def test_names_that_are_none_are_refused(task, module, option, given):
    options = {option: given} if module == INFO else for_one(module, domain=given)
    assert refused(*task(module, options))


@pytest.mark.parametrize("module", [SINGLE, PLURAL])
@pytest.mark.parametrize("given", REFUSED_EXEMPTIONS)
def test_exemptions_that_are_none_are_refused(task, module, given):
    exclude = ["a.partner.example", given]
    assert refused(*task(module, for_one(module, domain=SOMEWHERE, exclude=exclude)))


@pytest.mark.parametrize("module", [SINGLE, PLURAL])
@pytest.mark.parametrize("given", ACCEPTED_COMMENTS)
def test_comments_of_any_text_are_written_as_they_are(account, task, module, given):
    options = for_one(module, domain=SOMEWHERE, comments=given)
    assert task(module, options)[0]["changed"]
    assert (account.restrictions()[0]["comments"] or "") == given
    assert not task(module, options, None)[0]["changed"]


@pytest.mark.parametrize("module", [SINGLE, PLURAL])
@pytest.mark.parametrize("given", REFUSED_COMMENTS)
def test_comments_that_are_none_are_refused(task, module, given):
    assert refused(*task(module, for_one(module, domain=SOMEWHERE, comments=given)))


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize(
    ("module", "options"),
    [(SINGLE, {"domain": None}), (SINGLE, {"id": None}), (PLURAL, {"domain": None})],
)
def test_null_is_no_name(task, module, options, state):
    held = [{"domain": SOMEWHERE}]
    assert refused(*task(module, for_one(module, state=state, **options), held))


@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_null_leaves_alone(account, task, module):
    held = [{"domain": SOMEWHERE, "exclude": ["a.partner.example"], "comments": "Before"}]
    options = for_one(module, domain=SOMEWHERE, exclude=None, comments=None)
    assert not task(module, options, held)[0]["changed"]


@fuzz
@given(value=ANYTHING)
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_domain(account, task, module, value):
    options = for_one(module, domain=value)
    if refused(*task(module, options)):
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
def test_domain_to_read(account, task, option, value):
    held = [{"domain": SOMEWHERE}]
    result, requests = task(INFO, {option: value}, held)
    if refused(result, requests):
        return
    found = [record["domain"] for record in result["sending_domain_restrictions"]]
    name = canonical(str(value))
    covered = name == SOMEWHERE or option == "sender_domain" and name.endswith("." + SOMEWHERE)
    assert found == ([SOMEWHERE] if covered else [])


@fuzz
@given(
    value=st.one_of(
        st.lists(st.one_of(NAMES, NAMES.map(lambda name: f"{name}.{SOMEWHERE}")), max_size=4),
        ANYTHING,
    )
)
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_exclude(account, task, module, state, value):
    options = for_one(module, domain=SOMEWHERE, exclude=value, state=state)
    if refused(*task(module, options)) or state == "absent":
        return
    (restriction,) = account.restrictions()
    entries = value.split(",") if isinstance(value, str) else value
    assert sorted(restriction["exclude"]) == sorted(set(map(canonical, entries)))
    assert not task(module, options, None)[0]["changed"]


@fuzz
@given(value=st.one_of(COMMENTS, ANYTHING), held=st.none() | st.sampled_from(["", "Before"]))
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_comments(account, task, module, value, held):
    options = for_one(module, domain=SOMEWHERE, comments=value)
    before = [{"domain": SOMEWHERE, "comments": held}]
    if refused(*task(module, options, before)):
        return
    (restriction,) = account.restrictions()
    assert isinstance(value, (str, int)) and not isinstance(value, bool)
    assert (restriction["comments"] or "") == str(value)
    assert len(str(value)) <= 1024
    assert not task(module, options, None)[0]["changed"]


@fuzz
@given(value=st.one_of(ANYTHING, st.uuids().map(str), st.uuids().map(lambda given: given.hex)))
@pytest.mark.parametrize("module", [SINGLE, INFO])
def test_id(account, task, module, value):
    result, requests = task(module, {"id": value}, [{"domain": SOMEWHERE}])
    is_uuid = isinstance(value, str) and str(uuid.UUID(int=0)).count("-") == value.count("-") == 4
    assert all(request["method"] == "GET" for request in requests)
    if not is_uuid:
        assert refused(result, requests)
    elif module == INFO and not result.get("failed"):
        assert result["sending_domain_restrictions"] == []


@fuzz
@given(value=st.one_of(ANYTHING, st.lists(ANYTHING, max_size=3)))
def test_restrictions(account, task, value):
    if not refused(*task(PLURAL, {"restrictions": value})):
        assert value in ([], {}) or account.restrictions() == []


@fuzz
@given(value=ANYTHING)
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_state(account, task, module, value):
    options = for_one(module, domain=SOMEWHERE, state=value)
    if not refused(*task(module, options, [{"domain": SOMEWHERE, "comments": "Before"}])):
        assert value in ("present", "absent")
        assert len(account.restrictions()) == (value == "present")


@fuzz
@given(value=st.one_of(ANYTHING, st.sampled_from(["yes", "no", "on", "0", "TRUE", "2"])))
def test_prune(account, task, value):
    options = for_one(PLURAL, domain=SOMEWHERE)
    held = [{"domain": SOMEWHERE}, {"domain": "other.example"}]
    if not refused(*task(PLURAL, {**options, "prune": value}, held)):
        assert len(account.restrictions()) == (1 if boolean(value) else 2)


@fuzz
@given(value=st.one_of(ANYTHING, st.integers(-2, 102), st.integers(-2, 102).map(str)))
@pytest.mark.parametrize(
    ("option", "lowest", "highest"), [("max_delete_percent", 0, 100), ("concurrency", 1, 50)]
)
def test_numbers(account, task, option, lowest, highest, value):
    options = for_one(PLURAL, domain=SOMEWHERE)
    if not refused(*task(PLURAL, {**options, option: value})):
        assert lowest <= int(value) <= highest
        assert [record["domain"] for record in account.restrictions()] == [SOMEWHERE]


@pytest.mark.parametrize(
    ("option", "value"),
    [("max_delete_percent", value) for value in (-1, 101, "x", 30.5, [], "yes")]
    + [("concurrency", value) for value in (0, -1, 51, "x", 1.5, [])]
    + [("timeout", value) for value in (0, -1, 3600, "x", [])]
    + [("retries", value) for value in (-1, 101, "x", 1.5)]
    + [("rate_limit_reserve", value) for value in (-1, 91, "x", 1.5)],
)
def test_numbers_out_of_range_are_refused(task, option, value):
    assert refused(*task(PLURAL, {**for_one(PLURAL, domain=SOMEWHERE), option: value}))


# What these look like is checked before, whether they are right only by the API.
CREDENTIALS = {
    "account_id": "[0-9A-Fa-f]{32}",
    "api_token": "[0-9A-Za-z._~+/-]+=*",
    "api_key": "[0-9A-Za-z._~+/-]+=*",
    "api_email": "[!-~]+",
}


@fuzz
@given(value=ANYTHING)
@pytest.mark.parametrize("option", sorted(SHARED_ARGUMENTS))
@pytest.mark.parametrize("module", [SINGLE, PLURAL, INFO])
def test_shared_options(emulator, account, task, module, option, value):
    options = {} if module == INFO else for_one(module, domain=SOMEWHERE)
    if option in ("api_key", "api_email"):
        options.update(api_token=None, api_key=account.api_key, api_email=account.email)
    result, requests = task(module, {**options, option: value})
    if option in CREDENTIALS and requests:
        assert result["failed"]
        assert re.fullmatch(CREDENTIALS[option], str(value))
        assert account.restrictions() == []
    elif option == "timeout" and re.search(
        "did not respond|could not connect", result.get("msg", "")
    ):
        assert 0 < float(value) < 5
    elif not refused(result, requests):
        assert len(account.restrictions()) == (module != INFO)


@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_ten_thousand_exempted_names(account, task, module):
    names = [f"s{number}.{SOMEWHERE}" for number in range(10_000)]
    options = for_one(module, domain=SOMEWHERE, exclude=names)
    assert task(module, options)[0]["changed"]
    assert sorted(account.restrictions()[0]["exclude"]) == sorted(names)
    assert not task(module, options, None)[0]["changed"]
