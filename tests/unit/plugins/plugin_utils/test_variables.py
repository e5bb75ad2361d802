# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in the variables of the playbooks and of the role."""

from __future__ import annotations

import pytest
from ansible.parsing.splitter import split_args
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._variables import (
    ROLE_PREFIX,
    cut_values,
    unknown_role_variables,
    wrong_names,
    wrong_values,
)

# The variables of the playbook apply.
KNOWN = [
    *("restrictions_file", "account_id", "api_token", "ignore_columns", "prune", "concurrency"),
    *("max_delete_percent", "max_exclusion_loss_percent", "impact_days", "max_affected_messages"),
    *("report_html", "report_markdown", "report_json", "report_title", "report_note"),
]


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("restrictions_file=my list.yml", "restrictions_file"),
        ("prune=true report_note=job 3 4", "report_note"),
        ("a=x y b=z", "a"),
        # It does not contain the value, which may be a secret.
        ("api_token=cfut_SECRET prune", "api_token"),
    ],
)
def test_a_value_that_ansible_cut_is_named_with_its_variable(argument, name):
    example = f'{name}="…"'
    assert cut_values(map(split_args, [argument, example])) == [
        f"Ansible cuts {name} at a space, and ignores the rest; quote the value inside the"
        f" argument, as in -e '{example}'"
    ]


@pytest.mark.parametrize(
    ("argument", "shown"), [("prune", "prune"), ("cfut_SECRET", "…"), ("a" * 40, "…")]
)
def test_a_name_without_a_value_is_refused(argument, shown):
    assert cut_values([[argument]]) == [f"-e {shown} has no value; write it as name=value"]


@pytest.mark.promise("A typo on the command line does not turn off a guard")
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("max_affected_mesages", "max_affected_messages"),
        ("max_messages", "max_affected_messages"),
        ("max-affected-messages", "max_affected_messages"),
        ("impact-days", "impact_days"),
        ("Prune", "prune"),
        ("prume", "prune"),
        ("days", "impact_days"),
        ("max_delete_percentage", "max_delete_percent"),
        ("max_delete", "max_delete_percent"),
        ("token", "api_token"),
        ("restriction_file", "restrictions_file"),
        ("file", "restrictions_file"),
        (f"{ROLE_PREFIX}prune", "prune"),
    ],
)
def test_a_name_like_one_of_the_playbook_is_refused_with_what_is_probably_meant(name, meant):
    (refusal,), warning = wrong_names([name], KNOWN)
    assert refusal == f"{name} is not a variable of this playbook; did you mean {meant}?"
    assert not warning


@pytest.mark.parametrize("name", ["check", "dry-run", "compare", "purge", "api_key", "report_md"])
def test_a_name_whose_meaning_is_known_is_refused_with_advice(name):
    (refusal,), warning = wrong_names([name], KNOWN)
    assert refusal.startswith(f"{name} is not a variable of this playbook; use ")
    assert not warning


def test_a_variable_of_the_role_is_refused_as_it_would_replace_what_the_playbook_gives_to_it():
    (refusal,), _warning = wrong_names([f"{ROLE_PREFIX}result"], KNOWN)
    assert "belongs to the role" in refusal


@pytest.mark.parametrize("name", ["environment", "hosts", "region", "stage", "customer", "ci_url"])
def test_other_names_may_be_for_the_inventory(name):
    refusals, warning = wrong_names([name], KNOWN)
    assert not refusals
    assert warning == f"{name} is not a variable of this playbook, which ignores it"


def test_several_names_are_in_one_warning():
    refusals, warning = wrong_names(["stage", "region", "prune", "awx_job_id"], KNOWN)
    assert not refusals
    assert warning == "region, stage are not variables of this playbook, which ignores them"


@pytest.mark.parametrize(
    "name", ["ansible_user", "ansible_check_mode", "awx_job_id", "tower_user_id", *KNOWN]
)
def test_nothing_is_said_of_known_names_and_of_those_that_ansible_or_a_controller_adds(name):
    assert wrong_names([name], KNOWN) == ([], "")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("max_affected_mesages", f"did you mean {ROLE_PREFIX}max_affected_messages?"),
        ("file_path", "use a name with another prefix"),
    ],
)
def test_a_name_with_the_prefix_of_the_role_is_warned_of(name, advice):
    known = [ROLE_PREFIX + each for each in ("file", "max_affected_messages")]
    (warning,) = unknown_role_variables([ROLE_PREFIX + name, *known, "other"], known)
    name = ROLE_PREFIX + name
    assert warning == f"{name} is not a variable of the role, which ignores it; {advice}"


DEFAULTS = {
    "restrictions_file": "",
    "prune": False,
    "concurrency": 10,
    "max_affected_messages": "unlimited",
    "separator": "comma",
    "report_note": "",
}
VALUES = {**DEFAULTS, "restrictions_file": "list.yml"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("restrictions_file", ["list.csv"]),
        ("prune", [True, "yes", "FALSE", "off", 1, "0", "1.0", "t", "N"]),
        ("concurrency", [1, "5", -1]),
        ("max_affected_messages", [0, "0", "100", "unlimited"]),
        ("separator", ["semicolon"]),
        ("report_note", [None, True, 5, ["x"]]),
    ],
)
def test_values_that_a_playbook_takes(name, values):
    assert [wrong_values(DEFAULTS, {**VALUES, name: value}) for value in values] == [[]] * len(
        values
    )


@pytest.mark.promise("A typo on the command line does not turn off a guard")
@pytest.mark.parametrize(
    ("name", "values", "advice"),
    [
        ("prune", ["ja", "", None, "true ", 2, "truefalse"], "use true or false"),
        ("concurrency", ["", None, "5%", "1.5", True, "5\n"], "use a whole number"),
        (
            "max_affected_messages",
            ["", None, "few", -1, "0 unlimited", "Unlimited"],
            "use a whole number, or unlimited",
        ),
        ("separator", ["tab", ";", None], "use comma or semicolon"),
    ],
)
def test_other_values_are_refused_with_advice(name, values, advice):
    for value in values:
        shown = "" if value is None else value
        mistakes = wrong_values(DEFAULTS, {**VALUES, name: value})
        assert mistakes == [f"{name} is '{shown}'; {advice}"]


@pytest.mark.parametrize("value", ["", None, ["list.yml"], True])
def test_a_missing_file_is_named(value):
    assert wrong_values(DEFAULTS, {**VALUES, "restrictions_file": value}) == [
        "restrictions_file is not set, or is not a path; add -e restrictions_file=partners.yml"
    ]
    assert wrong_values({}, {"days": 1}) == []


def test_each_mistake_has_its_sentence():
    values = {**VALUES, "prune": "ja", "concurrency": "many", "restrictions_file": ""}
    assert len(wrong_values(DEFAULTS, values)) == 3


def test_a_value_that_may_be_a_secret_is_not_shown():
    (mistake,) = wrong_values(DEFAULTS, {**VALUES, "prune": "cfut_" + "S" * 40})
    assert mistake == "prune is '…'; use true or false"
