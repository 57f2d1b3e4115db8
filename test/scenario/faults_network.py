"""Faults of the networks (N in ``fault_cases.py``)."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

from scenario import announce
from scenario.faults import CALM, DEVICES, POLL
from scenario.lab import ARRAY_CARD
from scenario.scenario import FAILOVER, Scenario
from scenario.stage import Stage, clean_up, free_addresses
from scenario.wait import until

_CABLES = ("hb1", "hb2")
LOSS = "20"
# Bytes. knet sends its pings in packets of a few hundred, a message's parts in 1500.
_LONG = 1000
# Seconds until a fencing device's monitor has failed: its interval (60 s) and two sessions with a silent BMC.
TOLD_SECONDS = 150.0
# Seconds that both nodes are without their clients' network.
_AWAY = 30.0
_ANNOUNCE = Path(announce.__file__)
_HELPER = "/usr/libexec/heartbeat/send_arp -i 200 -r 5 {card} {address} auto not_used not_used"


def cut_one_way(stage: Stage) -> None:
    """What the active node says is lost on both cables, what it is told is not: the passive node is fenced, once."""
    for cable in _CABLES:
        stage.lab.verb("cut", cable, stage.active, "--one-way")
    stage.wait_fenced(stage.passive)
    stage.watch(CALM)


def lose_packets(stage: Stage) -> None:
    """One heartbeat cable loses packets."""
    stage.lab.verb("cut", "hb1", "--loss", LOSS)
    stage.watch(CALM)


def lose_clients(stage: Stage) -> None:
    """The active node loses the network of its clients, of Salt and of its peer's BMC: it stays, and the cluster tells.

    A lost link moves nothing (docs/decisions/0060). What tells is the device that fences the peer.
    """
    lab, device = stage.lab, f"fence-{stage.passive}"
    lab.verb("cut", "mgmt", stage.active)
    until(lambda: stage.failed(device, stage.active), TOLD_SECONDS, "nobody tells that the network is lost", POLL)
    assert stage.home(stage.passive) == stage.active, "the database moved"
    _reconnect(stage, device)


def lose_all_clients(stage: Stage) -> None:
    """Both nodes lose the network of their clients, as when a switch restarts: nothing moves, nobody is fenced."""
    lab = stage.lab
    for node in lab.nodes:
        lab.verb("cut", "mgmt", node)
    end = time.monotonic() + _AWAY
    while time.monotonic() < end:
        assert stage.home(stage.active) == stage.active, "the database moved"
        time.sleep(POLL)
    _reconnect(stage, *lab.fences)


def take_address(stage: Stage) -> None:
    """A third machine takes a virtual address and announces it: clients go astray, and ``hadb.check`` names the machine."""
    lab, address = stage.lab, stage.lab.vip["address"]
    # Whoever asks from now on has a neighbour's entry that the announcement changes; without one, two answers would race.
    lab.ask(stage.passive, f"ping -n -q -c 1 -W 2 {address}")
    lab.ask(lab.array, f"ip address add {address}/32 dev {ARRAY_CARD} && {announcing(ARRAY_CARD, address)}")
    told = lab.verb("salt-run", "hadb.check", check=False)
    said = told.stdout + told.stderr
    assert told.returncode != 0 and f"nobody else at {address}" in said, said
    free_addresses(lab)
    lab.ask(stage.active, _HELPER.format(card=lab.vip["interface"], address=address))
    stage.wait_served(time.monotonic())


def lose_long_packets(stage: Stage) -> None:
    """Long packets are lost on one cable, short ones are not, so that it looks whole: long messages take the other one.

    knet itself need not find out: with encryption it doubles its patience up to 128 times before it takes a size for lost
    (seen: it still sends as long ones after 90 s).
    """
    lab = stage.lab
    lab.verb("cut", "hb1", "--longer", str(_LONG))
    assert [_pinged(stage, size) for size in (_LONG // 2, _LONG)] == [True, False], "the cable does not lose what is long, and only that"
    try:
        for digit in "12345":
            value = digit * 3 * _LONG
            stage.mark(value)
            until(lambda value=value: stage.marked(stage.active) == value, CALM, "a long message does not get through", POLL)
            stage.watch(CALM / 4)
    finally:
        stage.unmark()


def lose_announcement(stage: Stage) -> None:
    """A planned switchover of which the clients' machine hears nothing: it goes on asking the old node, and finds out itself."""
    lab = stage.lab
    lab.verb("cut", "mgmt", stage.passive, "--announces", lab.vip["address"])
    lab.ask(stage.active, f"crm node standby {stage.active}")
    try:
        stage.wait_home(stage.passive)
    finally:
        lab.ask(stage.active, f"crm node online {stage.active}")


def announcing(card: str, address: str) -> str:
    """Return the script that announces an address as the own one of the machine where it runs."""
    return f"python3 -c {shlex.quote(_ANNOUNCE.read_text(encoding='utf-8'))} {card} {address}"


def _pinged(stage: Stage, size: int) -> bool:
    """Return whether the passive node answers a ping with so many bytes of data over the first cable."""
    address = stage.lab.pillar["nodes"][stage.passive]["links"][0]
    return stage.lab.ask(stage.active, f"ping -c 1 -W 1 -s {size} {address}", check=False).returncode == 0


def _reconnect(stage: Stage, *devices: str) -> None:
    """Heal the clients' network and do for the fencing devices what the runbook says; return when a client is served."""
    stage.lab.verb("heal", "mgmt")
    clean_up(stage.lab, devices)
    stage.wait_served(time.monotonic())


SCENARIOS = (
    Scenario("both cables cut in one direction", cut_one_way, fenced=("passive",), cases=("N3",)),
    Scenario("packets of a heartbeat cable lost", lose_packets, cases=("N4",)),
    Scenario("clients of the active lost", lose_clients, budget=TOLD_SECONDS + FAILOVER, explained=DEVICES, cases=("N5",),
             eyes="san1"),
    Scenario("clients of both lost", lose_all_clients, budget=_AWAY + FAILOVER, explained=DEVICES, cases=("N6",), eyes="san1"),
    Scenario("virtual address taken by a third machine", take_address, budget=2 * FAILOVER, cases=("N7",)),
    Scenario("long packets of a heartbeat cable lost", lose_long_packets, cases=("N8",)),
    Scenario("announcement of the address lost", lose_announcement, budget=FAILOVER, cases=("N10",)),
)  # fmt: skip
