# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    InvalidDomainName,
    comparison_key,
    is_below,
    parse_domain_name,
)
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import DOMAINS, other_spellings


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
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (".".join(["a" * 49] * 5) + ".ab", ".".join(["a" * 49] * 5) + ".ab"),
        (".".join(["a" * 49] * 5) + ".abc.", ".".join(["a" * 49] * 5) + ".abc"),
    ],
)
def test_a_name_becomes_what_dns_compares(written, canonical):
    assert parse_domain_name(written) == canonical


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "it is empty: give a domain, such as partner.example"),
        ("com", "'com' is a single label: give the whole domain, such as partner.example"),
        ("com.", "'com.' is a single label: give the whole domain, such as partner.example"),
        ("False", "'False' is a single label: give the whole domain, such as partner.example"),
        (
            "postmaster@partner.example",
            "'postmaster@partner.example' is an e-mail address: give only the part after the @",
        ),
        ("https://partner.example", "'https://partner.example' is a URL: give only its host name"),
        ("partner.example/mail", "'partner.example/mail' is a URL: give only its host name"),
        *(
            (address, f"'{address}' is an IP address: a restriction is for a domain name")
            for address in ["192.0.2.1", "192.0.2.1.", "[192.0.2.1]", "2001:db8::1", "[IPv6:::1]"]
        ),
        (
            "*.partner.example",
            "'*.partner.example' is a wildcard: give the plain name, a restriction covers the"
            " subdomains of its domain by itself",
        ),
        ("1.2.3", "'1.2.3' ends in a number, which no domain name does"),
        ("a..example", "'a..example' is not a host name: there is nothing between two dots"),
        (".a.example", "'.a.example' is not a host name: there is nothing between two dots"),
        ("a.example..", "'a.example..' is not a host name: there is nothing between two dots"),
        (
            "_dmarc.partner.example",
            "'_dmarc.partner.example' is not a host name: the character '_' is not allowed in one",
        ),
        (
            "partner.example:25",
            "'partner.example:25' is not a host name: the character ':' is not allowed in one",
        ),
        (
            "partner example.com",
            "'partner example.com' is not a host name: the character ' ' is not allowed in one",
        ),
        (
            "a\x00.example",
            r"'a\x00.example' is not a host name: the character '\x00' is not allowed in one",
        ),
        (
            "partner.example\n",
            r"'partner.example\n' is not a host name: the character '\n' is not allowed in one",
        ),
        (
            "-a.example",
            "'-a.example' is not a host name: its label '-a' starts or ends with a hyphen",
        ),
        (
            "a.example-",
            "'a.example-' is not a host name: its label 'example-' starts or ends with a hyphen",
        ),
        (
            "a" * 64 + ".example",
            f"'{'a' * 64}.example' is not a host name: it has a label of 64 characters, at most 63"
            " are allowed",
        ),
        (
            ".".join(["a" * 49] * 5) + ".abcd",
            f"'{'.'.join(['a' * 49] * 2)[:77]}...' has 254 characters in the form DNS uses: a"
            " domain name has at most 253",
        ),
        (
            "xn--zzzzzz99999.example",
            "'xn--zzzzzz99999.example' is not a host name: its label 'xn--zzzzzz99999' is not valid"
            " under IDNA 2008",
        ),
        (
            "💩.example",
            "'💩.example' is not a host name: its label '💩' is not valid under IDNA 2008",
        ),
        (
            "a\u200fb.example",
            r"'a\u200fb.example' is not a host name: it has a character that no domain name may have",
        ),
    ],
)
def test_what_is_no_domain_is_refused_with_a_sentence_of_its_own(written, sentence):
    with pytest.raises(InvalidDomainName) as refusal:
        parse_domain_name(written)
    assert str(refusal.value) == sentence


@given(st.data(), DOMAINS)
def test_letter_case_and_a_trailing_dot_make_no_difference(data, domain):
    assert parse_domain_name(data.draw(other_spellings(domain))) == domain


@given(st.text())
@example("xn--a.example")
@example("a.xn--p1ai")
def test_any_text_is_refused_or_has_a_canonical_form_that_stays(text):
    try:
        name = parse_domain_name(text)
    except InvalidDomainName:
        return
    assert name.isascii()
    assert len(name) <= 253
    assert parse_domain_name(name) == name
    assert parse_domain_name(name.upper() + ".") == name


@given(st.text(alphabet="aä.-_xn0@/*", min_size=1))
def test_any_name_can_be_compared_even_one_that_is_no_host_name(text):
    assert comparison_key(text) == comparison_key(comparison_key(text))


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
def test_only_a_subdomain_is_below(name, below):
    assert is_below(name, "partner.example") is below
