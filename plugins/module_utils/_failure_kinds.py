# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of failures, for programs to tell them apart."""

from __future__ import annotations

REFUSED = "refused"
CREDENTIALS = "credentials"
UNAVAILABLE = "unavailable"
RATE_LIMITED = "rate_limited"
OUTCOME_UNKNOWN = "outcome_unknown"
CONFLICT = "conflict"
INTERRUPTED = "interrupted"
DUPLICATES = "duplicates"
INVALID = "invalid"
HELD_BACK = "held_back"
NOT_ATTEMPTED = "not_attempted"
UNEXPECTED = "unexpected"
