# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restrictions, entries and messages for tests."""

from __future__ import annotations

from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    Restriction,
)

# IDs are compared without letter case, so they have letters.
FIRST = "1a111111-1111-4111-8111-11111111111a"
SECOND = "2b222222-2222-4222-8222-22222222222b"
THIRD = "3c333333-3333-4333-8333-33333333333c"


def desired(**options):
    return DesiredRestriction.from_options({"state": "present", **options})


def existing(restriction_id, domain, **fields):
    return Restriction.from_api({"id": restriction_id, "domain": domain, **fields})


def account_of(number, duplicates=0, **fields):
    """Restrictions for `number` domains; the first ones may have duplicates."""
    domains = [f"d{index}.example" for index in range(number)]
    return [
        existing(f"{copy}-{domain[1:-8]}", domain, **fields)
        for copy, names in enumerate([domains, domains[:duplicates]])
        for domain in names
    ]


def numbered(number, **fields):
    """Entries for `number` domains."""
    return [{"domain": f"d{index:03}.example", **fields} for index in range(number)]


def domains(records):
    return sorted(record["domain"] for record in records)


def mail(envelope_from, **values):
    """A message for `Account.seed_messages`."""
    return {"envelope_from": envelope_from, **values}
