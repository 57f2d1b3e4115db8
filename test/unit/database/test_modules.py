"""The loader files: what they ask, what they refuse, what they do with answers they do not know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hadb_core import db_client, db_node
from hadb_core.errors import CommandFailed, Refused, Unreadable
from support import load


def _run_all(code: int = 0, out: str = "", err: str = "") -> Callable[..., dict[str, Any]]:
    def run_all(argv: list[str], **_: Any) -> dict[str, Any]:
        run_all.asked.append(argv)  # type: ignore[attr-defined]
        return {"retcode": code, "stdout": out, "stderr": err}

    run_all.asked = []  # type: ignore[attr-defined]
    return run_all


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_client, "which", lambda names: f"/usr/sbin/{names[0]}")


@pytest.mark.usefixtures("cluster")
def test_no_temporary_server_where_the_cluster_manages_the_database() -> None:
    run_all = _run_all(0, "<primitive/>")
    module = load("_modules/dbinstance.py", salt={"cmd.run_all": run_all})
    with pytest.raises(Refused, match="the cluster manages the database"):
        module.serve("/dbmnt/mysql", "mariadb", "/nonexistent.sock", "/nonexistent.pid")
    ((program, *_, query),) = run_all.asked  # type: ignore[attr-defined]
    assert program == "/usr/sbin/cibadmin" and "@value='/dbmnt/mysql'" in query


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("code", [102, 105])  # no cluster here, no such primitive: cibadmin 2.1.5 and 3.0.0
def test_a_blank_node_has_no_cluster_that_manages(code: int) -> None:
    module = load("_modules/dbinstance.py", salt={"cmd.run_all": _run_all(code)})
    assert module._cluster_manages("/dbmnt/mysql") is False


@pytest.mark.usefixtures("cluster")
def test_an_unknown_answer_of_the_cluster_is_not_a_no() -> None:
    module = load("_modules/dbinstance.py", salt={"cmd.run_all": _run_all(124, err="timed out")})
    with pytest.raises(CommandFailed):
        module._cluster_manages("/dbmnt/mysql")


def test_without_a_client_program_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_client, "which", lambda names: "")
    with pytest.raises(Refused, match="no database client is installed"):
        db_client.program()


def test_units_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run_all = _run_all(
        0, "inactive\n\nactive\n"
    )  # systemctl show --property=ActiveState --value, systemd 257
    module = load("_modules/dbnode.py", salt={"cmd.run_all": run_all})
    monkeypatch.setattr(module, "_UNITS", tmp_path)
    monkeypatch.setattr(module, "_RUNNING", tmp_path)
    (tmp_path / "a.service").symlink_to("/dev/null")
    assert module.units(["a.service", "b.service"]) == {
        "a.service": {"masked": True, "active": False},
        "b.service": {"masked": False, "active": True},
    }
    assert len(run_all.asked) == 1  # type: ignore[attr-defined]


def test_a_missing_answer_about_a_unit_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = load("_modules/dbnode.py", salt={"cmd.run_all": _run_all(0, "inactive\n")})
    monkeypatch.setattr(module, "_RUNNING", tmp_path)
    with pytest.raises(Unreadable, match="1 answers for 2 units"):
        module.units(["a.service", "b.service"])


def test_an_override_of_a_unit_by_a_file_is_not_a_mask(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = load("_modules/dbnode.py", salt={"cmd.run_all": _run_all(0, "inactive\n")})
    monkeypatch.setattr(module, "_UNITS", tmp_path)
    (tmp_path / "mariadb.service").write_text("[Service]")
    assert module.units(["mariadb.service"])["mariadb.service"]["masked"] is False


def test_a_file_is_replaced_whole_and_readable(tmp_path: Path) -> None:
    module = load("_modules/dbnode.py")
    path = tmp_path / "hadb/my.cnf"
    for text in ("[mysqld]\n", "[mysqld]\nport = 3306\n"):
        module.write(str(path), text)
        assert module.read(str(path)) == text
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]
    assert module.read(str(tmp_path / "missing")) is None


def _state(function: str, test: bool, salt: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    module = load("_states/dbnode.py", salt=salt, opts={"test": test})
    return getattr(module, function)(**kwargs)


@pytest.mark.parametrize("test", [True, False])
def test_masking_reports_the_same_in_a_test_run(test: bool) -> None:
    masked: list[str] = []
    salt = {
        "dbnode.units": lambda names: {
            name: {"masked": name in masked, "active": False} for name in names or db_node.UNITS
        },
        "dbnode.mask": lambda unit: masked.append(unit),
    }
    ret = _state("units_masked", test, salt, name="x")
    assert ret["result"] is (None if test else True)
    assert list(ret["changes"]) == [f"unit {unit}" for unit in db_node.UNITS]
    assert masked == ([] if test else list(db_node.UNITS))


def test_a_weakened_setting_fails_the_state_before_the_file_is_read() -> None:
    ret = _state(
        "configured", False, {}, name="/etc/hadb/my.cnf", flavour="mariadb", datadir="/d/m", socket="/s", pid_file="/p",
        error_log="/l", user="mysql", port=3306, bind_address="0.0.0.0", settings={"sync_binlog": 0},
    )  # fmt: skip
    assert ret["result"] is False and "hadb:database:settings:sync_binlog" in ret["comment"]


def test_an_unconfined_server_needs_no_rules() -> None:
    facts = {"enabled": True, "profiles": {}, "local": ""}
    ret = _state(
        "apparmor_permits", False, {"dbnode.apparmor_facts": lambda flavour: facts}, name="x", flavour="mariadb",
        datadir="/dbmnt/mysql", files=[], config="/etc/hadb/my.cnf",
    )  # fmt: skip
    assert ret["result"] is True and "Nothing confines mariadb" in ret["comment"]


def test_rules_for_mysql_are_written_once() -> None:
    facts = {"enabled": True, "profiles": {}, "local": ""}

    def permit(path: str, text: str, profile: str) -> None:
        facts["local"] = text

    salt = {"dbnode.apparmor_facts": lambda flavour: dict(facts), "dbnode.apparmor_permit": permit}
    wanted = {"name": "x", "flavour": "mysql", "datadir": "/dbmnt/mysql", "files": ["/run/s"], "config": "/c"}
    assert _state("apparmor_permits", True, salt, **wanted)["result"] is None
    assert facts["local"] == ""
    assert _state("apparmor_permits", False, salt, **wanted)["changes"]
    assert _state("apparmor_permits", False, salt, **wanted)["changes"] == {}


def test_a_profile_is_loaded_again_only_where_apparmor_is_enabled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_all = _run_all()
    module = load("_modules/dbnode.py", salt={"cmd.run_all": run_all})
    monkeypatch.setattr(module, "_APPARMOR", tmp_path)
    profile = tmp_path / "usr.sbin.mysqld"
    profile.write_text("profile")
    module.apparmor_permit(str(tmp_path / "local/usr.sbin.mysqld"), "rules", str(profile))
    assert run_all.asked == []  # type: ignore[attr-defined]
    (tmp_path / "profiles").touch()
    module.apparmor_permit(str(tmp_path / "local/usr.sbin.mysqld"), "rules", str(profile))
    assert run_all.asked == [["apparmor_parser", "--replace", "--write-cache", str(profile)]]  # type: ignore[attr-defined]


def test_the_accounts_of_this_node_are_told() -> None:
    found = load("_modules/dbnode.py").identities()
    assert tuple(found["users"]["root"]) == (0, 0) and found["groups"]["root"] == 0


def test_accounts_and_masks_are_made_by_the_system_s_own_programs() -> None:
    run_all = _run_all()
    module = load("_modules/dbnode.py", salt={"cmd.run_all": run_all})
    module.group_add("mysql", 3306)
    module.user_add("mysql", 3306, 3306, "/var/lib/mysql")
    module.mask("mariadb.service")
    group, user, mask = run_all.asked  # type: ignore[attr-defined]
    assert group == ["groupadd", "--system", "--gid", "3306", "mysql"]
    assert "--no-create-home" in user and user[-3:] == ["--shell", "/bin/false", "mysql"]
    assert mask == ["systemctl", "mask", "mariadb.service"]


def test_apparmor_s_files_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = load("_modules/dbnode.py")
    monkeypatch.setattr(module.db_apparmor, "DIRECTORY", str(tmp_path))
    monkeypatch.setattr(module, "_APPARMOR", tmp_path)
    assert module.apparmor_facts("mysql") == {"enabled": False, "profiles": {}, "local": ""}
    (tmp_path / "local").mkdir()
    (tmp_path / "local/usr.sbin.mysqld").write_text("rules")
    (tmp_path / "usr.sbin.mysqld").write_text("profile")
    (tmp_path / "profiles").touch()
    assert module.apparmor_facts("mysql") == {
        "enabled": True, "profiles": {"usr.sbin.mysqld": "profile"}, "local": "rules"}


def test_a_file_that_cannot_be_written_leaves_no_draft(tmp_path: Path) -> None:
    module = load("_modules/dbnode.py")
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        module.write(str(tmp_path / "taken"), "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("test", [True, False])
def test_the_account_of_the_server_is_made_once(test: bool) -> None:
    users: dict[str, Any] = {"root": (0, 0)}
    groups = {"root": 0}
    salt = {
        "dbnode.identities": lambda: {"users": users, "groups": groups},
        "dbnode.group_add": lambda name, gid: groups.update({name: gid}),
        "dbnode.user_add": lambda name, uid, gid, home: users.update({name: (uid, gid)}),
    }
    wanted = {"name": "mysql", "group": "mysql", "uid": 3306, "gid": 3306, "home": "/x"}
    ret = _state("identity_present", test, salt, **wanted)
    assert list(ret["changes"]) == ["group mysql", "user mysql"]
    assert (ret["result"], "mysql" in users) == ((None, False) if test else (True, True))
    if not test:
        assert _state("identity_present", False, salt, **wanted)["changes"] == {}


def test_an_option_file_is_written_once_and_says_when_it_counts() -> None:
    files: dict[str, str] = {}
    salt = {"dbnode.read": files.get, "dbnode.write": lambda path, text: files.update({path: text})}
    wanted = {
        "name": "/etc/hadb/my.cnf", "flavour": "mariadb", "datadir": "/d/m", "socket": "/s", "pid_file": "/p",
        "error_log": "/l", "user": "mysql", "port": 3306, "bind_address": "0.0.0.0", "settings": {},
    }  # fmt: skip
    predicted = _state("configured", True, salt, **wanted)
    assert files == {}
    real = _state("configured", False, salt, **wanted)
    assert (real["result"], real["changes"]) == (True, predicted["changes"]) and "next start" in real["comment"]
    assert _state("configured", False, salt, **wanted)["changes"] == {}
