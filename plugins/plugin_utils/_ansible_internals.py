# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible has no public interface for; check it with each new version of ansible-core."""

from __future__ import annotations

import typing as t

from ansible import context
from ansible.parsing.splitter import split_args
from ansible.utils.vars import load_extra_vars

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase


def decrypted_value(value: t.Any) -> t.Any:
    """Return the text of an inline vault value, which is not a string before ansible-core 2.19.

    Argument specs cannot handle it (ansible/ansible issue 79624).
    """
    return str(value) if getattr(value, "__ENCRYPTED__", False) else value


def warning_texts(result: dict[str, t.Any]) -> list[str]:
    """Return the warnings of a result, which are objects since ansible-core 2.19."""
    return [_warning_text(warning) for warning in result.get("warnings", ())]


def _warning_text(warning: t.Any) -> str:
    if isinstance(warning, dict):
        return str(warning["event"]["msg"])
    return str(warning if isinstance(warning, str) else warning.event.msg)


def is_task_timeout(error: BaseException) -> bool:
    """Return whether the task keyword `timeout` raised this; its class differs between versions."""
    return error.__class__.__name__ == "TaskTimeoutError"


def task_uuid(action: ActionBase) -> str:
    """Return the ID of a task: one for all items of its loop, another each time it is included."""
    return str(action._task._uuid)


def runs_once(action: ActionBase) -> bool:
    """Return whether only one host of the play runs a task.

    The free strategies ignore `run_once`, and with `serial`, one host of each batch runs the task.
    """
    play = action._task.get_play()
    is_free = play.strategy.rpartition(".")[2] in ("free", "host_pinned")
    return bool(action._task.run_once) and not (play.serial or is_free)


def extra_arguments() -> list[list[str]]:
    """Return the arguments `-e` of the command line that are no files and no mappings, in words."""
    arguments = map(str, context.CLIARGS.get("extra_vars") or ())
    return [split_args(argument) for argument in arguments if argument[:1] not in "@[{"]


def task_environment(action: ActionBase) -> dict[str, str]:
    """Return the environment variables that the keyword `environment` of a task or its play sets."""
    variables: dict[str, t.Any] = {}
    action._compute_environment_string(variables)
    return {name: str(value) for name, value in variables.items()}


def extra_variables(loader: t.Any) -> dict[str, t.Any]:
    """Return the variables of the command line, which templates cannot tell from others.

    Ansible keeps them once they are read, so that no file is read or decrypted again.
    """
    found: dict[str, t.Any] = load_extra_vars(loader)
    return found
