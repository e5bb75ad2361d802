# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole modules whose API returns the secret that it received."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote

import pytest
from ansible.module_utils import basic
from in_process import run_module
from tls_and_proxy import FixedResponseServer

SECRET = "s3cret/with+all.that_is~allowed-in/one=="
QUOTED = quote(SECRET, safe="")
ENCODED = [b64encode(f"{before}{SECRET}:".encode()).decode() for before in ("", "u", "u:")]
ECHO = f"You sent {SECRET}, {QUOTED}, {', '.join(ENCODED)}"
RECORD = {"id": "x", "domain": "a.example", "exclude": [], "comments": ECHO}
LISTED = {
    "result": [RECORD],
    "result_info": {"total_count": 1, "per_page": 1000},
    "messages": [ECHO],
}


@pytest.fixture
def no_masking_by_ansible(monkeypatch):
    """Let results pass as they are, as ansible-core 2.22 does."""
    monkeypatch.setattr(basic, "remove_values", lambda value, secrets: value, raising=False)


@pytest.mark.promise("No secret is shown or left behind")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("200 OK", {"success": True, **LISTED}),
        ("400 Bad Request", {"success": False, "errors": [{"code": 1, "message": ECHO}]}),
    ],
    ids=["200", "400"],
)
@pytest.mark.parametrize(
    "credentials",
    [{"api_token": SECRET}, {"api_key": SECRET, "api_email": "a@company.example"}],
    ids=["token", "key"],
)
@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("sending_domain_restriction", {"domain": "a.example"}),
        ("sending_domain_restrictions", {"restrictions": [{"domain": "a.example"}]}),
        ("sending_domain_restriction_info", {}),
        ("sending_domain_senders_info", {"domains": ["a.example"]}),
    ],
)
def test_a_secret_that_the_api_returns_is_shown_in_no_form(
    no_waiting, no_masking_by_ansible, module, options, credentials, status, body
):
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n"
    with FixedResponseServer((head + json.dumps(body)).encode("ascii")) as server:
        shared = {"account_id": "a" * 32, "api_url": f"http://127.0.0.1:{server.port}"}
        shown = json.dumps(run_module(module, {**shared, **credentials, **options}, diff=True))
        assert SECRET.encode("ascii") in server.received
    assert "You sent ********" in shown
    # The ends of the base64 forms depend on what surrounds the secret.
    for form in (SECRET, QUOTED, *(text[4:-4] for text in ENCODED)):
        assert form not in shown


@pytest.mark.parametrize("comments", [SECRET, f"Agreed {SECRET}"])
@pytest.mark.parametrize("variable", ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"])
def test_a_secret_of_the_environment_is_not_returned_from_a_comment(
    options, environment, no_masking_by_ansible, comments, variable
):
    environment.setenv(variable, SECRET)
    task = {**options, "domain": "a.example", "comments": comments}
    created = run_module("sending_domain_restriction", task, diff=True)
    read = run_module("sending_domain_restriction_info", options)
    expected = comments.replace(SECRET, "********")
    assert created["sending_domain_restriction"]["comments"] == expected
    assert read["sending_domain_restrictions"][0]["comments"] == expected
    assert SECRET not in json.dumps([created, read])
