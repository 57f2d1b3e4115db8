"""What a server's answers become, field by field, and the queries that ask for them, as text."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core import db_facts
from hadb_core.errors import Unreadable


def account(**changed: Any) -> dict[str, Any]:
    row = {"kind": "account", "name": "nova", "host": "%", "plugin": "mysql_native_password", "stored": "2A39", "others": 0, "locked": 0}
    return row | changed


def read(*rows: dict[str, Any], check: Any = lambda *_: None) -> dict[str, Any]:
    return db_facts.content("mariadb", rows, check)


def grants(rights: dict[str, int], database: str = "nova", **changed: Any) -> dict[str, list[str]]:
    row = {"kind": "grant", "name": "nova", "host": "%", "database": database, "rights": rights} | changed
    return read(row, account())["accounts"]["nova@%"]["grants"]


def test_what_is_in_a_server_is_told_whole_whatever_the_order_of_the_rows() -> None:
    asked = []

    def check(*given: Any) -> bool:
        asked.append(given)
        return True

    grant = {"kind": "grant", "name": "nova", "host": "%", "database": "nova\\_api\\%", "rights": {"Select_priv": 1, "Drop_priv": 0}}
    database = {"kind": "database", "name": "nova", "charset": "utf8mb3", "collation": "utf8mb3_bin"}
    assert read(grant, account(), database, check=check) == {
        "databases": {"nova": {"charset": "utf8mb3", "collation": "utf8mb3_bin"}},
        "accounts": {
            "nova@%": {"plugin": "mysql_native_password", "password": True, "open": False, "grants": {"nova_api%": ["SELECT"]}},
        },
    }  # fmt: skip
    assert asked == [("nova@%", "mysql_native_password", b"*9")]


def test_a_grant_without_an_account_gives_nobody_anything() -> None:
    assert grants({"Select_priv": 1}, host="10.%") == {} and grants({"Select_priv": 0}) == {} and grants({}) == {}


@pytest.mark.parametrize(
    ("rights", "named"),
    [
        ({"Select_priv": 1, "Insert_priv": 1}, ["ALL PRIVILEGES"]),
        ({"Select_priv": 1, "Insert_priv": 1, "Grant_priv": 0}, ["ALL PRIVILEGES"]),
        ({"Select_priv": 1, "Drop_priv": 0, "Grant_priv": 1}, ["SELECT"]),
        (
            {"Drop_priv": 0, "Show_db_priv": 1, "Create_tmp_table_priv": 1, "Repl_slave_priv": 1, "Repl_client_priv": 1,
             "Lock_tables_priv": 1, "Create_routine_priv": 1},
            ["CREATE ROUTINE", "CREATE TEMPORARY TABLES", "LOCK TABLES", "REPLICATION CLIENT", "REPLICATION SLAVE", "SHOW DATABASES"],
        ),
    ],
)  # fmt: skip
def test_rights_are_named_as_the_server_grants_them(rights: dict[str, int], named: list[str]) -> None:
    assert grants(rights) == {"nova": named}


@pytest.mark.parametrize(
    ("changed", "is_open"),
    [
        ({}, False),
        ({"stored": ""}, True),
        ({"stored": None, "plugin": None}, True),
        ({"stored": "", "plugin": "unix_socket"}, False),
        ({"stored": "", "others": 1}, False),
        ({"stored": "", "locked": 1}, False),
        ({"stored": "", "locked": "1"}, False),
        ({"name": ""}, True),
        ({"name": "", "locked": 1}, False),
    ],
)
def test_who_can_log_in_without_a_password(changed: dict[str, Any], is_open: bool) -> None:
    (found,) = read(account(**changed))["accounts"].values()
    assert found["open"] is is_open
    assert found["plugin"] == (account(**changed)["plugin"] or "")


def test_an_account_without_anything_stored_is_checked_as_empty() -> None:
    (found,) = read(account(stored=None, plugin=None), check=lambda *given: given)["accounts"].values()
    assert found["password"] == ("nova@%", "", b"")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("x" * 300, f"a line is not JSON (line: {'x' * 200!r})"),
        (f'\n["{"x" * 300}"]', f"a line is not a JSON object (line: {('[' + chr(34) + 'x' * 300)[:200]!r})"),
    ],
)
def test_a_line_that_is_no_object_is_shown_cut(output: str, words: str) -> None:
    with pytest.raises(Unreadable) as error:
        db_facts.rows(output, "mariadb")
    assert str(error.value) == f"cannot read the output of mariadb: {words}"


def test_empty_lines_between_objects_are_left_out() -> None:
    assert db_facts.rows('{"a": 1}\n\n \n{"b": 2}\n', "mariadb") == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_the_query_for_grants_asks_for_the_columns_of_each_table(flavour: str) -> None:
    columns = [{"table": "db", "name": "Select_priv"}, {"table": "db", "name": "Drop_priv"}, {"table": "user", "name": "Super_priv"}]
    said = db_facts.content_sql(flavour, columns)
    assert said.endswith(
        "SELECT JSON_OBJECT('kind', 'grant', 'name', User, 'host', Host, 'database', Db, 'rights', "
        "JSON_OBJECT('Select_priv', `Select_priv` = 'Y', 'Drop_priv', `Drop_priv` = 'Y')) FROM mysql.db;\n"
        "SELECT JSON_OBJECT('kind', 'grant', 'name', User, 'host', Host, 'database', '*', 'rights', "
        "JSON_OBJECT('Super_priv', `Super_priv` = 'Y')) FROM mysql.user;\n"
    )
    assert said.count(";\n") == 4 and said.index("SCHEMATA") < said.index("'account'") < said.index("'grant'")
    assert ("mysql.global_priv" in said) is (flavour == "mariadb")


DURABLE = {"innodb_flush_log_at_trx_commit": "1", "sync_binlog": 1, "innodb_doublewrite": "on", "innodb_flush_method": "O_DIRECT"}


def test_a_durable_server_is_safe_in_either_spelling_and_its_settings_are_told() -> None:
    assert db_facts.durability(DURABLE | {"log_bin": "0"}) == {"safe": True, "faults": [], "settings": DURABLE | {"log_bin": "0"}}


def test_every_setting_that_is_not_durable_is_told_with_its_reason() -> None:
    weak = {"innodb_flush_log_at_trx_commit": 2, "sync_binlog": 0, "innodb_doublewrite": "OFF", "innodb_flush_method": "fsync"}
    assert db_facts.durability(weak) == {"safe": False, "settings": weak, "faults": [
        "innodb_flush_log_at_trx_commit is 2, not 1: otherwise a fenced node loses acknowledged commits",
        "sync_binlog is 0, not 1: otherwise a fenced node loses the end of the binary log",
        "innodb_doublewrite is OFF, not ON: ext4 does not write 16 KiB pages atomically, a torn page is lost data",
        "innodb_flush_method is fsync, not O_DIRECT: buffered writes can be dropped after an I/O error of one path",
    ]}  # fmt: skip


@pytest.mark.parametrize(("made", "version", "due"), [("11.8", "11.4.1", True), ("11.8.1", "10.8.1", True), ("11.8", "11.8.9-x", False)])
def test_an_upgrade_is_due_when_either_number_of_the_series_differs(made: str, version: str, due: bool) -> None:
    assert db_facts.upgrade_due(made, version) is due
