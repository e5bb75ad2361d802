# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The JSON Schema of reports, as the collection ships it."""

from __future__ import annotations

import json

import jsonschema
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._controller import MANIFEST

_FILE = MANIFEST.parent / "docs" / "report.schema.json"
SCHEMA = json.loads(_FILE.read_text(encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(SCHEMA)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
