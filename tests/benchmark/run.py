# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares the collection with its alternatives in one run, against an emulator.

Prints a table, and writes the figures to the file in its argument. `make bench` runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from emulator.harness import Account, Emulator  # noqa: E402

PYTHON = sys.executable
NO_QUOTA = 10_000_000
LATENCY = 0.1  # seconds
CONCURRENCY = 10
MODULE = "cloudflare_email.security.sending_domain_restrictions"
SENDERS_MODULE = "cloudflare_email.security.sending_domain_senders_info"
SINGLE_MODULE = "cloudflare_email.security.sending_domain_restriction"


class Bench:
    """Runs measurements on an emulator; each one is a row of the table."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self.rows: list[dict[str, object]] = []
        self.emulator = emulator
        self._directory = directory

    def account(self, latency: float = 0.0, restrictions: int = 0) -> Account:
        seed = [{"domain": f"d{number}.example"} for number in range(restrictions)]
        return self.emulator.create_account(latency=latency, quota=NO_QUOTA, restrictions=seed)

    def url(self, account: Account) -> str:
        resource = "email-security/settings/sending_domain_restrictions"
        return f"{self.emulator.url}/accounts/{account.id}/{resource}"

    def play(self, account: Account, *tasks: dict[str, object], **variables: object) -> float:
        """Return how many seconds `ansible-playbook` takes with these tasks."""
        playbook = self._directory / "playbook.yml"
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks, "vars": variables}
        playbook.write_text(json.dumps([play]))
        return self._run(account, PYTHON, "-m", "ansible", "playbook", str(playbook))

    def playbook(self, account: Account, name: str, **variables: object) -> float:
        """Return how many seconds a playbook of the collection takes."""
        given = [f"--extra-vars={name}={value}" for name, value in variables.items()]
        playbook = f"cloudflare_email.security.{name}"
        return self._run(account, PYTHON, "-m", "ansible", "playbook", playbook, *given)

    def script(self, account: Account, name: str, *arguments: object) -> float:
        """Return how many seconds a script of this directory takes."""
        return self._run(account, PYTHON, str(HERE / name), *map(str, arguments))

    def memory(self, account: Account, task: dict[str, object]) -> float:
        """Return the peak memory of a task's module, in MB."""
        notes, interpreter = self._directory / "notes", self._directory / "python"
        interpreter.write_text(
            f'#!/bin/sh\nexec "{PYTHON}" "{HERE}/peak_memory.py" "{notes}" "$@"\n'
        )
        interpreter.chmod(0o700)
        self.play(account, task, ansible_python_interpreter=str(interpreter))
        return max(map(int, notes.read_text().split())) * 1024 / 1e6

    def row(self, work: str, how: str, seconds: float, account: Account, **more: object) -> None:
        calls = dict(Counter(account.calls()))
        account.clear_requests()
        row = {"work": work, "how": how, "seconds": round(seconds, 2), "calls": calls, **more}
        self.rows.append(row)
        notes = ", ".join(f"{name}: {value}" for name, value in more.items())
        counted = ", ".join(f"{number} {call}" for call, number in sorted(calls.items()))
        print(f"| {work} | {how} | {seconds:.2f} | {counted} | {notes} |", flush=True)

    def _run(self, account: Account, *command: str) -> float:
        environment = {
            **os.environ,
            "CLOUDFLARE_ACCOUNT_ID": account.id,
            "CLOUDFLARE_API_TOKEN": account.tokens["write"],
            "CLOUDFLARE_BASE_URL": self.emulator.url,
            "ANSIBLE_HOME": str(self._directory),
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_REMOTE_TEMP": str(self._directory / "tmp"),
            "NO_PROXY": "127.0.0.1",
        }
        start = time.monotonic()
        quiet = subprocess.DEVNULL
        subprocess.run(command, env=environment, cwd=self._directory, check=True, stdout=quiet)
        return time.monotonic() - start


def many(count: int, **options: object) -> dict[str, object]:
    """A task of the plural module for `count` domains."""
    restrictions = [{"domain": f"d{number}.example"} for number in range(count)]
    return {MODULE: {"restrictions": restrictions, "concurrency": CONCURRENCY, **options}}


def uri(bench: Bench, account: Account, count: int) -> dict[str, object]:
    """A task that creates `count` restrictions in a loop, without the collection."""
    return {
        "ansible.builtin.uri": {
            "url": bench.url(account),
            "method": "POST",
            "body_format": "json",
            "body": {"domain": "d{{ item }}.example", "exclude": []},
            "headers": {"Authorization": f"Bearer {account.tokens['write']}"},
            "status_code": 201,
        },
        "loop": list(range(count)),
    }


def thousand_creates(bench: Bench) -> None:
    work = f"1,000 creates, {LATENCY * 1000:.0f} ms latency"
    account = bench.account(LATENCY)
    token = account.tokens["write"]
    floor = bench.script(
        account, "lower_bound_of_creates.py", bench.url(account), token, 1000, CONCURRENCY
    )
    bench.row(work, "thread pool with requests (lower bound)", floor, account)
    account = bench.account(LATENCY)
    ours = bench.play(account, many(1000))
    bench.row(
        work, "sending_domain_restrictions", ours, account, to_lower_bound=round(ours / floor, 2)
    )
    again = bench.play(account, many(1000))
    bench.row("the same list again", "sending_domain_restrictions", again, account)
    account = bench.account(LATENCY)
    arguments = (bench.emulator.url, account.tokens["write"], account.id, 1000)
    sdk = bench.script(account, "creates_with_sdk.py", *arguments)
    bench.row(work, "script with the cloudflare SDK", sdk, account, slower=round(sdk / ours, 1))
    account = bench.account(LATENCY)
    loop = bench.play(account, uri(bench, account, 50)) * 20
    how = "ansible.builtin.uri in a loop (50, scaled)"
    bench.row(work, how, loop, account, slower=round(loop / ours, 1))


def nothing_to_do(bench: Bench) -> None:
    for count in (100, 1000, 10_000):
        account = bench.account(restrictions=count)
        work = f"{count:,} on the account and in the list"
        seconds = bench.play(account, many(count))
        memory = round(bench.memory(bench.account(restrictions=count), many(count)))
        bench.row(work, "sending_domain_restrictions", seconds, account, peak_MB=memory)


def pruning(bench: Bench) -> None:
    account = bench.account(restrictions=10_000)
    seconds = bench.play(account, many(5000, prune=True, max_delete_percent=50))
    bench.row("prune 5,000 of 10,000", "sending_domain_restrictions", seconds, account)


def files(bench: Bench) -> None:
    account = bench.account(restrictions=10_000)
    work = "10,000 in a file, nothing to change"
    plain = bench.play(account, many(10_000))
    bench.row(work, "sending_domain_restrictions with a variable", plain, account)
    for extension in ("yml", "csv"):
        file = f"list.{extension}"
        for name in ("export", "apply", "drift"):
            seconds = bench.playbook(account, name, restrictions_file=file)
            ratio = round(seconds / plain, 2)
            bench.row(work, f"playbook {name}, {file}", seconds, account, to_variable=ratio)
    reports = {"report_html": "report.html", "report_markdown": "report.md"}
    with_reports = bench.playbook(account, "drift", restrictions_file="list.yml", **reports)
    bench.row(work, "playbook drift, list.yml, two reports", with_reports, account)


def senders(bench: Bench) -> None:
    """Who sends as 1,000 domains, beside the bare calls; and the memory for a domain with much mail."""
    count, each, latency = 1000, 100, 0.05
    work = (
        f"the senders of {count:,} domains, {each} messages each, {latency * 1000:.0f} ms latency"
    )
    names = [f"d{number}.example" for number in range(count)]
    messages = [{"envelope_from": f"a@{name}", "times": each} for name in names]
    account = bench.account(latency, count)
    account.seed_messages(messages)
    url, token = bench.url(account), account.tokens["write"]
    # The first search of an account makes the emulator build an index.
    bench.script(account, "lower_bound_of_searches.py", url, token, 1, 1)
    account.clear_requests()
    floor = bench.script(account, "lower_bound_of_searches.py", url, token, count, CONCURRENCY)
    bench.row(work, "thread pool with requests (lower bound)", floor, account)
    ours = bench.play(account, {SENDERS_MODULE: {"concurrency": CONCURRENCY}})
    ratio = round(ours / floor, 2)
    bench.row(work, "sending_domain_senders_info", ours, account, to_lower_bound=ratio)
    account = bench.account()
    account.seed_messages([{"envelope_from": "a@d0.example", "times": 100_000}])
    task = {SENDERS_MODULE: {"domains": ["d0.example"], "max_messages": 100_000}}
    memory = round(bench.memory(account, task))
    account.clear_requests()
    work = "the senders of one domain, 100,000 messages"
    seconds = bench.play(account, task)
    bench.row(work, "sending_domain_senders_info", seconds, account, peak_MB=memory)


def one_task(bench: Bench) -> None:
    count = 20
    start_up = min(
        bench.play(bench.account(), {"ansible.builtin.debug": {"msg": ""}}) for _time in range(2)
    )
    seconds = {}
    for how in ("ansible.builtin.uri", "sending_domain_restriction"):
        tries = []
        for _time in range(3):
            account = bench.account()
            task = uri(bench, account, count)
            if how != "ansible.builtin.uri":
                task = {SINGLE_MODULE: {"domain": "d{{ item }}.example"}, "loop": task["loop"]}
            tries.append((bench.play(account, task) - start_up) / count)
        seconds[how] = min(tries)
        ratio = round(seconds[how] / seconds["ansible.builtin.uri"], 2)
        bench.row("one create (1 of 20)", how, seconds[how], account, to_uri=ratio)


def main() -> None:
    output = Path(sys.argv[1])
    print("| work | how | seconds | calls | |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as directory, Emulator() as emulator:
        bench = Bench(emulator, Path(directory))
        for measure in (thousand_creates, nothing_to_do, pruning, files, senders, one_task):
            measure(bench)
    output.write_text(json.dumps(bench.rows, indent=2) + "\n")
    print(f"\nThe figures are in {output}")


if __name__ == "__main__":
    main()
