# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every snippet of the documentation runs against the emulator, or is checked against a schema.

Each document runs from top to bottom in a directory and an account of its own, as a reader would: playbooks
and commands run, and a snippet with the name of a file in its first line is that file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from emulator.harness import Emulator
from snippets import COMMANDS, Snippet, snippets_in

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted((ROOT / "plugins" / "modules").glob("*.py")),
    *sorted((ROOT / "roles").glob("*/README.md")),
    *sorted((ROOT / "docs" / "docsite" / "rst").glob("*.rst")),
    ROOT / "README.md",
]
PROGRAMS = Path(sys.executable).parent

# They install programs, need a keyboard, a program that may be missing or a mistake, or set what the test sets.
INSTALLS = ("ansible-galaxy ", "make ", "pipx ", "python3 -m pip ")
NOT_RUN = (*INSTALLS, "ansible-playbook undo.yml", "ansible-vault ", "export ", "jq ")
LIST = "sending_domain_restrictions"
LIST_FILE = "restrictions_file="
# An export without `force` writes a file that does not exist yet.
FIRST_EXPORT = re.compile(
    r"\.export -e restrictions_file=partners\.yml$|path: partners\.yml$", re.M
)
# The keys of files of other programs, which read them only with a network.
OTHER_FILES = (
    {"collections"},  # requirements.yml
    {"version", "dependencies"},  # of ansible-builder
    {"fields", "required"},  # of a credential type
    {"env"},
)
# What the documentation assumes about an account.
RESTRICTIONS = [
    {
        "id": "f174e90a-fafe-4643-bbbc-4a0ed4fc8415",
        "domain": "partner.example",
        "exclude": ["newsletter.partner.example"],
        "comments": "TLS agreed with the postmaster of partner.example",
    },
    {"domain": "former-partner.example", "exclude": [], "comments": None},
    {"domain": "gone.example", "exclude": ["mail.gone.example"], "comments": "Agreed in May"},
]
ENTRIES = [{key: value for key, value in known.items() if key != "id"} for known in RESTRICTIONS]
ACCOUNT_IDS = ("023e105f4ecef8ad9ca31a8372d0c353", "4ecef8ad9ca31a8372d0c353023e105f")
PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudflare_email.security.sending_domain_restriction_info:
"""


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        yield running


class Reader:
    """Somebody who does what a document says, in `directory`."""

    def __init__(self, directory, emulator):
        self.directory = directory
        self.account = emulator.create_account(restrictions=RESTRICTIONS)
        self.inventory = ()
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "GIT_"))},
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_HOME": str(directory / ".ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "CLOUDFLARE_ACCOUNT_ID": self.account.id,
            "CLOUDFLARE_API_TOKEN": self.account.tokens["write"],
            "CLOUDFLARE_BASE_URL": emulator.url,
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "Reader",
            "GIT_CONFIG_KEY_1": "user.email",
            "GIT_CONFIG_VALUE_1": "reader@example.com",
            "NO_PROXY": "127.0.0.1",
            "PATH": os.pathsep.join([str(PROGRAMS), os.environ["PATH"]]),
        }
        token = self.account.tokens["write"]
        self.write("secrets.yml", f"vault_cloudflare_api_token: {token}\n")
        self.write("partner_domain_tls.yml", PLAYBOOK)
        self.write("partners.yml", yaml.safe_dump({LIST: ENTRIES[:1]}))
        self.write("partners.csv", "domain\npartner.example\n")
        for host in ("headquarters", "subsidiary"):
            self.write(f"{host}.yml", yaml.safe_dump({LIST: ENTRIES}))
        # The last commit is the mistake that `git revert` takes back.
        self.run("git init -q && git add partners.yml && git commit -qm one")
        self.write("partners.yml", yaml.safe_dump({LIST: ENTRIES}))
        self.run("git commit -qam two")

    def write(self, name, text):
        for known in ACCOUNT_IDS:
            text = text.replace(known, self.account.id)
        (self.directory / name).write_text(text, encoding="utf-8")

    def run(self, command):
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"

    def play(self, name):
        self.run(" ".join(["ansible-playbook", *self.inventory, name]))

    def restrictions(self):
        known = sorted(self.account.restrictions(), key=lambda restriction: restriction["domain"])
        return [
            {
                **{key: one[key] for key in ("domain", "exclude")},
                "comments": one["comments"] or None,
            }
            for one in known
        ]


@pytest.fixture
def reader(tmp_path, emulator):
    return Reader(tmp_path, emulator)


def follow(reader: Reader, snippets: list[Snippet]) -> None:
    for index, snippet in enumerate(snippets):
        if snippet.language in COMMANDS:
            for command in snippet.commands():
                if not command.startswith(NOT_RUN):
                    reader.run(command)
        elif snippet.language == "yaml":
            later = "\n".join(each.text for each in snippets[index:] if each.language in COMMANDS)
            use(reader, snippet, later)
        elif snippet.language == "bash":
            reader.write(snippet.file_name, snippet.text)
        else:
            use_text(reader, snippet)


def use(reader: Reader, snippet: Snippet, later: str) -> None:
    """Use a YAML snippet; `later` has the commands that follow it."""
    content = yaml.safe_load(snippet.text)
    name = snippet.file_name or f"snippet{snippet.line}.yml"
    text = snippet.text
    is_play = isinstance(content, list) and all("hosts" in entry for entry in content)
    if isinstance(content, list) and not is_play:
        tasks = yaml.safe_dump(content, sort_keys=False)
        variables = {"cloudflare_api_token": reader.account.tokens["write"]}
        play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": "TASKS"}
        text = yaml.safe_dump([{**play, "tasks": yaml.safe_load(tasks)}], sort_keys=False)
    reader.write(name, text)
    if isinstance(content, list):
        if name not in later:
            reader.play(name)
    elif LIST in content:
        if name != "partners.yml":
            reader.run(
                f"ansible-playbook cloudflare_email.security.apply --check -e {LIST_FILE}{name}"
            )
    elif "all" in content:
        reader.inventory = ("-i", name)
    elif "jobs" in content:
        check_schema(reader, name, "--builtin-schema", "vendor.github-workflows")
    else:
        assert set(content) in OTHER_FILES


def check_schema(reader: Reader, name: str, *schema: str) -> None:
    reader.run(" ".join([sys.executable, "-m", "check_jsonschema", *schema, name]))


def use_text(reader: Reader, snippet: Snippet) -> None:
    assert snippet.language == "text"
    if snippet.text.startswith("domain,"):
        reader.write("text.csv", snippet.text)
        reader.run(
            f"ansible-playbook cloudflare_email.security.apply --check -e {LIST_FILE}text.csv"
        )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_snippets_of_a_document_run(path, reader):
    snippets = snippets_in(path)
    if any(FIRST_EXPORT.search(snippet.text) for snippet in snippets):
        (reader.directory / "partners.yml").unlink()
    follow(reader, snippets)


def test_the_nightly_job_tells_drift_from_an_outage(reader):
    (nightly,) = (
        snippet
        for snippet in snippets_in(ROOT / "docs" / "docsite" / "rst" / "ci_and_controller.rst")
        if snippet.file_name == "nightly.yml"
    )
    reader.write("nightly.yml", nightly.text)
    reader.write("partners.yml", f"{LIST}: []\n")
    with pytest.raises(AssertionError, match="Drift: The account differs"):
        reader.play("nightly.yml")
    with pytest.raises(AssertionError, match="The account could not be compared: "):
        reader.play("nightly.yml -e sending_domain_restrictions_api_token=wrong")


def test_the_guide_about_mistakes_restores_everything(reader):
    """Changed comments and exclusions, and what was created and deleted, but no duplicate."""
    before = reader.restrictions()
    reader.account.seed([*RESTRICTIONS, {"domain": "partner.example", "comments": "Twice"}])
    snippets = snippets_in(ROOT / "docs" / "docsite" / "rst" / "undo.rst")
    (undo,) = (snippet for snippet in snippets if snippet.file_name == "undo.yml")
    (apply,) = (
        command
        for snippet in snippets
        if snippet.language == "console"
        for command in snippet.commands()
        if "report_json=applied-" in command
    )
    mistake = [
        {"domain": "partner.example", "exclude": [], "comments": ""},
        {"domain": "former-partner.example", "comments": "Wrong"},
        {"domain": "new.example", "comments": "Wrong"},
    ]
    reader.write("partners.yml", json.dumps({LIST: mistake}) + "\n")
    reader.run(apply)
    domains = [one["domain"] for one in reader.restrictions()]
    assert domains == ["former-partner.example", "new.example", "partner.example"]
    reader.write("undo.yml", undo.text)
    reader.play("undo.yml -e applied=$(ls applied-*.json)")
    assert reader.restrictions() == before


UNDO = "undo.yml"


@pytest.fixture
def undo(reader):
    """Runs the playbook of the guide about mistakes, after a run with these entries and options."""
    snippets = snippets_in(ROOT / "docs" / "docsite" / "rst" / "undo.rst")
    (playbook,) = (snippet for snippet in snippets if snippet.file_name == UNDO)
    reader.write(UNDO, playbook.text)

    def undo(entries, *options):
        reader.write("mistake.yml", json.dumps({LIST: entries}) + "\n")
        apply = "ansible-playbook cloudflare_email.security.apply -e report_json=applied.json"
        reader.run(" ".join([apply, "-e restrictions_file=mistake.yml -e prune=true", *options]))
        reader.play(f"{UNDO} -e applied=applied.json")

    return undo


@pytest.mark.parametrize(
    ("entries", "options", "problem"),
    [([], ["--check"], "a preview with 3 changes"), (ENTRIES, [], "a result with 0 changes")],
)
def test_only_the_report_of_changes_that_were_made_is_reversed(
    reader, undo, entries, options, problem
):
    before = reader.restrictions()
    with pytest.raises(AssertionError, match=problem):
        undo(entries, *options)
    assert reader.restrictions() == before


def test_a_duplicate_whose_removal_exempted_names_is_not_forgotten(reader, undo):
    reader.account.seed([*RESTRICTIONS, {"domain": "partner.example", "exclude": []}])
    with pytest.raises(AssertionError, match="Restore these by hand.*: partner.example"):
        undo([{"domain": "new.example"}, *ENTRIES])
    assert reader.restrictions() == [*sorted(ENTRIES, key=lambda entry: entry["domain"])]


@pytest.mark.skipif(not shutil.which("jq"), reason="the script of the guide needs jq")
@pytest.mark.parametrize(
    ("entries", "variables", "alert"),
    [
        (json.dumps(ENTRIES), "", ""),
        ("[]", "", "The account differs from partners.yml"),
        ("[", "", "The file is invalid: "),
        ("[]", "CLOUDFLARE_API_TOKEN=wrong", "Cloudflare refused the token; "),
        ("[]", "CLOUDFLARE_BASE_URL=http://127.0.0.1:1", "Cloudflare could not be asked; "),
        ("[]", "CLOUDFLARE_ACCOUNT_ID=wrong", "The comparison failed: account_id 'wrong' "),
        ("[]", "ANSIBLE_COLLECTIONS_PATH=.", "Ansible ended before it wrote a report."),
    ],
)
def test_the_nightly_script_alerts_of_all_but_an_equal_account(reader, entries, variables, alert):
    (script,) = (
        snippet
        for snippet in snippets_in(ROOT / "docs" / "docsite" / "rst" / "ci_and_controller.rst")
        if snippet.file_name == "drift.sh"
    )
    reader.write("drift.sh", script.text)
    reader.write("partners.yml", f"{LIST}: {entries}\n")
    # The report of an earlier night.
    reader.write("drift.json", '{"status": "equal", "problem_kind": null}')
    if not alert:
        reader.run("sh drift.sh")
        return
    with pytest.raises(AssertionError):
        reader.run(f"{variables} sh drift.sh")
    assert (reader.directory / "alert.txt").read_text().startswith(alert)


@pytest.mark.parametrize("tags", ["", "--tags drift"])
def test_a_tagged_task_of_the_guide_compares(reader, tags):
    (task,) = (
        snippet
        for snippet in snippets_in(ROOT / "docs" / "docsite" / "rst" / "ci_and_controller.rst")
        if "apply:\n" in snippet.text
    )
    play = {"hosts": "localhost", "gather_facts": False, "tasks": yaml.safe_load(task.text)}
    reader.write("play.yml", yaml.safe_dump([play]))
    reader.write("partners.yml", f"{LIST}: [{{domain: missing.example}}]\n")
    with pytest.raises(AssertionError, match="Missing on the account: missing.example"):
        reader.play(f"play.yml {tags}")
