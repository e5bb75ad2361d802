# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the nox sessions of noxfile.py as the stages of one test run, three at a time.

With names of sessions as arguments: only these, one after the other, with their output on show.
"""

from __future__ import annotations

import ast
import asyncio
import configparser
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
LOGS = CACHE / "logs"
NOX = [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py")]

AT_ONCE = 3  # on two cores, as the integration tests wait more than they work
TAIL = 60  # lines of a failed stage's log
GRACE = 10  # seconds between asking a process to end and killing it


def environment() -> dict[str, str]:
    """The environment of all stages: nothing is written outside the checkout, no secret gets in."""
    home = CACHE / "home"
    pip = pip_config()
    write_pip_config(home / ".config" / "pip" / "pip.conf", pip)
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "CLOUDFLARE_", "XDG_"))
    }
    if "index-url" in pip:
        own.setdefault("UV_DEFAULT_INDEX", pip["index-url"])
    path = [str(Path(sys.executable).parent), *pyenv_folders(), own["PATH"]]
    return {
        **own,
        "HOME": str(home),
        "PATH": os.pathsep.join(path),
        "UV_PYTHON_DOWNLOADS": "never",
    }


def pyenv_folders() -> list[str]:
    """Where pyenv's interpreters are: its shims run only those that are switched on."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [str(folder) for folder in root.glob("versions/3.*/bin")]


def pip_config() -> dict[str, str]:
    """What pip's files and environment say in force, as ansible-test passes no variables on."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    values = {}
    # The environment's come first, and win.
    for line in reversed(lines):
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in ("global", ":env:"):
            values[name] = ast.literal_eval(value)
    return values


def write_pip_config(path: Path, values: dict[str, str]) -> None:
    config = configparser.RawConfigParser()
    config["global"] = values
    path.parent.mkdir(parents=True, exist_ok=True)
    # It may hold the password of a package index.
    path.touch(mode=0o600)
    with path.open("w") as file:
        config.write(file)


async def run_stage(name: str, env: dict[str, str], log: Path | None) -> tuple[str, str]:
    """Run one session; returns its status and, if it was skipped, the reason."""
    report = LOGS / f"{name}.json"
    report.unlink(missing_ok=True)
    command = [*NOX, "--session", name, "--report", str(report)]
    output = log.open("wb") if log else None
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await end(process)
            raise
    finally:
        if output:
            output.close()
    if code:
        return "FAILED", ""
    sessions = json.loads(report.read_text())["sessions"]
    if all(session["result"] == "skipped" for session in sessions):
        found = log and re.search(r"skipped: (.*?)\.?\s*$", log.read_text(), re.MULTILINE)
        return "skipped", found[1] if found else "see above"
    return "ok", ""


async def end(process: asyncio.subprocess.Process) -> None:
    """End a process and all that it started, those in sessions of their own included."""
    try:
        parent = psutil.Process(process.pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    try:
        # Python programs clean up after an interrupt, not after a termination.
        send(signal.SIGINT, family)
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        pass
    finally:
        send(signal.SIGKILL, family)


def send(number: signal.Signals, processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


async def run_all(names: list[str], env: dict[str, str]) -> list[str]:
    """Run `build`, and then the stages, each with a line when it ends; returns the statuses."""
    width = max(map(len, names))
    turn = asyncio.Semaphore(AT_ONCE)

    async def run(name: str) -> str:
        async with turn:
            log = LOGS / f"{name}.log"
            start = time.monotonic()
            status, reason = await run_stage(name, env, log)
            seconds = time.monotonic() - start
            note = f"  {reason}" if reason else ""
            print(f"{name:{width}}  {status:7}  {seconds:5.1f} s{note}", flush=True)
            if status == "FAILED":
                tail = log.read_text(errors="replace").splitlines()[-TAIL:]
                print(*(f"    {line}" for line in tail), f"    The whole log: {log}", sep="\n")
            return status

    first = await run("build")
    if first != "ok":
        return [first]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(name)) for name in names]
    return [first, *(task.result() for task in tasks)]


async def run_visibly(names: list[str], env: dict[str, str]) -> list[str]:
    statuses = []
    for name in ["build", *names]:
        log = LOGS / "build.log" if name == "build" else None
        status, _ = await run_stage(name, env, log)
        if log and status == "FAILED":
            print(log.read_text(errors="replace"))
            return [status]
        statuses.append(status)
    return statuses[1:]


async def main(chosen: list[str]) -> int:
    task: Any = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    LOGS.mkdir(parents=True, exist_ok=True)
    env = environment()
    start = time.monotonic()
    if chosen:
        statuses = await run_visibly(chosen, env)
    else:
        listing = [*NOX, "--list-sessions", "--json"]
        sessions = json.loads(
            subprocess.run(listing, check=True, capture_output=True, env=env).stdout
        )
        statuses = await run_all([session["session"] for session in sessions], env)
    count = Counter(statuses)
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    print(f"\n{minutes} min {seconds} s; the logs are in {LOGS}")
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    print(f"{count['ok']} passed, {count['FAILED']} failed{skipped}")
    return int(count["FAILED"] > 0)


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(sys.argv[1:])))
    except asyncio.CancelledError:
        sys.exit("Stopped.")
