"""The watcher of reservations: what an answer means, whose word counts, when the node is reset."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[3] / "hadb/files/reservation-watch"
OWN, OTHER = "0x6861646200000001", "0x6861646200000002"


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("reservation_watch", str(FILE))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    monkeypatch.setattr(module, "LOOK", 0.02)
    monkeypatch.setattr(module, "AGAIN", 0.01)
    return module


def held(key: int, kind: int = 5) -> bytes:
    return bytes([0, 0, 0, 9, 0, 0, 0, 16]) + key.to_bytes(8, "big") + bytes([0, 0, 0, 0, 0, kind, 0, 0])


def test_an_answer_names_who_holds_the_lun(watching: ModuleType) -> None:
    assert watching.holder(held(int(OWN, 16))) == OWN
    assert watching.holder(bytes([0, 0, 0, 9]) + bytes(20)) == watching.NONE
    assert watching.holder(held(int(OWN, 16), kind=6)) == watching.OTHER
    # The scope is in the upper half of the byte.
    assert watching.holder(held(int(OWN, 16), kind=0x05)) == OWN


def test_what_is_no_scsi_disk_gives_no_answer(watching: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert watching.ask(str(tmp_path / "file")) is None
    assert watching.ask(str(tmp_path / "nowhere")) is None
    assert watching.ctypes.sizeof(watching.Header) == 88  # <scsi/sg.h> on 64 bits


def test_paths_are_found_below_a_partition_of_a_map(watching: ModuleType, tmp_path: Path) -> None:
    for name in ("dm-1/slaves/dm-0", "dm-0/slaves/sda", "dm-0/slaves/sdb", "sda/device", "sdb/device"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "devices/sdc/sdc1/partition").mkdir(parents=True)
    (tmp_path / "devices/sdc/device").mkdir()
    (tmp_path / "sdc").symlink_to(tmp_path / "devices/sdc")
    (tmp_path / "sdc1").symlink_to(tmp_path / "devices/sdc/sdc1")
    assert watching.paths_of("/dev/dm-1", str(tmp_path)) == {"sda", "sdb"}
    assert watching.paths_of("/dev/sdc1", str(tmp_path)) == {"sdc"}
    assert watching.paths_of("/dev/gone", str(tmp_path)) == set()


class Times:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def watch(watching: ModuleType, **heard: Any) -> Any:
    found = watching.Watch(OWN, 30.0, clock=Times())
    found.heard = heard
    return found


VOLUMES = {"/dev/pv": {"sda", "sdb"}}


def test_a_lun_that_is_this_nodes_own_is_no_trouble(watching: ModuleType) -> None:
    assert watch(watching, sda=(99.0, OWN), sdb=(80.0, OWN)).trouble(VOLUMES) == ""
    assert watch(watching).trouble(VOLUMES) == ""


@pytest.mark.parametrize("said", [OTHER, "none", "other"])
def test_the_latest_answer_counts_over_whichever_path(watching: ModuleType, said: str) -> None:
    why = watch(watching, sda=(99.0, said), sdb=(98.0, OWN)).trouble(VOLUMES)
    assert f"/dev/pv is reserved by '{said}'" in why
    # Taken back meanwhile, as when two nodes fence each other.
    assert watch(watching, sda=(98.0, said), sdb=(99.0, OWN)).trouble(VOLUMES) == ""


def test_silence_is_waited_for_and_counted_from_the_last_answer_or_the_start(watching: ModuleType) -> None:
    silent, never = watch(watching, sda=(100.0, OWN)), watch(watching)
    for one in (silent, never):
        one.clock.now = 130.0
        assert one.trouble(VOLUMES) == ""
        one.clock.now = 130.1
        assert "cannot be asked for its reservation for 30.0 s" in one.trouble(VOLUMES)


def test_each_volume_is_judged_by_its_own_paths(watching: ModuleType) -> None:
    two = {"/dev/one": {"sda"}, "/dev/two": {"sdb"}}
    assert "/dev/two is reserved by" in watch(watching, sda=(99.0, OWN), sdb=(50.0, OTHER)).trouble(two)


def soon(holds: Any) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_path_that_hangs_does_not_keep_another_one_from_telling(watching: ModuleType) -> None:
    free = threading.Event()

    def asks(path: str) -> str:
        if path == "/dev/sda":
            free.wait(20)
        return OTHER

    found = watching.Watch(OWN, 30.0, asks)
    found.follow({"sda", "sdb"})
    soon(lambda: found.trouble(VOLUMES))
    assert "sda" not in found.heard
    free.set()
    # What is no path any more is not listened to.
    found.follow(set())
    soon(lambda: not [one for one in threading.enumerate() if "listen" in one.name])


def test_it_runs_until_the_record_names_another_and_resets_the_node_that_lost_its_lun(
    watching: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, listed, trigger, ended = tmp_path / "record", tmp_path / "list", tmp_path / "sysrq", []
    listed.write_text("/dev/pv\n")
    holder = [OWN]
    monkeypatch.setattr(watching, "prepare", lambda: None)
    monkeypatch.setattr(watching.os, "chdir", lambda path: None)
    monkeypatch.setattr(watching, "paths_of", lambda volume: {"sda"})
    monkeypatch.setattr(watching.Watch, "__init__", _answering(watching, lambda path: holder[0]))

    def reset(why: str) -> None:
        ended.append(why)
        record.write_text("1\n")

    monkeypatch.setattr(watching, "reset", reset)
    running = threading.Thread(target=watching.main, args=(OWN, "30", str(record), str(listed)))
    running.start()
    soon(lambda: record.exists() and record.read_text())
    time.sleep(0.2)
    assert running.is_alive() and not ended
    holder[0] = OTHER
    running.join(20)
    assert len(ended) == 1 and f"reserved by '{OTHER}'" in ended[0] and not trigger.exists()


def _answering(watching: ModuleType, asks: Any) -> Any:
    real = watching.Watch.__init__
    return lambda self, own, patience: real(self, own, patience, asks)


def test_a_reset_pulls_the_kernels_trigger_and_where_there_is_none_asks_for_a_reboot(
    watching: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(watching.os, "execvp", lambda program, words: ran.append(words))
    monkeypatch.setattr(watching, "write", _writes(tmp_path))
    watching.reset("it is lost", str(tmp_path / "sysrq"))
    assert (tmp_path / "sysrq").read_text() == "b" and "it is lost: resetting" in (tmp_path / "kmsg").read_text()
    assert ran == [["reboot", "-ff"]]


def _writes(place: Path) -> Any:
    """Return what writes into files of the test's: this machine has a trigger and a log of its own."""
    return lambda path, text: (place / Path(path).name).write_text(text)
