# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs Python with the other arguments, and appends its peak memory (KiB) to the file in the first one."""

from __future__ import annotations

import os
import sys

notes, *arguments = sys.argv[1:]
child = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, *arguments])
_child, status, usage = os.wait4(child, 0)
with open(notes, "a", encoding="ascii") as file:
    print(usage.ru_maxrss, file=file)
sys.exit(os.waitstatus_to_exitcode(status))
