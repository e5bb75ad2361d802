# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the Cloudflare API on loopback, as strict as the original or stricter.

Run it with ``python -m emulator``; tests start it through ``emulator.harness``, which needs
no more than Python 3.8 and requests. The server itself needs Python 3.11, aiohttp and pydantic.
"""
