"""The client program: which one is taken, what it is given, and what is told when it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hadb_core import db_client, db_server, db_sql
from hadb_core.errors import CommandFailed, Refused, Unreadable


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], str]:
    """Return a function that installs a program in the only directory that is looked into."""
    monkeypatch.setattr(db_client, "_PATH", str(tmp_path))

    def make(name: str) -> str:
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
        return str(tmp_path / name)

    return make


def answering(out: str = "", code: int = 0, err: str = "") -> tuple[list[Any], Callable[..., dict[str, Any]]]:
    asked: list[Any] = []

    def run_all(argv: list[str], **given: Any) -> dict[str, Any]:
        asked.append((argv, given["stdin"]))
        return {"retcode": code, "stdout": out, "stderr": err}

    return asked, run_all


def test_mariadbs_own_client_is_preferred_and_mysqls_taken_where_it_is_alone(install: Callable[[str], str]) -> None:
    mysql = install("mysql")
    assert db_client.program() == mysql
    mariadb = install("mariadb")
    assert db_client.program() == mariadb
    assert db_client.which(("nothing", "mysql")) == mysql and db_client.which(("nothing",)) == ""


def test_a_node_without_a_client_is_refused_with_what_to_do(install: Callable[[str], str]) -> None:
    with pytest.raises(Refused) as error:
        db_client.program()
    assert str(error.value) == "no database client is installed on this node. What to do: apply hadb.package first"


def test_a_query_goes_in_by_stdin_behind_the_preamble_and_comes_out_as_rows(install: Callable[[str], str]) -> None:
    asked, run_all = answering('{"a": 1}\n{"a": 2}\n')
    client = install("mariadb")
    assert db_client.query(run_all, "SELECT 1;", "/run/s") == [{"a": 1}, {"a": 2}]
    assert asked == [(db_server.local_client(client, "/run/s"), db_sql.PREAMBLE + "SELECT 1;")]


def test_an_answer_that_is_no_row_names_the_client(install: Callable[[str], str]) -> None:
    client = install("mysql")
    with pytest.raises(Unreadable) as error:
        db_client.query(answering("oops")[1], "SELECT 1;", "/run/s")
    assert str(error.value) == f"cannot read the output of {client}: a line is not JSON (line: 'oops')"


def test_statements_are_executed_and_their_answer_is_not_read(install: Callable[[str], str]) -> None:
    asked, run_all = answering("no row")
    client = install("mariadb")
    db_client.execute(run_all, "FLUSH PRIVILEGES;", "/run/s")
    assert asked == [(db_server.local_client(client, "/run/s"), db_sql.PREAMBLE + "FLUSH PRIVILEGES;")]


@pytest.mark.parametrize("call", [db_client.query, db_client.execute])
def test_a_failure_tells_the_error_line_and_nothing_of_the_statement(install: Callable[[str], str], call: Any) -> None:
    client = install("mariadb")
    _, run_all = answering("secret out", 3, "--------------\nCREATE USER canary\n--------------\nERROR 1 (x): no")
    with pytest.raises(CommandFailed) as error:
        call(run_all, "CREATE USER canary", "/run/s")
    argv = db_server.local_client(client, "/run/s")
    assert (error.value.argv, error.value.code, error.value.out, error.value.err) == (tuple(argv), 3, "", "ERROR 1 (x): no")
    assert str(error.value) == f"`{' '.join(argv)}` ended with exit code 3: ERROR 1 (x): no"
    assert error.value.__cause__ is None and error.value.__suppress_context__
