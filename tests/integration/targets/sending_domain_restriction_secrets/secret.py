# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encodes a secret, and searches files for it in every encoding that Ansible and HTTP use.

`secret.py encode SECRET` prints one form a line. `secret.py search SECRET PATH…` prints the lines of
files that have it, also packed, without the secret itself.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import sys
import urllib.parse
import zlib
from typing import Iterator


def encoded(secret: bytes) -> list[bytes]:
    """Return its forms; in base64 it looks different wherever it begins in what is encoded."""
    inside = [base64.b64encode(before + secret + b":x") for before in (b"", b":", b"u:")]
    packed = base64.b64encode(zlib.compress(b"token: " + secret))
    return [secret, urllib.parse.quote(secret, safe="").encode(), *inside, packed]


def decoded(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """Yield the data, and all that can be decoded or unpacked in it."""
    yield data
    yield urllib.parse.unquote_to_bytes(data)
    if depth == 0:
        return
    for run in re.findall(rb"[A-Za-z0-9+/_-]{16,}", data):
        run = run.replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            plain = base64.b64decode(run[start : start + (len(run) - start) // 4 * 4])
            yield from decoded(plain, depth - 1)
            with contextlib.suppress(zlib.error):
                yield from decoded(zlib.decompressobj(47).decompress(plain), depth - 1)


def lines(path: str) -> Iterator[bytes]:
    if os.path.isdir(path):
        for name in os.listdir(path):
            yield from lines(os.path.join(path, name))
    else:
        with open(path, "rb") as file:
            yield from file


action, argument, *paths = sys.argv[1:]
secret = argument.encode()
if action == "encode":
    print("\n".join(form.decode() for form in encoded(secret)))
else:
    for path in paths:
        for line in lines(path):
            if any(secret in data for data in decoded(line)):
                print(line.replace(secret, b"<THE SECRET>").decode(errors="replace").strip()[:400])
