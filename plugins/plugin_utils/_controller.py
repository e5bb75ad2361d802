# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What action plugins do on the controller: read the account through a module, read and write files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import typing as t

from ansible.errors import AnsibleError
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._errors import UnusableFile

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

INFO_MODULE = "cloudflare_email.security.sending_domain_restriction_info"


def task_options(action: ActionBase) -> dict[str, t.Any]:
    """Return the options of a task, in which those of the role replace others unless they are empty."""
    options = dict(action._task.args)
    role_options = options.pop("role_options", None) or {}
    return {**options, **{name: value for name, value in role_options.items() if value}}


def read_account(
    action: ActionBase, options: dict[str, t.Any], task_vars: dict[str, t.Any] | None
) -> dict[str, t.Any]:
    """Return the result of the info module, run where the task runs and with its shared options."""
    # Imported here: Ansible compiles a collection's code again for each task.
    from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
        SHARED_ARGUMENTS,
    )

    shared = {name: value for name, value in options.items() if name in SHARED_ARGUMENTS}
    result = action._execute_module(INFO_MODULE, module_args=shared, task_vars=task_vars)
    return plain({**result, "warnings": warning_texts(result)})


def plain(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a result with plain strings instead of Ansible's own types, which PyYAML cannot dump."""
    return json.loads(json.dumps(result, default=str))


def warning_texts(result: dict[str, t.Any]) -> list[str]:
    """Return the warnings of a result, which are objects since ansible-core 2.19."""
    return [_text(warning) for warning in result.get("warnings", ())]


def _text(warning: t.Any) -> str:
    if isinstance(warning, dict):
        return warning["event"]["msg"]
    return warning if isinstance(warning, str) else warning.event.msg


def absolute_path(action: ActionBase, path: t.Any) -> str:
    """Return the absolute path of a file; a relative one starts at the playbook's folder."""
    return action._loader.path_dwim(os.path.expanduser(str(path)))


def decrypted(action: ActionBase, path: str, name: str) -> str:
    """Return the path of a file, or of its decrypted copy if it is encrypted with ansible-vault.

    Raises:
        UnusableFile: it cannot be decrypted.
    """
    try:
        return action._loader.get_real_file(path) if os.path.isfile(path) else path
    except AnsibleError as error:
        raise UnusableFile(f"{name} cannot be decrypted ({error})") from None


def path_to_write(action: ActionBase, path: t.Any) -> str:
    """Return the absolute path of a file to write; a relative one starts at the playbook's folder.

    Raises:
        UnusableFile: no file can be written there.
    """
    absolute = os.path.realpath(absolute_path(action, path))
    folder = os.path.dirname(absolute)
    if os.path.isdir(absolute):
        raise UnusableFile(f"{path} is a folder; add the name of a file")
    if os.path.exists(absolute) and not os.path.isfile(absolute):
        raise UnusableFile(f"{path} is not a regular file; use another path")
    if not os.path.isdir(folder):
        raise UnusableFile(f"the folder of {path} does not exist; create it first")
    if not all(os.access(part, os.W_OK) for part in (folder, absolute) if os.path.exists(part)):
        raise UnusableFile(f"{path} cannot be written; check its permissions and its folder's")
    return absolute


def shown_path(path: str) -> str:
    """Return how messages name a file: by a relative path if it is below the current folder."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def write_text(path: str, text: str) -> None:
    """Write a file atomically, so that an interrupted run keeps the old one; raises `OSError`."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=os.path.dirname(path), delete=False
    ) as file:
        try:
            file.write(text)
            file.close()
            _copy_mode(path, file.name)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _copy_mode(path: str, new: str) -> None:
    if os.path.exists(path):
        shutil.copymode(path, new)
    else:
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(new, 0o666 & ~umask)
