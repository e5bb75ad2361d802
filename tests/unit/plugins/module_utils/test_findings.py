# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._findings import (
    findings_about,
    findings_about_delivery,
    warnings_about,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from samples import FIRST, SECOND, THIRD, desired, existing

REDUNDANT = (
    "sub.a.example: already covered by a restriction for a parent domain; the additional"
    " restriction has no effect of its own"
)
OWN_RESTRICTION = (
    "sub.a.example is excluded from the restriction for a.example, but the restriction for"
    " sub.a.example still requires TLS from it; delete one of the two: the restriction for"
    " sub.a.example, or the exclude entry"
)


def void(name, exempting, requiring):
    return (
        f"{name} is excluded from the restriction for {exempting}, but the restriction for"
        f" {requiring} still requires TLS from it; exclude it there too, or remove it from the"
        f" exclude of {exempting}"
    )


A = {"domain": "a.example"}
A_WITHOUT_SUB = {"domain": "a.example", "exclude": ["sub.a.example"]}
SUB = {"domain": "sub.a.example"}
SUB_WITHOUT_X = {"domain": "sub.a.example", "exclude": ["x.sub.a.example"]}


@pytest.mark.parametrize(
    ("listed", "on_account", "prune", "sentences"),
    [
        ([A, SUB], [], False, [REDUNDANT]),
        ([SUB], [A], False, [REDUNDANT]),
        ([A_WITHOUT_SUB, SUB], [], False, [OWN_RESTRICTION]),
        ([SUB], [A_WITHOUT_SUB], False, [OWN_RESTRICTION]),
        # The restriction with the exclude does not change, and has another spelling.
        ([SUB], [{"domain": "A.example", "exclude": ["Sub.A.Example."]}], False, [OWN_RESTRICTION]),
        # Another restriction of the account makes a new exclude entry ineffective.
        ([A_WITHOUT_SUB], [SUB], False, [OWN_RESTRICTION]),
        (
            [SUB_WITHOUT_X],
            [A],
            False,
            [void("x.sub.a.example", "sub.a.example", "a.example")],
        ),
        (
            [{"domain": "a.example", "exclude": ["x.sub.a.example"]}],
            [{"domain": "a.example"}, {"domain": "sub.a.example"}],
            False,
            [void("x.sub.a.example", "a.example", "sub.a.example")],
        ),
        # The restriction for the subdomain is not redundant: it covers a name that the other exempts.
        (
            [{"domain": "a.example", "exclude": ["x.sub.a.example"]}, SUB],
            [],
            False,
            [void("x.sub.a.example", "a.example", "sub.a.example")],
        ),
        ([{**SUB_WITHOUT_X}], [{"domain": "a.example", "exclude": ["x.sub.a.example"]}], False, []),
        # This is deliberate: the restriction for the excluded name has its own exclude.
        ([A_WITHOUT_SUB, SUB_WITHOUT_X], [], False, []),
        # There are only warnings about what is created or updated.
        ([{"domain": "other.example"}], [A_WITHOUT_SUB, SUB], False, []),
        ([SUB], [A, SUB], False, []),
        ([{**SUB, "comments": "x"}], [A, SUB], False, []),
        ([SUB], [A], True, []),
        ([SUB, {**A, "state": "absent"}], [A], False, []),
        ([SUB, {**A, "exclude": []}], [A_WITHOUT_SUB, SUB], False, []),
        ([A, {"domain": "nota.example"}], [], False, []),
        ([A_WITHOUT_SUB], [], False, []),
        ([A], [{"domain": "co.uk"}], False, []),
        (
            [{"domain": "co.uk"}],
            [],
            False,
            [
                "co.uk is a public suffix, so the restriction covers unrelated organizations; use the"
                " partner's own domain below it"
            ],
        ),
        (
            [{"domain": "gmail.com"}],
            [],
            False,
            [
                "gmail.com is a mail provider, so the restriction covers all of its users; use the"
                " partner's own domain"
            ],
        ),
        # The first letter is Cyrillic.
        (
            [{"domain": "a.example", "exclude": ["\u0430bc.a.example"]}],
            [],
            False,
            [
                "xn--bc-6kc.a.example (\u0430bc.a.example) mixes Cyrillic and Latin letters in one"
                " label, so it only looks like another name; check its spelling"
            ],
        ),
        (
            [],
            [{"domain": "com"}, A],
            True,
            [
                "prune does not delete com, because no list can contain such a name; delete it with"
                " the option id of the module sending_domain_restriction"
            ],
        ),
        ([], [{"domain": "com"}], False, []),
        ([{"domain": "банк-24.example"}], [], False, []),
        ([{"domain": "ＡＢ株式会社のテスト.example"}], [], False, []),
        ([{"domain": "банк.müller.example"}], [], False, []),
    ],
)
def test_a_plan_warns_of_overlaps_that_it_creates(listed, on_account, prune, sentences):
    current = [existing(str(number), **record) for number, record in enumerate(on_account)]
    plan = make_plan([desired(**options) for options in listed], current, prune)
    assert warnings_about(plan, current) == sentences


def test_all_redundant_restrictions_share_one_line():
    listed = [desired(**A), *(desired(domain=f"s{number}.a.example") for number in range(30))]
    (sentence,) = warnings_about(make_plan(listed, []), [])
    assert sentence.startswith("s0.a.example, s1.a.example, ")
    assert " and 20 more: already covered" in sentence


def test_a_restriction_may_be_redundant_because_of_one_far_above_it():
    listed = [desired(**A), desired(domain="x.sub.a.example")]
    (sentence,) = warnings_about(make_plan(listed, []), [])
    assert sentence.startswith("x.sub.a.example: already covered")


@pytest.mark.parametrize("number", [20, 30])
def test_twenty_warnings_are_shown_and_the_others_counted(number):
    names = [f"s{index}.a.example" for index in range(number)]
    listed = [desired(**A, exclude=names), *(desired(domain=name) for name in names)]
    warnings = warnings_about(make_plan(listed, []), [])
    assert len(set(warnings)) == min(number, 21)
    assert ("10 more overlaps; the info module lists all as findings" in warnings) == (number > 20)


def test_findings_about_an_account():
    current = [
        existing(FIRST, "A.example", exclude=["sub.a.example", "b.example"]),
        existing(SECOND, "a.example.", exclude=["Sub.a.example"]),
        existing("3", "sub.a.example"),
        existing("4", "x.sub.a.example"),
        existing("5", "com.au"),
        existing("6", "b\u0430nk.example"),
        existing("7", "gmail.com"),
    ]
    found = [(finding.domain, finding.kind) for finding in findings_about(current)]
    assert found == [
        ("a.example", "duplicates"),
        ("a.example", "outside_domain"),
        ("com.au", "public_suffix"),
        ("gmail.com", "mail_provider"),
        ("sub.a.example", "void_exemption"),
        ("x.sub.a.example", "redundant"),
        ("xn--bnk-6cd.example", "mixed_scripts"),
    ]
    messages = [finding.message for finding in findings_about(current)]
    assert messages[0] == f"a.example has 2 restrictions (IDs {FIRST}, {SECOND}); keep one"
    assert messages[1] == (
        "the exclude entry b.example is not below a.example and has no effect; remove it"
    )
    assert "x.sub.a.example is already covered by the restriction for sub.a.example" in messages
    assert findings_about(current[1:2]) == []


def test_duplicates_that_exempt_different_names_are_one_finding():
    current = [
        existing(FIRST, **A_WITHOUT_SUB),
        existing(SECOND, **A, exclude=["b.a.example"]),
        existing("3", **SUB_WITHOUT_X),
    ]
    assert [(finding.domain, finding.message) for finding in findings_about(current)] == [
        (
            "a.example",
            f"a.example has 2 restrictions (IDs {FIRST}, {SECOND}), and only a name that all of them"
            " exclude is exempt; keep one",
        ),
        ("x.sub.a.example", void("x.sub.a.example", "sub.a.example", "a.example")),
    ]


@pytest.mark.parametrize("between", [["x.sub.a.example"], ["y.sub.a.example"]])
def test_a_restriction_that_makes_an_exemption_void_is_found_behind_one_that_does_not(between):
    """The nearer restriction exempts the name too, or requires TLS deliberately."""
    current = [
        existing(FIRST, **A),
        existing(SECOND, **A),
        existing(THIRD, **SUB, exclude=between),
    ]
    plan = make_plan([desired(**A, id=SECOND, exclude=["x.sub.a.example"])], current)
    start = "x.sub.a.example is excluded from the restriction for a.example, but its other"
    assert [text.startswith(start) for text in warnings_about(plan, current)].count(True) == 1


def test_a_warning_calls_a_duplicate_the_other_restriction():
    """A single module can change one of two restrictions for a domain by its ID."""
    current = [existing(FIRST, **A_WITHOUT_SUB), existing(SECOND, **A)]
    plan = make_plan([desired(**A, id=SECOND, exclude=["b.a.example"])], current)
    (first, second) = warnings_about(plan, current)
    for name, sentence in (("b.a.example", first), ("sub.a.example", second)):
        assert sentence.startswith(
            f"{name} is excluded from the restriction for a.example, but its other restriction"
            " still requires TLS from it;"
        )


def test_an_exclude_entry_outside_its_domain_exempts_nothing():
    current = [
        existing(FIRST, "b.a.example", exclude=["a.example"]),
        existing(SECOND, "c.b.a.example", exclude=["d.c.b.a.example"]),
    ]
    assert [finding.kind for finding in findings_about(current)] == [
        "outside_domain",
        "void_exemption",
    ]
    # So there is no exemption that another restriction could make void.
    current = [
        existing(FIRST, "a.example", exclude=["b.example"]),
        existing(SECOND, "b.example"),
    ]
    assert [finding.kind for finding in findings_about(current)] == ["outside_domain"]
    # Nor one that makes an overlap deliberate.
    current = [
        existing(FIRST, "a.example", exclude=["b.a.example"]),
        existing(SECOND, "b.a.example", exclude=["c.example"]),
        existing("3", "x.c.a.example", exclude=["c.example"]),
    ]
    assert [(finding.domain, finding.kind) for finding in findings_about(current)] == [
        ("b.a.example", "outside_domain"),
        ("b.a.example", "void_exemption"),
        ("x.c.a.example", "outside_domain"),
        ("x.c.a.example", "redundant"),
    ]


def own(name, *modes):
    return {"domain": name, "allowed_delivery_modes": list(modes)}


def test_an_account_that_only_gets_copies_of_mail_is_a_finding():
    domains = [own(f"{letter}.example", "BCC", "JOURNAL") for letter in "dcba"]
    (finding,) = findings_about_delivery(domains)
    result = finding.result()
    assert (result["domain"], result["kind"]) == (None, "no_direct_delivery")
    assert result["message"] == (
        "no domain of this account has the delivery mode DIRECT (a.example, b.example, c.example and"
        " 1 more). With the others, Cloudflare gets copies of the mail, so restrictions probably"
        " cannot drop any. Cloudflare does not publish this; check how the domains are delivered"
    )


@pytest.mark.parametrize(
    "domains",
    [
        [],
        [own("a.example", "BCC", "DIRECT")],
        [own("a.example", "BCC"), own("b.example", "DIRECT")],
        [own("a.example", "BCC"), own("b.example")],
        [own("a.example", "BCC"), {"domain": "b.example"}],
        [own("a.example", "BCC"), {"domain": "b.example", "allowed_delivery_modes": None}],
    ],
)
def test_an_account_that_may_be_in_the_path_of_mail_is_none(domains):
    assert findings_about_delivery(domains) == []
