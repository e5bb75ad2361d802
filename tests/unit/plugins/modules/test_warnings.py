# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys

import pytest
from in_process import Task, run_module

SINGLE = "sending_domain_restriction"
PLURAL = "sending_domain_restrictions"
INFO = "sending_domain_restriction_info"
EXPORT = "sending_domain_restrictions_export"


@pytest.mark.parametrize(
    ("module", "given"),
    [
        ("sending_domain_restriction", {"domain": "a.example"}),
        ("sending_domain_restrictions", {"restrictions": [{"domain": "a.example"}]}),
        ("sending_domain_restriction_info", {}),
    ],
)
def test_every_module_passes_on_the_messages_of_cloudflare(emulator, account, module, given):
    messages = {"messages": [{"code": 1, "message": "Soon gone"}]}
    account.fault(calls=["list"], kind="merge", set=messages)
    credentials = {"account_id": account.id, "api_token": account.tokens["write"]}
    result = run_module(module, {**credentials, "api_url": emulator.url, **given})
    assert "Soon gone" in str(result["warnings"])


def text_of(warning):
    """Return the text of a warning, which is an object since ansible-core 2.19."""
    return warning["event"]["msg"] if isinstance(warning, dict) else warning


DAMAGED = [
    {"domain": "a.example", "comments": "x\ud800y"},
    {"domain": "b\ud800.example", "exclude": ["\udfff.b\ud800.example"]},
    *({"domain": f"c{number}.example", "comments": "\ud800"} for number in range(9)),
]


@pytest.mark.promise("Text from the account cannot control your terminal")
@pytest.mark.parametrize(
    ("module", "given"),
    [
        (SINGLE, {"domain": "z.example"}),
        (PLURAL, {"restrictions": [{"domain": "z.example"}]}),
        (INFO, {}),
        (EXPORT, {}),
    ],
)
@pytest.mark.parametrize("diff", [False, True])
def test_half_of_a_character_is_named_with_its_restriction_and_not_changed(
    account, options, tmp_path, module, given, diff
):
    before = account.seed(DAMAGED)
    if module == EXPORT:
        if sys.version_info < (3, 10):
            pytest.skip("controllers need Python 3.10")
        result = Task({**options, "path": str(tmp_path / "a.yml")}, name=EXPORT, diff=diff).run()
    else:
        result = run_module(module, {**options, **given}, diff=diff)
    assert not result.get("failed")
    (warning,) = [text for text in map(text_of, result["warnings"]) if "surrogate" in text]
    ids = [record["id"] for record in before]
    assert warning.startswith(
        "Cloudflare returned half of a character (a lone surrogate) in"
        f" comments of a.example (ID {ids[0]}), domain and exclude of b\ufffd.example (ID {ids[1]}), "
    )
    assert " and 6 more, which is shown as \ufffd and not changed " in warning
    assert account.restrictions()[: len(before)] == before
    assert json.dumps(result, ensure_ascii=False).encode("utf-8")


def test_an_export_keeps_a_comment_with_half_of_a_character(account, options, tmp_path):
    if sys.version_info < (3, 10):
        pytest.skip("controllers need Python 3.10")
    before = account.seed(DAMAGED[:1])
    for name in ("a.yml", "a.csv"):
        path = str(tmp_path / name)
        Task({**options, "path": path}, name=EXPORT).run()
        result = Task({**options, "file": path, "prune": True}).run()
        assert not result["changed"]
    assert account.restrictions() == before


def test_one_restriction_is_named_without_raw_escape_sequences(account, options):
    (restriction,) = account.seed([{"domain": "\x1b[2J.example"}])
    result = run_module(SINGLE, {**options, "id": restriction["id"], "state": "absent"})
    assert result["msg"] == "\\u001b[2j.example deleted"


def test_half_of_a_character_is_named_if_only_its_restriction_is_read(account, options):
    (restriction,) = account.seed(DAMAGED[:1])
    result = run_module(INFO, {**options, "id": restriction["id"]})
    assert result["sending_domain_restrictions"][0]["comments"] == "x\ufffdy"
    assert "surrogate" in str(result["warnings"])


@pytest.mark.promise("Values that Cloudflare stores differently are named")
@pytest.mark.parametrize(
    ("switches", "sent", "stored"),
    [
        ({"stored_comments": "trimmed"}, {"comments": " x "}, {"comments": "x"}),
        ({"stored_comments": "html_escaped"}, {"comments": "a & b"}, {"comments": "a &amp; b"}),
        (
            {"simplify_exclude": True},
            {"exclude": ["b.a.example", "c.b.a.example"]},
            {"exclude": ["b.a.example"]},
        ),
    ],
)
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_a_value_that_cloudflare_changes_is_reported_and_counts_once(
    account, options, module, switches, sent, stored
):
    account.change(**switches)
    entry = {"domain": "a.example", **sent}
    options = {**options, **(entry if module == SINGLE else {"restrictions": [entry]})}
    runs = [run_module(module, options) for _run in range(2)]
    (record,) = account.restrictions()
    assert stored.items() <= record.items()
    assert [run["changed"] for run in runs] == [True, False]
    for run in runs:
        (warning,) = map(text_of, run["warnings"])
        assert warning.startswith("Cloudflare stored ")
    again = runs[1]
    if module == SINGLE:
        assert again["msg"] == "a.example unchanged"
        assert stored.items() <= again["sending_domain_restriction"].items()
        assert stored.items() <= again["previous"].items()
    else:
        assert (again["updated"], again["unchanged"]) == ([], 1)
        assert stored.items() <= runs[0]["created"][0].items()
    # Written as it is stored, it stays.
    options.update(stored if module == SINGLE else {"restrictions": [{**entry, **stored}]})
    account.clear_requests()
    assert not run_module(module, options)["changed"]
    assert [request["call"] for request in account.requests()] == ["list"]
