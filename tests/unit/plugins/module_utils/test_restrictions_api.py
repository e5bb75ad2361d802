# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The six API calls, against the emulator."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    NoBatchCall,
    RestrictionsApi,
)
from samples import existing

PARTNER = {"domain": "partner.example", "exclude": ["a.partner.example"], "comments": "TLS agreed"}
DOMAIN = {"domain": "partner.example"}
ID = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415"
DENIED = {"kind": "status", "status": 403, "code": 10000}


@pytest.fixture
def api(client, account):
    return RestrictionsApi(client, account.id)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_restriction_is_created_read_updated_and_deleted(api, account, sparse):
    account.change(sparse=sparse)
    created = api.create(PARTNER)
    assert api.list_all() == [created] == [api.get(created.id)]
    updated = api.update(created, {"exclude": [], "comments": ""})
    assert updated.managed_fields() == {**PARTNER, "exclude": [], "comments": ""}
    assert api.delete(created.id)
    assert account.restrictions() == []
    assert api.get(created.id) is None


def test_the_oldest_restriction_comes_first(api, account):
    api.list_all()
    (entry,) = account.requests()
    assert (entry["query"]["order"], entry["query"]["direction"]) == ("created_at", "asc")


@pytest.mark.parametrize(
    ("call", "permission"),
    [
        (lambda api: api.list_all(), "Read"),
        (lambda api: api.get(ID), "Read"),
        (lambda api: api.create(PARTNER), "Write"),
        (lambda api: api.update(existing(ID, "a.example"), {"comments": ""}), "Write"),
        (lambda api: api.delete(ID), "Write"),
        (lambda api: api.delete_batch([ID]), "Write"),
    ],
)
def test_a_call_that_is_not_permitted_names_the_permission(api, account, call, permission):
    account.fault(**DENIED)
    with pytest.raises(CloudflareError, match=f"'Cloud Email Security: {permission}'"):
        call(api)


def test_fields_that_a_response_lacks_are_as_they_were_sent(api, account):
    account.fault(calls=["create"], kind="merge", set={"result": {"id": ID, **DOMAIN}})
    assert api.create(PARTNER).managed_fields() == PARTNER


def test_the_letter_case_of_an_id_does_not_matter(api, account):
    (restriction,) = account.seed([PARTNER])
    returned = {"id": restriction["id"].upper(), **DOMAIN}
    account.fault(calls=["update"], kind="merge", set={"result": returned})
    assert api.update(Restriction.from_api(restriction), {"comments": "x"}).comments == "x"
    assert account.calls() == ["update"]


@pytest.mark.parametrize(
    ("call", "do"),
    [
        ("get", lambda api, known: api.get(known.id)),
        ("update", lambda api, known: api.update(known, {"comments": "x"})),
    ],
)
def test_a_response_about_another_restriction_is_not_taken_for_the_right_one(
    api, account, call, do
):
    known = Restriction.from_api(account.seed([{"domain": "a.example"}])[0])
    other = {"id": ID, "domain": "other.example"}
    account.fault(calls=[call], kind="merge", times=None, set={"result": other})
    with pytest.raises(CloudflareError, match=rf"it is for other\.example \(ID {ID}\)"):
        do(api, known)


@pytest.mark.parametrize("batch", ["method_not_allowed", "no_route"])
def test_a_missing_batch_call_is_remembered(api, account, batch):
    (restriction,) = account.seed([PARTNER])
    account.change(batch=batch)
    assert api.has_batch_call
    with pytest.raises(NoBatchCall):
        api.delete_batch([restriction["id"]])
    assert not api.has_batch_call


def test_a_list_with_an_unusable_entry_ends_in_an_error(api, account):
    account.fault(kind="merge", set={"result": [{"id": "x"}], "result_info": {"total_count": 1}})
    with pytest.raises(CloudflareError) as error:
        api.list_all()
    assert str(error.value) == (
        "Cloudflare's list contains an unusable entry: the restriction x has no domain; check the account"
        " in the dashboard (GET …/sending_domain_restrictions)"
    )
