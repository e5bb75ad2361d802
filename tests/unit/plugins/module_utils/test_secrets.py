# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _secrets
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    finish,
    hide,
    known_secrets,
    masked,
    secret_forms,
)

SECRET = "a-secret/of~more+than.16=="
ANOTHER = "another-secret-of-more-than-16"


class Module:
    """The part of a module that `hide` and `finish` use."""

    def __init__(self, params):
        self.params = params
        self.no_log_values = set()
        self.warnings, self.ended = [], []
        self.warn = self.warnings.append

    def exit_json(self, **values):
        self.ended.append(("exit", values))

    def fail_json(self, **values):
        self.ended.append(("fail", values))


@pytest.fixture
def registered(monkeypatch):
    """The secrets that ansible-core was told of."""
    secrets = set()
    monkeypatch.setattr(_secrets, "register_secrets", secrets.update)
    return secrets


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        ({"api_token": SECRET}, {}, {SECRET}),
        ({"api_key": SECRET}, {}, {SECRET}),
        ({"api_token": SECRET + "\n"}, {}, {SECRET, SECRET + "\n"}),
        # These are secrets too, although the token of the task is used.
        ({"api_token": SECRET}, {"CLOUDFLARE_API_TOKEN": ANOTHER}, {SECRET, ANOTHER}),
        ({"api_token": SECRET}, {"CLOUDFLARE_API_KEY": ANOTHER}, {SECRET, ANOTHER}),
        ({"api_token": SECRET, "api_key": ANOTHER}, {}, {SECRET, ANOTHER}),
        ({}, {"CLOUDFLARE_API_KEY": "k" * 16}, {"k" * 16}),
    ],
)
def test_all_credentials_of_a_task_and_its_environment_are_secrets(
    environment, options, variables, expected
):
    for name, value in variables.items():
        environment.setenv(name, value)
    assert known_secrets(options) == {form for text in expected for form in secret_forms(text)}


@pytest.mark.parametrize("placeholder", [None, "", "0", "changeme", 15 * "x"])
def test_placeholders_are_not_secrets(environment, placeholder):
    environment.setenv("CLOUDFLARE_API_KEY", placeholder or "")
    assert known_secrets({"api_token": placeholder}) == set()


def test_a_url_with_a_password_is_a_secret(environment):
    environment.setenv("CLOUDFLARE_BASE_URL", "https://a:b@one.example")
    urls = {"https://a:b@one.example", "https://user:secret@two.example"}
    assert known_secrets({"api_url": "https://user:secret@two.example"}) == urls


@pytest.mark.parametrize("before", ["", "u", "u:"])
def test_the_forms_of_a_secret_are_those_within_urls_and_base64(before):
    encoded = base64.b64encode(f"{before}{SECRET}:".encode()).decode()
    forms = secret_forms(SECRET)
    assert {SECRET, quote(SECRET, safe="")} < set(forms)
    assert any(form in encoded for form in forms)


def test_secrets_are_masked_in_every_text_and_key():
    value = {"a": [f"x {SECRET} y", (SECRET, 1)], f"key {SECRET}": {"b": None, "c": True}}
    assert masked(value, {SECRET}) == {
        "a": ["x ******** y", ["********", 1]],
        "key ********": {"b": None, "c": True},
    }


def test_no_rest_of_a_secret_that_contains_another_is_left():
    assert masked(f"{SECRET}-and-more", [SECRET, f"{SECRET}-and-more", ""]) == "********"


@pytest.mark.parametrize(("failed", "how"), [(False, "exit"), (True, "fail")])
def test_a_module_ends_without_secrets_in_its_result_options_and_warnings(registered, failed, how):
    module = Module({"comments": f"with {SECRET}"})
    hide(module, {SECRET})
    finish(module, {"msg": SECRET, "failed": failed}, [f"beware of {SECRET}"])
    assert module.ended[0] == (how, {"msg": "********", "failed": failed})
    assert module.params == {"comments": "with ********"}
    assert module.warnings == ["beware of ********"]


def test_a_placeholder_for_a_secret_does_not_hide_that_a_module_failed(registered):
    module = Module({})
    hide(module, {"e"})
    finish(module, {"msg": "e", "failed": True})
    assert module.ended[0] == ("fail", {"msg": "********", "failed": True})


def test_secrets_are_registered_with_ansible(registered):
    module = Module({})
    hide(module, {SECRET})
    assert registered == module.no_log_values == {SECRET}


def test_secrets_are_not_registered_where_ansible_would_write_them_to_a_file(
    registered, environment
):
    environment.setenv("ANSIBLE_ASYNC_DIR", "/tmp")
    module = Module({})
    hide(module, {SECRET})
    assert registered == set()
    assert module.no_log_values == {SECRET}
