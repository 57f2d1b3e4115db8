"""Waits until a lab can be used: nodes answer, LUNs are seen, minions are connected."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hadblab import kernel, power, ssh
from hadblab.errors import LabError
from hadblab.rundir import RunDir
from hadblab.topology import Node, Topology

# Several labs on two processors take their time.
_SECONDS = 900.0
_POLL_SECONDS = 0.5
_TRY_SECONDS = 20.0
# A try given up on this side goes on over there, and would slow down the next one.
_PING_SECONDS = 300.0
_LISTENERS = ("ss", "-Hnt", "state", "established", "sport = :4505")
# One line for each disk: its WWID as the kernel knows it, "naa." in front.
_WWIDS = "cat /sys/block/sd*/device/wwid 2>/dev/null || :"


def wait(run: RunDir, topology: Topology, progress: Callable[[str], None], on_master: Callable[[], None]) -> None:
    """Return when every node, every LUN path and every minion is there.

    :param on_master: called once the master answers, before the minions are asked.
    :raises LabError: a node died, or something was not ready in time.
    """
    deadline = time.monotonic() + _SECONDS

    def watch(node: Node) -> None:
        _until(run, node, deadline, lambda: _answers(run, node), "does not answer ssh")
        progress(f"{node.name} answers ssh")
        if node.role == "node":
            _until(run, node, deadline, lambda: _sees_luns(run, topology, node), "does not see every path to its LUNs")
            progress(f"{node.name} sees {len(topology.luns)} LUNs over {len(topology.iscsi.portals)} paths each")
        if node.role == "master":
            on_master()
            _until(run, node, deadline, lambda: _minions_answer(run, topology), "does not reach every minion")
            progress("all minions answer the master")

    with ThreadPoolExecutor(len(topology.nodes)) as pool:
        watching = [pool.submit(watch, node) for node in topology.nodes.values()]
        failures = [str(error) for future in watching if (error := future.exception()) is not None]
    if failures:
        raise LabError("; ".join(failures))


def _until(run: RunDir, node: Node, deadline: float, condition: Callable[[], bool], otherwise: str) -> None:
    while not _holds(condition):
        if power.look(str(run.root), node.name) == kernel.OFF:
            raise LabError(f"{node.name} died while it booted: see `lab logs {node.name}`")
        if time.monotonic() > deadline:
            raise LabError(f"{node.name} {otherwise} after {_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except LabError:
        # A node that is still booting may also leave a command without an answer.
        return False


def _answers(run: RunDir, node: Node) -> bool:
    return ssh.call(run, node.name, "true", check=False, timeout=_TRY_SECONDS).returncode == 0


def _sees_luns(run: RunDir, topology: Topology, node: Node) -> bool:
    done = ssh.call(run, node.name, "sh", "-c", _WWIDS, check=False, timeout=_TRY_SECONDS)
    paths = Counter(done.stdout.split())
    # multipath writes "3" (for naa) where sysfs writes "naa.".
    return all(paths[f"naa.{lun.wwid[1:]}"] == len(topology.iscsi.portals) for lun in topology.luns)


def _minions_answer(run: RunDir, topology: Topology) -> bool:
    minions = topology.of_role("node")
    # Salt's command takes seconds to start: not before all minions listen to the master.
    listeners = ssh.call(run, topology.master.name, *_LISTENERS, check=False).stdout
    if not all(f"{node.address(topology.management.name)}:" in listeners for node in minions):
        return False
    ping = ["salt", "--out=json", "--static", "-t", "20", "--list", ",".join(node.name for node in minions), "test.ping"]
    done = ssh.call(run, topology.master.name, *ping, check=False, timeout=_PING_SECONDS)
    try:
        answers = json.loads(done.stdout)
    except ValueError:
        return False
    return all(answers.get(node.name) is True for node in minions)
