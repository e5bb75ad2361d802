# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import RetryPolicy


@pytest.mark.parametrize(
    ("jitter", "seconds"),
    [
        (0.0, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]),
        (1.0, [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]),
    ],
)
def test_the_backoff_doubles_up_to_30_seconds_and_jitter_shortens_it_by_up_to_half(jitter, seconds):
    policy = RetryPolicy(8, jitter=lambda: jitter)
    assert [policy.backoff(attempt) for attempt in range(8)] == seconds


@pytest.mark.parametrize(
    ("is_transient", "attempt", "allowed"),
    [(True, 0, True), (True, 1, True), (True, 2, False), (False, 0, False)],
)
def test_only_transient_failures_are_retried_up_to_the_limit(is_transient, attempt, allowed):
    error = CloudflareError("no", "try again", UNAVAILABLE, is_transient=is_transient)
    assert RetryPolicy(2).allows(error, attempt, idempotent=True) == allowed


@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize("outcome_unknown", [True, False])
def test_a_call_that_may_have_taken_effect_is_retried_only_if_it_is_idempotent(
    idempotent, outcome_unknown
):
    flags = {"is_transient": True, "outcome_unknown": outcome_unknown}
    error = CloudflareError("no", "try again", UNAVAILABLE, **flags)
    assert RetryPolicy(2).allows(error, 0, idempotent) == (idempotent or not outcome_unknown)
