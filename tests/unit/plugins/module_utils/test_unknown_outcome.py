# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How writes with an unknown outcome are settled, against the emulator."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import Limits
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CONFLICT,
    CREDENTIALS,
    OUTCOME_UNKNOWN,
    RATE_LIMITED,
    REFUSED,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    NoBatchCall,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._unknown_outcome import (
    SettlingApi,
)
from samples import numbered

PARTNER = {"domain": "partner.example", "exclude": ["a.partner.example"], "comments": "TLS agreed"}
DOMAIN = {"domain": "partner.example"}
BARE = {**DOMAIN, "exclude": []}
ID = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415"
STALE = {"kind": "merge", "set": {"result": [], "result_info": {"total_count": 0}}}
DENIED = {"kind": "status", "status": 403, "code": 10000}
LIMITED = {"kind": "status", "status": 429, "headers": {"Retry-After": "60"}}


@pytest.fixture
def make_api(emulator, account, token, make_client):
    def make(**options):
        return SettlingApi(make_client(emulator.url, token, **options), account.id)

    return make


@pytest.fixture
def api(make_api):
    return make_api()


def managed(records):
    return [{name: record[name] for name in PARTNER} for record in records]


UNKNOWN_OUTCOMES = [
    {"kind": "drop"},
    {"kind": "hang"},
    {"kind": "html", "status": 502},
    {"kind": "json", "status": 201, "body": {"success": True, "result": {"id": "x"}}},
]


@pytest.mark.promise("A create is never retried blindly")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES, ids=lambda fault: fault["kind"])
def test_a_create_with_an_unknown_outcome_is_made_exactly_once(
    api, account, fake_time, faults, fault, times, moment
):
    api.list_all()
    faults.add(calls=["create"], moment=moment, times=times, **fault)
    created = api.create(PARTNER)
    assert account.restrictions()[0]["id"] == created.id
    assert managed(account.restrictions()) == [PARTNER]
    # The lookup waits for a backoff first, in case the write is still in progress.
    assert fake_time.sleeps == [0.5, 1.0][: 1 if moment == "after" else times]


def test_a_create_that_always_fails_leaves_nothing(api, account):
    account.fault(calls=["create"], times=None, kind="drop")
    with pytest.raises(CloudflareError, match="the connection to .* was lost") as error:
        api.create(PARTNER)
    assert not error.value.outcome_unknown
    assert account.calls() == ["create", "list"] * 6
    assert account.restrictions() == []


def test_a_create_that_is_refused_is_not_retried(api, account):
    account.fault(calls=["create"], kind="status", status=400, code=1, message="No")
    with pytest.raises(CloudflareError) as error:
        api.create(PARTNER)
    assert error.value.kind == REFUSED
    assert account.calls() == ["create"]


@pytest.mark.promise("The task never mistakes somebody else's restriction for its own")
@pytest.mark.parametrize(
    "theirs",
    [
        {**BARE, "comments": "Theirs"},
        {**BARE, "exclude": ["b.partner.example"]},
        {**BARE, "domain": "Partner.example.", "comments": "x"},
    ],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_somebody_elses_restriction_is_neither_adopted_nor_deleted(api, account, theirs, moment):
    account.fault(calls=["create"], kind="drop", moment=moment)
    (theirs,) = account.seed([theirs])
    with pytest.raises(CloudflareError) as error:
        api.create(BARE)
    assert str(error.value) == (
        "someone else created another restriction for the same domain at the same time; run again"
        f" (ID {theirs['id']})"
    )
    assert (error.value.kind, error.value.is_specific) == (CONFLICT, True)
    assert error.value.outcome_unknown == (moment == "after")
    assert theirs in account.restrictions()
    assert "delete" not in account.calls()


def test_a_create_that_is_refused_as_a_duplicate_of_its_first_attempt_succeeds(api, account):
    account.change(unique_domains=True)
    account.fault(calls=["create"], kind="drop", moment="after")
    account.fault(calls=["list"], **STALE)
    created = api.create(PARTNER)
    assert account.calls() == ["create", "list", "create", "list"]
    assert [record["id"] for record in account.restrictions()] == [created.id]


@pytest.mark.promise("A create is never retried blindly")
@pytest.mark.parametrize("second", [{"kind": "merge"}, {"kind": "drop"}])
def test_if_two_creates_take_effect_the_older_restriction_is_kept(api, account, second):
    account.fault(calls=["create"], kind="drop", moment="after")
    account.fault(calls=["create"], moment="after", **second)
    account.fault(calls=["list"], **STALE)
    both = []
    delete = api.delete

    def note_both_and_delete(restriction_id):
        both.extend(account.restrictions())
        return delete(restriction_id)

    list_all = api.list_all
    # The order of the list must not matter, as everybody has to keep the same one.
    api.list_all = lambda: list_all()[::-1]
    api.delete = note_both_and_delete
    created = api.create(PARTNER)
    older, _newer = sorted(both, key=lambda record: record["created_at"])
    assert [record["id"] for record in account.restrictions()] == [created.id] == [older["id"]]
    if second["kind"] == "merge":
        returned = [entry for entry in account.requests() if entry["call"] == "create"][1]
        assert returned["status"] == 201


def test_a_duplicate_that_cannot_be_deleted_leaves_the_outcome_of_a_create_unknown(api, account):
    account.fault(calls=["create"], kind="drop", moment="after")
    account.fault(calls=["list"], **STALE)
    account.fault(calls=["delete"], times=None, **DENIED)
    with pytest.raises(CloudflareError) as error:
        api.create(PARTNER)
    assert (error.value.kind, error.value.outcome_unknown) == (OUTCOME_UNKNOWN, True)
    assert len(account.restrictions()) == 2


@pytest.mark.parametrize(("moment", "skip"), [("after", 0), ("before", 1)])
def test_a_create_that_cannot_be_looked_up_is_unknown(api, account, moment, skip):
    account.fault(calls=["create"], kind="drop", moment=moment)
    account.fault(calls=["list"], skip=skip, times=None, **DENIED)
    with pytest.raises(CloudflareError) as error:
        api.create(PARTNER)
    assert str(error.value).startswith("could not confirm the outcome; run again (Cloudflare did")
    assert (error.value.kind, error.value.status, error.value.code) == (OUTCOME_UNKNOWN, 403, 10000)
    assert error.value.outcome_unknown


@pytest.mark.promise("A create is never retried blindly")
def test_a_create_that_cloudflare_stores_for_another_domain_is_not_retried(api, account):
    result = {**BARE, "id": ID, "domain": "else.example"}
    body = {"success": True, "result": result}
    account.fault(calls=["create"], times=None, kind="json", status=201, body=body)
    with pytest.raises(CloudflareError) as error:
        api.create(PARTNER)
    assert str(error.value) == (
        "Cloudflare stored another domain; check both domains in the dashboard"
        f" (POST …/sending_domain_restrictions: else.example, ID {ID})"
    )
    assert (error.value.kind, error.value.outcome_unknown) == (OUTCOME_UNKNOWN, True)
    assert account.calls() == ["create", "list"]


@pytest.mark.parametrize("call", ["create", "list"])
def test_a_long_wait_after_an_unknown_outcome_is_left_to_the_caller(make_api, account, call):
    api = make_api(limits=Limits(max_wait=5))
    account.fault(calls=["create"], kind="drop")
    account.fault(calls=[call], **LIMITED)
    with pytest.raises(RateLimitWait) as delay:
        api.create(PARTNER)
    assert delay.value.outcome_unknown


def test_a_long_wait_before_the_first_attempt_leaves_nothing_unknown(make_api, account):
    api = make_api(limits=Limits(max_wait=5))
    account.fault(calls=["create"], **LIMITED)
    with pytest.raises(RateLimitWait) as delay:
        api.create(PARTNER)
    assert not delay.value.outcome_unknown


def test_an_absurdly_long_wait_after_an_unknown_outcome_is_an_error(api, account, fake_time):
    account.fault(calls=["create"], kind="drop")
    headers = {"Retry-After": "999999999"}
    account.fault(calls=["create"], kind="status", status=429, headers=headers)
    with pytest.raises(CloudflareError) as error:
        api.create(PARTNER)
    assert error.value.kind == RATE_LIMITED
    assert account.calls() == ["create", "list", "create", "list"]
    assert fake_time.now < 10


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_update_with_an_unknown_outcome_is_retried(api, account, moment):
    (restriction,) = account.seed([PARTNER])
    account.fault(calls=["update"], kind="drop", moment=moment)
    api.update(Restriction.from_api(restriction), {"comments": ""})
    assert managed(account.restrictions()) == [{**PARTNER, "comments": ""}]


def test_an_update_with_an_unusable_response_is_looked_up_at_the_end(api, account):
    (restriction,) = account.seed([PARTNER])
    account.fault(calls=["update"], times=None, kind="merge", set={"result": {"id": "zz"}})
    assert api.update(Restriction.from_api(restriction), {"comments": "x"}).comments == "x"
    assert account.calls() == ["update"] * 6 + ["get"]


def test_an_update_that_always_fails_has_a_known_outcome(api, account):
    (restriction,) = account.seed([PARTNER])
    account.fault(calls=["update"], times=None, kind="drop")
    with pytest.raises(CloudflareError) as error:
        api.update(Restriction.from_api(restriction), {"comments": "x"})
    assert not error.value.outcome_unknown


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ({**BARE, "comments": " x"}, {"stored_comments": "trimmed"}),
        (
            {**DOMAIN, "exclude": ["a.partner.example", "b.a.partner.example"]},
            {"simplify_exclude": True},
        ),
    ],
)
def test_a_create_that_may_be_stored_differently_is_unknown(api, account, body, stored):
    account.change(**stored)
    account.fault(calls=["create"], kind="drop", moment="after")
    with pytest.raises(CloudflareError) as error:
        api.create(body)
    (restriction,) = account.restrictions()
    assert str(error.value) == (
        "could not confirm the outcome; run again (the account has a different restriction for"
        f" partner.example, ID {restriction['id']})"
    )
    assert (error.value.kind, error.value.outcome_unknown) == (OUTCOME_UNKNOWN, True)
    assert account.calls() == ["create", "list"]


@pytest.mark.parametrize(
    ("sent", "kind", "outcome_unknown"),
    [(" y", OUTCOME_UNKNOWN, True), (" TLS agreed", UNAVAILABLE, False)],
    ids=["changed", "as before"],
)
def test_an_update_that_may_be_stored_differently_is_unknown_if_something_changed(
    api, account, sent, kind, outcome_unknown
):
    account.change(stored_comments="trimmed")
    (restriction,) = account.seed([PARTNER])
    account.fault(calls=["update"], times=None, kind="drop", moment="after")
    with pytest.raises(CloudflareError) as error:
        api.update(Restriction.from_api(restriction), {"comments": sent})
    assert (error.value.kind, error.value.outcome_unknown) == (kind, outcome_unknown)


@pytest.mark.promise("changed is true exactly when something changed")
@pytest.mark.parametrize(
    ("call", "write"),
    [
        ("update", lambda api, known: api.update(known, {"comments": "x"})),
        ("delete", lambda api, known: api.delete(known.id)),
        ("batch", lambda api, known: api.delete_batch([known.id])),
    ],
)
def test_a_write_that_cannot_be_looked_up_is_unknown(api, account, call, write):
    (restriction,) = account.seed([PARTNER])
    account.fault(calls=[call], times=None, kind="drop", moment="after")
    account.fault(calls=["get", "list"], times=None, **DENIED)
    with pytest.raises(CloudflareError) as error:
        write(api, Restriction.from_api(restriction))
    assert (error.value.kind, error.value.outcome_unknown) == (OUTCOME_UNKNOWN, True)


@pytest.mark.parametrize("is_limited", [False, True])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_delete_with_an_unknown_outcome_is_retried(api, account, moment, is_limited):
    seeded = account.seed(numbered(2))
    account.fault(calls=["delete"], kind="drop", moment=moment)
    if is_limited:
        account.fault(calls=["delete"], **LIMITED)
    assert api.delete(seeded[0]["id"])
    assert account.restrictions() == seeded[1:]


def test_a_delete_whose_retry_finds_nothing_is_looked_up_without_a_wait(api, account, fake_time):
    (restriction,) = account.seed(numbered(1))
    account.fault(calls=["delete"], kind="drop", moment="after")
    assert api.delete(restriction["id"])
    # Only the backoff before the retry.
    assert fake_time.sleeps == [0.5]


def test_a_batch_with_an_unknown_outcome_is_looked_up_after_a_wait(api, account, fake_time):
    ids = [record["id"] for record in account.seed(numbered(2))]
    account.fault(calls=["batch"], kind="drop", moment="after")
    assert api.delete_batch(ids) == ids
    assert fake_time.sleeps == [0.5, 16.0]


def test_deleting_what_somebody_else_deleted_succeeds_without_a_change(api, account, fake_time):
    (restriction,) = account.seed(numbered(1))
    assert api.delete(restriction["id"])
    assert not api.delete(restriction["id"])
    # The outcome is known, so the lookup does not have to wait.
    assert fake_time.sleeps == []


@pytest.mark.parametrize(
    ("call", "delete"),
    [
        ("delete", lambda api, restriction_id: api.delete(restriction_id)),
        ("batch", lambda api, restriction_id: api.delete_batch([restriction_id])),
    ],
)
def test_a_delete_that_found_nothing_is_certain_even_if_it_cannot_be_looked_up(
    api, account, call, delete
):
    account.fault(calls=["get", "list"], times=None, **DENIED)
    with pytest.raises(CloudflareError) as error:
        delete(api, ID)
    assert account.calls()[0] == call
    assert (error.value.kind, error.value.outcome_unknown) == (CREDENTIALS, False)


@pytest.mark.parametrize("code", [7000, 1])
def test_a_404_for_a_restriction_that_still_exists_is_an_error(api, account, code):
    (restriction,) = account.seed(numbered(1))
    account.fault(calls=["delete"], kind="status", status=404, code=code, message="No")
    with pytest.raises(CloudflareError) as error:
        api.delete(restriction["id"])
    assert not error.value.outcome_unknown
    assert account.restrictions() == [restriction]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_batch_with_an_unknown_outcome_is_retried(api, account, moment):
    ids = [record["id"] for record in account.seed(numbered(3))]
    account.fault(calls=["batch"], kind="drop", moment=moment)
    assert api.delete_batch(ids[:2]) == ids[:2]
    assert [record["id"] for record in account.restrictions()] == ids[2:]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_batch_whose_response_lacks_a_delete_is_retried(api, account, moment):
    ids = [record["id"] for record in account.seed(numbered(3))]
    body = {"success": True, "result": {"deletes": [{"id": ids[0]}]}}
    account.fault(calls=["batch"], kind="json", status=200, body=body, moment=moment)
    assert api.delete_batch(ids[:2]) == ids[:2]
    assert [record["id"] for record in account.restrictions()] == ids[2:]


def test_a_batch_that_took_effect_succeeds_although_its_responses_are_lost(api, account):
    ids = [record["id"] for record in account.seed(numbered(2))]
    account.fault(calls=["batch"], times=None, kind="drop", moment="after")
    assert api.delete_batch(ids) == ids


def test_a_batch_call_that_vanishes_after_an_unknown_outcome_is_looked_up(api, account):
    ids = [record["id"] for record in account.seed(numbered(2))]
    account.fault(calls=["batch"], kind="drop", moment="after")
    account.fault(calls=["batch"], kind="status", status=404, code=7003, message="No route")
    assert api.delete_batch(ids) == ids


def test_a_batch_deletes_the_rest_if_some_restrictions_are_gone(api, account, fake_time):
    ids = [record["id"] for record in account.seed(numbered(3))]
    api.delete(ids[0])
    assert api.delete_batch(ids) == ids[1:]
    assert account.restrictions() == []
    assert api.delete_batch(ids) == []
    assert fake_time.sleeps == []


@pytest.mark.parametrize("batch", ["method_not_allowed", "no_route", "not_found"])
def test_without_the_batch_call_nothing_is_deleted(api, account, batch):
    seeded = account.seed(numbered(2))
    account.change(batch=batch)
    with pytest.raises(NoBatchCall):
        api.delete_batch([record["id"] for record in seeded])
    assert not api.has_batch_call
    assert account.restrictions() == seeded


def test_a_refused_batch_does_not_count_as_a_missing_call(api, account):
    ids = [record["id"] for record in account.seed(numbered(2))]
    account.fault(calls=["batch"], **DENIED)
    with pytest.raises(CloudflareError):
        api.delete_batch(ids)
    account.fault(calls=["batch"], times=None, kind="drop")
    with pytest.raises(CloudflareError) as error:
        api.delete_batch(ids)
    assert not error.value.outcome_unknown
    assert len(account.restrictions()) == 2
