"""SQL through the client program: the local socket, root, statements by standard input."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from hadb_core import db_facts, db_server, db_sql
from hadb_core.errors import CommandFailed, Refused
from hadb_core.process import RunAll, run

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def which(names: Sequence[str]) -> str:
    """Return the path of the first of these programs that is installed, ``""`` if none is."""
    return next((found for name in names if (found := shutil.which(name, path=_PATH))), "")


def program() -> str:
    """Return the client's path; raises :class:`Refused` where none is installed."""
    # MariaDB's own name first: `mysql` prints a warning there since 11.
    found = which(("mariadb", "mysql"))
    if not found:
        raise Refused("no database client is installed on this node", "apply hadb.package first")
    return found


def query(run_all: RunAll, sql: str, socket: str) -> list[dict[str, Any]]:
    """Run statements that answer in JSON and return the rows."""
    argv = db_server.local_client(program(), socket)
    return db_facts.rows(_answer(run_all, argv, sql), argv[0])


def execute(run_all: RunAll, sql: str, socket: str) -> None:
    """Run statements that answer nothing; an error names no statement, it may hold a password's form."""
    _answer(run_all, db_server.local_client(program(), socket), sql)


def _answer(run_all: RunAll, argv: Sequence[str], sql: str) -> str:
    try:
        return run(run_all, argv, stdin=db_sql.PREAMBLE + sql).out
    except CommandFailed as error:
        raise CommandFailed(argv, error.code, "", db_server.said(error.err)) from None
