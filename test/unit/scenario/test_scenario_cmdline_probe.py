"""The program that reads every process's words: on files like the kernel's, and on this machine as it runs on a node."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scenario import canaries, cmdline_probe
from scenario.cmdline_probe import Needles, Watcher

SECRET = "lab-only-secret"
CANARIES = canaries.told([canaries.password("bmc", SECRET)])


class Proc:
    """A directory like /proc."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.last = 0
        self.tell(0)

    def tell(self, last: int) -> None:
        self.last = last
        (self.root / "loadavg").write_text(f"0.20 0.18 0.12 1/80 {last}\n")

    def run(self, pid: int, *words: str, group: int | None = None, environ: str = "PATH=/bin") -> None:
        place = self.root / str(pid)
        place.mkdir(exist_ok=True)
        (place / "status").write_text(f"Name:\tx\nState:\tR (running)\nTgid:\t{group or pid}\nNgid:\t0\nPid:\t{pid}\n")
        (place / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
        (place / "environ").write_text(environ)
        if pid > self.last:
            self.tell(pid)

    def end(self, pid: int) -> None:
        for file in (self.root / str(pid)).iterdir():
            file.unlink()
        (self.root / str(pid)).rmdir()


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


@pytest.fixture
def watcher(proc: Proc) -> Watcher:
    proc.run(1, "init")
    watcher = Watcher(Needles(CANARIES), str(proc.root))
    watcher.begin(0.0)
    watcher.look(0.0)
    return watcher


def test_a_secret_among_a_new_processs_words_is_seen_once_and_not_shown(proc: Proc, watcher: Watcher) -> None:
    proc.run(7, "ipmitool", "-P", SECRET)
    for tick in range(1, 50):
        watcher.look(tick / 1000)
    assert watcher.hits == [{"what": "command line", "names": ["bmc"], "shown": "ipmitool -P (hidden)"}]


def test_a_secret_in_the_environment_is_seen(proc: Proc, watcher: Watcher) -> None:
    proc.run(7, "ipmitool", "-E", environ=f"IPMI_PASSWORD={SECRET}")
    watcher.look(0.001)
    assert watcher.hits == [{"what": "environment", "names": ["bmc"], "shown": "ipmitool -E"}]


def test_clean_processes_are_no_hit(proc: Proc, watcher: Watcher) -> None:
    proc.run(2, "ipmitool", "-f", "/etc/hadb/bmc/10.20.0.101")
    watcher.look(0.001)
    assert (watcher.hits, watcher.count, watcher.missed) == ([], 1, 0)


@pytest.mark.parametrize("seconds", [0.002, 0.5, 4.0, 60.0])
def test_a_process_that_becomes_another_program_is_read_again(proc: Proc, watcher: Watcher, seconds: float) -> None:
    proc.run(7, "sh", "-c", "exec ipmitool")
    tick = 0.001
    while tick < seconds:
        watcher.look(tick)
        tick += 0.001 if seconds < 1 else 0.1
    proc.run(7, "ipmitool", "-P", SECRET)
    # Within an eighth of its age, and five seconds at most.
    watcher.look(tick + min(seconds / 8 + 0.002, 5.1))
    assert [hit["shown"] for hit in watcher.hits] == ["ipmitool -P (hidden)"]


def test_what_was_there_before_is_read_too(proc: Proc) -> None:
    proc.run(3, "old", SECRET)
    watcher = Watcher(Needles(CANARIES), str(proc.root))
    watcher.begin(0.0)
    watcher.look(0.0)
    assert [hit["shown"] for hit in watcher.hits] == ["old (hidden)"]


def test_a_number_that_goes_to_another_process_is_read_as_a_new_one(proc: Proc, watcher: Watcher) -> None:
    proc.run(7, "true")
    watcher.look(0.001)
    proc.end(7)
    watcher.look(0.1)
    assert 7 not in watcher.born
    # After the highest number comes a small one.
    proc.run(7, "ipmitool", "-P", SECRET)
    proc.tell(5)
    watcher.look(0.2)
    assert [hit["shown"] for hit in watcher.hits] == ["ipmitool -P (hidden)"]


def test_threads_are_no_processes_and_what_is_gone_is_counted(proc: Proc, watcher: Watcher) -> None:
    proc.run(8, "mariadbd", group=1)
    proc.tell(10)
    watcher.look(0.001)
    assert (watcher.count, watcher.missed, sorted(watcher.born)) == (9, 8, [1])


def test_many_new_numbers_at_once_cost_one_listing(proc: Proc, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.run(9000, "late", SECRET)
    read: list[str] = []
    monkeypatch.setattr(cmdline_probe, "read", lambda path, was=cmdline_probe.read: read.append(path) or was(path))
    watcher.look(0.001)
    assert [hit["shown"] for hit in watcher.hits] == ["late (hidden)"]
    assert len(read) < 10


def test_the_program_sees_a_process_of_this_machine_and_tells_how_often_it_looked() -> None:
    told = json.dumps({"canaries": CANARIES, "interval": 0.001, "every": 0.5})
    lines: list[dict[str, Any]] = []
    program = [sys.executable, "-u", "-c", Path(cmdline_probe.__file__).read_text()]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdin and watch.stdout
        watch.stdin.write(told)
        watch.stdin.close()
        lines.append(json.loads(watch.stdout.readline()))
        subprocess.run(["sh", "-c", f"sleep 0.3; : {SECRET}"], check=True)
        while len(lines) < 20 and not any(line["hits"] for line in lines):
            text = watch.stdout.readline()
            assert SECRET not in text
            lines.append(json.loads(text))
        watch.kill()
    assert lines[-1]["hits"][0] == {"what": "command line", "names": ["bmc"], "shown": "sh -c sleep 0.3; : (hidden)"}
    assert all(line["looks"] > 0 and line["seconds"] >= 0.5 and line["gap"] > 0 for line in lines)
    assert sum(line["born"] for line in lines) >= 2
