# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account, with its restrictions and the switches that tests set."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from .restrictions import Restrictions, timestamp


@dataclass
class Account:
    """``latency`` is in seconds, added to the emulator's own."""

    name: str
    email_security: bool = True
    last_modified: bool = True
    latency: float = 0
    restrictions: Restrictions = field(default_factory=Restrictions)
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    created_on: str = field(default_factory=timestamp)

    def document(self) -> dict[str, Any]:
        """As ``GET /accounts`` shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "type": "standard",
            "settings": {"enforce_twofactor": False},
            "created_on": self.created_on,
        }
