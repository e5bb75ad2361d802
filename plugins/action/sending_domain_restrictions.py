# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module sending_domain_restrictions in time slices, and shows its progress and its plan.

The list may come from a file on the controller, and reports are written there.
"""

from __future__ import annotations

import os
import re
from datetime import datetime

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display
from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    changes_of,
    domains_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._comparison import (
    DRIFT,
    EQUAL,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._environment import (
    ACCOUNT_ID,
    from_environment,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    INTERRUPTED,
    UNEXPECTED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import shortened
from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import (
    Impact,
    impact_lines,
    impact_sentence,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    MAX_MESSAGE_LENGTH,
    summary,
    warning_of_drops,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._problem_kinds import (
    INVALID_LIST,
    OPTIONS,
    PROBLEM_KINDS,
    REPORT,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import (
    CHANGE_LISTS,
    CHANGED,
    FAILED,
    REPORTS,
    STATUSES,
    UNCHANGED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import masked
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._action import (
    CollectionAction,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    is_task_timeout,
    task_environment,
    warning_texts,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._controller import (
    Values,
    collection_version,
    one_line,
    plain,
    shown_diff,
    shown_message,
    with_entries_of_file,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import (
    UnusableFile,
    absolute_path,
    shown_path,
    write_text,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_paths import (
    hosts_of,
    report_paths,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._run_total import Total
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._slices import (
    run_in_slices,
)

# What Ansible says of options before the module sees them; nothing else tells that from a crash.
_REFUSED_OPTIONS = re.compile(
    "Unsupported parameters|missing required|one of the following|parameters are|argument '|"
    "Elements value|value of |Failed to import"
)

# The statuses of runs that did what they were asked for.
_COMPLETE = (UNCHANGED, CHANGED, EQUAL, DRIFT)

display = Display()


class ActionModule(CollectionAction):
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        file = self._options.get("file")
        self._list_file = shown_path(absolute_path(self, file)) if file else ""
        self._is_comparison = boolean(self._options.get("compare") or False, strict=False)
        self._is_preview = self._task.check_mode or self._is_comparison
        try:
            paths = report_paths(self, self._options, task_vars)
        except UnusableFile as error:
            msg = masked(str(error), self._secrets)
            ended = {"status": FAILED, "problem_kind": OPTIONS}
            return {**result, "failed": True, "msg": msg, **ended}
        self._options = {**self._options, **paths}
        values = self._read_file_and_run(task_vars)
        account = values.pop("account", None)
        if len(hosts_of(self, task_vars)) > 1:
            _name_host(values, self._host)
        if values.get("failed") or not self._task.async_val:
            values.setdefault("status", FAILED)
            if values["status"] not in _COMPLETE:
                values["problem_kind"] = _problem_kind(values)
        self._show_plan(values)
        self._write_reports(values, account)
        if values.get("msg"):
            values["msg"] = shown_message(values["msg"])
        result.update(values)
        return result

    def _read_file_and_run(self, task_vars: Values) -> Values:
        """Return the result of the module, or why the file with the list cannot be used."""
        try:
            self._options, warnings = with_entries_of_file(self, self._options)
        except UnusableFile as error:
            msg = masked(str(error), self._secrets)
            return {"failed": True, "msg": msg, "problem_kind": INVALID_LIST}
        values = self._run_module(task_vars)
        if warnings or "warnings" in values:
            values["warnings"] = masked([*warnings, *warning_texts(values)], self._secrets)
        return values

    def _run_module(self, task_vars: Values) -> Values:
        try:
            return self._run_once_or_in_slices(task_vars)
        except BaseException as error:
            # Ansible reports it; without a report, one of an earlier run would pass for this one's.
            if _ends_the_task(error):
                problem = {"msg": self._problem(error), "problem_kind": _kind_of(error)}
                self._write_reports({"failed": True, **problem}, None)
            raise

    def _problem(self, error: BaseException) -> str:
        if is_task_timeout(error):
            return f"the task was stopped by its timeout of {self._task.timeout} seconds"
        return f"the module could no longer be run ({masked(str(error), self._secrets)})"

    def _run_once_or_in_slices(self, task_vars: Values) -> Values:
        is_long = self._options.get("impact_days") or not self._is_preview
        if self._task.async_val or not is_long:
            return self._execute(self._options, task_vars)
        return self._run_slices(task_vars)

    def _run_slices(self, task_vars: Values) -> Values:
        total = Total()
        try:
            values = run_in_slices(
                lambda options: self._execute(options, task_vars), self._options, total, self._show
            )
        except BaseException as error:
            if not (_ends_the_task(error) and total.has_begun):
                raise
            is_lost = isinstance(error, AnsibleConnectionFailure)
            kind = "unreachable" if is_lost else "failed"
            failure = {kind: True, "problem_kind": _kind_of(error)}
            return total.cut_short(failure, self._problem(error), is_certain=self._is_preview)
        if values is None:
            return total.result()
        if not total.has_begun:
            return values
        return total.ended_by(values, is_certain=self._is_preview)

    def _show_plan(self, values: Values) -> None:
        """Show what Ansible does not: the message of a success, and the diff of a failure."""
        if not values.get("failed"):
            if "created" in values:
                self._show(_message_of(values))
                self._show_warning_of_drops(values)
        elif values.get("diff") and not (self._task.no_log or self._leaves_diff_to_ansible(values)):
            display.display(shown_diff(values["diff"]), stderr=True)
        impact = self._impact(values)
        if impact:
            changed = () if self._is_preview else changes_of(values)
            for line in impact_lines(impact, domains_of(changed)):
                self._show(line)

    def _leaves_diff_to_ansible(self, values: Values) -> bool:
        """Return whether Ansible shows the diff of a failure: as a success that changed something."""
        return self._task.failed_when == [False] and bool(values.get("changed"))

    def _show_warning_of_drops(self, values: Values) -> None:
        warning = "" if self._is_comparison else warning_of_drops(values, self._is_preview)
        if warning and values.get("impact") is None:
            warning += "; impact_days shows who sends it"
        if warning:
            self._show(warning)

    def _impact(self, values: Values) -> Impact | None:
        """Return whom the changes affect, if the result says so."""
        if values.get("impact") is None:
            return None
        senders, unknown = plain(values["impact"]), plain(values["impact_unknown"])
        return Impact(int(values["impact_days"]), senders, unknown)

    def _is_done(self, values: Values) -> bool:
        """Return whether the changes of a result were made, all of them."""
        return values["status"] == CHANGED and not self._is_preview

    def _write_reports(self, values: Values, account: Values | None) -> None:
        """Write the reports that the task asks for; for a failed run, with what is known."""
        paths = {name: self._options[name] for name in REPORTS if self._options.get(name)}
        if not paths:
            return
        from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import (
            Report,
        )
        from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_html import (
            html_report,
        )
        from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_json import (
            json_report,
        )
        from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_markdown import (
            markdown_report,
        )

        # JSON comes last: a program must not read a status that another report could not keep.
        writers = dict(zip(REPORTS, (html_report, markdown_report, json_report)))
        try:
            report = Report(**self._report_fields(values, plain(account or {})))
            for name, path in paths.items():
                write_text(path, writers[name](report))
                self._show(f"report: {shown_path(path)}")
        except BaseException as error:
            # Whatever it is must not hide what was changed.
            if not (isinstance(error, Exception) or is_task_timeout(error)):
                raise
            # Without the name of the temporary file, which may contain a part of a secret.
            reason = getattr(error, "strerror", None) or error
            problem = f"the report could not be written ({reason}). {_message_of(values)}"
            message = shortened(masked(problem, self._secrets), MAX_MESSAGE_LENGTH)
            values.update(failed=True, status=FAILED, msg=message, problem_kind=REPORT)

    def _report_fields(self, values: Values, account: Values) -> Values:
        """Return the fields of a `Report`."""
        status = values.get("status")
        return {
            "version": collection_version(),
            "is_preview": self._is_preview,
            "is_comparison": self._is_comparison,
            # A secret that is one letter may have masked it.
            "status": status if status in STATUSES else FAILED,
            "changed": bool(values.get("changed")),
            **masked(
                {
                    "title": str(self._options.get("report_title") or ""),
                    "note": str(self._options.get("report_note") or ""),
                    "account_id": account.get("account_id") or self._account_id(),
                    "list_file": self._list_file,
                },
                self._secrets,
            ),
            "prune": boolean(self._options.get("prune") or False, strict=False),
            "time": datetime.now().astimezone(),
            "summary": self._summary(values) if "created" in values else "",
            "problem": "" if status in _COMPLETE else _message_of(values),
            "problem_kind": "" if status in _COMPLETE else _problem_kind(values),
            "restrictions": account.get("restrictions"),
            "unchanged": values.get("unchanged", 0),
            "findings": account.get("findings"),
            "warnings": values.get("warnings", []),
            "impact": self._impact(values),
            **plain({name: values.get(name, []) for name in (*CHANGE_LISTS, "unlisted")}),
        }

    def _account_id(self) -> str:
        """Return the ID of the account as far as the controller knows it; empty if only the module does."""
        account_id = str(self._options.get("account_id") or "")
        if account_id:
            return account_id
        local = os.environ if self._connection.transport == "local" else {}
        account_id = from_environment({**local, **task_environment(self)})["account_id"] or ""
        # What is not an ID could be a secret in the wrong variable.
        return account_id if ACCOUNT_ID.fullmatch(account_id) else ""

    def _summary(self, values: Values) -> str:
        if values.get("status") in (EQUAL, DRIFT):
            return _message_of(values)
        impact = self._impact(values)
        affected = impact_sentence(impact, not self._is_done(values)) if impact else ""
        return "; ".join(filter(None, [summary(values, self._is_preview), affected]))


def _message_of(result: Values) -> str:
    """Return the message of a result on one line; a module that crashed may have none."""
    return one_line(result.get("msg") or "the module failed; run again with -vvv")


def _problem_kind(result: Values) -> str:
    """Return the kind of problem of a run that failed."""
    kind = result.get("problem_kind")
    if kind in PROBLEM_KINDS:
        return str(kind)
    is_refusal = not kind and _REFUSED_OPTIONS.match(str(result.get("msg")))
    return OPTIONS if is_refusal else UNEXPECTED


def _kind_of(error: BaseException) -> str:
    return INTERRUPTED if is_task_timeout(error) else UNEXPECTED


def _ends_the_task(error: BaseException) -> bool:
    """Return whether Ansible reports this as the failure of the task."""
    return isinstance(error, AnsibleError) or is_task_timeout(error)


def _name_host(values: Values, host: str) -> None:
    """Name the host in the warnings and the diff of a result, for plays with several hosts."""
    if "warnings" in values:
        values["warnings"] = [f"{host}: {warning}" for warning in values["warnings"]]
    for item in values.get("diff", ()):
        for header in ("before_header", "after_header"):
            if header in item:
                item[header] += f" on {host}"
