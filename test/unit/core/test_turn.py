"""One run at a time, whatever becomes of the one that has the turn."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hadb_core import turn
from hadb_core.errors import Refused
from support import load

CORE = Path(turn.__file__).parents[1]
HOLD = """
import pathlib, sys, time
sys.path.insert(0, sys.argv[2])
from hadb_core import turn
turn.take(pathlib.Path(sys.argv[1]), 0)
print("mine", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the turn."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "lock", CORE], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "mine\n"
    yield process
    process.kill()
    process.wait()


def test_a_turn_that_nobody_has_is_taken_at_once_and_again_by_the_same_process(tmp_path):
    assert turn.take(tmp_path / "lock", 0) == ""
    assert turn.take(tmp_path / "lock", 0) == ""


def test_who_has_the_turn_is_named(tmp_path, holder):
    with pytest.raises(Refused, match=f"process {holder.pid} since") as refused:
        turn.take(tmp_path / "lock", 0)
    assert refused.value.remedy == "watch it with `salt-run hadb.watch`, or end that process, then run this again"


@pytest.mark.parametrize(
    ("told", "named"), [(b"", "a process that has not said who it is yet"), (b"\xff" + b"x" * 300, "\ufffd" + "x" * 199)])
def test_a_holder_that_says_nothing_or_nonsense_is_told_as_far_as_it_goes(tmp_path, told, named):
    (tmp_path / "lock").write_bytes(told)
    with (tmp_path / "lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Refused) as refused:
            turn.take(tmp_path / "lock", 0)
    assert refused.value.reason == f"another run of hadb.orch is under way since 0 s or longer: {named}"


def test_the_lock_s_file_is_root_s_own_and_says_since_when(tmp_path):
    (tmp_path / "lock").touch(0o600)
    for lock in (tmp_path / "lock", tmp_path / "new"):
        turn.take(lock, 0)
        process, since = lock.read_text().split(" since ")
        assert process == f"process {os.getpid()}"
        assert abs(time.mktime(time.strptime(since, "%Y-%m-%d %H:%M:%S\n")) - time.time()) < 60
        assert lock.stat().st_mode & 0o777 == 0o600


def test_half_a_second_passes_between_two_looks_the_last_of_which_is_at_the_end(tmp_path, holder, monkeypatch):
    now, naps = iter((100.0, 100.0, 105.0)), []
    monkeypatch.setattr(turn.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(turn.time, "sleep", lambda nap: naps.append(nap) if not naps else (naps.append(nap), holder.kill(), holder.wait()))
    turn.take(tmp_path / "lock", 5)
    assert naps == [0.5, 0.5]


def test_a_turn_ends_with_its_process_even_when_that_is_killed(tmp_path, holder):
    holder.kill()
    turn.take(tmp_path / "lock", 20, poll=0.01)
    assert str(holder.pid) not in (tmp_path / "lock").read_text()


def test_a_turn_is_waited_for(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(turn.time, "sleep", lambda _: holder.kill())
    assert turn.take(tmp_path / "lock", 20).startswith(f"process {holder.pid} since")


def test_the_state_tells_whom_it_waited_for_and_fails_when_that_never_ends(tmp_path, holder, monkeypatch):
    states = load("_states/hadb.py", opts={"test": False, "cachedir": str(tmp_path)}, salt={})
    (tmp_path / "lock").rename(tmp_path / "hadb-orch.lock")
    monkeypatch.setattr(states, "_TURN", 0)
    failed = states.turn_taken("x")
    assert failed["result"] is False and str(holder.pid) in failed["comment"]
    monkeypatch.setattr(states, "_TURN", 20)
    monkeypatch.setattr(turn.time, "sleep", lambda _: holder.kill())
    assert states.turn_taken("x")["comment"].startswith(f"Waited for process {holder.pid}")
