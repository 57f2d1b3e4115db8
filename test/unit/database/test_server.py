"""Command lines, and what clients say when they fail."""

from __future__ import annotations

import pytest

from hadb_core import db_client, db_server, document
from hadb_core.errors import CommandFailed, Invalid

# mariadb 11.8.6 in batch mode, GRANT and CREATE USER that failed.
FAILED_GRANT = (
    "--------------\nGRANT SELECT ON `nova`.* TO 'nobody'@'%'\n--------------\n\n"
    "ERROR 1133 (28000) at line 2: Can't find any matching row in the user table\n"
)
# mysql 9.7.4 and mariadb 11.8.6 where no server listens.
NO_SERVER = (
    "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/run/mysqld/mysqld.sock' (2)",
    "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)",
)


@pytest.mark.parametrize("err", NO_SERVER)
def test_no_server_is_told_from_a_server_that_says_no(err: str) -> None:
    assert db_server.unreachable(err)
    assert not db_server.unreachable("ERROR 1045 (28000): Access denied for user 'root'@'localhost'")
    assert not db_server.unreachable("ERROR 1040 (HY000): Too many connections (seen 20023 times)")


def test_an_error_shows_no_statement_and_no_stored_password() -> None:
    assert db_server.said(FAILED_GRANT).startswith("ERROR 1133")
    assert "GRANT" not in db_server.said(FAILED_GRANT)
    text = db_server.said(
        "ERROR 1064 (42000): near '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29' or 0x2441243030"
    )
    assert "94BDCEBE" not in text and "2441" not in text


def test_a_failed_statement_is_an_error_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_client, "program", lambda: "mariadb")
    with pytest.raises(CommandFailed) as error:
        db_client.execute(
            lambda *_, **__: {"retcode": 1, "stdout": "", "stderr": FAILED_GRANT}, "GRANT ...", "/s"
        )
    assert "GRANT" not in str(error.value) and "ERROR 1133" in str(error.value)


def test_no_command_line_can_carry_a_password() -> None:
    lines = [
        db_server.local_client("mariadb", "/s"),
        db_server.remote_client("mariadb", "10.20.0.50", 3306, 5),
        db_server.temporary("mariadbd", "/d/m", "mysql", "/c"),
        db_server.initialise("mysql", "/d", "mysql", "/c"),
    ]
    assert not [word for line in lines for word in line if "password" in word]


def test_a_temporary_server_has_no_network_a_private_socket_and_an_end() -> None:
    line = db_server.temporary("/usr/sbin/mariadbd", "/dbmnt/mysql", "mysql", "/etc/hadb/my.cnf")
    assert "--skip-networking" in line and f"--socket={db_server.SOCKET}" in line
    assert line[line.index("--") + 1 : line.index("/usr/sbin/mariadbd")] == ["--kill-after=60", "1800"]


@pytest.mark.parametrize("pillar", [{}, {"a": {}}, {"a": {"b": ""}}, {"a": {"b": 5}}, {"a": "b"}])
def test_a_missing_secret_is_named_by_its_key_only(pillar: dict) -> None:
    with pytest.raises(Invalid, match="a:b is not set"):
        document.secret(pillar, "a:b")
