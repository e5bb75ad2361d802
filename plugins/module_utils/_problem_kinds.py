# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of problems for which a task as a whole fails, for programs to tell them apart."""

from __future__ import annotations

from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CREDENTIALS,
    INTERRUPTED,
    RATE_LIMITED,
    REFUSED,
    UNAVAILABLE,
    UNEXPECTED,
)

OPTIONS = "options"
INVALID_LIST = "invalid_list"
GUARD = "guard"
FAILURES = "failures"
REPORT = "report"
PROBLEM_KINDS = (
    OPTIONS,
    INVALID_LIST,
    CREDENTIALS,
    REFUSED,
    UNAVAILABLE,
    RATE_LIMITED,
    GUARD,
    FAILURES,
    REPORT,
    INTERRUPTED,
    UNEXPECTED,
)
