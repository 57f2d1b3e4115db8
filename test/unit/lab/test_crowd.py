"""One lab for every two cores; only labs that really run count."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hadblab import preflight
from hadblab.rundir import RunDir


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(preflight.os, "cpu_count", lambda: 2)
    return tmp_path


def node_of(home, name, pid):
    place = home / "run" / name / "nodes" / "db1"
    place.mkdir(parents=True)
    (place / "pid").write_text(f"{pid} 42\n")


def said(home):
    return list(preflight._crowd(RunDir(home, "mine")))


def test_a_running_lab_beside_this_one_is_named(home):
    # A process whose command line looks like a kernel's; it can be read only some time after the start.
    argv = [sys.executable, "-c", "print(flush=True); input()", "linux.uml"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as kernel:
        assert kernel.stdout and kernel.stdout.readline()
        node_of(home, "other", kernel.pid)
        assert "these are up: other" in said(home)[0]
        kernel.communicate(b"\n")


def test_what_a_crashed_lab_left_behind_takes_no_cores(home):
    node_of(home, "dead", 2**22)
    node_of(home, "reused", 1)
    assert said(home) == []


def test_the_lab_itself_is_not_its_own_neighbour(home):
    node_of(home, "mine", 1)
    assert said(home) == []
