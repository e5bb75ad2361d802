# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for the tests of whole modules."""

from __future__ import annotations

import pytest
import trustme


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    """A private CA; its certificate is in the file `path`."""
    authority = trustme.CA()
    authority.path = str(tmp_path_factory.mktemp("ca") / "ca.pem")
    authority.cert_pem.write_to_path(authority.path)
    return authority
