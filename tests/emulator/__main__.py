# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the emulator: ``python -m emulator --help``."""

from __future__ import annotations

import argparse
import contextlib


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="Serve the Cloudflare API on loopback. Prints its URLs as one line of JSON.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port")
    parser.add_argument("--quota", type=int, default=1200, help="requests per window")
    parser.add_argument("--window", type=float, default=300, help="seconds")
    parser.add_argument("--latency", type=float, default=0, help="seconds added to each response")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="exit at the end of stdin, so that the emulator never outlives its launcher",
    )
    options = parser.parse_args()
    if options.quota < 1 or options.window <= 0 or options.latency < 0:
        parser.error("--quota must be at least 1, --window above 0, and --latency at least 0")
    return options


def main() -> None:
    options = _options()
    with contextlib.suppress(KeyboardInterrupt):
        # Imported here, so that Ctrl-C during the imports is silent too.
        import asyncio

        from .server import serve

        asyncio.run(serve(**vars(options)))


if __name__ == "__main__":
    main()
