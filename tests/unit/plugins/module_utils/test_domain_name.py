# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _domain_name
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    InvalidDomainName,
    comparison_key,
    is_below,
    is_unjudged,
    is_valid,
    parse_domain_name,
    unicode_form,
)
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import DOMAINS, other_spellings


@pytest.mark.promise("A name means the same in every spelling")
@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("partner.example", "partner.example"),
        ("Partner.EXAMPLE", "partner.example"),
        ("partner.example.", "partner.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
        ("mu\u0308nchen.example", "xn--mnchen-3ya.example"),
        ("XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("r3---sn-25.example", "r3---sn-25.example"),
        ("1.2.3.example", "1.2.3.example"),
        ("\uff50artner.example", "partner.example"),
        ("part\u00adner.example", "partner.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("\u05d0\u05d1.example", "xn--4dbc.example"),
        ("_dmarc.Partner.example", "_dmarc.partner.example"),
        ("_dmarc.München.example", "_dmarc.xn--mnchen-3ya.example"),
        ("XN--zzzzzz99999.example", "xn--zzzzzz99999.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (".".join(["a" * 49] * 5) + ".ab", ".".join(["a" * 49] * 5) + ".ab"),
        (".".join(["a" * 49] * 5) + ".abc.", ".".join(["a" * 49] * 5) + ".abc"),
    ],
)
def test_spellings_have_one_canonical_form(written, canonical):
    assert parse_domain_name(written) == canonical


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "is empty; use a domain such as partner.example"),
        *(
            (name, f"{name!r} has a single label; use a full domain such as partner.example")
            for name in ["com", "com.", "False"]
        ),
        (
            "postmaster@partner.example",
            "'postmaster@partner.example' is an e-mail address; use only the part after the @",
        ),
        *(
            (url, f"{url!r} is a URL; use only its host name")
            for url in ["https://partner.example", "partner.example/mail"]
        ),
        *(
            (address, f"{address!r} is an IP address; use a domain name")
            for address in ["192.0.2.1", "192.0.2.1.", "[192.0.2.1]", "2001:db8::1", "[IPv6:::1]"]
        ),
        (
            "*.partner.example",
            "'*.partner.example' is a wildcard; use the plain name, which covers its subdomains",
        ),
        ("1.2.3", "'1.2.3' ends in a number; use a full domain such as partner.example"),
        *(
            (name, f"{name!r} contains an empty label; remove the extra dot")
            for name in ["a..example", "a.example..", ".."]
        ),
        (
            ".a.example",
            "'.a.example' begins with a dot; remove it, the plain name covers its subdomains",
        ),
        *(
            (name, f"{name!r} includes a port; use only the name")
            for name in ["partner.example:25", "[partner.example]:587"]
        ),
        (
            "smtp:*.a.example;1",
            "'smtp:*.a.example;1' is an address space of Exchange; use only its domain",
        ),
        *(
            (name, f"{name!r} is a TLS policy of Postfix; use only its domain")
            for name in ["a.example encrypt", "a.example\tsecure match=b"]
        ),
        *(
            (
                name,
                f"{name!r} begins with '#', like an error value of a spreadsheet; use a domain such"
                " as partner.example",
            )
            for name in ["#N/A", "#BEZUG!"]
        ),
        *(
            (name, f"{name!r} contains the character {wrong}, which is not allowed; {advice}")
            for name, wrong, advice in [
                ("a\x00.example", "'\\x00'", "remove it"),
                ("[a.example]", "'['", "remove it"),
                ("partner.example\n", "'\\n'", "remove it"),
                ("a.example,", "','", "remove it"),
                ("a.example secure.example", "' '", "write a single name"),
                ("a.example;b.example", "';'", "write a single name"),
                ("\u00a0a.example", "U+00A0 (NO-BREAK SPACE)", "remove it"),
                ("\u201ca.example\u201d", "U+201C (LEFT DOUBLE QUOTATION MARK)", "remove it"),
                ("a–b.example", "U+2013 (EN DASH)", "a plain hyphen (-) was probably meant"),
                (
                    "a\u2011b.example",
                    "U+2011 (NON-BREAKING HYPHEN)",
                    "a plain hyphen (-) was probably meant",
                ),
                ("a\u200fb.example", "U+200F (RIGHT-TO-LEFT MARK)", "remove it"),
                ("a\u200db.example", "U+200D (ZERO WIDTH JOINER)", "remove it"),
                ("a\ud800.example", "U+D800", "remove it"),
                # An underscore is allowed.
                ("_a\u2488.example", "U+2488 (DIGIT ONE FULL STOP)", "remove it"),
            ]
        ),
        *(
            (
                name,
                f"{name!r} contains the label {label!r}, which starts or ends with a hyphen; remove it",
            )
            for name, label in [("-a.example", "-a"), ("a.example-", "example-")]
        ),
        *(
            (name, f"{shown!r} contains the character '!', which is not allowed; remove it")
            for name, shown in [
                ("!" + "a" * 71 + ".example", "!" + "a" * 71 + ".example"),
                ("!" + "a" * 72 + ".example", "!" + "a" * 72 + ".exa..."),
            ]
        ),
        (
            "a" * 64 + ".example",
            f"'{'a' * 64}.example' has a label of 64 characters; use at most 63",
        ),
        (
            "ä" * 2000 + ".example",
            f"'{'ä' * 77}...' has 2008 characters; use at most 253",
        ),
        (
            ".".join(["a" * 49] * 5) + ".abcd",
            f"'{'.'.join(['a' * 49] * 2)[:77]}...' has 254 characters in its DNS form;"
            " use at most 253",
        ),
        (
            "💩.example",
            "'💩.example' contains the label '💩', which is not valid under IDNA 2008; use its ASCII form"
            " (xn--...)",
        ),
    ],
)
def test_each_kind_of_invalid_name_gets_its_own_message(written, message):
    with pytest.raises(InvalidDomainName) as refusal:
        parse_domain_name(written)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "written",
    [
        *(" ", ".", "..", "partner-.example", "partner..example", "0x7f.1", "xn--.example"),
        *("\u202epartner.example", "part\u200dner.example", "\u05d0b.example"),
        *("partner.example\r\nX-Evil: 1", "partner%2eexample", "{{ partner }}.example"),
    ],
)
def test_other_names_that_dns_does_not_allow_are_refused(written):
    with pytest.raises(InvalidDomainName):
        parse_domain_name(written)


@pytest.mark.parametrize("name", ["a" * 63 + ".example", ".".join(["a" * 49] * 5) + ".abc"])
def test_the_longest_label_and_the_longest_name_are_accepted(name):
    for written in (name, name.upper(), f"{name}."):
        assert parse_domain_name(written) == name


@given(st.data(), DOMAINS)
def test_letter_case_and_a_trailing_dot_make_no_difference(data, domain):
    assert parse_domain_name(data.draw(other_spellings(domain))) == domain


@given(st.text())
@example("xn--a.example")
@example("xn--zzzzzz99999.example")
@example("a.xn--p1ai")
def test_any_text_is_refused_or_has_a_stable_canonical_form(text):
    try:
        name = parse_domain_name(text)
    except InvalidDomainName:
        return
    assert name.isascii()
    assert len(name) <= 253
    assert parse_domain_name(name) == name
    assert parse_domain_name(name.upper() + ".") == name


@given(st.text(alphabet="aä.-_xn0@/*", min_size=1))
@example("a.example..")
def test_any_text_can_be_compared_even_if_it_is_not_a_host_name(text):
    key = comparison_key(text)
    assert key == comparison_key(key)
    assert is_valid(key) == is_valid(text)


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("a.partner.example", True),
        ("b.a.partner.example", True),
        ("partner.example", False),
        ("notpartner.example", False),
        ("example", False),
    ],
)
def test_only_subdomains_are_below(name, below):
    assert is_below(name, "partner.example") is below


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("partner.example", "partner.example"),
        ("news.xn--mnchen-3ya.example", "news.münchen.example"),
        ("xn--zzzzzz99999.example", "xn--zzzzzz99999.example"),
    ],
)
def test_a_labels_are_shown_decoded_if_they_are_valid(name, readable):
    assert unicode_form(name) == readable


def test_only_names_that_need_idna_cannot_be_judged_without_it(monkeypatch):
    assert not is_unjudged("münchen.example")
    monkeypatch.setattr(_domain_name, "idna", None)
    for name in ("MÜNCHEN.example.", "mu\u0308nchen-1.example", "例え。テスト", "l·la.example"):
        assert is_unjudged(name)
    for name in (
        "a.example",
        "ü\ud800.example",
        "=ü.example",
        "＝ü.example",
        "-ü.example",
        "ü, b.c",
    ):
        assert not is_unjudged(name)


def test_a_controller_without_idna_compares_and_shows_names_as_they_are(monkeypatch):
    monkeypatch.setattr(_domain_name, "idna", None)
    assert comparison_key("MÜNCHEN.example.") == "münchen.example"
    assert unicode_form("xn--mnchen-3ya.example") == "xn--mnchen-3ya.example"


def test_a_name_of_the_account_cannot_send_escape_sequences_to_a_terminal():
    key = comparison_key("A\x1b[31m\u202e\n.Example.")
    assert key == "a\\u001b[31m\\u202e\\n.example"
    assert key.isprintable()
