# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._call import Call

ID = "F174E90A-fafe-4643-bbbc-4a0ed4fc8415"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("settings/sending_domain_restrictions", "sending_domain_restrictions"),
        (f"settings/sending_domain_restrictions/{ID}", "sending_domain_restrictions/{id}"),
        ("settings/sending_domain_restrictions/batch", "sending_domain_restrictions/batch"),
        ("investigate", "investigate"),
    ],
)
def test_the_name_of_a_call_has_neither_the_account_nor_an_id(path, name):
    assert Call("GET", f"/accounts/0123/email-security/{path}").name == f"GET …/{name}"


def test_a_call_that_polls_is_named_after_the_one_that_began_it():
    began = "/accounts/0123/email-security/investigate"
    assert Call("GET", began + "/jobs/77?x=1", polled_path=began).name == "GET …/investigate"
