"""Faults of fencing (F in ``fault_cases.py``)."""

from __future__ import annotations

import re
import time

from hadb_core import reservation
from scenario import bmc_password
from scenario.faults import CALM, DEVICES, POLL, SEEN_SECONDS
from scenario.faults_network import TOLD_SECONDS
from scenario.scenario import COLD_START, FAILOVER, Scenario
from scenario.stage import Stage, bad_paths, clean_up, forget, switch_on
from scenario.wait import until

_OTHER_PASSWORD = "set-by-nobody"  # noqa: S105 - a BMC of the lab's
_SLOW_SECONDS = 20
# Seconds in which a node that cannot fence must not take over: more than one attempt of the agent with a silent BMC takes.
_BLOCKED = 15.0
# Seconds for a takeover by the second level: the first has to fail, and the node gets its time to reset itself.
SECOND_LEVEL = 150.0
_RESERVED = {"hadb:fencing:reservations": True}


def lose_bmc(stage: Stage) -> None:
    """The active node's BMC is silent, which is told; then its power fails: no takeover until the BMC answers again."""
    lab, device = stage.lab, f"fence-{stage.active}"
    lab.verb("cut", "bmc", stage.active)
    until(lambda: stage.failed(device, stage.passive), TOLD_SECONDS, "nobody tells that the BMC is silent", POLL)
    lab.verb("power", stage.active, "off")
    _stay_blocked(stage)
    lab.verb("heal", "bmc", stage.active)
    stage.wait_home(stage.passive)
    clean_up(lab, [device])


def change_password(stage: Stage) -> None:
    """Somebody changes the password at the active node's BMC: told, with the reason, before it is needed."""
    lab, device, began = stage.lab, f"fence-{stage.active}", time.monotonic()
    ours = lab.pillar["nodes"][stage.active]["bmc"]["password"]
    bmc_password.change(lab, stage.active, ours, _OTHER_PASSWORD)
    try:
        until(lambda: stage.failed(device, stage.passive), TOLD_SECONDS, "nobody tells that the password is wrong", POLL)
        since = round(time.monotonic() - began) + 5
        said = lab.ask(stage.passive, f"journalctl --quiet --no-pager --unit=pacemaker --since=-{since}s").stdout
        assert "knows another password" in said, "the reason is not in the journal"
    finally:
        bmc_password.change(lab, stage.active, _OTHER_PASSWORD, ours)
    clean_up(lab, [device])


def switch_off_slowly(stage: Stage) -> None:
    """The active node is frozen and its BMC takes as long to cut the power as the agent waits at most."""
    stage.lab.verb("bmc", stage.active, "--power-off-seconds", str(_SLOW_SECONDS))
    stage.lab.verb("freeze", stage.active)
    stage.wait_home(stage.passive)


def switch_on_at_once(stage: Stage) -> None:
    """A frozen node is fenced, and an operator switches it on before the other one has taken over."""
    began = time.monotonic()
    stage.lab.verb("freeze", stage.active)
    until(lambda: stage.cut_by_bmc(stage.active, began), FAILOVER, "the node is not fenced")
    stage.lab.verb("power", stage.active, "on")
    stage.wait_home(stage.passive)


def confirm_by_hand(stage: Stage) -> None:
    """Node and BMC lose their power together: no takeover until a human says that the node is off (docs/runbook.md)."""
    lab = stage.lab
    lab.verb("cut", "bmc", stage.active)
    lab.verb("power", stage.active, "off")
    _stay_blocked(stage)
    confirm = f"stonith_admin --confirm={stage.active}"
    stage.wait_told(f"Only if you have looked and {stage.active} is off: `{confirm}`")
    lab.ask(stage.passive, confirm)
    stage.wait_home(stage.passive)
    # What was under way when the human spoke must not meet a BMC that answers again, and a node that has returned.
    until(lambda: (view := stage.view(stage.passive)) and all(one.status != "pending" for one in view.fencing), SEEN_SECONDS,
          "fencing goes on after the confirmation", POLL)  # fmt: skip
    lab.verb("heal", "bmc", stage.active)
    # Its monitor may have met the silent BMC.
    clean_up(lab, [f"fence-{stage.active}"])


def start_without_the_other(stage: Stage) -> None:
    """Both start with all cables cut, and a human lets one start alone: it fences the other, which it never saw, first.

    The human was wrong, the other node runs (docs/runbook.md): so it is the BMC that has to say that it is off.
    """
    lab, alone = stage.lab, stage.passive
    for node in lab.nodes:
        lab.verb("power", node, "off")
    for cable in ("hb1", "hb2"):
        lab.verb("cut", cable)
    switch_on(lab)
    for node in lab.nodes:
        until(lambda node=node: (view := stage.view(node)) and view.dc == node and not view.quorum, COLD_START,
              f"{node} does not wait for its peer", POLL)  # fmt: skip
    began = time.monotonic()
    lab.ask(alone, "corosync-cmapctl -s quorum.cancel_wait_for_all u8 1")
    until(lambda: _fences_first(stage, alone, began), FAILOVER, "the other node is not fenced", POLL)
    for cable in ("hb1", "hb2"):
        lab.verb("heal", cable)
    stage.wait_home(alone)


def lie_about_frozen(stage: Stage) -> None:
    """The active node is frozen, and its BMC only says that it has switched it off: the node wakes up as a second owner.

    From the takeover on the array refuses what it writes, and it resets itself as soon as it has seen that.
    """
    stage.lab.verb("bmc", stage.active, "--lies")
    stage.lab.verb("freeze", stage.active)
    stage.wait_home(stage.passive)
    _wake_up_fenced(stage)


def freeze_without_bmc(stage: Stage) -> None:
    """The active node is frozen and its BMC cannot be reached: the second fencing level takes over, and the node wakes up after it."""
    stage.lab.verb("cut", "bmc", stage.active)
    stage.lab.verb("freeze", stage.active)
    stage.wait_home(stage.passive, SECOND_LEVEL)
    _wake_up_fenced(stage)
    _bmc_is_back(stage)


def lose_both(stage: Stage) -> None:
    """Node and BMC lose their power together, as with a common supply: the second fencing level succeeds."""
    stage.lab.verb("cut", "bmc", stage.active)
    stage.lab.verb("power", stage.active, "off")
    stage.wait_home(stage.passive, SECOND_LEVEL)
    _bmc_is_back(stage)


def path_returns(stage: Stage) -> None:
    """The database comes to a node that has lost one path, which then returns: it is registered before anything is written over it."""
    lab, home = stage.lab, stage.passive
    lab.verb("cut", "san1", home)
    until(lambda: bad_paths(lab, home), SEEN_SECONDS, "multipath does not see that the path is gone", POLL)
    lab.ask(stage.active, f"crm node standby {stage.active}")
    stage.wait_home(home)
    lab.ask(stage.active, f"crm node online {stage.active}")
    lab.verb("heal", "san1", home)
    until(lambda: not bad_paths(lab, home), SEEN_SECONDS, "multipath does not see that the path is back", POLL)
    stage.watch(CALM)
    for wwid, keys in _registered(stage).items():
        assert len(keys) == 2, f"LUN {wwid} knows {keys}, wanted one for each path"
    _only_owner(stage)


def _wake_up_fenced(stage: Stage) -> None:
    """Let a node go on that was fenced while it stood still, and wait until it has reset itself."""
    lab, node = stage.lab, stage.active
    lab.verb("thaw", node)
    # A kernel of the lab ends where a machine would boot.
    lab.wait_end(node)
    lab.verb("power", node, "on")
    _only_owner(stage)


def _only_owner(stage: Stage) -> None:
    """Make sure that the array knows nobody but the new owner, on any LUN of the group."""
    own = reservation.key(stage.lab.pillar["cluster_name"], stage.passive)
    for wwid, keys in _registered(stage).items():
        assert set(keys) == {own}, f"LUN {wwid} knows {keys}, wanted {own}"


def _registered(stage: Stage) -> dict[str, list[str]]:
    """Return the keys that each LUN knows, one for each registered path, as the new active node reads them."""
    found = {}
    for lun in stage.lab.storage["luns"]:
        said = stage.lab.ask(stage.passive, f"sg_persist --no-inquiry --in --read-keys /dev/mapper/{lun['wwid']}").stdout
        found[lun["wwid"]] = re.findall(r"^\s*(0x[0-9a-f]+)", said, re.MULTILINE)
    return found


def _bmc_is_back(stage: Stage) -> None:
    """Let the BMC answer again, and forget what its silence made fail, on the node that is surely there.

    Again, if need be: a start of the device that met the silence can still be under way, and its failure is for ever.
    """
    lab, device, node = stage.lab, f"fence-{stage.active}", stage.passive
    lab.verb("heal", "bmc", stage.active)

    def runs() -> bool:
        view = stage.view(node)
        if view and view.home(device) == node and all(failure.resource != device for failure in view.failures):
            return True
        forget(lab, node, device)
        return False

    until(runs, SEEN_SECONDS, f"{device} does not run again", 4 * POLL)


def _fences_first(stage: Stage, node: str, since: float) -> bool:
    """Return whether the other node was switched off; Raises AssertionError when the server runs before it is."""
    runs = stage.server_runs(node)
    # Asked in this order: what ran before the power was cut was too early.
    cut = stage.cut_by_bmc(stage.lab.peer(node), since)
    assert cut or not runs, "the server started before the other node was fenced"
    return cut


def _stay_blocked(stage: Stage) -> None:
    """Make sure that the passive node misses the active one, cannot fence it, and does not take over."""
    until(lambda: (view := stage.view(stage.passive)) and "unclean" in view.members[stage.active].trouble, SEEN_SECONDS,
          "the loss of the node is not noticed", POLL)  # fmt: skip
    end = time.monotonic() + _BLOCKED
    while time.monotonic() < end:
        assert not stage.server_runs(stage.passive), "it took over without fencing"
        time.sleep(POLL)


# A node that cannot be fenced is an outage of its own; what counts is that it ends with the fault.
_UNTIL_HEALED = _BLOCKED + 2 * FAILOVER
SCENARIOS = (
    Scenario("bmc and then power of the active lost", lose_bmc, fenced=("active",), fencing_fails=("active",),
             budget=_UNTIL_HEALED, explained=DEVICES, cases=("F1",)),
    Scenario("password changed at the bmc", change_password, explained=DEVICES, cases=("F2",)),
    Scenario("bmc needs 20 s to switch off", switch_off_slowly, fenced=("active",), budget=FAILOVER, cases=("F3",)),
    Scenario("fenced node switched on at once", switch_on_at_once, fenced=("active",), budget=FAILOVER, cases=("F6",)),
    Scenario("fencing confirmed by hand", confirm_by_hand, fenced=("active",), fencing_fails=("active",), budget=_UNTIL_HEALED,
             explained=DEVICES, cases=("F8",)),
    Scenario("bmc lies about a frozen active", lie_about_frozen, fenced=("active",), refused=("active",), budget=FAILOVER,
             pillar=_RESERVED, cases=("F4",)),
    Scenario("bmc of a frozen active lost", freeze_without_bmc, fenced=("active",), refused=("active",), fencing_fails=("active",),
             budget=SECOND_LEVEL, explained=DEVICES, pillar=_RESERVED, cases=("F7",)),
    Scenario("bmc and power of the active lost together", lose_both, fenced=("active",), fencing_fails=("active",),
             budget=SECOND_LEVEL, explained=DEVICES, pillar=_RESERVED, cases=("F7",)),
    Scenario("path of the new active returns", path_returns, budget=FAILOVER, pillar=_RESERVED, cases=("S6",)),
    Scenario("started alone by hand", start_without_the_other, fenced=("active",), budget=COLD_START, cases=("F9",)),
)  # fmt: skip
