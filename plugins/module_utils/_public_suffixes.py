# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Common suffixes below which anyone can register a domain.

A restriction for one of them is probably a mistake. This is a small selection from the Public
Suffix List (https://publicsuffix.org); a suffix that is missing here only means a missing warning.
"""

from __future__ import annotations

_SECOND_LEVEL = {
    "ar": "com edu gob net org",
    "at": "ac co gv or",
    "au": "com edu gov id net org",
    "br": "com edu gov net org",
    "cn": "ac com edu gov net org",
    "co": "com edu gov net org",
    "hk": "com edu gov net org",
    "hu": "co org",
    "id": "ac co go or",
    "il": "ac co gov net org",
    "in": "ac co edu gov net org",
    "jp": "ac co ed go gr ne or",
    "kr": "ac co go ne or re",
    "mx": "com edu gob net org",
    "my": "com edu gov net org",
    "nz": "ac co geek govt net org school",
    "ph": "com edu gov net org",
    "pk": "com edu gov net org",
    "pl": "com edu gov net org",
    "pt": "com edu gov org",
    "ru": "com net org",
    "sg": "com edu gov net org",
    "th": "ac co go in or",
    "tr": "com edu gov net org",
    "tw": "com edu gov net org",
    "ua": "com edu gov net org",
    "uk": "ac co gov ltd me net nhs org plc police sch",
    "vn": "com edu gov net org",
    "za": "ac co gov net org web",
}

PUBLIC_SUFFIXES = frozenset(
    [f"{label}.{top}" for top, labels in _SECOND_LEVEL.items() for label in labels.split()]
    + [
        "appspot.com",
        "azurewebsites.net",
        "blogspot.com",
        "cloudfront.net",
        "eu.com",
        "firebaseapp.com",
        "fly.dev",
        "github.io",
        "gitlab.io",
        "herokuapp.com",
        "netlify.app",
        "onrender.com",
        "pages.dev",
        "uk.com",
        "us.com",
        "vercel.app",
        "web.app",
        "workers.dev",
        "wpengine.com",
    ]
)
