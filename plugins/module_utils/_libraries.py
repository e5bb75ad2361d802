# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python libraries that modules need in addition to ansible-core.

Importing this module never fails: `IMPORT_ERROR` says what is missing, so that a task can report it.
"""

from __future__ import annotations

__all__ = ["IMPORT_ERROR", "idna", "requests", "urllib3"]

IMPORT_ERROR: ImportError | None = None
try:
    import idna
    import requests
    import urllib3
except ImportError as error:
    idna = requests = urllib3 = None  # type: ignore[assignment]
    IMPORT_ERROR = error
