# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows the main features: builds and installs the collection, and runs playbook.yml on an emulator.

Then it applies a spreadsheet with the collection's playbooks, finds a sender that would have lost its
mail, and shows what somebody else changed in the dashboard. Everything is in one directory below
.cache, which is removed at the end, also after Ctrl-C. Only the report stays.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAYBOOK = ROOT / "demo" / "playbook.yml"
REPORT = ROOT / ".cache" / "demo-report.html"
PARTNERS = 200
NEW_PARTNER = "new-partner.example"
NEWSLETTER = f"newsletter.{NEW_PARTNER}"
MESSAGES = [{"envelope_from": f"news@{NEWSLETTER}", "times": 412}]

sys.path.insert(0, str(ROOT / "tests"))

from emulator.harness import Account, Emulator  # noqa: E402

# The exit status of ansible-playbook if a task failed.
FAILED_HOST = 2

NEXT_STEPS = """\
The report: {report}

To read the restrictions of your own account into a spreadsheet, which changes nothing:

    ansible-galaxy collection install "{root}"
    python3 -m pip install requests   # where Ansible is installed
    export CLOUDFLARE_ACCOUNT_ID=...  # 32 hexadecimal digits
    export CLOUDFLARE_API_TOKEN=...   # with the permission Cloud Email Security: Read
    ansible-playbook cloudflare_email.security.export -e restrictions_file=partners.csv

README.md and docs/docsite/rst/getting_started.rst show the next steps.
"""


def demonstrate(directory: Path) -> None:
    """Run the demo in `directory`; raises `CalledProcessError` if a step fails."""
    with Emulator() as emulator:
        account = emulator.create_account()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
        environment = {
            **inherited,
            "ANSIBLE_COLLECTIONS_PATH": str(directory),
            "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
            "ANSIBLE_HOME": str(directory),
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_REMOTE_TEMP": str(directory / "tmp"),
            "CLOUDFLARE_ACCOUNT_ID": account.id,
            "CLOUDFLARE_API_TOKEN": account.tokens["write"],
            "CLOUDFLARE_BASE_URL": emulator.url,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        (directory / "ansible.cfg").touch()

        def run(*command: str | Path, output: int | None = None, expected: int = 0) -> None:
            ansible = [sys.executable, "-m", "ansible"]
            done = subprocess.run(
                [*ansible, *command], env=environment, stdout=output, cwd=directory
            )
            if done.returncode != expected:
                raise subprocess.CalledProcessError(done.returncode, command)

        print("Building and installing the collection from this checkout ...", flush=True)
        collection = ("galaxy", "collection")
        quiet = subprocess.DEVNULL
        run(*collection, "build", ROOT, "--output-path", directory, output=quiet)
        (tarball,) = directory.glob("*.tar.gz")
        run(
            *collection, "install", "--offline", "--no-deps", "-p", directory, tarball, output=quiet
        )
        print(
            f"Running {PLAYBOOK.relative_to(ROOT)} against an emulator of the API ...", flush=True
        )
        run("playbook", PLAYBOOK)

        print(f"\nApplying partners.csv, a spreadsheet of {PARTNERS} domains ...", flush=True)
        write_spreadsheet(directory / "partners.csv")
        given = ("-e", "restrictions_file=partners.csv", "-e", "prune=true")
        run("playbook", "cloudflare_email.security.apply", *given)
        print(
            "\nA new partner in partners.csv: who would need TLS that does not today?", flush=True
        )
        account.seed_messages(MESSAGES)
        add_to_spreadsheet(directory / "partners.csv", exclude="")
        impact = ("-e", "impact_days=30", "-e", "max_affected_messages=0")
        run("playbook", "cloudflare_email.security.apply", *given, *impact, expected=FAILED_HOST)
        print("\nIts newsletter is excluded, and the list applied ...", flush=True)
        add_to_spreadsheet(directory / "partners.csv", exclude=NEWSLETTER)
        run("playbook", "cloudflare_email.security.apply", *given, *impact)

        print(
            "\nSomebody adds a domain in the dashboard, and clears an exclude list ...", flush=True
        )
        change_in_the_dashboard(account)
        print("Drift: the nightly job fails and shows the differences ...", flush=True)
        report = ("-e", f"report_html={REPORT}")
        drift = ("playbook", "--diff", "cloudflare_email.security.drift", *given, *report)
        run(*drift, expected=FAILED_HOST)


def write_spreadsheet(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["domain", "exclude", "comments"])
        for number in range(1, PARTNERS + 1):
            domain = f"partner{number:03}.example"
            exclude = f"newsletter.{domain}" if number % 4 == 0 else ""
            table.writerow([domain, exclude, "TLS agreed with their postmaster"])


def add_to_spreadsheet(path: Path, exclude: str) -> None:
    write_spreadsheet(path)
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerow([NEW_PARTNER, exclude, "Added today"])


def change_in_the_dashboard(account: Account) -> None:
    restrictions = account.restrictions()
    changed = next(known for known in restrictions if known["exclude"])
    changed["exclude"] = []
    account.seed([*restrictions, {"domain": "unknown.example"}])


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="demo-", dir=cache) as directory:
            demonstrate(Path(directory))
    except KeyboardInterrupt:
        return 130
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(NEXT_STEPS.format(root=ROOT, report=REPORT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
