# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host names that the API accepts."""

from __future__ import annotations

import pytest
from emulator.host_name import is_below, is_host_name

LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


@pytest.mark.parametrize(
    "name",
    [
        "a.example",
        "A.Example",
        "a-b.example",
        "1.example",
        "xn--bcher-kva.example",
        "a.1b",
        LONGEST,
        "_dmarc.a_b.example",
        "xn--0.example",
    ],
)
def test_host_names_are_accepted(name):
    assert is_host_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "example",
        "a.example.",
        ".a.example",
        "a..example",
        "*.a.example",
        "-a.example",
        "a-.example",
        "a b.example",
        " a.example",
        "a.example\n",
        "bücher.example",
        "a.exampl\u0117",
        "192.0.2.1",
        "a.123",
        "[2001:db8::1]",
        "2001:db8::1",
        "user@a.example",
        "https://a.example",
        "a.example/path",
        "a.example:25",
        "a" * 64 + ".example",
        "x" + LONGEST,
    ],
)
def test_anything_else_is_refused(name):
    assert not is_host_name(name)


@pytest.mark.parametrize(
    ("name", "domain", "expected"),
    [
        ("b.a.example", "a.example", True),
        ("c.b.a.example", "a.example", True),
        ("B.A.EXAMPLE", "a.example.", True),
        ("a.example", "a.example", False),
        ("ba.example", "a.example", False),
        ("example", "a.example", False),
    ],
)
def test_only_strict_subdomains_are_below(name, domain, expected):
    assert is_below(name, domain) is expected
