"""fence_ipmilan of both Debian releases fences a real IPMI simulator through hadb's wrapper, without a password parameter."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import chroots
import pytest
from bmc_simulator import PASSWORD, USER, Guard, Simulator, simulator
from cib_chroot import run_all

from hadb_core.errors import CommandFailed, NotProven
from support import ROOT, load

pytestmark = [
    pytest.mark.skipif(
        not shutil.which("ipmi_sim") or not shutil.which("ipmitool"), reason="needs openipmi and ipmitool"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]

ADDRESS = "127.0.6.23"


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[Simulator]:
    with simulator(ADDRESS, tmp_path) as running:
        (tmp_path / "passwords").mkdir(mode=0o700)
        (tmp_path / "passwords" / ADDRESS).write_text(f"{PASSWORD}\n")
        yield running


def module(address: str = ADDRESS, privlvl: str = "operator", new_password: str = "") -> ModuleType:
    """Return the execution module with an account for a BMC."""
    account = {"address": address, "username": USER, "password": PASSWORD, "new_password": new_password}
    document = {"nodes": {"db1": {"bmc": account}}, "fencing": {"cipher": 3, "privlvl": privlvl}}

    def run_all(argv: list[str], timeout: float, **_salt: Any) -> dict[str, Any]:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        return {"retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    return load(
        "_modules/ipmitool.py",
        salt={"cmd.run_all": run_all, "hadb.document": lambda: document},
        pillar={"hadb": {"nodes": {"db1": {"bmc": account}}}},
    )


@pytest.fixture
def ipmitool(bmc: Simulator) -> ModuleType:
    return module()


def fence(suite: str, bmc: Simulator, action: str) -> dict[str, Any]:
    """Run the release's own agent as Pacemaker does, options on standard input."""
    options = {
        "action": action, "ip": ADDRESS, "username": USER, "lanplus": "1", "cipher": "3", "privlvl": "operator",
        "ipmitool_path": str(bmc.scratch / "wrapper"), "power_wait": "0",
    }  # fmt: skip
    shutil.copy(ROOT / "hadb/files/ipmitool", bmc.scratch / "wrapper")
    (bmc.scratch / "wrapper").chmod(0o755)
    given = "".join(f"{key}={value}\n" for key, value in options.items())
    passwords = {"HADB_BMC_DIRECTORY": str(bmc.scratch / "passwords")}
    return run_all(chroots.chroot(suite))(["fence_ipmilan"], stdin=given, env=passwords, timeout=120)


@pytest.mark.parametrize("suite", chroots.SUITES)
def test_the_agent_fences_without_a_password_parameter(suite: str, bmc: Simulator) -> None:
    assert fence(suite, bmc, "monitor")["retcode"] == 0
    assert fence(suite, bmc, "status")["retcode"] == 0
    done = fence(suite, bmc, "off")
    assert (done["retcode"], bmc.power) == (0, "off"), done["stderr"]
    assert fence(suite, bmc, "status")["retcode"] == 2  # fence agents: 2 is off
    assert (fence(suite, bmc, "reboot")["retcode"], bmc.power) == (0, "on")


@pytest.mark.parametrize("suite", chroots.SUITES)
def test_the_agent_fails_with_a_wrong_password_file(suite: str, bmc: Simulator) -> None:
    (bmc.scratch / "passwords" / ADDRESS).write_text("wrong\n")
    assert fence(suite, bmc, "off")["retcode"] != 0
    assert bmc.power == "on"


def test_the_agent_fails_without_a_password_file(bmc: Simulator) -> None:
    (bmc.scratch / "passwords" / ADDRESS).unlink()
    done = fence("trixie", bmc, "off")
    assert (done["retcode"] != 0, bmc.power) == (True, "on"), done


def test_no_password_is_on_any_command_line_while_a_node_is_fenced(bmc: Simulator) -> None:
    seen, commands, stop = [], set(), threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    line = (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if b"ipmitool" in line:
                    commands.add(line)
                if PASSWORD.encode() in line:
                    seen.append(line)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert fence("trixie", bmc, "reboot")["retcode"] == 0
    finally:
        stop.set()
        watcher.join()
    assert commands, "the watcher was too slow to see anything"
    assert seen == []


def test_the_module_reads_and_switches_the_power(ipmitool: ModuleType, bmc: Simulator) -> None:
    assert ipmitool.power_status(ADDRESS) == "on"
    ipmitool.power(ADDRESS, "off")
    assert (ipmitool.power_status(ADDRESS), bmc.power) == ("off", "off")
    ipmitool.power(ADDRESS, "on")


def test_the_module_tells_what_the_bmc_is(ipmitool: ModuleType) -> None:
    assert ipmitool.mc_info(ADDRESS)["IPMI Version"] == "2.0"
    assert ipmitool.chassis_status(ADDRESS)["System Power"] == "on"
    assert "Cipher Suite Priv Max" in ipmitool.lan(ADDRESS)
    assert ipmitool.sel(ADDRESS) == []
    assert ipmitool.identity(ADDRESS)["guid"] == "0102030405060708090a0b0c0d0e0f10"


def test_this_simulators_open_door_is_found(ipmitool: ModuleType) -> None:
    # ipmi_sim lets cipher suite 0 in, as many BMCs do until somebody switches it off.
    assert ipmitool.cipher_zero_refused(ADDRESS) is False


GUARDED, ADMIN = "127.0.6.24", "127.0.6.25"


def test_a_bmc_that_is_silent_for_strangers_is_asked_in_few_seconds(bmc: Simulator) -> None:
    guard = Guard(GUARDED, ADDRESS)
    guard.start()
    assert module(GUARDED).cipher_zero_refused(GUARDED) is True
    # A request a second for 3 s; left alone ipmitool 1.8.19 goes on for 9 s.
    assert 2 <= guard.swallowed <= 4


def test_silence_of_a_bmc_that_then_answers_nobody_is_no_refusal(bmc: Simulator) -> None:
    guard = Guard("127.0.6.26", ADDRESS)
    guard.deaf = True
    guard.start()
    with pytest.raises(CommandFailed):
        module("127.0.6.26").cipher_zero_refused("127.0.6.26")


def test_the_accounts_of_the_bmc_are_told(ipmitool: ModuleType) -> None:
    assert ipmitool.users(ADDRESS) == [
        {"id": 2, "name": USER, "callin": True, "link_auth": False, "messaging": True, "privilege": "OPERATOR"}]  # fmt: skip


def test_a_new_password_counts_after_its_proof(tmp_path: Path) -> None:
    with simulator(ADMIN, tmp_path, "admin"):
        changed = module(ADMIN, "administrator", "new-#\"'16-chars")
        assert changed.change_password(ADMIN) == {"user_id": 2, "proven": True, "file": False}
        with pytest.raises(CommandFailed):  # the old one does not count any more
            changed.power_status(ADMIN)


def test_a_password_that_the_bmc_shortens_is_taken_back(tmp_path: Path) -> None:
    # ipmi_sim keeps 16 characters of a longer one, as many BMCs do; nobody could log in with it.
    with simulator(ADMIN, tmp_path, "admin"):
        changed = module(ADMIN, "administrator", "exactly-20-character")
        with pytest.raises(NotProven, match="the old one counts as before"):
            changed.change_password(ADMIN)
        assert changed.power_status(ADMIN) == "on"


def test_without_the_privilege_nothing_is_changed(ipmitool: ModuleType) -> None:
    refused = module(new_password="another-16-chars")
    with pytest.raises(CommandFailed, match="Insufficient privilege level"):
        refused.change_password(ADDRESS)
    assert refused.power_status(ADDRESS) == "on"


WRAPPER = str(ROOT / "hadb/files/ipmitool")


def wrapped(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "10.0.0.1").write_text("secret\n")
    (tmp_path / "fe80::1").write_text("secret\n")
    environment = {"HADB_BMC_DIRECTORY": str(tmp_path), "HADB_IPMITOOL": "/bin/echo", "PATH": "/usr/bin:/bin"}
    return subprocess.run(["sh", WRAPPER, *words], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("password", [["-P", ""], ["-P", "secret"], ["-Psecret"], []])
def test_the_wrapper_replaces_the_password_whatever_it_is(tmp_path: Path, password: list[str]) -> None:
    done = wrapped(
        tmp_path,
        "-I",
        "lanplus",
        "-H",
        "10.0.0.1",
        "-U",
        "a b",
        *password,
        "-C",
        "3",
        "chassis",
        "power",
        "status",
    )
    assert done.stdout == f"-f {tmp_path}/10.0.0.1 -I lanplus -H 10.0.0.1 -U a b -C 3 chassis power status\n"


def test_the_wrapper_knows_ipv6(tmp_path: Path) -> None:
    assert wrapped(tmp_path, "-H", "fe80::1").stdout == f"-f {tmp_path}/fe80::1 -H fe80::1\n"


@pytest.mark.parametrize(
    "words", [[], ["-H"], ["-H", "../shadow"], ["-H", "bmc.example.org"], ["-H", "10.0.0.9"]]
)
def test_the_wrapper_refuses_what_has_no_password_file(tmp_path: Path, words: list[str]) -> None:
    done = wrapped(tmp_path, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "hadb ipmitool" in done.stderr
