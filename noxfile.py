# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each stage of the tests does; `make test` runs them all, see tests/stages.py.

Tests run the built and installed collection. Most linters come from antsibull-nox.toml.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import antsibull_nox
import nox

ROOT = Path(__file__).parent
COLLECTIONS = ROOT / ".cache" / "collections"
COLLECTION = Path("ansible_collections", "cloudflare_email", "security")
DEPENDENCIES = nox.project.load_toml("pyproject.toml")

# Which Python runs which ansible-core: the first one that is there.
CONTROLLERS = {
    "2.16": ["3.12", "3.11", "3.10"],
    "2.19": ["3.11", "3.12", "3.13"],
    "2.21": ["3.14", "3.13", "3.12"],
}

# The emulator needs Python 3.11 and runs on that of the tools, whoever talks to it.
EMULATOR_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False


def is_there(python: str) -> bool:
    """Whether this Python runs; a version manager's shim can be there and not run."""
    try:
        return not subprocess.run([f"python{python}", "-c", ""], capture_output=True).returncode
    except FileNotFoundError:
        return False


def first_there(pythons: list[str]) -> str:
    return next(filter(is_there, pythons), pythons[0])


def oldest_requests() -> str:
    return (ROOT / "requirements.txt").read_text().strip().replace(">=", "==")


def group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(DEPENDENCIES, name)


@nox.session(python=False, default=False)
def build(session: nox.Session) -> None:
    """Build the collection and install the tarball, for the other stages."""
    shutil.rmtree(COLLECTIONS, ignore_errors=True)
    galaxy = ("python", "-m", "ansible", "galaxy", "collection")
    dist = ROOT / ".cache" / "dist"
    session.run(*galaxy, "build", "--force", "--output-path", str(dist))
    (tarball,) = dist.glob("*.tar.gz")
    session.run(*galaxy, "install", "--offline", "--no-deps", "-p", str(COLLECTIONS), str(tarball))


def ansible_test(session: nox.Session, core: str, command: str, **config: str) -> None:
    """Run a command of ansible-test, for integration tests with a configuration of theirs.

    It all lies in the system's temporary folder: ansible-test writes into the collection, and can't
    run below a path with a space.
    """
    python = first_there(CONTROLLERS[core])
    if not is_there(python):
        session.skip(f"ansible-core {core} needs Python {' or '.join(CONTROLLERS[core])}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        collection = folder / COLLECTION
        shutil.copytree(COLLECTIONS / COLLECTION, collection)
        if command == "integration":
            # Ansible takes the home folder from the user database, and not from HOME.
            config["ansible_remote_tmp"] = str(folder / "tmp")
            config["ansible_async_dir"] = str(folder / "async")
            if core == "2.16" and is_there("3.8"):
                # The module side has nothing but what modules need, all as old as is allowed.
                module_side = make_venv(session, folder / "modules", "3.8", oldest_requests())
                config["ansible_python_interpreter"] = str(module_side / "python")
            path = collection / "tests" / "integration" / "integration_config.yml"
            path.write_text(json.dumps(config))
        programs = make_venv(
            session,
            folder / "venv",
            python,
            *(f"ansible-core~={core}.0", "ansible-runner", "requests"),
        )
        provide_get_pip(session, programs, python)
        with session.chdir(collection):
            session.run(
                *(str(programs / "ansible-test"), command, "--local", "--python", python),
                *session.posargs,
                env={
                    "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
                    # Side by side, two would make an SSH key in one home folder; only sanity tests
                    # have a cache there.
                    "HOME": str(Path.home() if command == "sanity" else folder),
                },
                interrupt_timeout=5,  # it has temporary folders to remove
            )


def make_venv(session: nox.Session, folder: Path, python: str, *packages: str) -> Path:
    """Returns where its programs are."""
    session.run("uv", "venv", "--quiet", "--python", python, str(folder))
    session.run("uv", "pip", "install", "--quiet", "--python", str(folder), *packages)
    return folder / "bin"


def provide_get_pip(session: nox.Session, programs: Path, python: str) -> None:
    """Put get_pip.py where ansible-test looks before it downloads it."""
    script = (
        "from types import SimpleNamespace as Python\n"
        "from ansible_test._internal.python_requirements import get_venv_packages\n"
        f"print(get_venv_packages(Python(version={python!r}))['pip'])"
    )
    output = session.run(str(programs / "python"), "-c", script, silent=True, log=False)
    version = str(output).strip().replace(".", "_")
    cache = Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "tests" / "get_pip.py", cache / f"get_pip_{version}.py")


def integration(session: nox.Session, core: str) -> None:
    """Real playbooks against the emulator."""
    sys.path.insert(0, str(ROOT / "tests"))
    from emulator.harness import Emulator

    with Emulator() as emulator:
        urls = {"emulator_url": emulator.url, "emulator_control_url": emulator.control_url}
        ansible_test(session, core, "integration", **urls)


def sanity(session: nox.Session, core: str) -> None:
    """ansible-test's static checks, with nothing ignored."""
    ansible_test(session, core, "sanity")


def add_session(function: Callable[..., None], core: str) -> None:
    session = functools.update_wrapper(functools.partial(function, core=core), function)
    nox.session(name=f"{function.__name__}-{core}", python=False)(session)


# The oldest and the newest that can run here; those that can't say so.
_cores = [core for core in CONTROLLERS if is_there(first_there(CONTROLLERS[core]))]
for _core in CONTROLLERS:
    if _core not in _cores[1:-1]:
        add_session(integration, _core)
add_session(sanity, _cores[-1])


def run_unit_tests(session: nox.Session, *left_out: str) -> None:
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", "."]
    if session.python != EMULATOR_PYTHON:
        left_out = ("tests/unit/emulator", *left_out)
    options += [f"--ignore={path}" for path in left_out]
    with session.chdir(COLLECTIONS / COLLECTION):
        session.run(
            "pytest",
            *options,
            *(session.posargs or ["tests/unit"]),
            env={
                "EMULATOR_PYTHON": sys.executable,
                "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".cache" / "hypothesis"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": str(COLLECTIONS),
            },
        )


# The Python that the emulator is tested on, and the newest that modules run on.
@nox.session(python=list(dict.fromkeys([EMULATOR_PYTHON, "3.13"])))
def unit(session: nox.Session) -> None:
    """Unit tests."""
    session.install(*group("unit"))
    if session.python == EMULATOR_PYTHON:
        run_unit_tests(session)
    else:
        # The long table runs with the newest and the oldest libraries, on which its faults depend.
        run_unit_tests(session, "tests/unit/plugins/modules/test_faults.py")


@nox.session(name="unit-oldest", python=first_there(["3.8", "3.9", "3.10", EMULATOR_PYTHON]))
def unit_oldest(session: nox.Session) -> None:
    """Unit tests on the oldest Python that is there, with the oldest `requests` that is allowed."""
    session.install(*group("unit"), oldest_requests())
    run_unit_tests(session)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The collection next to what people use today; not a test."""
    session.install(*group("bench"))
    results = ROOT / ".cache" / "benchmark.json"
    env = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    session.run("python", "tests/benchmark/run.py", str(results), env=env)


@nox.session
def ruff(session: nox.Session) -> None:
    """Style and format of Python code."""
    session.install(*group("ruff"))
    session.run("ruff", "check", "--no-cache", ".")
    session.run("ruff", "format", "--no-cache", "--check", ".")


@nox.session
def mypy(session: nox.Session) -> None:
    """Types."""
    session.install(*group("mypy"))
    plugins = str(COLLECTIONS / COLLECTION / "plugins")
    cache = ("--cache-dir", str(ROOT / ".cache" / "mypy"))
    session.run("mypy", *cache, plugins, "tests/emulator", "tests/stages.py", "noxfile.py")


@nox.session(python=False)
def changelog(session: nox.Session) -> None:
    """The changelog's fragments."""
    session.run("python", "-m", "antsibull_changelog", "lint")


antsibull_nox.load_antsibull_nox_toml()
