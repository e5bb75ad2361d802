# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    MIN_SECRET_LENGTH,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
    UnknownOutcome,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._time_slice import (
    MAX_WAIT,
    TimeSlice,
)

NO_LIMIT = float("inf")


def time_slice_of(option, secrets=("a-secret-of-20-letters",)):
    return TimeSlice.of(
        SimpleNamespace(params={"controller": {"time_slice": option}}, no_log_values=set(secrets))
    )


@pytest.mark.parametrize(
    ("option", "secrets", "limits"),
    [
        (None, [], (NO_LIMIT, NO_LIMIT)),
        ({"seconds": 4}, [], (4, MAX_WAIT)),
        # Masking could garble what it reports to the next slice.
        ({"seconds": 4}, ["short"], (NO_LIMIT, NO_LIMIT)),
        ({"seconds": 4}, ["x" * MIN_SECRET_LENGTH], (4, MAX_WAIT)),
        # If every slice ended at the rate limit, the run would not end.
        ({"seconds": 4, "progress": {"is_stalled": True}}, [], (4, NO_LIMIT)),
    ],
    ids=["whole run", "part", "short secret", "shortest masked secret", "after a stalled slice"],
)
def test_the_limits_of_a_slice(option, secrets, limits):
    time_slice = time_slice_of(option, secrets)
    assert (time_slice.seconds, time_slice.max_wait) == limits
    assert time_slice.is_part == (time_slice.seconds < NO_LIMIT)


def test_the_next_slice_gets_all_progress_of_the_one_before():
    progress = Progress(
        created=["a.example"],
        updated=["d.example"],
        tightened=["e.example"],
        failed=["b.example"],
        failed_to_protect={"b.example": "the create for b.example failed"},
        unknown_outcomes={"c.example": UnknownOutcome("update", "both", {"id": "1"})},
        consecutive_failures=1,
        refusals=2,
        read_attempts=3,
        blocked_until=4.5,
        has_batch_call=False,
        is_stalled=True,
        is_planned=True,
    )
    given = json.loads(json.dumps({"seconds": 10, "progress": progress.as_dict()}))
    assert time_slice_of(given).progress == progress
