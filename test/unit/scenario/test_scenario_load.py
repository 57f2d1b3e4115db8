"""Loads beside the client: what they do to the server, and what is read of them."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pymysql
import pytest
from scenario import load, loader
from scenario.faults_database import redo_is_full, taken_back

SETTINGS = {"table": "t", "rows": 2 * load.BATCH}


class Enough(Exception):
    """The server was asked for as much as the test wants to see."""


class Server:
    """Takes down what it is asked to do, and stops the load after so many statements."""

    def __init__(self, statements: int) -> None:
        self.left = statements
        self.done: list[str] = []

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.done.append("end")

    def cursor(self) -> Server:
        return self

    def begin(self) -> None:
        self.done.append("BEGIN")

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        self.left -= 1
        if self.left < 0:
            raise Enough
        # As pymysql puts values in.
        self.done.append(statement % tuple(map(repr, values)) if values else statement)

    def executemany(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        self.execute(statement, rows[0])

    def fetchall(self) -> list[tuple[str, str]]:
        return [("Innodb_checkpoint_age", "700"), ("Innodb_checkpoint_max_age", "1000")]


def steps(capsys: pytest.CaptureFixture[str]) -> list[dict[str, int]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_filling_changes_every_row_again_and_again_and_tells_how_full_the_log_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    batches = load.ROWS // load.BATCH
    server = Server(1 + batches + 2 * (batches + 1))
    monkeypatch.setattr(load, "open_connection", lambda settings, answer: server)
    with pytest.raises(Enough):
        load.fill(SETTINGS)
    updates = [statement for statement in server.done if statement.startswith("UPDATE")]
    assert updates[0] == f"UPDATE `t` SET v = REPEAT('b', {load.WIDTH}) WHERE id BETWEEN 0 AND {load.BATCH - 1}"
    # Another value each time: a row that gets the value that it has is not written.
    assert updates[batches] == updates[0].replace("'b'", "'c'")
    assert steps(capsys)[0] == {"age": 700, "most": 1000}


def test_growing_is_one_transaction_that_does_not_end(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(5)
    monkeypatch.setattr(load, "open_connection", lambda settings, answer: server)
    monkeypatch.setattr(load, "_IDLE_SECONDS", 0)
    with pytest.raises(Enough):
        load.grow(SETTINGS)
    assert [statement.split()[0] for statement in server.done] == ["CREATE", "BEGIN", "INSERT", "INSERT", "SELECT", "SELECT", "end", "end"]  # fmt: skip
    assert steps(capsys) == [{"rows": load.BATCH}, {"rows": 2 * load.BATCH}]


@pytest.mark.parametrize(("error", "code"), [(None, 0), (pymysql.err.OperationalError(1045, "denied"), 1045)])
def test_login_tells_the_servers_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception | None, code: int
) -> None:
    def connect(settings: Any, answer: float) -> SimpleNamespace:
        if error:
            raise error
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(load, "open_connection", connect)
    load.login(SETTINGS)
    assert steps(capsys) == [{"error": code}]


def test_last_whole_step_counts() -> None:
    assert loader.last("") is None
    assert loader.last('{"rows": 1}\n{"rows": 2}\nTraceback ...\n{"rows"') == {"rows": 2}
    assert loader.last('{"rows": 1') is None


class Here:
    """A lab whose network is this machine's."""

    pillar = {"vips": {"glance": {"address": "127.0.0.1"}}}

    @staticmethod
    def inside(argv: list[str]) -> list[str]:
        return argv


def writer(directory: Path) -> SimpleNamespace:
    return SimpleNamespace(lab=Here, table="hadb_x_1", log=directory / "client.jsonl", settings=lambda: {"user": "nova"})


def program(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let a program of the test stand for ``load.py``."""
    monkeypatch.setattr(loader, "_COMMAND", [sys.executable, "-u", "-c", text])


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_load_works_in_a_table_of_its_own_and_ends_with_its_scenario(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(monkeypatch, "import json, os, sys, time; asked = json.load(sys.stdin); asked['pid'] = os.getpid(); "
                         "print(json.dumps(asked)); time.sleep(60)")  # fmt: skip
    with loader.loaded(writer(tmp_path), "grow", rows=7) as found:
        wait_for(found.last)
        said = found.last()
        os.kill(said["pid"], 0)
    assert (said["table"], found.table, said["rows"], said["user"]) == ("hadb_x_1_grow", "hadb_x_1_grow", 7, "nova")
    with pytest.raises(ProcessLookupError):
        os.kill(said["pid"], 0)


def test_load_that_ended_by_itself_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(monkeypatch, "import sys; sys.stdin.read(); print('{\"rows\": 3}'); sys.exit('no database')")

    def ended(found: loader.Load) -> bool:
        try:
            found.last()
        except AssertionError as error:
            return "its last step: {'rows': 3}" in str(error)
        return False

    with loader.loaded(writer(tmp_path), "grow") as found:
        wait_for(lambda: ended(found))
    assert "no database" in (tmp_path / "grow.txt").read_text()


def test_login_asks_again_while_the_server_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    program(monkeypatch, "import json, pathlib, sys; assert json.load(sys.stdin)['database'] == 'glance'; "
                         f"asked = pathlib.Path('{asked}'); print('{{\"error\": %d}}' % (1045 if asked.exists() else 2003)); asked.touch()")
    assert loader.login(Here, "glance", "x") == loader.DENIED
    program(monkeypatch, "import sys; sys.stdin.read()")
    with pytest.raises(AssertionError, match="nobody knows"):
        loader.login(Here, "glance", "x")


def test_redo_log_is_full_when_the_server_is_about_to_write_back() -> None:
    assert not redo_is_full(None)
    assert not redo_is_full({"age": 740, "most": 1000})
    assert redo_is_full({"age": 750, "most": 1000})


def test_account_is_put_back_as_the_server_described_it() -> None:
    # How MariaDB itself makes the account (mariadb.com/kb, unix_socket).
    made = "CREATE USER root@localhost IDENTIFIED VIA unix_socket OR mysql_native_password USING 'invalid'"
    assert taken_back(f"{made}\n") == made.replace("CREATE", "ALTER")
    for odd in ("", "ERROR 1045", "DROP USER x"):
        with pytest.raises(ValueError, match="SHOW CREATE USER"):
            taken_back(odd)
