# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows the main job: builds and installs the collection, and runs playbook.yml on an emulator.

All it makes lies in one folder below .cache, which is removed at the end, also on Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAYBOOK = ROOT / "demo" / "playbook.yml"

sys.path.insert(0, str(ROOT / "tests"))

from emulator.harness import Emulator  # noqa: E402

YOUR_TURN = """\
The same on your own account:

    ansible-galaxy collection install "{root}"
    export CLOUDFLARE_ACCOUNT_ID=...  # 32 hexadecimal digits
    export CLOUDFLARE_API_TOKEN=...   # with the permission Cloud Email Security: Write

    - name: Require TLS from a partner
      hosts: localhost
      tasks:
        - cloudflare_email.security.sending_domain_restriction:
            domain: partner.example

Look first, with: ansible-playbook --check --diff playbook.yml
"""


def demonstrate(folder: Path) -> None:
    """Run the demo in `folder`; raises `CalledProcessError` when one of its steps fails."""
    with Emulator() as emulator:
        account = emulator.create_account()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
        environment = {
            **inherited,
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder),
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
            "CLOUDFLARE_ACCOUNT_ID": account.id,
            "CLOUDFLARE_API_TOKEN": account.tokens["write"],
            "CLOUDFLARE_BASE_URL": emulator.url,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        (folder / "ansible.cfg").touch()

        def run(*command: str | Path, output: int | None = None) -> None:
            ansible = [sys.executable, "-m", "ansible"]
            subprocess.run([*ansible, *command], env=environment, stdout=output, check=True)

        print("Building the collection from this checkout, and installing it ...", flush=True)
        collection = ("galaxy", "collection")
        quiet = subprocess.DEVNULL
        run(*collection, "build", ROOT, "--output-path", folder, output=quiet)
        (tarball,) = folder.glob("*.tar.gz")
        run(*collection, "install", "--offline", "--no-deps", "-p", folder, tarball, output=quiet)
        print(
            f"Running {PLAYBOOK.relative_to(ROOT)} against an emulator of the API ...", flush=True
        )
        run("playbook", PLAYBOOK)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="demo-", dir=cache) as folder:
            demonstrate(Path(folder))
    except KeyboardInterrupt:
        return 130
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(YOUR_TURN.format(root=ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
