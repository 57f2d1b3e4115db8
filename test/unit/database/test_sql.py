"""Quoting: nothing that a pillar can hold leaves its quotes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadb_core import db_sql
from hadb_core.errors import Invalid

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=40)


def _read_back(quoted: str) -> str:
    """Read a quoted SQL string as both servers do (no NO_BACKSLASH_ESCAPES)."""
    assert quoted[0] == quoted[-1] == "'"
    body, out, place = quoted[1:-1], "", 0
    while place < len(body):
        char = body[place]
        if char == "\\":
            place += 1
            out += {"n": "\n", "r": "\r", "Z": "\x1a"}.get(body[place], body[place])
        elif char == "'":
            assert body[place + 1] == "'", "the string ends early"
            place += 1
            out += "'"
        else:
            out += char
        place += 1
    return out


@given(TEXT)
def test_a_quoted_text_reads_back_as_itself(value: str) -> None:
    assert _read_back(db_sql.text(value)) == value


def test_quotes_backslashes_and_unicode_are_quoted() -> None:
    assert db_sql.text("O'Neil \\ ü\n") == "'O''Neil \\\\ ü\\n'"


def test_refuses_nul_in_text_and_names() -> None:
    for quote in (db_sql.text, db_sql.identifier):
        with pytest.raises(Invalid, match="a NUL character cannot be part of a name or password$"):
            quote("a\0b")


def test_a_backquote_in_a_name_is_doubled() -> None:
    assert db_sql.identifier("a`b") == "`a``b`"


@pytest.mark.parametrize("name", ["", "x" * 65, "ends in space "])
def test_refuses_impossible_database_names(name: str) -> None:
    with pytest.raises(Invalid, match="cannot be the name"):
        db_sql.identifier(name)
    assert db_sql.identifier("x" * 64) == f"`{'x' * 64}`"


def test_refuses_anonymous_accounts() -> None:
    with pytest.raises(Invalid, match="needs a name"):
        db_sql.account("", "%")


def test_a_grant_on_nova_api_does_not_cover_a_similar_name() -> None:
    assert db_sql.scope("nova_api") == "`nova\\_api`.*"
    assert db_sql.scope("*") == "*.*"
    assert db_sql.scope("50%") == "`50\\%`.*"


def test_privileges_are_written_as_the_server_does() -> None:
    assert db_sql.privileges("select,  insert") == ("INSERT", "SELECT")
    assert db_sql.privileges(["all"]) == ("ALL PRIVILEGES",)
    assert db_sql.privileges(["SELECT", "ALL PRIVILEGES"]) == ("ALL PRIVILEGES",)


@pytest.mark.parametrize("wanted", ["", [], "SELECT; DROP DATABASE nova", "GRANT OPTION", ["PROXY"]])
def test_refuses_what_is_no_privilege_or_hands_rights_on(wanted: object) -> None:
    with pytest.raises(Invalid, match="^a grant needs at least one privilege$" if wanted == [] else "privilege|rights"):
        db_sql.privileges(wanted)  # type: ignore[arg-type]


def test_refuses_a_character_set_that_is_more_than_a_name() -> None:
    with pytest.raises(Invalid):
        db_sql.create_database("nova", "utf8mb3; DROP DATABASE mysql")


def test_statements() -> None:
    """Golden: these ran on MariaDB 10.11, 11.8 and MySQL 9.7 (see test/tool/test_database_instance.py)."""
    assert db_sql.create_database("nova", "utf8mb3", "utf8mb3_general_ci") == (
        "CREATE DATABASE IF NOT EXISTS `nova` CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;\n"
    )
    assert db_sql.create_database("nova") == "CREATE DATABASE IF NOT EXISTS `nova`;\n"
    assert db_sql.alter_database("nova", "utf8mb4") == "ALTER DATABASE `nova` CHARACTER SET utf8mb4;\n"
    assert db_sql.alter_database("nova", collation="utf8mb4_bin") == "ALTER DATABASE `nova` COLLATE utf8mb4_bin;\n"
    assert db_sql.grant("no'va", "%", "nova_api", ["ALL"]) == (
        "GRANT ALL PRIVILEGES ON `nova\\_api`.* TO 'no''va'@'%';\n"
    )
    assert db_sql.grant("nova", "%", "*", ["select", "insert"]) == "GRANT INSERT, SELECT ON *.* TO 'nova'@'%';\n"
    clause = db_sql.identified("mariadb", b"*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29")
    assert db_sql.create_account("nova", "%", clause) == (
        "CREATE USER 'nova'@'%' IDENTIFIED VIA mysql_native_password USING"
        " '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29';\n"
    )
    assert db_sql.alter_account("nova", "%", db_sql.identified("mysql", b"$A$005$x")) == (
        "ALTER USER 'nova'@'%' IDENTIFIED WITH caching_sha2_password AS 0x2441243030352478;\n"
    )


def test_an_option_file_escapes_quotes_and_keeps_hash_signs() -> None:
    assert db_sql.option_file("client", {"password": 'a"#b\\c\n'}) == '[client]\npassword="a\\"#b\\\\c\\n"\n'
