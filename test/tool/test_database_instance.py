"""The database modules against real servers: MariaDB 10.11 and 11.8, MySQL 9.7, each in a chroot."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chroots import SERVERS
from database_chroot import Failed, Node, small

SECRET = "s3cr'et\\\"#ä ;`$(x)"
KEY = "hadb:database:accounts:nova:password"


# What depends on the server's version runs on all three, the rest on one.
everywhere = pytest.mark.parametrize("node", sorted(SERVERS), indirect=True)


@pytest.fixture
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    suite = getattr(request, "param", "trixie")
    made = Node(suite, tmp_path, {"hadb": {"database": {"accounts": {"nova": {"password": SECRET}}}}})
    yield made
    made.stop(signal.SIGKILL)


@pytest.fixture
def instance(node: Node, templates: Callable[[str], Path]) -> Node:
    assert node.state("dbnode.configured", name="/etc/hadb/my.cnf", **small(node.flavour))["result"]
    subprocess.run(["cp", "-a", templates(node.suite), node.work / "dbmnt"], check=True)
    return node


def _initialised(node: Node, **changed: Any) -> dict[str, Any]:
    return node.state(
        "dbinstance.initialised", name="/dbmnt/mysql", mount_point="/dbmnt", flavour=node.flavour, **changed
    )


def _content(node: Node, **changed: Any) -> dict[str, Any]:
    wanted: dict[str, Any] = {"presets": ["openstack_nova"], "databases": {}, "accounts": {}, **changed}
    return node.state(
        "dbinstance.content_present",
        name="/dbmnt/mysql",
        mount_point="/dbmnt",
        flavour=node.flavour,
        **wanted,
    )


def _servers(node: Node) -> list[int]:
    """Return the pids of servers that live in this node."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and (entry / "comm").read_text().strip() in ("mariadbd", "mysqld", "timeout")
                and (str(node.work) in (entry / "mountinfo").read_text())
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@everywhere
def test_an_instance_is_made_once_and_is_safe(instance: Node) -> None:
    assert _initialised(instance)["changes"] == {}
    datadir = instance.work / "dbmnt/mysql"
    assert (datadir.stat().st_uid, datadir.stat().st_gid) == (instance.uid, instance.gid)
    assert datadir.stat().st_mode & 0o077 == 0
    assert not (instance.work / "dbmnt/mysql.hadb-partial").exists()
    instance.start()
    accounts = instance.call("dbcontent.accounts", instance.flavour)
    assert not [who for who, there in accounts.items() if there["open"] or who.startswith("@")]
    assert {who.split("@")[1] for who in accounts} == {"localhost"}
    assert "test" not in instance.call("dbcontent.databases", instance.flavour)
    assert instance.call("dbinstance.durability")["safe"]


@everywhere
def test_a_blank_volume_is_predicted_exactly(node: Node) -> None:
    assert node.state("dbnode.configured", name="/etc/hadb/my.cnf", **small(node.flavour))["result"]
    predicted, predicted_content = _initialised(node, test=True), _content(node, test=True)
    assert predicted["result"] is None and predicted_content["result"] is None
    assert list((node.work / "dbmnt").iterdir()) == []
    assert _initialised(node)["changes"] == predicted["changes"]
    done = _content(node)
    assert done["changes"] == predicted_content["changes"], done["comment"]
    assert _servers(node) == []
    again = _content(node)
    assert (again["result"], again["changes"]) == (True, {})


def test_an_initialisation_killed_half_way_is_made_again(node: Node) -> None:
    assert node.state("dbnode.configured", name="/etc/hadb/my.cnf", **small(node.flavour))["result"]
    order = node.order(
        "dbinstance.initialised", "_states", name="/dbmnt/mysql", mount_point="/dbmnt", flavour=node.flavour
    )
    partial = node.work / "dbmnt/mysql.hadb-partial"
    process = node.begin(order)
    deadline = time.monotonic() + 60
    while not (partial / "ibdata1").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert partial.exists() and not (node.work / "dbmnt/mysql").exists()
    while _servers(node) and time.monotonic() < deadline:
        time.sleep(0.1)
    done = _initialised(node)
    assert done["result"], done["comment"]
    assert len(done["changes"]) == 2
    assert not partial.exists()


def test_files_of_others_are_never_touched(node: Node) -> None:
    (node.work / "dbmnt/mysql").mkdir()
    (node.work / "dbmnt/mysql/dump.sql").write_text("precious")
    for test in (True, False):
        done = _initialised(node, test=test)
        assert done["result"] is False and "holds no instance" in done["comment"]
    assert (node.work / "dbmnt/mysql/dump.sql").read_text() == "precious"


@everywhere
def test_contents_are_completed_while_the_server_runs(instance: Node) -> None:
    instance.start()
    before = _servers(instance)
    predicted = _content(instance, test=True)
    done = _content(instance)
    assert done["result"] and done["changes"] == predicted["changes"] and len(done["changes"]) == 11
    assert _content(instance)["changes"] == {}
    assert _servers(instance) == before
    assert instance.call("dbcontent.grants", instance.flavour)["nova@localhost"] == {
        name: ["ALL PRIVILEGES"] for name in ("nova", "nova_api", "nova_cell0")
    }


def test_a_run_killed_with_its_temporary_server_blocks_nothing(instance: Node) -> None:
    assert (
        instance.call("dbinstance.serve", "/dbmnt/mysql", instance.flavour)
        == "/run/hadb/database/mysqld.sock"
    )
    assert len(_servers(instance)) == 2  # the server and the one that limits its time
    done = _content(instance)
    assert done["result"], done["comment"]
    assert _servers(instance) == []


def test_a_temporary_server_without_its_guard_blocks_nothing(instance: Node) -> None:
    instance.call("dbinstance.serve", "/dbmnt/mysql", instance.flavour)
    guard = int((instance.work / "run/hadb/database/guard.pid").read_text())
    os.kill(guard, signal.SIGKILL)
    done = _content(instance)
    assert done["result"], done["comment"]
    assert _servers(instance) == []


def test_extra_databases_and_accounts_are_left_alone(instance: Node) -> None:
    instance.start()
    assert _content(instance)["result"]
    instance.sql(
        "CREATE DATABASE precious; CREATE USER 'other'@'%'; GRANT SELECT ON precious.* TO 'nova'@'%';"
    )
    done = _content(instance)
    assert done["changes"] == {} and "other@%" in done["comment"]
    assert "precious" in instance.call("dbcontent.databases", instance.flavour)


def test_a_changed_password_is_set_once_and_works(instance: Node) -> None:
    instance.start()
    assert _content(instance)["result"]
    port = int(instance.sql("SELECT @@port;"))
    assert instance.call("dbinstance.reachable", "127.0.0.1", port, "nova", KEY)["ok"]
    instance.pillar["hadb"]["database"]["accounts"]["nova"]["password"] = "new-one"
    refused = instance.call("dbinstance.reachable", "127.0.0.1", port, "nova", KEY)
    assert not refused["ok"] and "Access denied" in refused["error"]
    done = _content(instance)
    assert sorted(done["changes"]) == ["password of nova@%", "password of nova@localhost"]
    assert instance.call("dbinstance.reachable", "127.0.0.1", port, "nova", KEY)["ok"]
    assert _content(instance)["changes"] == {}


@everywhere
def test_every_password_can_log_in(instance: Node) -> None:
    instance.start()
    port = int(instance.sql("SELECT @@port;"))
    for password in ("plain", "'", '"', "\\", "#x", " lead", "tab\tnew\nline", "ünï☃", "$(id)`id`"):
        instance.pillar["hadb"]["database"]["accounts"]["nova"]["password"] = password
        assert _content(instance)["result"]
        answer = instance.call("dbinstance.reachable", "127.0.0.1", port, "nova", KEY)
        assert answer["ok"], (password, answer["error"])


@everywhere
def test_no_password_in_results_logs_or_command_lines(instance: Node) -> None:
    configured = small(
        instance.flavour,
        general_log=1,
        general_log_file="/var/log/mysql/general.log",
        log_bin="binlog",
        server_id=1,
    )
    assert instance.state("dbnode.configured", name="/etc/hadb/my.cnf", **configured)["result"]
    instance.start()
    order = instance.order(
        "dbinstance.content_present",
        "_states",
        name="/dbmnt/mysql",
        mount_point="/dbmnt",
        flavour=instance.flavour,
        presets=["openstack_nova"],
        databases={},
        accounts={},
    )
    process, seen = instance.begin(order), b""
    while process.poll() is None:
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen += entry.read_bytes()
            except OSError:
                continue
    out, err = process.communicate()
    assert '"result": true' in out, err
    logs = b"".join(path.read_bytes() for path in (instance.work / "log").iterdir())
    binlog = b"".join(path.read_bytes() for path in (instance.work / "dbmnt/mysql").glob("binlog.0*"))
    assert b"CREATE USER" in logs and b"CREATE USER" in binlog
    for place in (out.encode(), seen, logs, binlog):
        assert b"s3cr" not in place


def test_a_server_that_was_weakened_at_run_time_is_reported(instance: Node) -> None:
    instance.start()
    instance.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2; SET GLOBAL sync_binlog = 0;")
    found = instance.call("dbinstance.durability")
    assert not found["safe"] and len(found["faults"]) == 2


def test_a_stopped_server_is_not_healthy_and_not_an_error(instance: Node) -> None:
    assert instance.call("dbinstance.ping") is False
    assert instance.call("dbinstance.health")["ok"] is False
    instance.start()
    assert instance.call("dbinstance.ping") is True
    health = instance.call("dbinstance.health")
    assert health["ok"] and health["read_only"] == 0 and not health["upgrade_due"]


def test_a_new_major_version_asks_for_the_upgrade_of_its_tables(
    templates: Callable[[str], Path], tmp_path: Path
) -> None:
    node = Node("trixie", tmp_path)
    assert node.state("dbnode.configured", name="/etc/hadb/my.cnf", **small(node.flavour))["result"]
    subprocess.run(["cp", "-a", templates("bookworm"), node.work / "dbmnt"], check=True)
    node.start()
    try:
        assert node.call("dbinstance.health")["upgrade_due"] is True
        node.run(["mariadb-upgrade", "--no-defaults", "--socket=/run/mysqld/mysqld.sock"])
        assert node.call("dbinstance.health")["upgrade_due"] is False
    finally:
        node.stop(signal.SIGKILL)


def test_a_server_that_does_not_answer_is_not_disturbed(instance: Node) -> None:
    instance.start()
    (pid,) = _servers(instance)
    (instance.work / "run/mysqld/mysqld.sock").unlink()
    done = _content(instance)
    assert done["result"] is False and f"process {pid}" in done["comment"]
    assert _servers(instance) == [pid]


def test_a_server_with_other_data_gets_no_contents(instance: Node) -> None:
    instance.start()
    for test in (True, False):
        done = instance.state(
            "dbinstance.content_present", test=test, name="/dbmnt/other", mount_point="/dbmnt", flavour=instance.flavour,
            presets=["openstack_nova"], databases={}, accounts={})  # fmt: skip
        assert done["result"] is False and "not in /dbmnt/other" in done["comment"]
    assert "nova" not in instance.call("dbcontent.databases", instance.flavour)


def test_a_missing_password_stops_the_state_before_anything_is_done(instance: Node) -> None:
    instance.pillar.clear()
    for test in (True, False):
        done = _content(instance, test=test)
        assert done["result"] is False and KEY in done["comment"]
    assert _servers(instance) == []


@everywhere
def test_every_setting_of_the_file_is_in_force(instance: Node) -> None:
    instance.start()
    in_force = instance.call("dbinstance.pending", "/etc/hadb/my.cnf", flavour=instance.flavour)
    # The machine of the tests may allow a process fewer files than a server's node does.
    assert set(in_force) <= {"open_files_limit", "max_connections"}
    if instance.flavour == "mariadb":
        instance.sql("SET GLOBAL max_connections = 77;")
        changed = instance.call("dbinstance.pending")
        assert changed["max_connections"] == {"file": "4096", "in_force": "77"}


@everywhere
def test_the_plain_client_of_the_node_finds_the_server(instance: Node) -> None:
    instance.start()
    assert (
        instance.run(["mysql", "--batch", "--skip-column-names", "--execute=SELECT 1"]).stdout.strip() == "1"
    )


@everywhere
def test_a_failing_statement_makes_no_account_and_shows_no_statement(instance: Node) -> None:
    instance.start()
    with pytest.raises(Failed, match="CommandFailed: .*ERROR"):
        instance.call("dbcontent.grant", "nobody", "%", "nova", ["SELECT"], instance.flavour)
    with pytest.raises(Failed, match="ERROR") as error:
        instance.call("dbcontent.account_create", "root", "localhost", KEY, instance.flavour)
    assert "IDENTIFIED" not in str(error.value)
    assert "nobody@%" not in instance.call("dbcontent.accounts", instance.flavour)


@everywhere
def test_versions_name_server_and_client(node: Node) -> None:
    versions = node.call("dbinstance.versions")
    assert {"bookworm": "10.11.", "trixie": "11.8.", "sid": "9."}[node.suite] in versions["server"]
    assert set(versions) == {"server", "client"}


@everywhere
def test_the_cluster_agent_runs_the_instance(instance: Node) -> None:
    """``ocf:heartbeat:mysql`` as Pacemaker calls it, with the parameters that hadb puts into the CIB."""
    parameters = {
        "binary": "/usr/sbin/mysqld",
        "config": "/etc/hadb/my.cnf",
        "datadir": "/dbmnt/mysql",
        "pid": "/run/mysqld/mysqld.pid",
        "socket": "/run/mysqld/mysqld.sock",
        "log": "/var/log/mysql/error.log",
        "user": "mysql",
        "group": "mysql",
    }

    def agent(action: str, depth: int = 0) -> int:
        settings = [f"OCF_RESKEY_{name}={value}" for name, value in parameters.items()]
        settings += [
            "OCF_ROOT=/usr/lib/ocf",
            "OCF_RESOURCE_INSTANCE=db-server",
            f"OCF_CHECK_LEVEL={depth}",
            "OCF_RESKEY_CRM_meta_timeout=120000",
        ]
        argv = ["env", *settings, "/usr/lib/ocf/resource.d/heartbeat/mysql", action]
        return instance.run(
            ["sh", "-c", '"$@" >/var/log/mysql/agent.log 2>&1 </dev/null', "sh", *argv], check=False
        ).returncode

    assert agent("validate-all") == 0
    assert agent("monitor") == 7
    assert agent("start") == 0, (instance.work / "log/agent.log").read_text()
    assert agent("monitor") == agent("monitor", depth=10) == 0
    (pid,) = _servers(instance)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)
    assert agent("monitor") == 7
    assert agent("start") == agent("stop") == 0
    assert agent("monitor") == 7


def test_mysqls_own_apparmor_profile_takes_the_rules(tmp_path: Path) -> None:
    node = Node("sid", tmp_path)
    local = node.root / "etc/apparmor.d/local/usr.sbin.mysqld"
    local.unlink(missing_ok=True)
    wanted: dict[str, Any] = {
        "name": "x",
        "flavour": "mysql",
        "datadir": "/dbmnt/mysql",
        "files": ["/run/mysqld/mysqld.sock"],
        "config": "/etc/hadb/my.cnf",
    }
    try:
        assert node.state("dbnode.apparmor_permits", test=True, **wanted)["result"] is None
        assert node.state("dbnode.apparmor_permits", **wanted)["changes"]
        assert node.state("dbnode.apparmor_permits", **wanted)["changes"] == {}
        profile = "/etc/apparmor.d/usr.sbin.mysqld"
        node.run(["apparmor_parser", "--skip-kernel-load", "--skip-cache", profile])
        flat = node.run(["apparmor_parser", "--preprocess", profile]).stdout
        assert "/dbmnt/mysql/** rwk," in flat and "/etc/hadb/my.cnf r," in flat
    finally:
        local.unlink(missing_ok=True)
