"""AppArmor: which local rules the server needs, by flavour and by the profiles that exist.

Debian ships MariaDB with an empty profile on purpose: nothing confines it, nothing is to be done.
MySQL's packages bring ``/etc/apparmor.d/usr.sbin.mysqld``, which knows only /var/lib/mysql and
includes ``local/usr.sbin.mysqld``: the place for a site's own rules, kept over upgrades.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hadb_core import db_datadir, db_server

DIRECTORY = "/etc/apparmor.d"
PROFILES: Mapping[str, str] = {"mysql": "usr.sbin.mysqld", "mariadb": "usr.sbin.mariadbd"}
BEGIN = "# hadb: begin"
END = "# hadb: end"


@dataclass(frozen=True)
class Override:
    """A local file as it should be.

    path
        The file.
    text
        All of it: what others wrote there is kept, hadb's lines stand between two marks.
    profile
        The profile to load again when the file changed.
    """

    path: str
    text: str
    profile: str


def rules(datadir: str, files: Sequence[str], config: str) -> list[str]:
    """Return the rules: directories (each itself needs one too), single files, the option file.

    The directories are the data directory, the one in which an instance is made, and the temporary
    server's own.
    """
    places = (datadir, db_datadir.partial_of(datadir), db_server.DIRECTORY)
    lines = [line for place in places for line in (f"  {place}/ r,", f"  {place}/** rwk,")]
    # The socket has a lock file beside it.
    lines += [f"  {pattern} rw," for path in files for pattern in (path, f"{path}.lock")]
    return [*lines, f"  {config} r,"]


def override(flavour: str, lines: Sequence[str], profiles: Mapping[str, str], local: str) -> Override | None:
    """Return the local file that is wanted, ``None`` if nothing confines the server.

    lines
        What :func:`rules` returns.
    profiles
        File name in /etc/apparmor.d to its text, of the ones that exist.
    local
        The local file's text now, ``""`` if it does not exist.

    For MySQL the file is wanted even before the package brings the profile: it is without effect
    then, and right from the first start on.
    """
    name = PROFILES[flavour]
    if flavour != "mysql" and not confines(profiles.get(name, "")):
        return None
    block = "\n".join([BEGIN, *lines, END])
    rest = _without_block(local)
    return Override(
        posixpath.join(DIRECTORY, "local", name),
        (rest + "\n" if rest else "") + block + "\n",
        posixpath.join(DIRECTORY, name),
    )


def confines(profile: str) -> bool:
    """Return whether a profile's text has any rule (Debian's for MariaDB is nothing but a comment)."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in profile.splitlines())


def _without_block(local: str) -> str:
    kept, inside = [], False
    for line in local.splitlines():
        if line.strip() == BEGIN:
            inside = True
        elif line.strip() == END:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept).strip("\n")
