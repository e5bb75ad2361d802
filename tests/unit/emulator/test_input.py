# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid input is refused with a status, a code and a pointer to the invalid value."""

from __future__ import annotations

import json

import pytest

ID = "a3d1b9e0-0000-4000-8000-000000000000"
OTHER_ID = "a3d1b9e0-0000-4000-8000-000000000001"
VALID = {"domain": "a.example", "exclude": []}
JSON = "application/json"


def refused(response, status: int, code: int) -> set[str | None]:
    """Check a failure envelope and return the pointers of its errors."""
    document = response.json()
    assert response.status_code == status, document
    assert (document["success"], document["result"], document["messages"]) == (False, None, [])
    assert document["errors"][0]["code"] == code, document
    assert all(error["message"] for error in document["errors"])
    return {error.get("source", {}).get("pointer") for error in document["errors"]}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/domain", "/exclude"}),
        ({"domain": "a.example"}, {"/exclude"}),
        ({"exclude": []}, {"/domain"}),
        ({**VALID, "domain": None}, {"/domain"}),
        ({**VALID, "domain": 1}, {"/domain"}),
        ({**VALID, "domain": "a.example."}, {"/domain"}),
        ({**VALID, "domain": "*.a.example"}, {"/domain"}),
        ({**VALID, "domain": "192.0.2.1"}, {"/domain"}),
        ({**VALID, "domain": "bücher.example"}, {"/domain"}),
        ({**VALID, "domain": "\ud800.example"}, {"/domain"}),
        ({**VALID, "exclude": None}, {"/exclude"}),
        ({**VALID, "exclude": "b.a.example"}, {"/exclude"}),
        ({**VALID, "exclude": {}}, {"/exclude"}),
        ({**VALID, "exclude": ["b.a.example", 1]}, {"/exclude/1"}),
        ({**VALID, "exclude": ["b.a.example", "*.a.example"]}, {"/exclude/1"}),
        (
            {**VALID, "exclude": ["b.a.example", "a.example", "b.example"]},
            {"/exclude/1", "/exclude/2"},
        ),
        ({**VALID, "exclude": ["b.a.example", "B.A.example"]}, {"/exclude"}),
        ({**VALID, "comments": 1}, {"/comments"}),
        ({**VALID, "comments": ["x"]}, {"/comments"}),
        ({**VALID, "comments": "x" * 1025}, {"/comments"}),
        ({**VALID, "comment": "x"}, {"/comment"}),
        ({**VALID, "a/b~c": "x"}, {"/a~1b~0c"}),
        ({**VALID, "id": ID}, {"/id"}),
        ({**VALID, "created_at": "2014-01-01T05:20:00.12345Z"}, {"/created_at"}),
        ([VALID], {""}),
        (None, {""}),
        ("a.example", {""}),
    ],
)
def test_create_refuses_an_invalid_body(api, account, body, pointers):
    response = api("POST", data=json.dumps(body), headers={**api.headers, "Content-Type": JSON})
    assert refused(response, 400, 10400) == pointers
    assert account.restrictions() == []


@pytest.mark.parametrize(
    "body",
    [
        {**VALID, "domain": "A.Example"},
        {**VALID, "exclude": ["b.a.example", "c.b.a.example"]},
        {**VALID, "comments": None},
        {**VALID, "comments": ""},
        {**VALID, "comments": "\N{GRINNING FACE}" * 1024},
    ],
)
def test_create_stores_valid_values_unchanged(api, body):
    response = api("POST", json=body)
    assert response.status_code == 201
    assert body.items() <= response.json()["result"].items()


def test_two_restrictions_for_one_domain_are_accepted(api, account):
    assert [api("POST", json=VALID).status_code for dummy in range(2)] == [201, 201]
    first, second = account.restrictions()
    assert first["domain"] == second["domain"]
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {""}),
        ({"domain": None}, {"/domain"}),
        ({"exclude": None}, {"/exclude"}),
        ({"domain": "example"}, {"/domain"}),
        ({"domain": "z.example"}, {"/domain"}),
        ({"exclude": ["b.z.example"]}, {"/exclude/0"}),
        ({"domain": "z.example", "exclude": ["b.z.example", "b.a.example"]}, {"/exclude/1"}),
        ({"comments": 1}, {"/comments"}),
        ({"comments": "x", "modified_at": None}, {"/modified_at"}),
        ([], {""}),
    ],
)
def test_update_refuses_a_body_that_would_make_the_restriction_invalid(
    api, account, body, pointers
):
    (before,) = account.seed([{"domain": "a.example", "exclude": ["b.a.example"]}])
    response = api("PATCH", "/" + before["id"], json=body)
    assert refused(response, 400, 10400) == pointers
    assert account.restrictions() == [before]


def test_update_ignores_the_spelling_of_the_dashboard(api, account):
    (before,) = account.seed([{"domain": "A.Example."}])
    response = api("PATCH", "/" + before["id"], json={"exclude": ["b.a.example"]})
    assert response.status_code == 200


def test_a_comment_can_be_changed_even_if_the_exclude_is_invalid(api, account):
    (before,) = account.seed([{"domain": "A.Example.", "exclude": ["elsewhere.example"]}])
    assert api("PATCH", "/" + before["id"], json={"comments": "x"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/deletes"}),
        ({"deletes": []}, {"/deletes"}),
        ({"deletes": None}, {"/deletes"}),
        ({"deletes": [ID]}, {"/deletes/0"}),
        ({"deletes": [{}]}, {"/deletes/0/id"}),
        ({"deletes": [{"id": "x"}]}, {"/deletes/0/id"}),
        ({"deletes": [{"id": 1}]}, {"/deletes/0/id"}),
        ({"deletes": [{"id": ID, "domain": "a.example"}]}, {"/deletes/0/domain"}),
        ({"deletes": [{"id": ID}], "posts": []}, {"/posts"}),
        ({"deletes": [{"id": ID}] * 1001}, {"/deletes"}),
    ],
)
def test_batch_refuses_an_invalid_body(api, body, pointers):
    assert refused(api("POST", "/batch", json=body), 400, 10400) == pointers


def test_batch_refuses_duplicate_ids(api, account):
    account.seed([{"domain": "a.example", "id": ID}])
    response = api("POST", "/batch", json={"deletes": [{"id": ID}, {"id": ID}]})
    assert refused(response, 400, 10400) == {"/deletes/1/id"}
    assert len(account.restrictions()) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"domain": "a.example", "domain": "a.example", "exclude": []}',
        b'{"domain": "a.example", "exclude": [], "comments": NaN}',
        b"\xff",
        '{"domain": "a.example", "exclude": []}'.encode("utf-16"),
        b"[" * 100_000,
        b"domain=a.example",
    ],
)
def test_a_body_that_is_not_strict_json_is_refused(api, body):
    headers = {**api.headers, "Content-Type": JSON}
    assert refused(api("POST", data=body, headers=headers), 400, 10400) == {""}


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_needs_the_content_type_of_json(api, content_type):
    headers = {**api.headers, "Content-Type": content_type}
    body = b'{"domain": "a.example", "exclude": []}'
    refused(api("POST", data=body, headers=headers), 415, 10415)


def test_a_body_over_one_mebibyte_is_refused(api):
    refused(api("POST", json={**VALID, "comments": "x" * 2**20}), 413, 10413)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/" + ID), ("DELETE", "/" + ID)])
def test_reads_and_deletes_refuse_a_body(api, account, method, path):
    account.seed([{"domain": "a.example", "id": ID}])
    refused(api(method, path, json={}), 400, 10400)
    assert len(account.restrictions()) == 1


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("page=0", "/page"),
        ("page=-1", "/page"),
        ("page=1.0", "/page"),
        ("page=x", "/page"),
        ("page=", "/page"),
        ("page=%2B1", "/page"),
        ("page=" + "1" * 5000, "/page"),
        ("per_page=0", "/per_page"),
        ("per_page=1001", "/per_page"),
        ("order=comments", "/order"),
        ("order=DOMAIN", "/order"),
        ("direction=down", "/direction"),
        ("limit=5", "/limit"),
        ("page=1&page=2", "/page"),
    ],
)
def test_list_refuses_invalid_query_parameters(api, query, pointer):
    assert refused(api("GET", "?" + query), 400, 10401) == {pointer}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "?x=1"), ("GET", f"/{ID}?x=1"), ("DELETE", f"/{ID}?x=1"), ("PATCH", f"/{ID}?x=1")],
)
def test_calls_without_query_parameters_refuse_them(api, account, method, path):
    account.seed([{"domain": "a.example", "id": ID}])
    refused(api(method, path), 400, 10401)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("bad_id", ["x", "batch1", ID[:-1], ID.replace("-", ""), ID + "%20"])
def test_an_id_that_is_not_a_uuid_cannot_be_routed(api, method, bad_id):
    refused(api(method, "/" + bad_id), 400, 7003)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/{ID}", None),
        ("PATCH", f"/{ID}", {"comments": "x"}),
        ("DELETE", f"/{ID}", None),
        ("POST", "/batch", {"deletes": [{"id": OTHER_ID}, {"id": ID}]}),
    ],
)
def test_an_unknown_id_is_not_found(api, account, method, path, body):
    account.seed([{"domain": "a.example", "id": OTHER_ID}])
    refused(api(method, path, json=body), 404, 10404)
    assert len(account.restrictions()) == 1


@pytest.mark.parametrize(
    "path", ["/zones", "", "/accounts", "/accounts/", "/accounts//email-security/investigate"]
)
def test_an_unknown_route_is_not_found(api, path):
    refused(api.raw("GET", path), 404, 7000)


@pytest.mark.parametrize("tail", ["/", "/batch/", f"/{ID}/", f"/{ID}/x", "s"])
def test_a_path_must_match_exactly(api, tail):
    refused(api("GET", tail), 404, 7000)


@pytest.mark.parametrize("account_id", ["0" * 32, "x", "0" * 33, "%20"])
def test_an_unknown_account_cannot_be_routed(api, account_id):
    path = f"/accounts/{account_id}/email-security/settings/sending_domain_restrictions"
    refused(api.raw("GET", path), 400, 7003)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "", "GET, POST"),
        ("DELETE", "", "GET, POST"),
        ("GET", "/batch", "POST"),
        ("PUT", f"/{ID}", "GET, PATCH, DELETE"),
        ("POST", f"/{ID}", "GET, PATCH, DELETE"),
    ],
)
def test_a_wrong_method_gets_the_allowed_ones(api, method, path, allow):
    response = api(method, path)
    refused(response, 405, 10405)
    assert response.headers["Allow"] == allow
