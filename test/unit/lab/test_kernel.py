from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadblab import effects, kernel, power
from hadblab.kernel import Kernel
from hadblab.rundir import RunDir


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Kernel]:
    directory = tmp_path / "nodes" / "db1"
    directory.mkdir(parents=True)
    words = ("umid=db1", f"uml_dir={tmp_path}/uml")
    script = tmp_path / "kernel"
    # Keeps its own words in sight of /proc, as a kernel does.
    script.write_text("#!/bin/sh\nsleep 60 &\nwait\n")
    script.chmod(0o755)
    made = Kernel("db1", str(directory), f"{tmp_path}/uml", str(tmp_path / "console"), (str(script), *words))
    yield made
    kernel.kill(made)


def begun(node: Kernel) -> int:
    """Start a kernel and return its pid once it is one: right after exec a process has no command line yet."""
    pid = kernel.start(node)
    deadline = time.monotonic() + 20
    while kernel.power(node) == "off" and time.monotonic() < deadline:
        time.sleep(0.01)
    return pid


def reap(pid: int) -> None:
    os.waitpid(pid, 0)


def test_started_kernel_is_on_and_killed_with_all_its_processes(node: Kernel):
    pid = kernel.start(node)
    deadline = time.monotonic() + 5
    while len(kernel.members(pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert kernel.power(node) == "on"
    assert kernel.kill(node) is True
    assert kernel.members(pid) == []
    assert kernel.power(node) == "off"
    reap(pid)


def test_frozen_kernel_can_be_thawed_and_killed(node: Kernel):
    pid = begun(node)
    assert kernel.freeze(node)
    deadline = time.monotonic() + 5
    while kernel.power(node) != "frozen" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert kernel.power(node) == "frozen"
    assert kernel.thaw(node)
    assert kernel.freeze(node)
    assert kernel.kill(node)
    assert kernel.power(node) == "off"
    reap(pid)


def test_dead_kernel_is_off_and_needs_no_killing(node: Kernel):
    assert kernel.power(node) == "off"
    assert kernel.kill(node) is False
    assert kernel.freeze(node) is False


def test_process_that_got_a_dead_kernels_pid_is_left_alone(node: Kernel):
    Path(node.pid_file).write_text(f"{os.getpid()} 1\n")
    assert kernel.power(node) == "off"
    assert kernel.kill(node) is False


def test_switching_is_logged_with_who_ordered_it(node: Kernel, tmp_path: Path):
    power.store(node, 0)
    stored, delay = power.load(str(tmp_path), "db1")
    assert (stored, delay) == (node, 0)
    power.switch(str(tmp_path), node, "on", "operator")
    deadline = time.monotonic() + 5
    # Right after exec a process has no command line yet.
    while (pid := kernel.pid_of(node)) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    power.switch(str(tmp_path), node, "on", "operator")
    assert kernel.pid_of(node) == pid
    power.switch(str(tmp_path), node, "off", "bmc")
    power.switch(str(tmp_path), node, "reset", "bmc")
    assert kernel.power(node) == "off"
    events = [json.loads(line) for line in (tmp_path / "events.log").read_text().splitlines()]
    assert [(e["action"], e["source"], e["before"]) for e in events] == [
        ("on", "operator", "off"), ("on", "operator", "on"), ("off", "bmc", "on"), ("reset", "bmc", "off"),
    ]  # fmt: skip
    assert all(e["time"] > 0 and e["monotonic"] > 0 and e["node"] == "db1" for e in events)


def test_kernel_that_ended_by_itself_is_logged_once_it_has(node: Kernel, tmp_path: Path):
    pid = begun(node)
    (tmp_path / "ssh").mkdir()
    shared = tmp_path / "ssh/db1"
    shared.touch()
    assert power.note_end(str(tmp_path), node) is False
    assert not (tmp_path / "events.log").exists() and shared.exists()
    kernel.kill(node)
    reap(pid)
    assert power.note_end(str(tmp_path), node) is True
    assert not shared.exists()
    (event,) = [json.loads(line) for line in (tmp_path / "events.log").read_text().splitlines()]
    assert (event["event"], event["node"], event["action"], event["source"], event["before"]) == ("power", "db1", "off", "itself", "on")


def test_kernel_that_reset_itself_is_ended_and_logged(node: Kernel, tmp_path: Path):
    pid = begun(node)
    (tmp_path / "uml/db1").mkdir(parents=True)
    note = tmp_path / "uml/db1/pid"
    note.write_text(f"{pid}\n")
    assert power.note_end(str(tmp_path), node) is False
    at = note.stat().st_mtime + 60
    os.utime(note, (at, at))
    assert power.note_end(str(tmp_path), node) is True
    assert kernel.members(pid) == []
    (event,) = [json.loads(line) for line in (tmp_path / "events.log").read_text().splitlines()]
    assert (event["action"], event["source"], event["before"]) == ("off", "itself", "on")


def test_slow_bmc_answers_at_once_and_cuts_the_power_later(node: Kernel, tmp_path: Path):
    power.switch(str(tmp_path), node, "on", "operator")
    started = time.monotonic()
    power.switch_later(str(tmp_path), node, "off", "bmc", 0.2)
    assert time.monotonic() - started < 0.2
    assert kernel.power(node) == "on"
    # The next order waits for the one before.
    power.switch(str(tmp_path), node, "off", "operator")
    assert time.monotonic() - started >= 0.2
    assert kernel.power(node) == "off"


def test_slow_bmc_that_is_told_twice_does_not_cut_the_power_of_what_came_back(node: Kernel, tmp_path: Path):
    power.switch_later(str(tmp_path), node, "off", "bmc", 0.2)
    power.switch(str(tmp_path), node, "on", "bmc")
    time.sleep(0.3)
    assert kernel.power(node) == "on"
    kernel.kill(node)


def test_bmcs_delay_can_be_changed_while_the_lab_runs(node: Kernel, tmp_path: Path):
    run = RunDir(tmp_path, "lab")
    (tmp_path / "run").mkdir()
    run.root.symlink_to(tmp_path, target_is_directory=True)
    power.store(node, 0)
    effects.slow_bmc(run, "db1", 20)
    assert power.load(str(run.root), "db1") == (node, 20)
    (event,) = [json.loads(line) for line in run.events.read_text().splitlines()]
    assert (event["event"], event["node"], event["power_off_seconds"]) == ("bmc", "db1", 20)


def test_lying_bmc_says_what_it_was_told_and_switches_nothing(node: Kernel, tmp_path: Path):
    run = RunDir(tmp_path, "lab")
    (tmp_path / "run").mkdir()
    run.root.symlink_to(tmp_path, target_is_directory=True)
    power.store(node, 0)
    power.switch(str(tmp_path), node, "on", "operator")
    effects.lying_bmc(run, "db1", lies=True)
    assert power.said(node) == "on"
    power.pretend(str(tmp_path), node, "off")
    assert (power.said(node), kernel.power(node)) == ("off", "on")
    power.pretend(str(tmp_path), node, "reset")
    assert power.said(node) == "on"
    effects.lying_bmc(run, "db1", lies=False)
    effects.lying_bmc(run, "db1", lies=False)
    assert power.said(node) == ""
    events = [json.loads(line) for line in run.events.read_text().splitlines()]
    assert [(event["event"], event.get("action", event.get("lies"))) for event in events] == [
        ("power", "on"), ("bmc", True), ("power-lie", "off"), ("power-lie", "reset"), ("bmc", False),
    ]  # fmt: skip
    kernel.kill(node)


def test_lying_bmc_does_switch_on_what_is_off(node: Kernel, tmp_path: Path):
    power.lie(node, "off")
    power.pretend(str(tmp_path), node, "on")
    assert (power.said(node), kernel.power(node)) == ("on", "on")
    kernel.kill(node)
