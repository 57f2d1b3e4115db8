"""hadb's fence agent switches a real IPMI simulator, and waits only for a rival that is alive."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import chroots
import pytest
from bmc_simulator import PASSWORD, USER, simulator
from fence_agent import ADDRESS, Agent, result

from support import ROOT

pytestmark = [
    pytest.mark.skipif(
        not shutil.which("ipmi_sim") or not shutil.which("ipmitool"), reason="needs openipmi and ipmitool"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with simulator(ADDRESS, tmp_path) as bmc:
        running = Agent(bmc)
        yield running
        running.let_it_return()


def test_it_switches_and_tells_the_power(agent: Agent) -> None:
    assert result(agent.run("status")) == (0, "")
    assert (result(agent.run("off")), agent.bmc.power) == ((0, ""), "off")
    assert result(agent.run("status")) == (2, "")  # fence agents: 2 is off
    assert result(agent.run("monitor")) == (0, "")
    assert (result(agent.run("on")), agent.bmc.power) == ((0, ""), "on")


def test_what_is_so_already_is_not_commanded(agent: Agent) -> None:
    assert agent.run("on").returncode == 0
    (agent.home / "power").write_text("0\n")
    assert agent.run("off").returncode == 0
    assert agent.noted("switch.log") == []


def test_reboot_succeeds_while_the_node_is_off_and_switches_it_on_later(agent: Agent) -> None:
    # run() returns at the end of both outputs: the background holds neither.
    assert (result(agent.run("reboot")), agent.bmc.power) == ((0, ""), "off")
    agent.let_it_return()
    agent.await_log("db2 was switched off and is on again")
    assert agent.bmc.power == "on"


def test_a_node_that_is_on_already_is_not_switched_on(agent: Agent) -> None:
    assert agent.run("reboot").returncode == 0
    (agent.home / "power").write_text("1\n")
    agent.let_it_return()
    agent.await_log("db2 was switched off and is on again")
    assert agent.noted("switch.log") == ["0"]


def test_a_bmc_that_does_not_switch_on_at_once_is_asked_again(agent: Agent) -> None:
    assert agent.run("reboot", power_timeout="0").returncode == 0
    agent.switch('[ -e "$0.warm" ] && echo "$4" >"$1"; : >"$0.warm"')
    agent.let_it_return()
    agent.await_log("db2 was switched off and is on again")
    assert (agent.noted("switch.log"), agent.bmc.power) == (["0", "1", "1"], "on")
    assert any("after 0 s it says: off" in line for line in agent.noted("syslog"))


def test_a_node_that_stays_off_is_reported(agent: Agent) -> None:
    assert agent.run("reboot", power_timeout="0").returncode == 0
    agent.switch(":")
    agent.let_it_return()
    agent.await_log("-p daemon.err -t fence_hadb -- db2 stays off, switch it on by hand")


def test_off_after_reboot_keeps_the_node_off(agent: Agent) -> None:
    assert agent.run("reboot").returncode == 0
    assert agent.run("off").returncode == 0
    assert agent.switching_on
    agent.let_it_return()
    end = time.monotonic() + 60
    while agent.switching_on:
        assert time.monotonic() < end, "the background still runs"
        time.sleep(0.05)
    assert (agent.bmc.power, agent.noted("switch.log")) == ("off", ["0"])


def test_a_bmc_that_says_yes_and_does_nothing_is_no_success(agent: Agent) -> None:
    agent.switch(":")
    for action in ("off", "reboot"):
        done = agent.run(action, power_timeout="1")
        assert done.returncode == 1
        assert (
            done.stderr
            == f"fence_hadb: BMC {ADDRESS} took the command 'power off', but after 1 s it says: on\n"
        )
    assert agent.noted("switch.log") == ["0", "0"]
    assert not agent.switching_on  # nobody means to switch on what was never off


def test_a_refused_command_is_no_success(tmp_path: Path) -> None:
    with simulator(ADDRESS, tmp_path, "user") as bmc:
        done = Agent(bmc).run("off", privlvl="user", power_timeout="0")
        assert (done.returncode, bmc.power) == (1, "on")
        assert f"BMC {ADDRESS} does not take the command 'power off': " in done.stderr
        assert "Insufficient privilege level" in done.stderr


def test_a_node_that_goes_down_by_itself_is_off_whatever_became_of_the_command(tmp_path: Path) -> None:
    with simulator(ADDRESS, tmp_path, "user") as bmc:
        agent = Agent(bmc)
        # On for the first question, off from the second on.
        answer = 'if [ -e "$0.asked" ]; then echo power:0; else : >"$0.asked"; echo power:1; fi'
        (tmp_path / "switch").write_text(f"#!/bin/sh\n{answer}\n")
        assert agent.run("off", privlvl="user", power_timeout="5").returncode == 0


@pytest.mark.parametrize("action", ["off", "reboot", "on", "status", "monitor"])
def test_a_wrong_password_is_an_error_that_names_the_bmc(agent: Agent, action: str) -> None:
    (agent.home / "passwords" / ADDRESS).write_text("not-the-password\n")
    done = agent.run(action)
    assert (done.returncode, agent.bmc.power) == (1, "on")
    assert done.stderr.splitlines() == [
        f"fence_hadb: BMC {ADDRESS} does not tell the power of db2: "
        "the BMC knows another password (RAKP 2 HMAC is invalid)"
    ]


def test_an_account_that_the_bmc_does_not_know_is_named(agent: Agent) -> None:
    done = agent.run("off", username="nobody")
    assert (done.returncode, "the BMC does not know the account 'nobody'" in done.stderr) == (1, True)


def test_the_short_registry_is_one_that_ipmitool_reads(agent: Agent) -> None:
    registry = agent.home / ".local/usr/share/misc/enterprise-numbers.txt"
    registry.parent.mkdir(parents=True)
    shutil.copy(ROOT / "hadb/files/enterprise-numbers.txt", registry)
    ask = ["ipmitool", "-v", "-f", str(agent.home / "passwords" / ADDRESS), "-I", "lanplus", "-H", ADDRESS, "-U", USER,
           "-C", "3", "-L", "operator", "chassis", "power", "status"]  # fmt: skip
    done = subprocess.run(ask, env={"HOME": str(agent.home)}, capture_output=True, text=True, timeout=60)
    assert "Chassis Power is on" in done.stdout
    assert "OEM info dictionary" not in done.stderr  # its complaint about a file without an entry


def test_a_silent_bmc_is_an_error_in_bounded_time(agent: Agent) -> None:
    (agent.home / "passwords" / "127.0.6.34").write_text(f"{PASSWORD}\n")
    done = agent.run("off", ip="127.0.6.34")
    assert done.returncode == 1
    assert "BMC 127.0.6.34 does not tell the power of db2: Error: Unable to establish" in done.stderr


def test_a_session_without_end_is_ended(agent: Agent) -> None:
    agent.program("hangs", "#!/bin/sh\nexec /bin/sleep 600\n")
    # The agent's own bound, only shorter.
    agent.program("timeout", '#!/bin/sh\n[ "$1 $2 $3 $4" = "--foreground -k 1 15" ] || exit 99\nshift 4\n' +
                  'exec /usr/bin/timeout --foreground -k 1 0.5 "$@"\n')  # fmt: skip
    done = agent.run("off", ipmitool_path=str(agent.bin / "hangs"))
    assert (done.returncode, "no end of the session within 15 s" in done.stderr) == (1, True)


def test_the_missing_password_file_is_named(agent: Agent) -> None:
    (agent.home / "passwords" / ADDRESS).unlink()
    done = agent.run("off")
    assert (done.returncode, "cannot be read; apply hadb.fencing on this node" in done.stderr) == (1, True)


ALONE, TOGETHER, DEAF = "alone", "healthy", ""
ANSWERS, SILENT, NO_ROUTE, MISSING = 0, 1, 2, 127


@pytest.mark.parametrize(
    ("corosync", "ping", "mounted", "waits"),
    [
        (ALONE, ANSWERS, False, ["7"]),
        (DEAF, ANSWERS, False, ["7"]),
        (ALONE, NO_ROUTE, False, ["7"]),
        (ALONE, MISSING, False, ["7"]),
        (ALONE, SILENT, False, []),
        (ALONE, ANSWERS, True, []),
        (TOGETHER, ANSWERS, False, []),
    ],
)
def test_only_a_living_rival_of_a_node_without_the_database_gets_a_head_start(
    agent: Agent, corosync: str, ping: int, mounted: bool, waits: list[str]
) -> None:
    if corosync:
        agent.corosync(corosync)
    agent.program("ping", f'#!/bin/sh\necho "$*" >>"$0.log"\nexit {ping}\n')
    database = str(agent.home / "database")
    Path(database).mkdir()
    head = {"head_start": "7", "database_mount": database, "target_address": "10.20.0.12"}
    done = agent.run("off", database if mounted else "", **head)
    assert (result(done), agent.bmc.power, agent.waits) == ((0, ""), "off", waits)
    pings = [] if mounted else ["-n -q -c 5 -i 0.1 -W 0.4 10.20.0.12"]
    assert agent.noted("bin/ping.log") == pings
    assert any("the node with the database has 7 s" in line for line in agent.noted("syslog")) == bool(waits)


def test_the_server_s_program_is_read_into_memory_where_the_database_is_not(agent: Agent) -> None:
    agent.program("nice", f'#!/bin/sh\necho "$*" >>{agent.home}/syslog\n')
    database = str(agent.home / "database")
    Path(database).mkdir()
    assert result(agent.run("off", database, database_mount=database, preload="tac")) == (0, "")
    assert result(agent.run("off", database_mount=database, preload="uname")) == (0, "")
    agent.await_log("-n 10 cat /usr/bin/uname")
    assert not [line for line in agent.noted("syslog") if line.endswith("/tac")]


def test_a_program_that_is_not_there_keeps_nobody_from_fencing(agent: Agent) -> None:
    assert result(agent.run("off", database_mount="/nowhere", preload="no-such-program")) == (0, "")


def test_a_node_that_is_off_costs_no_head_start(agent: Agent) -> None:
    (agent.home / "power").write_text("0\n")
    agent.program("ping", "#!/bin/sh\nexit 0\n")
    agent.corosync(ALONE)
    head = {"head_start": "7", "database_mount": "/nowhere", "target_address": "10.20.0.12"}
    assert (agent.run("off", **head).returncode, agent.waits) == (0, [])


@pytest.mark.parametrize("absent", ["head_start", "database_mount"])
def test_without_its_parameters_there_is_no_head_start(agent: Agent, absent: str) -> None:
    agent.program("ping", "#!/bin/sh\nexit 0\n")
    head = {"head_start": "7", "database_mount": "/nowhere", "target_address": "10.20.0.12", absent: ""}
    assert (agent.run("off", **head).returncode, agent.waits) == (0, [])


def test_without_an_address_every_node_counts_as_alive(agent: Agent) -> None:
    assert (agent.run("off", head_start="7", database_mount="/nowhere").returncode, agent.waits) == (0, ["7"])


def test_words_of_a_shell_are_only_words(agent: Agent) -> None:
    agent.program("ipmi", f'#!/bin/sh\nprintf "%s\\n" "$@" >{agent.home}/words\necho Chassis Power is off\n')
    trap = f"a b'\"$(touch {agent.home}/hurt);`touch {agent.home}/hurt` * \\n=x"
    done = agent.run(
        "off", username=trap, privlvl=trap, nodename=trap, database_mount=trap, head_start="1", extra=trap,
        ipmitool_path=str(agent.bin / "ipmi"), **{"; touch hurt": trap},
    )  # fmt: skip
    assert result(done) == (0, "")
    words = agent.noted("words")
    assert (words[words.index("-U") + 1], words[words.index("-L") + 1]) == (trap, trap)
    assert not (agent.home / "hurt").exists()


def test_the_password_is_on_no_command_line(agent: Agent) -> None:
    agent.program("ipmitool", '#!/bin/sh\necho "$*" >>"$0.log"\nexec /usr/bin/ipmitool "$@"\n')
    (agent.home / "wrapper").write_text(
        f'#!/bin/sh\necho "$*" >>"$0.log"\nHADB_IPMITOOL={agent.bin}/ipmitool exec {agent.home}/ipmitool "$@"\n'
    )
    (agent.home / "wrapper").chmod(0o755)
    assert agent.run("off", ipmitool_path=str(agent.home / "wrapper")).returncode == 0
    words = agent.noted("wrapper.log") + agent.noted("bin/ipmitool.log")
    assert len(words) == 4  # two sessions: the question, and the command with a question
    assert not any(PASSWORD in line or " -P" in line for line in words)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"ip": ""}, "ip must be the IP address of a BMC"),
        ({"ip": "../shadow"}, "ip must be the IP address of a BMC"),
        ({"username": ""}, "username is not given"),
        ({"head_start": "08"}, "head_start must be a whole number, not '08'"),
        ({"power_timeout": "1; reboot"}, "power_timeout must be a whole number"),
        ({"target_address": "-f"}, "target_address must be an IP address"),
        ({"ipmitool_path": "/nowhere"}, "/nowhere cannot be run"),
    ],
)
def test_wrong_options_are_named(agent: Agent, wrong: dict[str, str], says: str) -> None:
    for action in ("validate-all", "status", "off"):
        done = agent.run(action, **wrong)
        assert (done.returncode, done.stderr.count("\n"), says in done.stderr) == (1, 1, True), done.stderr
    assert agent.bmc.power == "on"
    assert agent.run("validate-all").returncode == 0


@pytest.mark.parametrize(
    ("action", "says"), [("", "no action is given"), ("explode", "unknown action 'explode'")]
)
def test_without_a_known_action_nothing_happens(agent: Agent, action: str, says: str) -> None:
    done = agent.run(action)
    assert (done.returncode, says in done.stderr, agent.bmc.power) == (1, True, "on")


def test_by_hand_options_are_arguments_and_standard_input_is_not_read(agent: Agent) -> None:
    common = [f"--ip={ADDRESS}", f"--username={USER}", "--cipher=3", "--privlvl=operator", "--lanplus",
              f"--ipmitool-path={agent.home}/ipmitool"]  # fmt: skip
    assert result(agent.by_hand("-o", "status", *common)) == (0, "")
    assert (agent.by_hand("--action=off", *common).returncode, agent.bmc.power) == (0, "off")
    assert "unknown option --nonsense" in agent.by_hand("--action=on", *common, "--nonsense=1").stderr
    assert agent.by_hand("--help").stdout.startswith("usage: fence_hadb")
    assert agent.by_hand("-o").returncode == 1


def test_the_metadata_name_what_the_agent_takes(agent: Agent) -> None:
    tree = ET.fromstring(agent.run("metadata").stdout)
    names = [parameter.get("name") for parameter in tree.iter("parameter")]
    assert set(names) >= set(agent.options("off")) - {"nodename", "nodeid"}
    assert set(names) >= {"head_start", "database_mount", "target_address", "power_timeout"}
    for name in names:  # each can be given by hand
        assert "unknown option" not in agent.by_hand(f"--{name}=x").stderr


@pytest.mark.parametrize("suite", chroots.SUITES)
def test_pacemaker_reads_the_metadata(suite: str, tmp_path: Path) -> None:
    agent = tmp_path / "sbin" / "fence_hadb"
    agent.parent.mkdir()
    shutil.copy(ROOT / "hadb/files/fence_hadb", agent)
    agent.chmod(0o755)
    # The release's own programs, and the agent among them, for this process only.
    enter = (
        'mount -t tmpfs tmpfs "$1" && mkdir "$1/u" "$1/w" && '
        'mount -t overlay -o "lowerdir=$0/usr/sbin,upperdir=$1/u,workdir=$1/w" overlay "$0/usr/sbin" && '
        'cp "$2" "$0/usr/sbin/" && mount -t proc proc "$0/proc" && '
        'exec chroot "$0" stonith_admin -M -a fence_hadb'
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    argv = ["unshare", "--mount", "sh", "-c", enter, str(chroots.chroot(suite)), str(scratch), str(agent)]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, env={"PATH": "/usr/sbin:/usr/bin"}
    )
    assert done.returncode == 0, done.stderr
    tree = ET.fromstring(done.stdout)
    assert {a.get("name") for a in tree.iter("action")} >= {"on", "off", "reboot", "status", "monitor"}
