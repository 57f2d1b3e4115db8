"""SQL and option-file text that cannot be broken out of: the only place where either is quoted.

Statements travel to the client by standard input. The client's session sets a known ``sql_mode``
first (see :data:`PREAMBLE`), because ``NO_BACKSLASH_ESCAPES`` and ``ANSI_QUOTES`` change what a
quote is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hadb_core.errors import Invalid

# Without NO_AUTO_CREATE_USER, which MySQL 8 no longer knows, MariaDB's GRANT makes a missing account,
# one without a password. Only MariaDB reads what is in /*M! */.
PREAMBLE = (
    "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION' /*M! ',NO_AUTO_CREATE_USER' */;\n"
)

LONGEST_IDENTIFIER = 64  # characters, both servers ("Identifier Names")
ALL = "ALL PRIVILEGES"
EVERYWHERE = "*"  # as the database of a grant: *.*

_ESCAPES = {"\\": "\\\\", "'": "''", "\n": "\\n", "\r": "\\r", "\x1a": "\\Z"}
_OPTION_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CHARSET = re.compile(r"[a-z0-9_]+")
_PRIVILEGE = re.compile(r"[A-Z]+(?: [A-Z]+)*")


def text(value: str) -> str:
    """Return ``value`` as a quoted SQL string. A NUL is refused: the client cuts the line there."""
    _refuse_nul(value)
    return "'" + "".join(_ESCAPES.get(char, char) for char in value) + "'"


def identifier(name: str) -> str:
    """Return a database name in backquotes; an impossible name raises :class:`Invalid`."""
    _refuse_nul(name)
    if not name or len(name) > LONGEST_IDENTIFIER or name.endswith(" "):
        raise Invalid(
            [
                f"{name!r} cannot be the name of a database: 1 to {LONGEST_IDENTIFIER} characters, "
                "not ending in a space"
            ]
        )
    return "`" + name.replace("`", "``") + "`"


def account(name: str, host: str) -> str:
    """Return ``'name'@'host'``. An anonymous account is refused: hadb never makes one."""
    if not name or not host:
        raise Invalid([f"account {name!r}@{host!r} needs a name and a host"])
    return f"{text(name)}@{text(host)}"


def scope(database: str) -> str:
    """Return what a grant is on: ``*.*`` or one database, in which ``_`` and ``%`` are escaped.

    Unescaped, a grant on ``nova_api`` also covers ``novaXapi``.
    """
    if database == EVERYWHERE:
        return "*.*"
    return identifier(database)[:-1].replace("_", "\\_").replace("%", "\\%") + "`.*"


def charset_word(value: str) -> str:
    """Return a character set or collation name if it can be one, else raise :class:`Invalid`."""
    if not _CHARSET.fullmatch(value):
        raise Invalid([f"{value!r} is not the name of a character set or collation"])
    return value


def privileges(wanted: str | Iterable[str]) -> tuple[str, ...]:
    """Return privileges in the server's spelling, sorted: ``("INSERT", "SELECT")``.

    wanted
        A list, or one string with commas. ``ALL`` is ``ALL PRIVILEGES``.
    """
    words = wanted.split(",") if isinstance(wanted, str) else list(wanted)
    named = {" ".join(str(word).upper().split()) for word in words}
    named = {ALL if word == "ALL" else word for word in named}
    faults = [f"{word!r} is not a privilege" for word in sorted(named) if not _PRIVILEGE.fullmatch(word)]
    faults += [
        f"{word} is not given by hadb: an application account must not hand on its rights"
        for word in sorted(named & {"GRANT OPTION", "PROXY"})
    ]
    if faults or not named:
        raise Invalid(faults or ["a grant needs at least one privilege"])
    return (ALL,) if ALL in named else tuple(sorted(named))


def create_database(name: str, charset: str = "", collation: str = "") -> str:
    """Return ``CREATE DATABASE IF NOT EXISTS ...;``."""
    return f"CREATE DATABASE IF NOT EXISTS {identifier(name)}{_charset(charset, collation)};\n"


def alter_database(name: str, charset: str = "", collation: str = "") -> str:
    """Return ``ALTER DATABASE ...;``: the defaults of tables made later, existing ones stay as they are."""
    return f"ALTER DATABASE {identifier(name)}{_charset(charset, collation)};\n"


def grant(name: str, host: str, database: str, wanted: Iterable[str]) -> str:
    """Return ``GRANT ... ON ... TO ...;``."""
    return f"GRANT {', '.join(privileges(wanted))} ON {scope(database)} TO {account(name, host)};\n"


def option_file(group: str, options: dict[str, str]) -> str:
    """Return an option file with one group, for ``--defaults-extra-file``."""
    lines = [f"[{group}]"] + [f"{key}={_option_value(value)}" for key, value in options.items()]
    return "\n".join(lines) + "\n"


def identified(flavour: str, stored: bytes) -> str:
    """Return the ``IDENTIFIED`` clause for a password's stored form (see :mod:`hadb_core.db_password`)."""
    if flavour == "mysql":
        return f"IDENTIFIED WITH caching_sha2_password AS 0x{stored.hex()}"
    return f"IDENTIFIED VIA mysql_native_password USING {text(stored.decode())}"


def create_account(name: str, host: str, clause: str) -> str:
    """Return ``CREATE USER ...;``. It fails for an account that exists: somebody made it meanwhile."""
    return f"CREATE USER {account(name, host)} {clause};\n"


def alter_account(name: str, host: str, clause: str) -> str:
    """Return ``ALTER USER ...;``."""
    return f"ALTER USER {account(name, host)} {clause};\n"


def _option_value(value: str) -> str:
    # my_default.c strips the outer quotes, then reads these. A quote inside must be escaped too:
    # it would end the quoting, and a # after it would begin a comment.
    _refuse_nul(value)
    return '"' + "".join(_OPTION_ESCAPES.get(char, char) for char in value) + '"'


def _charset(charset: str, collation: str) -> str:
    return (f" CHARACTER SET {charset_word(charset)}" if charset else "") + (
        f" COLLATE {charset_word(collation)}" if collation else ""
    )


def _refuse_nul(value: str) -> None:
    if "\0" in value:
        raise Invalid(["a NUL character cannot be part of a name or password"])
