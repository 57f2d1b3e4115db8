"""The option file: whole, and never weaker than a durable one."""

from __future__ import annotations

import pytest

from hadb_core import db_config

SERVER = db_config.Server(
    "mariadb",
    "/dbmnt/mysql",
    "/run/mysqld/mysqld.sock",
    "/run/mysqld/mysqld.pid",
    "/var/log/mysql/error.log",
    "mysql",
    settings={"max_connections": 4096},
)


def _with(flavour: str = "mariadb", **settings: object) -> dict[str, str]:
    return db_config.effective(
        db_config.Server(flavour, "/d/m", "/s", "/p", "/l", "mysql", settings=settings)
    )


def test_durability_is_in_the_file_whatever_the_pillar_says() -> None:
    chosen = _with()
    assert chosen["innodb_flush_log_at_trx_commit"] == chosen["sync_binlog"] == "1"
    assert chosen["innodb_doublewrite"] == "ON"
    assert chosen["innodb_flush_method"] == "O_DIRECT"


@pytest.mark.parametrize("name", ["innodb_flush_log_at_trx_commit", "sync-binlog", "INNODB_DOUBLEWRITE"])
def test_a_durable_value_said_again_is_no_fault(name: str) -> None:
    assert db_config.faults({name: 1}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("innodb_flush_log_at_trx_commit", 2),
        ("innodb-flush-log-at-trx-commit", 0),
        ("loose-sync_binlog", 0),
        ("sync_binlog", 100),
        ("innodb_doublewrite", False),
        ("innodb_doublewrite", "OFF"),
        ("skip-innodb-doublewrite", None),
        ("skip_innodb_doublewrite", ""),
        ("disable-innodb_doublewrite", 1),
        ("loose-skip-innodb-doublewrite", None),
        ("innodb_flush_method", "nosync"),
        ("innodb_flush_method", "fsync"),
        ("maximum-sync_binlog", 0),
        ("innodb_force_recovery", 1),
        ("innodb_checksum_algorithm", "none"),
        ("skip-innodb-checksums", None),
        ("default-storage-engine", "MyISAM"),
        ("skip-innodb", None),
        ("innodb", "OFF"),
        ("skip-grant-tables", None),
        ("skip-networking", None),
        ("innodb_read_only", True),
        ("innodb_fast_shutdown", 2),
    ],
)
def test_refuses_what_could_lose_an_acknowledged_write(name: str, value: object) -> None:
    (fault,) = db_config.faults({name: value})
    assert fault.startswith(f"hadb:database:settings:{name}")


@pytest.mark.parametrize("name", ["innodb_doublew", "sync_b", "innodb-flush-log-at", "skip-innodb-doublew"])
def test_refuses_the_beginning_of_a_guarded_name_because_servers_accept_it(name: str) -> None:
    (fault,) = db_config.faults({name: 0})
    assert "beginning" in fault


@pytest.mark.parametrize(
    "name", ["datadir", "bind-address", "pid_file", "socket", "port", "log-error", "user"]
)
def test_refuses_settings_that_have_a_key_of_their_own(name: str) -> None:
    (fault,) = db_config.faults({name: "x"})
    assert "hadb:database:" in fault and "instead" in fault


@pytest.mark.parametrize(
    ("name", "value"),
    [("a b", 1), ("[mysqld]", 1), ("x", "1\nskip-grant-tables"), ("y", [1]), ("!include", "/tmp/x")],
)
def test_refuses_what_is_not_one_setting(name: str, value: object) -> None:
    assert len(db_config.faults({name: value})) == 1


def test_ordinary_settings_are_no_fault() -> None:
    assert (
        db_config.faults(
            {
                "max_connections": 4096,
                "character-set-server": "utf8mb3",
                "skip-name-resolve": None,
                "innodb_buffer_pool_size": "128M",
                "innodb": "ON",
                "log_bin": "/dbmnt/mysql/bin",
            }
        )
        == []
    )


def test_enough_files_for_every_connection() -> None:
    assert _with(max_connections=4096)["open_files_limit"] == "32768"
    assert _with(max_connections=10000)["open_files_limit"] == "50000"
    assert _with(max_connections=10000, open_files_limit=60000)["open_files_limit"] == "60000"


def test_mysql_gets_its_own_names_and_no_second_port() -> None:
    chosen = _with("mysql", **{"innodb-log-file-size": "96M"})
    assert chosen["innodb_redo_log_capacity"] == "96M" and "innodb_log_file_size" not in chosen
    assert chosen["mysqlx"] == "OFF" and chosen["plugin_load_add"] == "auth_socket.so"


def test_the_file_is_complete() -> None:
    assert (
        db_config.render(SERVER)
        == """\
# Managed by hadb. Settings come from the pillar, hadb:database:settings.
[client]
socket = /run/mysqld/mysqld.sock

[mysqld]
user = mysql
datadir = /dbmnt/mysql
socket = /run/mysqld/mysqld.sock
pid_file = /run/mysqld/mysqld.pid
log_error = /var/log/mysql/error.log
bind_address = 0.0.0.0
port = 3306
skip_name_resolve = ON
default_storage_engine = InnoDB
max_connections = 4096
open_files_limit = 32768
innodb_flush_log_at_trx_commit = 1
sync_binlog = 1
innodb_doublewrite = ON
innodb_flush_method = O_DIRECT
"""
    )


def test_a_change_is_shown_setting_by_setting() -> None:
    wanted = db_config.render(SERVER)
    plan = db_config.plan("/etc/hadb/my.cnf", wanted.replace("port = 3306", "port = 3307"), wanted)
    (step,) = plan.steps
    assert (step.old, step.new) == ({"mysqld:port": "3307"}, {"mysqld:port": "3306"})
    assert "next start" in plan.remarks[0]
    assert not db_config.plan("/etc/hadb/my.cnf", wanted, wanted)


def test_a_missing_file_is_shown_whole() -> None:
    (step,) = db_config.plan("/etc/hadb/my.cnf", None, db_config.render(SERVER)).steps
    assert step.old is None
    assert step.new["mysqld:datadir"] == "/dbmnt/mysql"


def test_a_value_of_none_is_written_as_on() -> None:
    assert _with(**{"skip-external-locking": None})["skip_external_locking"] == "ON"


def test_what_waits_for_a_restart_is_named() -> None:
    text = db_config.render(SERVER)
    in_force = {
        "max_connections": "151",
        "innodb_doublewrite": "1",
        "datadir": "/dbmnt/mysql/",
        "open_files_limit": "36128",
        "innodb_flush_method": "O_DIRECT",
        "port": "3306",
    }
    assert db_config.pending(text, in_force) == {"max_connections": {"file": "4096", "in_force": "151"}}


def test_sizes_are_compared_in_bytes() -> None:
    assert not db_config.pending(
        "[mysqld]\ninnodb_buffer_pool_size = 128M\n", {"innodb_buffer_pool_size": "134217728"}
    )
    assert db_config.pending("[mysqld]\nopen_files_limit = 32768\n", {"open_files_limit": "1024"})
