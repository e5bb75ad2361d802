# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's responses, validated by Cloudflare's own Python client."""

from __future__ import annotations

import cloudflare
import pytest
from cloudflare import Cloudflare
from emulator.harness import Account


def client(account: Account, token: str | None = None, **options) -> Cloudflare:
    return Cloudflare(
        api_token=token or account.tokens["write"],
        base_url=account.emulator.url,
        max_retries=0,
        _strict_response_validation=True,
        **options,
    )


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch):
    for name in ("API_TOKEN", "API_KEY", "EMAIL", "API_USER_SERVICE_KEY", "BASE_URL"):
        monkeypatch.delenv(f"CLOUDFLARE_{name}", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sdk(account):
    with client(account) as sdk:
        yield sdk


@pytest.fixture
def restrictions(sdk):
    return sdk.email_security.settings.sending_domain_restrictions


def test_create_returns_201_and_the_whole_restriction(restrictions, account):
    response = restrictions.with_raw_response.create(
        account_id=account.id, domain="a.example", exclude=["b.a.example"], comments="partner"
    )
    assert response.status_code == 201
    created = response.parse()
    assert (created.domain, created.exclude) == ("a.example", ["b.a.example"])
    assert created.comments == "partner"
    assert created.created_at == created.modified_at
    assert account.restrictions()[0]["id"] == created.id


def test_edit_only_changes_the_given_fields(restrictions, account):
    created = restrictions.create(
        account_id=account.id, domain="a.example", exclude=["b.a.example"], comments="partner"
    )
    edited = restrictions.edit(created.id, account_id=account.id, comments=None)
    assert edited.comments is None
    assert edited.exclude == ["b.a.example"]
    assert edited.created_at == created.created_at
    assert edited.modified_at > created.modified_at


def test_get_returns_what_was_created(restrictions, account):
    created = restrictions.create(account_id=account.id, domain="a.example", exclude=[])
    got = restrictions.get(created.id, account_id=account.id)
    assert got.to_dict() == created.to_dict()


def test_delete_returns_the_id(restrictions, account):
    created = restrictions.create(account_id=account.id, domain="a.example", exclude=[])
    assert restrictions.delete(created.id, account_id=account.id).id == created.id
    assert account.restrictions() == []


@pytest.mark.parametrize("options", [{}, {"per_page": 1000}, {"order": "domain"}])
def test_auto_paging_yields_each_of_2500_restrictions_once(restrictions, account, options):
    domains = [f"d{n:04}.example" for n in range(2500)]
    account.seed([{"domain": domain} for domain in domains])
    seen = restrictions.list(account_id=account.id, **options)
    assert [restriction.domain for restriction in seen] == domains


def test_list_accepts_every_parameter(restrictions, account):
    account.seed([{"domain": d} for d in ("b.example", "x.invalid", "a.example", "c.example")])
    page = restrictions.list(
        account_id=account.id,
        search="EXAMPLE",
        order="domain",
        direction="desc",
        page=2,
        per_page=2,
    )
    assert [restriction.domain for restriction in page.result] == ["a.example"]
    assert (page.result_info.page, page.result_info.per_page) == (2, 2)


def test_email_and_global_key_authenticate(account):
    with Cloudflare(
        api_email=account.email,
        api_key=account.api_key,
        base_url=account.emulator.url,
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        restrictions = sdk.email_security.settings.sending_domain_restrictions
        restrictions.create(account_id=account.id, domain="a.example", exclude=[])
    assert len(account.restrictions()) == 1


def test_invalid_input_raises_bad_request(restrictions, account):
    with pytest.raises(cloudflare.BadRequestError) as raised:
        restrictions.create(account_id=account.id, domain="a.example", exclude=["b.example"])
    (error,) = raised.value.errors
    assert error.source is not None and error.source.pointer == "/exclude/0"
    assert error.message is not None and "not below" in error.message


@pytest.mark.parametrize("token", ["expired", "disabled", "read"])
def test_a_token_without_permission_raises_permission_denied(account, token):
    with client(account, account.tokens[token]) as sdk:
        restrictions = sdk.email_security.settings.sending_domain_restrictions
        with pytest.raises(cloudflare.PermissionDeniedError) as raised:
            restrictions.create(account_id=account.id, domain="a.example", exclude=[])
    assert raised.value.errors[0].code == 10000


def test_an_unknown_restriction_raises_not_found(restrictions, account):
    with pytest.raises(cloudflare.NotFoundError):
        restrictions.get("a3d1b9e0-0000-4000-8000-000000000000", account_id=account.id)


def test_an_unknown_account_raises_bad_request(restrictions):
    with pytest.raises(cloudflare.BadRequestError) as raised:
        restrictions.list(account_id="0" * 32)
    assert raised.value.errors[0].code == 7003


def test_a_used_up_quota_raises_rate_limit_error(emulator):
    account = emulator.create_account(quota=1)
    with client(account) as sdk:
        restrictions = sdk.email_security.settings.sending_domain_restrictions
        restrictions.list(account_id=account.id)
        with pytest.raises(cloudflare.RateLimitError) as raised:
            restrictions.list(account_id=account.id)
    assert int(raised.value.response.headers["Retry-After"]) == 300


def test_an_invalid_response_fails_strict_validation(restrictions, account):
    account.fault(kind="merge", set={"result": "none"})
    with pytest.raises(cloudflare.APIResponseValidationError):
        restrictions.list(account_id=account.id)


def test_a_search_returns_messages(sdk, account):
    seed = {"envelope_from": "a@p.example", "from": "Shop <shop@p.example>"}
    account.seed_messages([seed, {"envelope_from": None, "from": "b@p.example"}])
    found = sdk.email_security.investigate.list(
        account_id=account.id, sender="p.example", detections_only=False, per_page=1000
    ).result
    assert [message.envelope_from for message in found] == ["a@p.example", None]
    assert found[0].delivery_mode == "DIRECT"
    assert found[0].scanned_at is not None


def test_the_own_domains_are_listed(sdk, account):
    account.change(domains=[{"domain": "own.example"}])
    (domain,) = sdk.email_security.settings.domains.list(account_id=account.id)
    assert (domain.domain, domain.allowed_delivery_modes) == ("own.example", ["DIRECT"])
