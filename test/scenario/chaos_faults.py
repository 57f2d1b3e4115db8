"""The faults that chaos draws from: the scenarios, alone, and those that can come in company.

A fault in company only brings itself about, and takes back what neither the lab nor the cluster heals. What the client sees
of it and whether the cluster is whole again is for whoever plays the pair.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from scenario import scenarios
from scenario.chaos_plan import Table
from scenario.chaos_rules import (
    ACTIVE,
    ANY_TIME,
    HANGS,
    LASTS,
    PASSIVE,
    RETURNS,
    SLOWS,
    SPLITS,
    STAYS,
    STRIKES_SERVER,
    Fault,
)
from scenario.faults import CALM, LOST_ARRAY, LOST_PATH, PIDS
from scenario.faults_network import LOSS
from scenario.faults_node import NO_MEMORY, busy
from scenario.lab import ORCHESTRATION_SECONDS
from scenario.scenario import FAILOVER, NO_OUTAGE
from scenario.stage import Stage

# What happens most often, or matters most. The other scenarios weigh 1.
WEIGHTS = {
    "server killed": 3.0, "active powered off": 3.0, "active frozen": 3.0, "both heartbeat cables cut": 3.0,
    "planned switchover": 2.0, "all storage paths of the active lost": 2.0, "passive powered off": 2.0,
    "salt applied during a failover": 2.0,
    # Chaos makes such pairs by itself; with a weight these would make every seed another run.
    "array lost while the server starts": 0.0,
    "orchestration in a failover": 0.0,
}  # fmt: skip

_Harm = Callable[[Stage, str], AbstractContextManager[object]]


def _by_lab(*calls: str) -> _Harm:
    """Return a harm that the lab's front end does, and that healing the hardware undoes; ``{}`` is the node."""
    @contextmanager
    def harm(stage: Stage, node: str) -> Iterator[None]:
        for call in calls:
            stage.lab.verb(*call.format(node).split())
        yield

    return harm


def _by_script(script: str) -> _Harm:
    """Return a harm that a shell script does on the node, and that the cluster heals."""
    @contextmanager
    def harm(stage: Stage, node: str) -> Iterator[None]:
        stage.lab.ask(node, script)
        yield

    return harm


@contextmanager
def _standby(stage: Stage, node: str) -> Iterator[None]:
    """Put a node on standby, and have it online again."""
    try:
        stage.lab.ask(node, f"crm node standby {node}")
        yield
    finally:
        # Said on the other node, because this one may be gone by then; crm does not speak of a node that is away.
        stage.lab.ask(stage.lab.peer(node), f"crm_attribute --node {node} --name standby --update off")


@contextmanager
def _jump_clock(stage: Stage, node: str) -> Iterator[None]:
    """Have a node's clock an hour early, and right again."""
    stage.lab.ask(node, "date --set '+1 hour'")
    try:
        yield
    finally:
        stage.lab.ask(node, f"date --set @{time.time():.3f}")


@contextmanager
def _apply_formula(stage: Stage, _node: str) -> Iterator[None]:
    """Apply the formula to both nodes meanwhile; it may succeed or say that a node is away, but has to end."""
    applying = stage.lab.background("salt", "*", "state.apply", "hadb", log=stage.writer.log.parent / "apply.txt")
    try:
        yield
        applying.wait(ORCHESTRATION_SECONDS)
    finally:
        applying.kill()
        applying.wait()


def _of_either(part: str) -> tuple[Fault, ...]:
    """Return the faults of the active node (its cases are those of ``fault_cases.py``) or of the passive one."""
    active = part == ACTIVE
    outage = FAILOVER if active else NO_OUTAGE

    def cases(*ids: str) -> tuple[str, ...]:
        return ids if active else ()

    def gone(*traits: str, also: tuple[str, ...] = ()) -> dict[str, frozenset[str]]:
        return {"loses": frozenset({part, *also}), "traits": frozenset(traits)}

    paths = tuple(f"{part} {network}" for network in ("san1", "san2"))
    slow, server = frozenset({SLOWS}), frozenset({STRIKES_SERVER})
    return (
        Fault(f"{part} powered off", _by_lab("power {} off"), part, 3.0, ("A1", "S12") if active else ("A2",), (part,),
              budget=outage, **gone(RETURNS, ANY_TIME)),
        Fault(f"{part} frozen", _by_lab("freeze {}"), part, 3.0, cases("A5"), (part,), budget=outage, **gone(RETURNS, ANY_TIME)),
        Fault(f"corosync of the {part} killed", _by_script("kill -9 $(pidof corosync)"), part, 1.0, cases("C1"), (part,),
              budget=outage, **gone(RETURNS)),
        # In company the active may also get rid of the database before anybody has to fence it. It is healed at once, as
        # in the scenario of its own: a node that boots without the array is another fault.
        Fault(f"all storage paths of the {part} lost", _by_lab("cut san1 {}", "cut san2 {}"), part, 2.0,
              ("S1",) if active else ("S2",), perhaps=(part,) if active else (), budget=LOST_ARRAY if active else NO_OUTAGE,
              calm=0.0 if active else CALM, **gone(also=paths)),
        *(Fault(f"path {path.split()[1]} of the {part} lost", _by_lab(f"cut {path.split()[1]} {{}}"), part, 0.5, cases("S6"),
                budget=LOST_PATH, loses=frozenset({path})) for path in paths),
        Fault(f"{part} without processor time", busy, part, 1.0, cases("A7"), traits=slow),
        Fault(f"clock of the {part} jumps", _jump_clock, part, 0.5, cases("A10")),
        Fault(f"server of the {part} killed", _by_script(f"kill -9 {PIDS}"), part, 3.0, cases("D1"), budget=FAILOVER,
              explained=("db-server",), traits=server),
        Fault(f"{part} out of memory", _by_script(NO_MEMORY), part, 1.0, cases("A8"), budget=FAILOVER,
              explained=("db-server",), traits=server),
    )  # fmt: skip


def _of_a_cable(cable: str) -> tuple[Fault, ...]:
    return (
        Fault(f"heartbeat cable {cable} cut", _by_lab(f"cut {cable}"), "", 1.0, ("N1",), loses=frozenset({cable})),
        Fault(f"packets of cable {cable} lost", _by_lab(f"cut {cable} --loss {LOSS}"), "", 0.5, ("N4",), loses=frozenset({cable})),
    )  # fmt: skip


FAULTS = (
    *_of_either(ACTIVE),
    Fault("server of the active hung", _by_script(f"kill -STOP {PIDS}"), ACTIVE, 2.0, ("D2",), budget=FAILOVER,
          explained=("db-server",), traits=frozenset({STRIKES_SERVER, HANGS})),
    Fault("planned switchover", _standby, ACTIVE, 2.0, budget=FAILOVER, loses=frozenset({ACTIVE}), traits=frozenset({STAYS})),
    *_of_either(PASSIVE),
    *_of_a_cable("hb1"),
    *_of_a_cable("hb2"),
    # Its cables stay cut: the passive node comes back, but not into the cluster.
    Fault("both heartbeat cables cut", _by_lab("cut hb1", "cut hb2"), "", 2.0, ("N2", "F5"), (PASSIVE,),
          loses=frozenset({"hb1", "hb2", PASSIVE}), traits=frozenset({SPLITS})),
    Fault("formula applied", _apply_formula, "", 2.0, ("M1",), traits=frozenset({SLOWS, LASTS})),
)  # fmt: skip
TABLE = Table(tuple((scenario, WEIGHTS.get(scenario.name, 1.0)) for scenario in scenarios.ALL), FAULTS)
