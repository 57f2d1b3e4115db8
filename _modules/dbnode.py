"""What a database needs of its node: account, units, AppArmor, option file.

Everything here is about one node and safe on any node at any time. The database itself is
:mod:`dbinstance`'s.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pathlib
import pwd
import tempfile
from typing import Any

from hadb_core import db_apparmor, db_node
from hadb_core.errors import Unreadable
from hadb_core.process import run

__virtualname__ = "dbnode"

_RUNNING = pathlib.Path("/run/systemd/system")  # exists while systemd runs, sd_booted(3)
_UNITS = pathlib.Path("/etc/systemd/system")
_APPARMOR = pathlib.Path("/sys/kernel/security/apparmor")


def __virtual__() -> str:
    return __virtualname__


def identities() -> dict[str, Any]:
    """Return the accounts of this node: ``{"users": {name: [uid, gid]}, "groups": {name: gid}}``.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbnode.identities
    """
    return {
        "users": {user.pw_name: (user.pw_uid, user.pw_gid) for user in pwd.getpwall()},
        "groups": {group.gr_name: group.gr_gid for group in grp.getgrall()},
    }


def group_add(name: str, gid: int) -> None:
    """Make a system group with this id.

    name, gid
        The group and its number; ``CommandFailed`` when either is taken.

    CLI Example:

    .. code-block:: bash

        salt db1 dbnode.group_add mysql 3306
    """
    run(__salt__["cmd.run_all"], ["groupadd", "--system", "--gid", str(gid), name])


def user_add(name: str, uid: int, gid: int, home: str) -> None:
    """Make a system user with these ids that nobody can log in as. ``home`` is not created.

    name, uid, gid, home
        The user, its number, its group's number, its home directory.

    CLI Example:

    .. code-block:: bash

        salt db1 dbnode.user_add mysql 3306 3306 /var/lib/mysql
    """
    run(
        __salt__["cmd.run_all"],
        [
            "useradd",
            "--system",
            "--uid",
            str(uid),
            "--gid",
            str(gid),
            "--home-dir",
            home,
            "--no-create-home",
            "--shell",
            "/bin/false",
            name,
        ],
    )


def units(names: list[str] | None = None) -> dict[str, dict[str, bool]]:
    """Return ``{unit: {"masked": bool, "active": bool}}`` of the units that can start a server.

    names
        Units; all that hadb knows of unless given. A unit need not exist.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbnode.units
    """
    asked = list(names or db_node.UNITS)
    return {
        name: {"masked": _masked(name), "active": state not in ("inactive", "failed")}
        for name, state in zip(asked, _states(asked), strict=True)
    }


def mask(unit: str) -> None:
    """Keep systemd from starting a unit, also one that is not installed yet. A running one goes on.

    unit
        Its name: ``mariadb.service``.

    CLI Example:

    .. code-block:: bash

        salt db1 dbnode.mask mariadb.service
    """
    run(__salt__["cmd.run_all"], ["systemctl", "mask", unit])


def apparmor_facts(flavour: str) -> dict[str, Any]:
    """Return AppArmor's files: ``{"enabled": bool, "profiles": {name: text}, "local": text}``.

    flavour
        ``mariadb`` or ``mysql``.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbnode.apparmor_facts mysql
    """
    name = db_apparmor.PROFILES[flavour]
    profile = pathlib.Path(db_apparmor.DIRECTORY, name)
    return {
        "enabled": (_APPARMOR / "profiles").exists(),
        "profiles": {name: profile.read_text(encoding="utf-8")} if profile.is_file() else {},
        "local": read(str(pathlib.Path(db_apparmor.DIRECTORY, "local", name))) or "",
    }


def apparmor_permit(path: str, text: str, profile: str) -> None:
    """Write a local AppArmor file and load the profile that reads it, if there is one.

    Loading a profile again changes what a running server may do; it does not restart it.

    path, text
        The local file and what goes into it.
    profile
        The profile that reads it.

    CLI Example:

    .. code-block:: bash

        salt db1 dbnode.apparmor_permit /etc/apparmor.d/local/usr.sbin.mysqld '  /dbmnt/mysql/** rwk,' \
            /etc/apparmor.d/usr.sbin.mysqld
    """
    write(path, text)
    if (_APPARMOR / "profiles").exists() and pathlib.Path(profile).is_file():
        run(__salt__["cmd.run_all"], ["apparmor_parser", "--replace", "--write-cache", profile])


def read(path: str) -> str | None:
    """Return a file's text, ``None`` if it does not exist.

    path
        The file.

    CLI Example:

    .. code-block:: bash

        salt 'db*' dbnode.read /etc/hadb/my.cnf
    """
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write(path: str, text: str) -> None:
    """Replace a file that everybody may read (0644, root) at once: readers see the old or the new text.

    path, text
        The file and all that it shall hold.

    CLI Example:

    .. code-block:: bash

        salt db1 dbnode.write /etc/hadb/my.cnf '[mysqld]'
    """
    place = pathlib.Path(path)
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        pathlib.Path(draft).chmod(0o644)
        pathlib.Path(draft).replace(place)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            pathlib.Path(draft).unlink()
        raise


def _masked(unit: str) -> bool:
    link = _UNITS / unit
    return link.is_symlink() and str(link.readlink()) == "/dev/null"


def _states(units: list[str]) -> list[str]:
    """Return systemd's ``ActiveState`` of each unit; ``inactive`` also for one that does not exist."""
    # Without a running systemd (a chroot) nothing can be active.
    if not _RUNNING.is_dir():
        return ["inactive"] * len(units)
    # One call: each takes 0.3 s on a small node.
    argv = ["systemctl", "show", "--property=ActiveState", "--value", *units]
    states = run(__salt__["cmd.run_all"], argv).out.split()
    if len(states) != len(units):
        raise Unreadable("systemctl show", f"{len(states)} answers for {len(units)} units")
    return states
