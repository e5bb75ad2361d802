# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls without a response; the tests of the client have those that real servers cause."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._lost_call import (
    lost_call,
)
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout

LOST = "the connection to api.example was lost; try again later"


def lost(error):
    return lost_call("GET …/x", "api.example", 30.0, error)


def raised_from(error, cause, is_hidden=False):
    error.__context__ = cause
    error.__suppress_context__ = is_hidden
    return error


def test_a_timeout_while_connecting_means_that_nothing_was_sent():
    error = lost(ConnectTimeout("slow"))
    assert str(error).startswith("could not connect to api.example; ")
    assert (error.is_transient, error.outcome_unknown) == (True, False)


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (RequestsConnectionError("gone"), "gone"),
        (raised_from(RequestsConnectionError("gone"), OSError("unplugged")), "unplugged"),
        (raised_from(RequestsConnectionError("gone"), OSError("hidden"), True), "gone"),
        # The text of such an error means nothing to users.
        (raised_from(RequestsConnectionError("gone"), KeyError("x")), "KeyError"),
    ],
)
def test_the_first_cause_of_a_lost_connection_is_shown(error, detail):
    assert str(lost(error)) == f"{LOST} (GET …/x: {detail})"
    assert lost(error).outcome_unknown


def test_errors_that_cause_each_other_end_in_a_message():
    error, cause = RequestsConnectionError("gone"), OSError("unplugged")
    raised_from(error, raised_from(cause, error))
    assert str(lost(error)) == f"{LOST} (GET …/x: unplugged)"
