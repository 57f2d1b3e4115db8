"""The faults that a two-node database on a shared disk has to survive, merged from what other projects test.

From Pacemaker's CTS, crmsh, SUSE, Azure, Red Hat, Patroni and Jepsen. After each the six invariants of ``invariants.py``
hold. Which scenarios play a case is told by :attr:`scenario.scenario.Scenario.cases`, which other tests do by :data:`TESTS`;
what nothing plays is not shown to work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from scenario.verdicts import FAIL, PASS, UNKNOWN, worst

NOT_PLAYED = "not played"

CASES = {
    "A1": "active powered off: fenced, takeover",
    "A2": "passive powered off: no outage, fenced",
    "A3": "kernel panic of the active: fenced, takeover",
    "A4": "active reboots at once, perhaps before the token ends: takeover or a clean rejoin, never a double start",
    "A5": "active frozen, thawed after the takeover: fenced first, never writes again",
    "A6": "active frozen for half the token: nothing",
    "A7": "active without processor time: no false fencing",
    "A8": "active out of memory: the server restarts or moves, the cluster stack lives",
    "A9": "root filesystem of the active full or read-only: the service goes on or moves",
    "A10": "clock of the active jumps by an hour: nothing",
    "A11": "both powered off, both return: started once",
    "A12": "both powered off, one returns: stays stopped and says why; a human can override",
    "A13": "a fenced node returns: no fence loop, no failback",
    "A14": "active rebooted by its administrator: clean handover, nobody fenced",
    "D1": "server killed: restarted",
    "D2": "server stopped (SIGSTOP): noticed, killed, restarted",
    "D3": "server hangs when it is to stop: killed, nobody fenced",
    "D4": "server killed again and again while it recovers: moves to the other node",
    "D5": "takeover with a full redo log: within the start's time limit",
    "D6": "server refuses to start on both nodes: stopped, reason told, nobody fenced",
    "D7": "no connection left: no failover",
    "D8": "an account's password changed: no ping-pong",
    "D9": "data directory full: no ping-pong",
    "D10": "huge transaction under way at the crash: rolled back, outage bounded",
    "D11": "second server started on the passive node: refused",
    "S1": "active loses the array: fenced, takeover",
    "S2": "passive loses the array: no outage",
    "S3": "both lose the array: stopped, no fence loop",
    "S4": "array slow: no false failover below the limit",
    "S5": "I/O errors on some blocks: filesystem read-only, seen",
    "S6": "one of two paths lost: nothing",
    "S7": "volume group lacks a physical volume: refused",
    "S8": "volume activated by hand on the passive node: refused",
    "S9": "filesystem mounted by hand on the passive node: refused",
    "S10": "volume group given to another host: seen, stopped",
    "S11": "filesystem in use at a stop: users killed, nobody fenced",
    "S12": "power cut while writing: nothing lost, nothing torn",
    "N1": "one heartbeat cable cut: nothing",
    "N2": "both heartbeat cables cut: the passive node is fenced",
    "N3": "cable cut in one direction: one fenced, no livelock",
    "N4": "packets of a cable lost: no false fencing",
    "N5": "clients' network of the active lost: moved or told",
    "N6": "clients' network of both lost: stays",
    "N7": "VIP taken by a third host: told",
    "N8": "large packets lost on a cable: goes on",
    "N9": "forged packets at Corosync: dropped",
    "N10": "announcement of the VIP lost: repaired",
    "C1": "Corosync of the active killed: fenced, takeover",
    "C2": "each daemon of Pacemaker killed on each node: respawned or fenced, no double start",
    "C3": "pacemakerd stopped (SIGSTOP): noticed, or a documented gap",
    "C4": "second fault in each step of a takeover: handled",
    "C5": "CIB deleted on one node: fetched again",
    "C6": "standby and maintenance: nothing happens while an operator holds",
    "C7": "both nodes start their cluster at the same time: one database",
    "C8": "whole cluster stopped and started: one database, nobody fenced",
    "C9": "Pacemaker restarted while resources go on (reattach): no outage",
    "C10": "/var full: the CIB cannot be written",
    "F1": "BMC cannot be reached: told; never a takeover without fencing",
    "F2": "BMC's password wrong: told",
    "F3": "BMC needs 20 s to switch off: waited for",
    "F4": "BMC lies: only reservations or MMP can save",
    "F5": "both fence each other: one survives",
    "F6": "fenced node is on again at once: no double start",
    "F7": "first fencing level fails, the second succeeds",
    "F8": "fencing confirmed by hand: documented",
    "F9": "a node that was never seen: fenced before anything starts",
    "M1": "formula applied during a failover: no effect on the service",
    "M2": "formula applied with a node down: converges later",
    "M3": "one change of the pillar: one transaction",
    "M4": "formula applied twice: no change",
    "M5": "formula interrupted: goes on",
    "M6": "a resource leaves the pillar: removed",
    "M7": "secrets changed: no outage",
}


# Cases that tests beside the scenarios play; they count when the test was run, and passed, as scenarios do.
TESTS: Mapping[str, tuple[str, ...]] = {
    # Each phase of the orchestration killed, one node's power cut among the packages, the other's among the once-only steps.
    "test_build.py::test_build_goes_on_after_an_interruption_in_every_phase": ("M2", "M5"),
    "test_build.py::test_second_apply_changes_nothing": ("M4",),
    "test_faults.py::test_orchestration_finds_nothing_to_do_after_all_faults": ("M4",),
}


def key_of(nodeid: str) -> str:
    """Return a key of :data:`TESTS` from pytest's id: ``DIRECTORY/FILE::NAME[PARAMETERS]``."""
    return nodeid.rpartition("/")[2].partition("[")[0]


def verdicts_of(played: Iterable[tuple[Collection[str], str]], tests: Mapping[str, bool]) -> dict[str, str]:
    """Return the verdict on each case that was played: the worst one, wherever it was.

    played
        The cases of each scenario that was played, and its verdict.
    tests
        Tests that were run, by their keys in :data:`TESTS`, and whether they passed; others do not count.
    """
    found: dict[str, list[str]] = {}
    for cases, one in [*played, *((TESTS.get(name, ()), PASS if passed else FAIL) for name, passed in tests.items())]:
        for case in cases:
            found.setdefault(case, []).append(one)
    return {case: worst(found[case]) for case in CASES if case in found}


def report(verdicts: Mapping[str, str], everything: bool) -> list[str]:
    """Return the verdicts for people: a line for each case, and how many there are of each.

    everything
        Whether each case was to be played; otherwise those that were not are only named.
    """
    lines = [f"{case:4} {verdicts.get(case, NOT_PLAYED):10}  {words}" for case, words in CASES.items() if everything or case in verdicts]
    counts = Counter(verdicts.values())
    total = ", ".join(f"{counts[one]} {word}" for one, word in ((PASS, "passed"), (FAIL, "failed"), (UNKNOWN, "unknown")))
    return [*lines, f"{coverage(verdicts)}: {total}"]


def coverage(played: Iterable[str]) -> str:
    """Return how many of the cases were played, and which were not, in a line."""
    known = set(played)
    missing = [case for case in CASES if case not in known]
    return f"{len(CASES) - len(missing)} of {len(CASES)} fault cases" + (f"; not: {', '.join(missing)}" if missing else "")
