# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_requirement import (
    covering,
    tls_requirement,
    tls_requirements,
)
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW_DOMAINS, restrictions

PARTNER = {"id": "1", "domain": "Partner.example.", "exclude": ["News.partner.example."]}
SUBDOMAIN = {"id": "2", "domain": "mail.partner.example", "exclude": ["a.mail.partner.example"]}
NEWS = {"id": "3", "domain": "news.partner.example", "exclude": []}
OUTSIDE = {"id": "5", "domain": "partner.example", "exclude": ["example", "partner.example", ""]}
ALL_MAIL = {"id": "6", "domain": "partner.example", "exclude": ["mail.partner.example"]}
NESTED = {
    "id": "7",
    "domain": "partner.example",
    "exclude": ["a.news.partner.example", "news.partner.example"],
}
OLDER = {"id": "8", "domain": "partner.example", "created_at": "2026-01-01T00:00:00Z"}
NEWER = {"id": "9", "domain": "partner.example", "created_at": "2026-01-02T00:00:00Z"}
DUPLICATE = {"id": "4", "domain": "partner.example", "exclude": []}


@pytest.mark.parametrize(
    ("sender_domain", "records", "required", "governed_by", "exempted_by"),
    [
        ("partner.example", [], False, None, None),
        ("notpartner.example", [PARTNER], False, None, None),
        ("example", [PARTNER], False, None, None),
        ("partner.example", [PARTNER], True, "1", None),
        ("deep.below.partner.example", [PARTNER], True, "1", None),
        ("news.partner.example", [PARTNER], False, "1", "News.partner.example."),
        ("x.news.partner.example", [PARTNER], False, "1", "News.partner.example."),
        ("badnews.partner.example", [PARTNER], True, "1", None),
        ("mail.partner.example", [PARTNER, SUBDOMAIN], True, "2", None),
        # The restriction for the parent domain still applies.
        ("a.mail.partner.example", [SUBDOMAIN, PARTNER], True, "1", None),
        ("a.mail.partner.example", [SUBDOMAIN], False, "2", "a.mail.partner.example"),
        ("a.mail.partner.example", [SUBDOMAIN, ALL_MAIL], False, "2", "a.mail.partner.example"),
        ("b.mail.partner.example", [SUBDOMAIN, ALL_MAIL], True, "2", None),
        ("news.partner.example", [PARTNER, NEWS], True, "3", None),
        ("news.partner.example", [PARTNER, DUPLICATE], True, "4", None),
        ("partner.example", [DUPLICATE, PARTNER], True, "4", None),
        ("partner.example", [NEWER, OLDER], True, "8", None),
        ("x.a.news.partner.example", [NESTED], False, "7", "a.news.partner.example"),
        ("x.news.partner.example", [NESTED], False, "7", "news.partner.example"),
        ("partner.example", [OUTSIDE], True, "5", None),
        ("mail.partner.example", [OUTSIDE], True, "5", None),
    ],
)
def test_mail_needs_tls_unless_all_restrictions_that_cover_the_sender_exempt_it(
    sender_domain, records, required, governed_by, exempted_by
):
    result = tls_requirement(sender_domain, map(Restriction.from_api, records))
    assert result.required is required
    assert (result.governed_by and result.governed_by.id) == governed_by
    assert result.exempted_by == exempted_by


def test_restrictions_for_a_domain_and_its_parents_cover_it():
    known = [Restriction.from_api(record) for record in (PARTNER, SUBDOMAIN, DUPLICATE)]
    found = covering("mail.partner.example", known)
    assert [restriction.id for restriction in found] == ["1", "2", "4"]
    assert [restriction.id for restriction in covering("partner.example", known)] == ["1", "4"]


@given(st.lists(restrictions(FEW_DOMAINS), max_size=4), st.lists(FEW_DOMAINS.map("x.{}".format)))
def test_many_domains_are_answered_like_each_of_them(found, names):
    names += ["a.example", "example"]
    expected = {name: tls_requirement(name, found) for name in names}
    assert tls_requirements(names, found) == expected
