# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the controller: their paths, reading encrypted ones, and writing without a gap."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.validation import check_type_list

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase


class UnusableFile(ValueError):
    """A file that cannot be read or written; the message says why and what to do."""


def path_option(options: dict[str, t.Any], name: str) -> str | None:
    """Return the path in an option; `None` if it is not set.

    Raises:
        UnusableFile: the value is not a path.
    """
    value = options.get(name)
    if value is None:
        return None
    if not isinstance(value, (str, int, float)):
        raise UnusableFile(f"{name} is not a path; give the path of one file")
    return str(value)


def list_option(options: dict[str, t.Any], name: str) -> list[str]:
    """Return the list in an option, as modules read it; empty if it is not set.

    Raises:
        UnusableFile: the value is not a list.
    """
    try:
        return [str(value) for value in check_type_list(options.get(name) or [])]
    except TypeError:
        raise UnusableFile(f"{name} is not a list; give a list of names") from None


def absolute_path(action: ActionBase, path: t.Any) -> str:
    """Return the absolute path of a file; a relative one starts at `directory`, or the playbook's."""
    directory = str(action._task.args.get("directory") or "")
    joined = os.path.join(os.path.expanduser(directory), os.path.expanduser(str(path)))
    return action._loader.path_dwim(joined)


@contextlib.contextmanager
def decrypted(action: ActionBase, path: str, name: str) -> t.Iterator[str]:
    """Give the path of a file, or of its decrypted copy if it is encrypted with ansible-vault.

    Ansible itself would keep the copy until the playbook ends.

    Raises:
        UnusableFile: it cannot be decrypted.
    """
    try:
        real = action._loader.get_real_file(path) if os.path.isfile(path) else path
    except AnsibleError as error:
        raise UnusableFile(f"{name} cannot be decrypted ({error})") from None
    try:
        yield real
    finally:
        if real != path:
            action._loader.cleanup_tmp_file(real)


def path_to_write(action: ActionBase, path: t.Any) -> str:
    """Return the absolute path of a file to write; a relative one starts at the playbook's directory.

    Raises:
        UnusableFile: no file can be written there.
    """
    absolute = os.path.realpath(absolute_path(action, path))
    directory = os.path.dirname(absolute)
    if os.path.isdir(absolute):
        raise UnusableFile(f"{path} is a directory; add the name of a file")
    if os.path.exists(absolute) and not os.path.isfile(absolute):
        raise UnusableFile(f"{path} is not a regular file; use another path")
    if not os.path.isdir(directory):
        raise UnusableFile(f"the directory of {path} does not exist; create it first")
    if not os.access(absolute if os.path.exists(absolute) else directory, os.W_OK):
        raise UnusableFile(
            f"{path} cannot be written; check its permissions and those of its directory"
        )
    return absolute


def shown_path(path: str) -> str:
    """Return how messages name a file: by a relative path if it is below the current directory."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def write_text(path: str, text: str) -> None:
    """Write a file atomically, so that an interrupted run keeps the old one.

    A file that cannot be replaced by one with the same owner and mode is overwritten in place.

    Raises:
        OSError, UnicodeEncodeError: it cannot be written.
    """
    content = text.encode()
    directory, name = os.path.split(path)
    try:
        with tempfile.NamedTemporaryFile(
            dir=directory, prefix=f".{name[:50]}.", suffix=".tmp", delete=False
        ) as file:
            try:
                file.write(content)
                file.close()
                _copy_attributes(path, file.name)
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        # Such as a file that is mounted into a container, or one in a directory that belongs to somebody else.
        if error.errno not in (errno.EBUSY, errno.EPERM, errno.EACCES) or not os.path.exists(path):
            raise
        with open(path, "wb") as file_in_place:
            file_in_place.write(content)


def _copy_attributes(path: str, new: str) -> None:
    """Give a new file the owner and the mode of the one that it replaces, if there is one."""
    if os.path.exists(path):
        old, own = os.stat(path), os.stat(new)
        if (old.st_uid, old.st_gid) != (own.st_uid, own.st_gid):
            os.chown(new, old.st_uid, old.st_gid)
        os.chmod(new, stat.S_IMODE(old.st_mode))
    else:
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(new, 0o666 & ~umask)
