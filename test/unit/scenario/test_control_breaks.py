"""What controls do to the lab: real configurations change in the one place that is meant, and each program does its harm."""

from __future__ import annotations

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from cib_document import document as cib_document
from facts import WWID
from scenario import control_cib, control_node, pillars
from scenario.control_cib import Change
from scenario.controls import CONTROLS

from documents import document
from hadb_core import corosync_conf, corosync_wanted, db_config, lvm_config, multipath_config
from hadb_core.cib_merge import merge
from hadb_core.cib_wanted import wanted
from support import ROOT

RUNNING = ROOT / "test/unit/pacemaker/fixtures/cib-running-3.0.0.xml"


def cib() -> ElementTree.Element:
    """Return a CIB that a real Pacemaker held, brought to what hadb wants today."""
    return merge(ElementTree.parse(RUNNING).getroot(), wanted(cib_document(fencing={"reservations": True})))


def lines(configuration: ElementTree.Element) -> list[str]:
    """Return each element of a configuration with its attributes, so that two can be compared."""
    return sorted(f"{item.tag} {sorted(item.attrib.items())}" for item in configuration.iter())


def changed_by(change: Change) -> tuple[list[str], list[str]]:
    """Return what a change takes away and what it brings."""
    configuration = cib().find("configuration")
    assert configuration is not None
    before = lines(configuration)
    change(configuration)
    after = lines(configuration)
    return [one for one in before if one not in after], [one for one in after if one not in before]


# The CIB.

@pytest.mark.parametrize(
    ("change", "gone", "new"),
    [
        (control_cib.with_property("stonith-enabled", "false"), "('value', 'true')", "('value', 'false')"),
        (control_cib.with_property("no-quorum-policy", "ignore"), "('value', 'stop')", "('value', 'ignore')"),
        (control_cib.with_default("resource-stickiness", "0"), "('value', '1000')", "('value', '0')"),
        (control_cib.with_parameter("fence-db2", "head_start", "0"), "('value', '5')", "fence-db2-instance_attributes-head_start"),
        (control_cib.fencing_at_failure("db-server"), "db-server-monitor-5s", "('on-fail', 'fence')"),
        (control_cib.preferring("db2"), "", "('node', 'db2'), ('rsc', 'db'), ('score', '100')"),
        (control_cib.on_its_own_target("db1", "db2"), "('node', 'db1'), ('rsc', 'fence-db1')", "('node', 'db2'), ('rsc', 'fence-db1')"),
    ],
)  # fmt: skip
def test_configuration_changes_in_one_place(change: Change, gone: str, new: str) -> None:
    before, after = changed_by(change)
    assert len(before) == (1 if gone else 0) and len(after) == 1
    assert gone in "".join(before) and new in after[0]


@pytest.mark.parametrize(("resource", "seconds"), [("db-lvm", 30), ("db-fs", 5), ("db-server", 5)])
def test_monitor_loses_its_depth_and_nothing_else(resource: str, seconds: int) -> None:
    before, after = changed_by(control_cib.shallow(resource))
    assert after == [] and len(before) == 2
    assert all(f"{resource}-monitor-{seconds}s-instance_attributes" in one for one in before)


def test_what_is_not_there_is_not_changed_into_something() -> None:
    for change in (control_cib.with_property("stonith", "false"), control_cib.shallow("vip-nova"), control_cib.shallow("db")):
        with pytest.raises(ValueError, match="has 0 times"):
            changed_by(change)


# All of them, on a lab that only remembers.

class Lab:
    nodes = ("db1", "db2")
    run = SimpleNamespace(root=Path("/nowhere"))
    volume = "db--vg-db--vol"

    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.done: list[str] = []
        site = document()
        self.pillar, self.storage = site, site["storage"]

    def ask(self, node: str, script: str, **_how: object) -> SimpleNamespace:
        self.done.append(node)
        self.scripts.append(script)
        said = ElementTree.tostring(cib(), encoding="unicode") if script.startswith("cibadmin") else "disconnected"
        return SimpleNamespace(stdout=said, returncode=0)

    def verb(self, *words: str) -> None:
        self.done.append(" ".join(words))

    def inside(self, argv: list[str]) -> list[str]:
        return argv


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    found = Lab()

    def send(_run: object, node: str, data: bytes, *command: str) -> None:
        found.done.append(f"{node}: {' '.join(command)}")

    monkeypatch.setattr(control_node.ssh, "send", send)
    monkeypatch.setattr(control_node, "run_command", lambda argv: found.done.append(" ".join(argv)))
    return found


def stage(lab: Lab) -> Any:
    parts = {"active": "db1", "passive": "db2"}
    return SimpleNamespace(lab=lab, **parts, node=parts.__getitem__, watch=lambda _seconds: None,
                           wait_served=lambda _since: None)  # fmt: skip


@pytest.mark.parametrize("one", CONTROLS, ids=lambda one: one.name)
def test_every_control_breaks_something_with_scripts_that_a_shell_can_read(one: Any, lab: Lab) -> None:
    one.breaks(stage(lab))
    assert lab.done
    for script in lab.scripts:
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_scripts_go_to_the_nodes_that_play_the_part_and_end_at_the_first_error(lab: Lab) -> None:
    control_node.on(control_node.PASSIVE, "false\ntrue")(stage(lab))
    assert lab.done == ["db2"]
    assert subprocess.run(["sh", "-c", lab.scripts[0]], check=False).returncode == 1


def test_pillar_says_one_thing_more(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(pillars.ssh, "send", lambda _run, node, data, *_command: said.append((node, yaml.safe_load(data))))
    control_node.pillar_says("hadb:corosync:token", 300)(stage(lab))
    (node, document), = said
    assert (node, document["hadb"]["corosync"]) == ("salt", {"token": 300})


# Files that hadb writes.

def spoiled(lab: Lab, tmp_path: Path, act: Callable[[Any], None], path: str, text: str, keep: int | None = None) -> str:
    """Return a file after a control's script was at it; ``keep``: only so many lines of the script."""
    act(stage(lab))
    file = tmp_path / "file"
    file.write_text(text)
    script = "\n".join(lab.scripts[0].replace(path, str(file)).splitlines()[:keep])
    subprocess.run(["sh", "-c", script], check=True)
    return file.read_text()


def difference(before: str, after: str) -> tuple[list[str], list[str]]:
    gone = [line.strip() for line in before.splitlines() if line not in after.splitlines()]
    return gone, [line.strip() for line in after.splitlines() if line not in before.splitlines()]


def test_corosync_waits_for_nobody(lab: Lab, tmp_path: Path) -> None:
    site = document()
    nodes = {name: node["links"] for name, node in site["nodes"].items()}
    text = corosync_conf.render(corosync_wanted.wanted("nova-db", nodes, site["corosync"]))
    after = spoiled(lab, tmp_path, control_node.waits_for_nobody, "/etc/corosync/corosync.conf", text)
    assert difference(text, after) == (["wait_for_all: 1"], ["wait_for_all: 0"])


def test_option_file_is_weakened(lab: Lab, tmp_path: Path) -> None:
    server = db_config.Server("mariadb", "/dbmnt/mysql", "/run/s", "/run/p", "/var/log/e", "mysql")
    text = db_config.render(server)
    after = spoiled(lab, tmp_path, control_node.option_file_weakened, "/etc/hadb/my.cnf", text)
    setting = "innodb_flush_log_at_trx_commit"
    assert difference(text, after) == ([f"{setting} = 1"], [f"{setting} = 2"])


def test_lvm_loses_its_system_id_or_takes_the_others(lab: Lab, tmp_path: Path) -> None:
    text, path = lvm_config.render([WWID], []), "/etc/lvm/lvmlocal.conf"
    assert difference(text, spoiled(lab, tmp_path, control_node.no_system_id, path, text)) == (['system_id_source = "uname"'], [])
    lab.scripts.clear()
    after = spoiled(lab, tmp_path, control_node.open_to_the_other, path, text)
    new = ['system_id_source = "lvmlocal"', 'local { system_id = "db1" }']
    assert difference(text, after) == (['system_id_source = "uname"'], new)


def test_dead_paths_are_waited_for_without_end(lab: Lab, tmp_path: Path) -> None:
    text = multipath_config.render([WWID], document()["storage"]["multipath"])
    length = len(control_node.variables(stage(lab))) + len(["set -e", "", "sed"])
    after = spoiled(lab, tmp_path, control_node._queues_for_ever, "/etc/multipath.conf", text, keep=length)
    assert difference(text, after) == (["no_path_retry 2"], ["no_path_retry queue"])


# Programs.

def a_program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("action", "asked"), [("off", False), ("reboot", False), ("monitor", True), ("on", True), ("status", True)])
def test_lying_agent_does_nothing_when_it_is_to_fence(action: str, asked: bool, tmp_path: Path) -> None:
    kept = a_program(tmp_path / "kept", f"#!/bin/sh\ncat >{tmp_path}/given\nexit 3\n")
    agent = a_program(tmp_path / "agent", control_node.LYING_AGENT.format(kept=kept))
    given = f"action={action}\nnodename=db1\nip=10.20.0.101\n"
    done = subprocess.run([agent], input=given, text=True, check=False)
    assert done.returncode == (3 if asked else 0)
    assert (tmp_path / "given").exists() == asked
    if asked:
        assert (tmp_path / "given").read_text().strip() == given.strip()


def test_lying_agent_tells_its_metadata(tmp_path: Path) -> None:
    agent = a_program(tmp_path / "agent", control_node.LYING_AGENT.format(kept=f"sh {ROOT}/hadb/files/fence_hadb"))
    done = subprocess.run([agent, "-o", "metadata"], capture_output=True, text=True, check=True)
    assert '<resource-agent name="fence_hadb"' in done.stdout


@pytest.mark.parametrize(("action", "status"), [("monitor", 0), ("status", 2)])
def test_agent_takes_the_other_machine_for_a_node_that_is_off(action: str, status: int, tmp_path: Path) -> None:
    wrapper = a_program(tmp_path / "ipmitool", control_node.OTHER_MACHINE)
    words = [f"--action={action}", "--ip=10.20.0.101", "--username=hadb", f"--ipmitool-path={wrapper}"]
    assert subprocess.run(["sh", ROOT / "hadb/files/fence_hadb", *words], check=False).returncode == status


@pytest.mark.parametrize("talks", [True, False])
def test_wrapper_that_talks_gives_the_password_as_an_argument(talks: bool, tmp_path: Path) -> None:
    (tmp_path / "10.20.0.101").write_text("s3cret#of a test\n")
    said = a_program(tmp_path / "said", f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/words\n')
    text = control_node.TALKING_WRAPPER if talks else (ROOT / "hadb/files/ipmitool").read_text()
    wrapper = a_program(tmp_path / "ipmitool", text)
    variables = {**os.environ, "HADB_IPMITOOL": str(said), "HADB_BMC_DIRECTORY": str(tmp_path)}
    subprocess.run([wrapper, "-I", "lanplus", "-H", "10.20.0.101", "chassis", "power", "status"], env=variables, check=True)
    words = (tmp_path / "words").read_text().splitlines()
    assert ("s3cret#of a test" in words) == talks
    assert words[-7:] == ["-I", "lanplus", "-H", "10.20.0.101", "chassis", "power", "status"]
