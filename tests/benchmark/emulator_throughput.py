# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests a second the emulator sustains: run this file, read the lines it prints.

The client is plain sockets and pre-built requests, so that it takes as little as possible of the
machine that both share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emulator.harness import Account, Emulator

SEEDS = [{"domain": f"d{n}.example", "comments": "partner"} for n in range(10_000)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    with Emulator(quota=10**9) as emulator:
        for name, account, request in _loads(emulator):
            finished, elapsed = asyncio.run(
                _drive(emulator.url, request, options.connections, options.seconds)
            )
            print(f"{name:<50} {finished / elapsed:8.0f} requests/s", flush=True)
            account.seed([])


def _loads(emulator: Emulator):
    small = emulator.create_account(restrictions=SEEDS[:20])
    yield "list 20", small, _request(emulator, small, "GET", "?per_page=20")
    empty = emulator.create_account()
    body = {"domain": "a.example", "exclude": ["b.a.example"], "comments": "partner"}
    yield "create", empty, _request(emulator, empty, "POST", "", body)
    large = emulator.create_account(restrictions=SEEDS)
    path = "/" + large.restrictions()[5000]["id"]
    yield "get, one of 10,000", large, _request(emulator, large, "GET", path)
    large.seed(SEEDS)
    path = "/" + large.restrictions()[5000]["id"]
    request = _request(emulator, large, "PATCH", path, {"comments": "other"})
    yield "update, one of 10,000", large, request
    large.seed(SEEDS)
    yield "list 1,000 of 10,000", large, _request(emulator, large, "GET", "?per_page=1000&page=5")


def _request(
    emulator: Emulator, account: Account, method: str, path: str, body: object = None
) -> bytes:
    base = urlsplit(emulator.url).path
    resource = f"/accounts/{account.id}/email-security/settings/sending_domain_restrictions"
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {base}{resource}{path} HTTP/1.1\r\nHost: emulator\r\n"
        f"Authorization: Bearer {account.tokens['write']}\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def _drive(url: str, request: bytes, connections: int, seconds: float) -> tuple[int, float]:
    started = time.monotonic()
    counts = await asyncio.gather(
        *(_converse(url, request, started + seconds) for dummy in range(connections))
    )
    return sum(counts), time.monotonic() - started


async def _converse(url: str, request: bytes, deadline: float) -> int:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    count = 0
    while time.monotonic() < deadline:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(head.decode())
        length = next(
            int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")
        )
        await reader.readexactly(length)
        count += 1
    writer.close()
    return count


if __name__ == "__main__":
    main()
