# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated names, restrictions and entries for property tests."""

from __future__ import annotations

import uuid

from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import MASK
from hypothesis import strategies as st

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda label: label[2:4] != "--"
)
TOP_LEVEL_DOMAINS = st.sampled_from(["com", "example", "xn--p1ai", "co.uk"])
DOMAINS = st.builds("{}.{}".format, LABELS, TOP_LEVEL_DOMAINS)
FEW_DOMAINS = st.sampled_from(["a.example", "b.example", "sub.a.example", "c.example"])
COMMENTS = st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=20).filter(
    lambda text: MASK not in text
)


@st.composite
def other_spellings(draw, name):
    """The same name in another letter case, with or without a trailing dot."""
    letters = [draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in name]
    return "".join(letters) + draw(st.sampled_from(["", "."]))


@st.composite
def records(draw, domains=DOMAINS):
    """A record of the API, in any spelling that the dashboard accepts."""
    domain = draw(domains)
    labels = draw(st.lists(LABELS, max_size=3))
    return {
        "id": str(uuid.UUID(int=draw(st.integers(0, 2**128 - 1)), version=4)),
        "domain": draw(other_spellings(domain)),
        "exclude": [draw(other_spellings(f"{label}.{domain}")) for label in labels],
        "comments": draw(st.none() | COMMENTS),
        "created_at": "2026-01-01T05:20:00.12345Z",
        "modified_at": "2026-01-01T05:20:00.12345Z",
        "last_modified": "2026-01-01T05:20:00.12345Z",
    }


def restrictions(domains=DOMAINS):
    return records(domains).map(Restriction.from_api)


@st.composite
def entries(draw, domains=DOMAINS, states=("present", "absent")):
    """A desired restriction; any option but the domain may be omitted."""
    domain = draw(domains)
    labels = draw(st.none() | st.lists(LABELS, max_size=3))
    exclude = None if labels is None else [f"{label}.{domain}" for label in labels]
    return DesiredRestriction.from_options(
        {
            "domain": domain,
            "exclude": exclude,
            "comments": draw(st.none() | COMMENTS),
            "state": draw(st.sampled_from(states)),
        }
    )
