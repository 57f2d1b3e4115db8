"""What real servers answer is understood, and nothing else is."""

from __future__ import annotations

import pytest
from captured import FLAVOURS, rows

from hadb_core import db_facts, db_password
from hadb_core.errors import Unreadable

SUITES = sorted(FLAVOURS)


def _content(suite: str, passwords: dict[str, str] | None = None) -> dict:
    def check(who: str, plugin: str, held: bytes) -> bool | None:
        return db_password.matches(plugin, held, passwords[who]) if passwords and who in passwords else None

    return db_facts.content(FLAVOURS[suite], rows(suite, "content"), check)


@pytest.mark.parametrize("suite", SUITES)
def test_databases_with_odd_names_are_read(suite: str) -> None:
    databases = _content(suite)["databases"]
    assert databases["nova_api"] == {"charset": "utf8mb3", "collation": "utf8mb3_general_ci"}
    assert databases['odd "name"\\']["charset"] == "utf8mb4"


@pytest.mark.parametrize("suite", SUITES)
def test_a_password_that_the_server_has_is_recognised(suite: str) -> None:
    accounts = _content(suite, {"nova@%": "test"})["accounts"]
    assert accounts["nova@%"]["password"] is True
    assert accounts["root@localhost"]["password"] is None


@pytest.mark.parametrize("suite", SUITES)
def test_a_changed_password_is_seen(suite: str) -> None:
    assert _content(suite, {"nova@%": "Test"})["accounts"]["nova@%"]["password"] is False


@pytest.mark.parametrize("suite", SUITES)
def test_grants_are_read_with_and_without_escapes(suite: str) -> None:
    accounts = _content(suite)["accounts"]
    assert accounts["nova@%"]["grants"] == {
        "nova_api": ["ALL PRIVILEGES"],
        "*": ["PROCESS", "REPLICATION CLIENT"],
    }
    assert accounts["o'dd \"\\@10.%"]["grants"] == {"odd_db": ["CREATE TEMPORARY TABLES", "SELECT"]}


@pytest.mark.parametrize("suite", SUITES)
def test_only_an_account_without_any_password_is_open(suite: str) -> None:
    accounts = _content(suite)["accounts"]
    assert [who for who, there in accounts.items() if there["open"]] == ["bare@localhost"]


@pytest.mark.parametrize("suite", SUITES)
def test_no_stored_form_of_a_password_is_returned(suite: str) -> None:
    text = repr(_content(suite, {"nova@%": "test"}))
    for row in rows(suite, "content"):
        if row.get("stored"):
            assert row["stored"] not in text
            assert bytes.fromhex(row["stored"]).decode("latin-1") not in text


@pytest.mark.parametrize("suite", SUITES)
def test_a_fresh_server_with_hadbs_file_is_durable(suite: str) -> None:
    found = db_facts.durability(rows(suite, "durability")[0])
    assert found["safe"] and not found["faults"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("innodb_flush_log_at_trx_commit", "2"),
        ("sync_binlog", "0"),
        ("innodb_doublewrite", "OFF"),
        ("innodb_flush_method", "fsync"),
    ],
)
def test_a_weakened_server_is_not_durable(name: str, value: str) -> None:
    found = db_facts.durability({**rows("trixie", "durability")[0], name: value})
    assert not found["safe"]
    assert found["faults"][0].startswith(f"{name} is {value}")


@pytest.mark.parametrize("output", ['{"kind": "database"', "ERROR", "[1]", '{"read_only": OFF}'])
def test_what_is_not_json_is_unreadable_never_empty(output: str) -> None:
    with pytest.raises(Unreadable):
        db_facts.rows(output, "mariadb")


@pytest.mark.parametrize(
    ("made", "version", "due"),
    [
        ("10.11.18-MariaDB", "10.11.18-MariaDB-0+deb12u1", False),
        ("11.8.6-MariaDB", "11.8.9-MariaDB-0+deb13u2 from Debian", False),
        ("10.11.18-MariaDB", "11.8.6-MariaDB-0+deb13u1 from Debian", True),
        ("", "9.7.4-2", False),
    ],
)
def test_system_tables_of_an_older_series_are_seen(made: str, version: str, due: bool) -> None:
    assert db_facts.upgrade_due(made, version) is due
