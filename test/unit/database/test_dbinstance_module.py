"""An instance is whole or not there; one server at a time; what a server says is told, what it hides is an error."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from captured import FIXTURES, FLAVOURS

from hadb_core import db_client, db_datadir, db_server
from hadb_core.errors import CommandFailed, Refused, Unreadable
from support import load

ME = pwd.getpwuid(os.geteuid()).pw_name
NOBODY_THERE = "ERROR 2002 (HY000): Can't connect to local server through socket\n"


class Node:
    """The module with commands that answer from ``answers`` (a text in the command or its SQL -> code, out, err)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.ran: list[list[str]] = []
        self.answers: dict[str, Any] = {}
        monkeypatch.setattr(db_client, "which", lambda names: f"/usr/sbin/{names[0]}")
        for name, value in (("DIRECTORY", "run"), ("SOCKET", "run/sock"), ("PID_FILE", "run/pid"), ("ERROR_LOG", "run/log")):
            monkeypatch.setattr(db_server, name, str(tmp_path / value))
        self.module = load("_modules/dbinstance.py", salt={"cmd.run_all": self.run_all}, pillar={"a": {"b": "secret-1"}})
        monkeypatch.setattr(self.module.time, "sleep", lambda seconds: None)

    def run_all(self, argv: list[str], stdin: str | None = None, **_: Any) -> dict[str, Any]:
        self.ran.append(argv)
        text = " ".join(argv) + (stdin or "")
        answer = next((value for key, value in self.answers.items() if key in text), (0, "", ""))
        code, out, err = answer(argv) if callable(answer) else answer
        return {"retcode": code, "stdout": out, "stderr": err}


@pytest.fixture
def node(monkeypatch, tmp_path):
    return Node(monkeypatch, tmp_path)


def test_what_is_at_a_data_directory_is_told(node, tmp_path):
    datadir = tmp_path / "mysql"
    assert node.module.place(str(datadir), "/") == {
        "mounted": True, "entries": None, "signs": [], "owner": None, "partial": False}
    (datadir / "mysql").mkdir(parents=True)
    (datadir / "mysql/global_priv.frm").touch()
    Path(db_datadir.partial_of(str(datadir))).mkdir()
    assert node.module.place(str(datadir), "/no/such/mount") == {
        "mounted": False, "entries": ["mysql"], "signs": ["mysql/global_priv.frm"], "owner": os.geteuid(), "partial": True}


def test_a_user_that_does_not_exist_has_no_id(node):
    assert (node.module.user_id("root"), node.module.user_id("no-such-user")) == (0, None)


def made(flavour: str, whole: bool = True) -> Any:
    def install(argv: list[str]) -> tuple[int, str, str]:
        draft = Path(next(word for word in argv if word.startswith("--datadir=")).removeprefix("--datadir="))
        assert (draft / db_datadir.PARTIAL).exists()
        (draft / "mysql").mkdir()
        for sign in (db_datadir.SIGNS[flavour], "ibdata1") if whole else ():
            (draft / sign).touch()
        return 0, "", ""

    return install


def test_an_instance_gets_its_name_when_it_is_complete(node, tmp_path):
    node.answers["mariadb-install-db"] = made("mariadb")
    datadir = tmp_path / "mysql"
    node.module.initialise(str(datadir), "mariadb", ME)
    assert (datadir / db_datadir.MARKER).exists() and not (datadir / db_datadir.PARTIAL).exists()
    assert [argv[0] for argv in node.ran] == ["mariadb-install-db", "sync", "sync"]


def test_an_installer_that_made_half_an_instance_leaves_no_data_directory(node, tmp_path):
    node.answers["mariadb-install-db"] = made("mariadb", whole=False)
    datadir = tmp_path / "mysql"
    with pytest.raises(Unreadable, match="no complete instance"):
        node.module.initialise(str(datadir), "mariadb", ME)
    assert not datadir.exists()
    node.module.discard_partial(str(datadir))
    assert list(tmp_path.iterdir()) == []


def test_mysql_s_root_gets_in_by_the_socket_before_the_instance_has_its_name(node, tmp_path, monkeypatch):
    node.answers |= {"--initialize-insecure": made("mysql"), "start-stop-daemon": lambda argv: serving(tmp_path)}
    node.answers["'datadir'"] = (0, f'{{"datadir": "{tmp_path}/mysql.hadb-partial/"}}\n', "")
    node.module.initialise(str(tmp_path / "mysql"), "mysql", ME)
    words = [argv[0] for argv in node.ran]
    assert words.index("start-stop-daemon") < words.index("sync") and (tmp_path / "mysql").exists()


def serving(tmp_path: Path) -> tuple[int, str, str]:
    (tmp_path / "run/sock").touch()
    return 0, "", ""


def test_left_overs_that_a_process_still_uses_are_kept(node, tmp_path):
    draft = tmp_path / "mysql.hadb-partial"
    draft.mkdir()
    # Its first line says that the kernel shows its arguments: Popen returns a moment before.
    process = subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", str(draft)],
                               stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdout
    process.stdout.readline()
    try:
        with pytest.raises(Refused, match=f"used by process.*{process.pid}"):
            node.module.discard_partial(str(tmp_path / "mysql"))
    finally:
        process.kill()
        process.wait()
    assert draft.exists()


def test_a_server_answers_or_is_not_there_or_is_ill(node, tmp_path):
    socket = tmp_path / "sock"
    assert node.module.ping(str(socket)) is False
    socket.touch()
    node.answers["SELECT"] = (0, '{"datadir": "/dbmnt/mysql/"}\n', "")
    assert node.module.ping(str(socket), "/dbmnt/mysql") is True
    with pytest.raises(Refused, match="has its data in /dbmnt/mysql/, not in /srv"):
        node.module.ping(str(socket), "/srv")
    node.answers["SELECT"] = (1, "", NOBODY_THERE)
    assert node.module.ping(str(socket)) is False
    node.answers["SELECT"] = (1, "", "ERROR 1045 (28000): Access denied\n")
    with pytest.raises(CommandFailed, match="Access denied"):
        node.module.ping(str(socket))


def test_a_server_that_runs_is_used(node, tmp_path):
    (tmp_path / "sock").touch()
    node.answers["SELECT"] = (0, '{"datadir": "/dbmnt/mysql/"}\n', "")
    assert node.module.serve("/dbmnt/mysql", "mariadb", str(tmp_path / "sock")) == str(tmp_path / "sock")


def test_no_second_server_beside_one_that_does_not_answer(node, tmp_path, monkeypatch):
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    monkeypatch.setattr(db_server, "NAMES", (node.module._name(os.getpid()),))
    with pytest.raises(Refused, match="does not answer"):
        node.module.serve(str(tmp_path), "mariadb", "/no.sock", str(tmp_path / "pid"))


def test_a_temporary_server_is_started_where_no_cluster_manages_one(node, tmp_path):
    node.answers |= {"cibadmin": (105, "", ""), "start-stop-daemon": lambda argv: serving(tmp_path),
                     "'datadir'": (0, f'{{"datadir": "{tmp_path}"}}\n', "")}
    assert node.module.serve(str(tmp_path), "mariadb", "/no.sock", "/no.pid") == db_server.SOCKET
    argv = next(argv for argv in node.ran if argv[0] == "start-stop-daemon")
    assert f"--user={ME}" in argv and "--skip-networking" in argv


@pytest.mark.parametrize("log", ["InnoDB: corrupted\n", None])
def test_a_temporary_server_that_ends_at_once_says_why(node, tmp_path, log):
    def dies(argv):
        if log:
            (tmp_path / "run/log").write_text(log)
        return 0, "", ""

    node.answers |= {"cibadmin": (102, "", ""), "start-stop-daemon": dies}
    with pytest.raises(Unreadable, match="InnoDB: corrupted" if log else "it wrote no log"):
        node.module.serve(str(tmp_path), "mysql", "/no.sock", "/no.pid")


def test_a_temporary_server_that_never_answers_is_not_waited_for_for_ever(node, tmp_path, monkeypatch):
    def hangs(argv):
        (tmp_path / "run/pid").write_text(str(os.getpid()))
        return 0, "", ""

    monkeypatch.setattr(node.module, "_SECONDS_TO_START", 0.05)
    node.answers |= {"cibadmin": (102, "", ""), "start-stop-daemon": hangs}
    with pytest.raises(Unreadable, match="did not start within"):
        node.module.serve(str(tmp_path), "mariadb", "/no.sock", "/no.pid")


def test_without_cibadmin_no_cluster_manages_anything(node, monkeypatch):
    monkeypatch.setattr(db_client, "which", lambda names: "")
    assert node.module._cluster_manages("/dbmnt/mysql") is False


def test_the_temporary_server_is_ended_by_name_and_place(node, tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    process = subprocess.Popen(["/usr/bin/timeout", "60", sys.executable, "-c", "import time; time.sleep(60)", db_server.SOCKET])
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        while process.pid not in node.module._temporary():
            assert process.poll() is None
        node.module.release()
        assert process.wait() in (-signal.SIGTERM, 124, 128 + signal.SIGTERM) and other.poll() is None
    finally:
        other.kill()
        other.wait()
    assert not (tmp_path / "run").exists()


def test_a_process_that_has_ended_has_no_name(node):
    process = subprocess.Popen(["true"])
    process_id = process.pid
    while b"\nState:\tZ" not in Path(f"/proc/{process_id}/status").read_bytes():
        pass
    assert node.module._name(process_id) == ""  # a zombie
    process.wait()
    assert node.module._name(process_id) == "" and node.module._here(process_id) is False


@pytest.mark.parametrize("text", ["", "x", None])
def test_a_pid_file_without_a_number_names_nobody(node, tmp_path, text):
    if text is not None:
        (tmp_path / "pid").write_text(text)
    assert node.module._pid_in(str(tmp_path / "pid")) == 0


@pytest.mark.parametrize("suite", sorted(FLAVOURS))
def test_health_and_durability_of_a_real_server(node, suite):
    node.answers["'max_connections'"] = (0, (FIXTURES / suite / "health.jsonl").read_text(), "")
    node.answers["innodb_doublewrite"] = (0, (FIXTURES / suite / "durability.jsonl").read_text(), "")
    health = node.module.health()
    assert (health["ok"], health["error"], health["upgrade_due"]) == (True, "", False) and health["version"]
    assert set(node.module.durability()) == {"safe", "faults", "settings"}


def test_a_server_without_answer_is_not_healthy(node):
    node.answers["SELECT"] = (1, "", NOBODY_THERE)
    assert node.module.health() == {"ok": False, "error": NOBODY_THERE.strip()}


def test_system_tables_of_an_older_series_are_told(node, tmp_path):
    (tmp_path / "mariadb_upgrade_info").write_text("10.11.6-MariaDB")
    node.answers["SELECT"] = (0, f'{{"datadir": "{tmp_path}", "version": "11.8.6-MariaDB"}}\n', "")
    assert node.module.health()["upgrade_due"] is True


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_what_waits_for_the_next_start_is_told(node, tmp_path, flavour):
    (tmp_path / "my.cnf").write_text("[mysqld]\nmax_connections = 4096\nport = 3306\n")
    node.answers["VARIABLE_NAME"] = (0, '{"name": "MAX_CONNECTIONS", "value": "151"}\n{"name": "port", "value": "3306"}\n', "")
    assert node.module.pending(str(tmp_path / "my.cnf"), flavour=flavour) == {
        "max_connections": {"file": "4096", "in_force": "151"}}


def test_a_client_s_login_is_tried_without_a_password_on_the_command_line(node):
    def answer(argv):
        assert "secret-1" not in " ".join(argv)
        return 0, '{"version": "11.8.6"}\n', ""

    node.answers["--protocol=tcp"] = answer
    assert node.module.reachable("10.20.0.50", 3306, "nova", "a:b") == {"ok": True, "version": "11.8.6", "error": ""}
    node.answers["--protocol=tcp"] = (1, "", "ERROR 1045\n")
    assert node.module.reachable("10.20.0.50", 3306, "nova", "a:b") == {"ok": False, "version": "", "error": "ERROR 1045"}


def test_the_installed_programs_are_told(node, monkeypatch):
    node.answers["--version"] = lambda argv: (0, f"{argv[0]} Ver 1\n", "")
    assert node.module.versions() == {"server": "/usr/sbin/mariadbd Ver 1", "client": "/usr/sbin/mariadb Ver 1"}
    monkeypatch.setattr(db_client, "which", lambda names: "")
    assert node.module.versions() == {}
