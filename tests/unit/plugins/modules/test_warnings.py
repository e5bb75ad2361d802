# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from in_process import run_module


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
