"""The option file as text, what its changes are shown as, and every fault of a setting word for word."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core import db_config
from hadb_core.plan import Plan, Step

LEAVE = "; leave it out"


def server(flavour: str = "mariadb", **settings: Any) -> db_config.Server:
    return db_config.Server(flavour, "/dbmnt/mysql", "/run/s", "/run/p", "/log/e", "mysql", settings=settings)


FILE = """# Managed by hadb. Settings come from the pillar, hadb:database:settings.
[client]
socket = /run/s

[mysqld]
user = mysql
datadir = /dbmnt/mysql
socket = /run/s
pid_file = /run/p
log_error = /log/e
bind_address = 0.0.0.0
port = 3306
skip_name_resolve = ON
default_storage_engine = InnoDB
{}open_files_limit = {}
innodb_flush_log_at_trx_commit = 1
sync_binlog = 1
innodb_doublewrite = ON
innodb_flush_method = O_DIRECT
"""


@pytest.mark.parametrize(
    ("flavour", "settings", "lines", "files"),
    [
        ("mariadb", {}, "", 32768),
        ("mariadb", {"max-connections": 6553}, "max_connections = 6553\n", 32768),
        ("mariadb", {"max_connections": 6554}, "max_connections = 6554\n", 32770),
        ("mariadb", {"max_connections": "", "innodb_log_file_size": "1G"}, "max_connections\ninnodb_log_file_size = 1G\n", 32768),
        ("mariadb", {"log-bin": None, "general_log": False, "skip-slow-query-log": None},
         "log_bin\ngeneral_log = OFF\nslow_query_log = OFF\n", 32768),
        ("mysql", {"innodb_log_file_size": "1G", "innodb_doublewrite": True},
         "mysqlx = OFF\nplugin_load_add = auth_socket.so\ninnodb_redo_log_capacity = 1G\n", 32768),
    ],
)  # fmt: skip
def test_the_file_is_written_whole(flavour: str, settings: dict[str, Any], lines: str, files: int) -> None:
    found = db_config.render(server(flavour, **settings))
    durable = "innodb_doublewrite = ON\n" if "innodb_doublewrite" in settings else ""
    want = FILE.format(f"{lines}{durable}", files)
    if durable:  # where the pillar named it, it keeps its place
        want = want.replace("sync_binlog = 1\n" + durable, "sync_binlog = 1\n")
    assert found == want


def test_a_limit_of_open_files_that_the_pillar_names_stays() -> None:
    assert db_config.effective(server(open_files_limit=70000))["open_files_limit"] == "70000"


def test_an_address_and_a_port_of_the_pillar_are_written() -> None:
    found = db_config.effective(db_config.Server("mysql", "/d", "/s", "/p", "/l", "u", 3307, "::1"))
    assert (found["port"], found["bind_address"], found["user"], found["datadir"]) == ("3307", "::1", "u", "/d")


@pytest.mark.parametrize(
    ("key", "value", "canonical"),
    [
        (" Skip-InnoDB-Doublewrite ", None, ("innodb_doublewrite", "OFF")),
        ("disable_log_bin", 1, ("log_bin", "OFF")),
        ("enable-x", None, ("x", "ON")),
        ("loose-maximum-x", 5, ("x", "5")),
        ("skip-networking", None, ("skip_networking", "ON")),
        ("skip_networking", 0, ("skip_networking", "0")),
        ("skip-grant-tables", " ", ("skip_grant_tables", "ON")),
        ("skip-name-resolve", None, ("skip_name_resolve", "ON")),
        ("skip-external-locking", None, ("skip_external_locking", "ON")),
        ("skip-show-database", None, ("skip_show_database", "ON")),
        ("skip-log-bin", None, ("skip_log_bin", "ON")),
        ("x", None, ("x", "")),
        ("x", True, ("x", "ON")),
        ("x", False, ("x", "OFF")),
        ("x", " 5 ", ("x", "5")),
    ],
)
def test_a_setting_is_understood_as_the_server_does(key: str, value: Any, canonical: tuple[str, str]) -> None:
    assert db_config.canonical(key, value) == canonical


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("a b", 1, " is not the name of a setting"),
        ("x", [1], " must be one value on one line"),
        ("x", "1\n", " must be one value on one line"),
        ("x", "1\r2", " must be one value on one line"),
        ("x", "\0", " must be one value on one line"),
        ("Log-Error", "x", ": set hadb:database:error_log instead, other parts of hadb need to know it too"),
        ("user", "x", ": set hadb:database:user:name instead, other parts of hadb need to know it too"),
        ("max_connections", "1K", " = '1K' must be a whole number, written out"),
        ("open-files-limit", "many", " = 'many' must be a whole number, written out"),
        ("sync_binlog", 0, f" must be 1: otherwise a fenced node loses the end of the binary log{LEAVE}"),
        ("innodb_force_recovery", 1, f" = 1 is refused: it is a tool for one rescue by hand, not a setting{LEAVE}"),
        ("default-storage-engine", "MyISAM", f" = 'MyISAM' is refused: other engines lose rows when the node is fenced{LEAVE}"),
        ("sync_bin", 1, " is the beginning of a setting that hadb guards; write names in full"),
        ("innodb_force", 0, " is the beginning of a setting that hadb guards; write names in full"),
        ("datad", "x", " is the beginning of a setting that hadb guards; write names in full"),
    ],
)
def test_each_fault_of_a_setting_is_told(key: str, value: Any, words: str) -> None:
    assert db_config.faults({key: value}) == [f"hadb:database:settings:{key}{words}"]


def test_all_faults_are_told_and_a_name_that_is_no_text_too() -> None:
    assert db_config.faults({1: 2, "sync_binlog": "1", "default_storage_engine": "innodb", "user": "x"}) == [
        "hadb:database:settings:1 is not the name of a setting",
        "hadb:database:settings:user: set hadb:database:user:name instead, other parts of hadb need to know it too",
    ]


@pytest.mark.parametrize("value", [1, 1.5, True, None, "X"])
def test_one_value_of_any_plain_kind_is_taken(value: Any) -> None:
    assert db_config.faults({"x": value}) == []


@pytest.mark.parametrize("value", ["", "true", "on", 1, True, None])
def test_a_switch_that_must_be_on_may_be_said_in_each_way(value: Any) -> None:
    assert db_config.faults({"innodb_doublewrite": value}) == []
    assert db_config.spellings("ON") == {"ON", "1", "TRUE", ""} and db_config.spellings("o_direct") == {"O_DIRECT"}


def test_a_file_is_read_by_group_and_name() -> None:
    text = "; a = 1\n# b = 1\nlost = 1\n [mysqld] \nbind-address = a=b \n skip-x\n\n[clientX]\nXport=1\n"
    assert db_config.parse(text) == {":lost": "1", "mysqld:bind_address": "a=b", "mysqld:skip_x": "", "clientX:Xport": "1"}


def test_a_change_of_the_file_is_shown_setting_by_setting() -> None:
    remark = ("A running server takes /c at its next start.",)
    old, new = "[mysqld]\na = 1\nb = 1\nsame = 1\n", "[mysqld]\nc = 1\na = 2\nsame = 1\n"
    args = {"path": "/c", "text": new}
    assert db_config.plan("/c", old, new) == Plan((
        Step("write", "file /c", {"mysqld:a": "1", "mysqld:b": "1"}, {"mysqld:a": "2", "mysqld:c": "1"}, args),
    ), remark)  # fmt: skip
    assert db_config.plan("/c", None, new) == Plan((
        Step("write", "file /c", None, {"mysqld:c": "1", "mysqld:a": "2", "mysqld:same": "1"}, args),
    ), remark)  # fmt: skip
    assert db_config.plan("/c", f"# x\n{new}", new) == Plan((Step("write", "file /c", None, "comments or order", args),), remark)
    assert db_config.plan("/c", new, new) == Plan()


@pytest.mark.parametrize(
    ("file", "in_force", "differs"),
    [
        ("128M", "134217728", False), ("1k", "1024", False), ("1G", "1073741824", False), ("1T", "1099511627776", False),
        ("128M", "134217729", True), ("/d/", "/d", False), ("ON", "1", False), ("true", "on", False), ("0", "OFF", False),
        ("False", "0", False), ("1", "0", True), ("InnoDB", " innodb ", False), ("2", "1", True), ("1x", "1", True),
    ],
)  # fmt: skip
def test_what_is_pending_is_told_with_both_values(file: str, in_force: str, differs: bool) -> None:
    text = f"[client]\nother = 1\n[mysqld]\nsome-name = {file}\nuser = mysql\n"
    told = {"some_name": {"file": file, "in_force": in_force}} if differs else {}
    assert db_config.pending(text, {"some_name": in_force, "other": "2"}) == told


@pytest.mark.parametrize(("in_force", "differs"), [("32767", True), ("32768", False), ("100000", False)])
def test_a_server_may_take_more_open_files_but_not_fewer(in_force: str, differs: bool) -> None:
    assert bool(db_config.pending("[mysqld]\nopen_files_limit = 32768\n", {"open_files_limit": in_force})) is differs
