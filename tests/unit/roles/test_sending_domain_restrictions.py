# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wiring of the playbooks and the role, without running them.

Variables of a play end in options of a module, and its result decides whether the role fails.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible.plugins.test import core
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import RunResult
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
    SliceReport,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._run_total import Total

COLLECTION = Path(__file__).resolve().parents[3]
NAME = "cloudflare_email.security."
ROLE = "sending_domain_restrictions"
MODULES = {
    "main": ROLE,
    "apply": ROLE,
    "drift": ROLE,
    "export": f"{ROLE}_export",
}
# The options whose names differ from those of the variables.
OPTIONS = {"list": "restrictions"}
EXPORT_OPTIONS = {"file": "path"}


def load(*path):
    with COLLECTION.joinpath(*path).open(encoding="utf-8") as file:
        return yaml.safe_load(file)


def documented(module):
    """Return the options of a module by name, with those that it shares with other modules."""
    plugins = "ansible_collections.cloudflare_email.security.plugins"
    own = yaml.safe_load(importlib.import_module(f"{plugins}.modules.{module}").DOCUMENTATION)
    options = dict(own["options"])
    for name in own["extends_documentation_fragment"]:
        _prefix, _dot, file = name.rpartition(".")
        fragment = importlib.import_module(f"{plugins}.doc_fragments.{file}").ModuleDocFragment
        options.update(yaml.safe_load(fragment.DOCUMENTATION).get("options", {}))
    return options


def tasks_of(entry_point):
    """Return the tasks of an entry point of the role, with those of the files that it imports."""
    tasks = []
    for task in load("roles", ROLE, "tasks", f"{entry_point}.yml"):
        imported = task.get("ansible.builtin.import_tasks")
        tasks += tasks_of(imported[: -len(".yml")]) if imported else [task]
    return tasks


def module_task(entry_point):
    (task,) = (task for task in tasks_of(entry_point) if NAME + MODULES[entry_point] in task)
    return task


def options_of(entry_point):
    """Return what the task of an entry point passes to its module, by option."""
    task = module_task(entry_point)
    name = NAME + MODULES[entry_point]
    (variable,) = re.findall(r"\w+", task["module_defaults"][name])
    account = load("roles", ROLE, "vars", "main.yml")[variable]
    return {**task[name], **dict(re.findall(r"'(\w+)': (\w+)", account))}


def spec_of(entry_point):
    """Return the variables of an entry point, by their names without the prefix."""
    specs = load("roles", ROLE, "meta", "argument_specs.yml")["argument_specs"]
    return {name[len(ROLE) + 1 :]: spec for name, spec in specs[entry_point]["options"].items()}


def users_of(variable, mapping):
    """Return the keys whose values use a variable."""
    return [key for key, value in mapping.items() if re.search(rf"\b{variable}\b", str(value))]


def option_for(entry_point, variable):
    special = EXPORT_OPTIONS if entry_point == "export" else OPTIONS
    return special.get(variable, variable)


@pytest.fixture(params=["apply", "drift", "export"])
def play(request):
    """A playbook's variables, those that it gives to the role, and the entry point."""
    (play,) = load("playbooks", f"{request.param}.yml")
    (include,) = (task for task in play["tasks"] if "ansible.builtin.include_role" in task)
    role = include["ansible.builtin.include_role"]
    assert role == {"name": NAME + ROLE, "tasks_from": request.param}
    own = {name: value for name, value in play["vars"].items() if not name.startswith("ansible_")}
    given = {name[len(ROLE) + 1 :]: value for name, value in include["vars"].items()}
    return own, given, request.param


@pytest.mark.parametrize("entry_point", MODULES)
def test_each_variable_of_the_role_ends_in_its_option_of_the_module(entry_point):
    options = options_of(entry_point)
    for variable in spec_of(entry_point):
        option = option_for(entry_point, variable)
        assert users_of(f"{ROLE}_{variable}", options) == [option]


@pytest.mark.parametrize("entry_point", MODULES)
def test_the_role_passes_options_that_the_module_has(entry_point):
    assert set(options_of(entry_point)) <= set(documented(MODULES[entry_point]))


def test_each_variable_of_a_play_ends_in_its_variable_of_the_role(play):
    own, given, entry_point = play
    spec = spec_of(entry_point)
    # A variable that the play does not give could come from an inventory.
    assert set(given) == set(spec)
    for name in own:
        variable = "file" if name == "restrictions_file" else name
        users = users_of(name, given)
        # Others, such as a directory, are part of several values.
        assert users == [variable] if variable in spec else users, name


def test_defaults_are_the_same_wherever_they_are_stated(play):
    own, _given, entry_point = play
    defaults = load("roles", ROLE, "defaults", "main.yml")
    options = documented(MODULES[entry_point])
    for variable, spec in spec_of(entry_point).items():
        expected = options[option_for(entry_point, variable)].get("default")
        if "default" in spec or expected is not None:
            assert spec["default"] == defaults[f"{ROLE}_{variable}"] == expected, variable
            assert own.get(variable, expected) == expected, variable


def test_only_drift_compares():
    compares = [
        load("roles", ROLE, "tasks", f"{name}.yml")[0]["vars"][f"_{ROLE}_compare"]
        for name in ("apply", "drift")
    ]
    assert compares == [False, True]


def result_of(**values):
    """Return a result of the module for lists."""
    return RunResult(**values).as_dict()


def cut_off():
    """Return the result of a run whose host was lost after a time slice that created something."""
    total = Total()
    created = {"id": "1", "domain": "a.example", "effect": "newly_requires_tls"}
    total.add(SliceReport(RunResult(changed=True, created=[created]), Progress(), 1), {})
    return total.cut_short({"failed": True}, "host lost")


def fails(entry_point, result):
    """Return whether a task of the role fails with this result of the module."""
    environment = jinja2.Environment()
    environment.tests.update(core.TestModule().tests())
    variables = {
        f"{ROLE}_list": [],
        f"{ROLE}_result": result,
        f"_{ROLE}_names": [],
        "query": lambda *_names: [],
    }
    failing = [task["when"] for task in tasks_of(entry_point) if "ansible.builtin.fail" in task]
    conditions = [[when] if isinstance(when, str) else when for when in failing]
    return any(
        all(environment.compile_expression(each)(**variables) for each in when)
        for when in conditions
    )


FAILURE = {"domain": "a.example", "reason": "no", "kind": "refused", "action": "create"}


@pytest.mark.parametrize(
    ("result", "failing"),
    [
        (result_of(), []),
        (result_of(changed=True), []),
        (result_of(compared_with="a.csv"), []),
        (result_of(compared_with="a.csv", created=[{"domain": "a"}]), ["apply", "drift"]),
        (result_of(failures=[FAILURE]), ["apply", "drift"]),
        (result_of(refusal="too many deletes"), ["apply", "drift"]),
        (cut_off(), ["apply", "drift"]),
        ({"failed": True, "msg": "the account could not be read"}, ["apply", "drift"]),
    ],
    ids=["unchanged", "changed", "equal", "drift", "failure", "refusal", "cut off", "error"],
)
def test_the_role_fails_unless_the_module_did_all_that_it_was_asked_for(result, failing):
    # The task of the module itself ignores its failures.
    assert [name for name in ("apply", "drift") if fails(name, result)] == failing
