"""ocf:hadb:server with the servers of Debian 12, 13 and sid: MariaDB 10.11, 11.8 and MySQL 9.7."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_chroot import (
    GENERIC,
    INSTALLED,
    NOT_RUNNING,
    SUCCESS,
    alive,
    environment,
    kill,
    ocf_tester,
    wait_until,
)
from chroots import SERVERS
from database_chroot import Node, small

_FAKE = '#!/bin/sh\necho "$@" >>/run/{name}\n'


class Database:
    """The agent on an instance that hadb made; its stand-ins are in the node's ``/run``."""

    agent = "/mnt/hadb/files/agents/server"

    def __init__(self, node: Node) -> None:
        self.node, self.run = node, node.work / "run"
        (self.run / "bin").mkdir()
        for name in ("crm_resource", "logger"):
            (self.run / "bin" / name).write_text(_FAKE.format(name=name))
            (self.run / "bin" / name).chmod(0o755)
        self.parameters = {
            "binary": "/usr/sbin/mysqld",
            "config": "/etc/hadb/my.cnf",
            "datadir": "/dbmnt/mysql",
            "pid": "/run/mysqld/mysqld.pid",
            "socket": "/run/mysqld/mysqld.sock",
            "log": "/var/log/mysql/error.log",
            "query_timeout": "3",
        }
        self.environment: dict[str, str] = {}

    def act(self, action: str, **meta: int) -> subprocess.CompletedProcess[str]:
        return self.inside([self.agent, action], environment("server", self.parameters, **meta))

    def inside(self, argv: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        env = self.environment | env | {
            "PATH": "/run/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HADB_AGENT_LIB": "/mnt/hadb/files/agents/agent.sh",
        }
        return self.node.run(["env", *(f"{name}={value}" for name, value in env.items()), *argv], check=False)

    def does(self, action: str, **meta: int) -> int:
        return self.act(action, **meta).returncode

    def started(self) -> int:
        """Start the server and return its process."""
        done = self.act("start")
        assert done.returncode == SUCCESS, done.stderr + (self.node.work / "log/error.log").read_text()
        return int((self.run / "mysqld/mysqld.pid").read_text())

    def reported(self) -> str:
        """Return the calls of crm_resource."""
        path = self.run / "crm_resource"
        return path.read_text() if path.exists() else ""


def _settings(flavour: str) -> dict[str, Any]:
    return small(flavour, max_connections=10)


@pytest.fixture
def db(
    request: pytest.FixtureRequest, tmp_path: Path, templates: Callable[[str], Path]
) -> Iterator[Database]:
    node = Node(getattr(request, "param", "trixie"), tmp_path)
    assert node.state("dbnode.configured", name="/etc/hadb/my.cnf", **_settings(node.flavour))["result"]
    subprocess.run(["cp", "-a", templates(node.suite), node.work / "dbmnt"], check=True)
    yield Database(node)
    node.stop(signal.SIGKILL)


@pytest.mark.parametrize("db", sorted(SERVERS), indirect=True)
def test_a_server_is_started_asked_and_stopped(db: Database) -> None:
    assert db.does("monitor", interval=0) == NOT_RUNNING
    assert db.does("stop") == SUCCESS
    pid = db.started()
    assert db.started() == pid
    assert db.does("monitor") == db.does("monitor", depth=10) == SUCCESS
    assert db.does("stop") == db.does("stop") == SUCCESS
    assert not alive(pid)
    assert db.does("monitor") == NOT_RUNNING
    log = (db.node.work / "log/error.log").read_text()
    assert "Shutdown complete" in log
    assert db.reported() == ""


def test_ocf_tester_passes_server(db: Database) -> None:
    tested = db.inside(ocf_tester(db.agent, db.parameters), {})
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize("db", sorted(SERVERS), indirect=True)
def test_a_probe_reads_the_program_into_memory_where_no_server_runs(db: Database) -> None:
    # In one word: echo would take the -n for its own.
    (db.run / "bin/nice").write_text('#!/bin/sh\necho "$*" >>/run/nice\n')
    (db.run / "bin/nice").chmod(0o755)
    read = db.run / "nice"
    assert db.does("monitor", interval=5000) == NOT_RUNNING
    db.started()
    assert db.does("monitor", interval=0) == SUCCESS
    assert not read.exists()
    assert db.does("stop") == SUCCESS
    assert db.does("monitor", interval=0) == NOT_RUNNING
    wait_until(lambda: read.exists() and read.read_text() == "-n 19 cat /usr/sbin/mysqld\n")


def test_a_killed_server_is_reported_without_a_monitor(db: Database) -> None:
    pid = db.started()
    kill(pid, signal.SIGKILL)
    wait_until(db.reported)
    assert db.reported() == "--fail --resource db-server --node db1\n"
    assert db.does("monitor") == db.does("monitor", depth=10) == NOT_RUNNING
    assert db.does("stop") == SUCCESS
    assert db.started() != pid
    assert db.does("monitor", depth=10) == SUCCESS
    assert db.reported().count("\n") == 1


@pytest.mark.parametrize("db", sorted(SERVERS), indirect=True)
def test_a_hung_server_is_found_by_the_query_and_killed_at_once(db: Database) -> None:
    pid = db.started()
    kill(pid, signal.SIGSTOP)
    assert db.does("monitor") == SUCCESS
    deep = db.act("monitor", depth=10)
    assert deep.returncode == GENERIC and "does not answer within 3 s" in deep.stderr
    # A KILL by the agent, not by the patience of 3/4 of the stop's time: that would be 90000 s.
    assert db.does("stop", timeout=120_000_000) == SUCCESS
    assert not alive(pid)
    assert db.does("monitor") == NOT_RUNNING
    assert db.reported() == ""


@pytest.mark.parametrize("db", sorted(SERVERS), indirect=True)
@pytest.mark.parametrize(("asks", "found"), [(True, SUCCESS), (False, GENERIC)])
def test_an_answer_counts_though_its_client_does_not_end_in_time(db: Database, asks: bool, found: int) -> None:
    db.started()
    # On a node without processor time the client prints the row, and its own end takes longer than what was left.
    client = SERVERS[db.node.suite]
    slow = db.run / "bin" / client
    ask = f'/usr/bin/{client} "$@"' if asks else ":"
    slow.write_text(f"#!/bin/sh\n{ask}\nexec sleep 60\n")
    slow.chmod(0o755)
    assert db.does("monitor", depth=10) == found


def test_a_server_that_hung_for_a_moment_is_stopped_gently(db: Database) -> None:
    pid = db.started()
    kill(pid, signal.SIGSTOP)
    assert db.does("monitor", depth=10) == GENERIC
    kill(pid, signal.SIGCONT)
    assert db.does("monitor", depth=10) == SUCCESS
    assert db.does("stop") == SUCCESS
    assert "Shutdown complete" in (db.node.work / "log/error.log").read_text()


def test_a_server_that_does_not_end_is_killed_within_the_stop(db: Database) -> None:
    pid = db.started()
    # A transaction's rollback holds up the end; here the debugger's way of doing so: stopped just after the check.
    (db.run / "bin/sleep").write_text(f"#!/bin/sh\nkill -STOP {pid} 2>/dev/null\nexec /bin/sleep $1\n")
    (db.run / "bin/sleep").chmod(0o755)
    assert db.does("stop", timeout=8000) == SUCCESS
    assert not alive(pid)


@pytest.mark.parametrize("flags", ["ro", "rw,emergency_ro", "rw,shutdown"])
def test_a_server_that_lost_its_filesystem_is_waited_for_no_longer(db: Database, flags: str) -> None:
    """Its start ends when it hangs in the middle of it, and its stop kills it: a fencing waits for both."""
    mounts = db.run / "mounts"
    entries = f"/dev/a / ext4 {flags} 0 0\n{{}}/dev/d /dbmnt/mysq ext4 {flags} 0 0\n"
    mounts.write_text(entries.format(""))
    db.environment["HADB_MOUNTS"] = "/run/mounts"
    # The debugger's way to hang: in the first wait of a start.
    (db.run / "bin/sleep").write_text(
        "#!/bin/sh\npid=$(cat /run/hadb/agents/db-server.pid) && [ $(cat /proc/$pid/comm) = mysqld ] && kill -STOP $pid\n"
        "exec /bin/sleep $1\n"
    )
    (db.run / "bin/sleep").chmod(0o755)
    assert "not ready in time" in db.act("start", timeout=8000).stderr
    mounts.write_text(entries.format(f"/dev/b /dbmnt ext4 rw 0 0\n/dev/c /dbmnt ext4 {flags},noatime 0 0\n"))
    # By the filesystem, not by the patience of their time: that would be days.
    assert "was lost while the server started" in db.act("start", timeout=120_000_000).stderr
    pid = int((db.run / "hadb/agents/db-server.pid").read_text())
    kill(pid, signal.SIGCONT)
    assert db.does("stop", timeout=120_000_000) == SUCCESS
    assert not alive(pid)


@pytest.mark.parametrize("db", sorted(SERVERS), indirect=True)
def test_a_server_without_a_free_connection_is_alive(db: Database) -> None:
    db.started()
    query = ["mysql", "--no-defaults", "--socket=/run/mysqld/mysqld.sock", "-e", "SELECT SLEEP(600)"]
    clients = [subprocess.Popen(db.node._argv(query), stderr=subprocess.PIPE, text=True) for _ in range(12)]
    try:
        # The last ones are refused.
        wait_until(lambda: any(client.poll() for client in clients))
        refused = next(client for client in clients if client.poll())
        assert refused.stderr and "1040" in refused.stderr.read()
        for _ in range(2):
            monitored = db.act("monitor", depth=10)
            assert monitored.returncode == SUCCESS, monitored.stderr
        wait_until(lambda: "1040" in (db.run / "logger").read_text())
        assert (db.run / "logger").read_text().count("1040") == 1
    finally:
        for client in clients:
            client.kill()
            client.wait()


def test_the_server_outlives_its_supervisor(db: Database) -> None:
    pid = db.started()
    supervisor = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    assert Path(f"/proc/{supervisor}/cmdline").read_bytes().endswith(b"/server\0supervise\0")
    kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not alive(supervisor))
    assert db.does("monitor", depth=10) == SUCCESS
    assert db.does("stop") == SUCCESS
    assert not alive(pid)


def test_a_server_that_no_file_names_is_found_and_stopped(db: Database) -> None:
    pid = db.started()
    (db.run / "mysqld/mysqld.pid").unlink()
    (db.run / "hadb/agents/db-server.pid").unlink()
    assert db.does("monitor", interval=0) == SUCCESS
    assert db.does("stop") == SUCCESS
    assert not alive(pid)


def test_a_reused_pid_is_not_the_server(db: Database) -> None:
    other = subprocess.Popen(["sleep", "1000"])
    try:
        (db.run / "mysqld/mysqld.pid").write_text(f"{other.pid}\n")
        assert db.does("monitor") == NOT_RUNNING
        assert db.does("stop") == SUCCESS
        assert other.poll() is None
        (db.run / "mysqld/mysqld.pid").write_text(f"{other.pid}\n")
        assert db.started() != other.pid
    finally:
        other.kill()
        other.wait()


def test_a_start_without_a_usable_instance_fails_at_once(db: Database) -> None:
    datadir = db.node.work / "dbmnt/mysql"
    (datadir / "ibdata1").write_bytes(b"garbage" * 4096)
    broken = db.act("start", timeout=300_000)
    assert broken.returncode == GENERIC and "ended while it started" in broken.stderr
    assert db.reported() == ""
    shutil.rmtree(datadir)
    gone = db.act("start")
    assert gone.returncode == GENERIC and "holds no instance" in gone.stderr
    assert db.does("monitor", interval=0) == NOT_RUNNING
    assert db.does("stop") == SUCCESS


def test_a_server_with_a_bad_option_fails_and_says_where(db: Database) -> None:
    config = db.node.work / "etc/my.cnf"
    config.write_text(config.read_text() + "no_such_option = 1\n")
    assert "ended while it started" in db.act("start").stderr
    said = (db.run / "hadb/agents/db-server.output").read_text() + (
        db.node.work / "log/error.log"
    ).read_text()
    assert "no_such_option" in said
    db.parameters["binary"] = "/usr/sbin/no-such-server"
    assert db.does("start") == INSTALLED


def test_directories_of_socket_and_pid_file_are_made(db: Database) -> None:
    shutil.rmtree(db.run / "mysqld")
    db.started()
    assert (db.run / "mysqld").stat().st_uid == db.node.uid
