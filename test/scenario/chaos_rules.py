"""Which faults may come in company, and what is to become of the cluster then. Pure.

Two faults that take away the last of something are two failures at a time, which a cluster of two does not promise to
survive: no pair is made of them. Those that it does survive, such as both nodes without power, are scenarios of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from scenario.faults import CALM
from scenario.sample import MOUNT, SERVER, VOLUME
from scenario.scenario import COLD_START, NO_OUTAGE
from scenario.stage import Stage

ACTIVE, PASSIVE = "active", "passive"
PARTS = frozenset({ACTIVE, PASSIVE})
# Of each of these one is enough.
_ENOUGH = (PARTS, *(frozenset(both) for both in (
    ("hb1", "hb2"), ("active san1", "active san2"), ("passive san1", "passive san2"),
)))  # fmt: skip

# What a fault is like.
RETURNS = "returns"  # the node that it takes away comes back by itself, fit for the database
STAYS = "stays"  # the node that it takes away goes on running
STRIKES_SERVER = "strikes the server"  # which then is started again
HANGS = "hangs"  # what it strikes lives and says nothing: while it starts, that is noticed only when the start's time is over
SLOWS = "slows"  # a node has little time for the cluster
SPLITS = "splits"  # the nodes race to fence each other
LASTS = "lasts"  # its end is waited for, which may take minutes
ANY_TIME = "at any time"  # also while the node boots

# Moments of a recovery; the others are facts of the samples.
FENCED, ADDRESS, BACK = "fenced", "address", "back"
_WORDS = {
    FENCED: "once the {} is fenced", VOLUME: "once the {} has the volume", MOUNT: "once the {} has mounted it",
    ADDRESS: "once the {} has the address", SERVER: "once the {} starts the server", BACK: "once the {} boots again",
}  # fmt: skip
# The addresses come beside volume and filesystem (docs/decisions/0064).
_TAKEOVER = (VOLUME, MOUNT, ADDRESS, SERVER)


@dataclass(frozen=True)
class Fault:
    """A fault that can come in company.

    harm
        Brings it about on a stage, at a node (its name, or empty). What follows its ``yield`` takes back what healing the
        hardware does not.
    at
        The part that it strikes: ``active``, ``passive``, or empty for neither or both.
    weight
        How often it is drawn, compared with the others.
    cases
        What of ``fault_cases.CASES`` it is.
    fenced, perhaps, budget, explained
        As of a scenario, when it comes in company.
    loses
        What is gone until it is healed: a part, a cable (``hb1``), a part's path (``active san1``).
    traits
        What it is like, see above.
    calm
        Seconds to look on before it is taken back.
    """

    name: str
    harm: Callable[[Stage, str], AbstractContextManager[object]]
    at: str = ""
    weight: float = 1.0
    cases: tuple[str, ...] = ()
    fenced: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    budget: float = NO_OUTAGE
    explained: tuple[str, ...] = ()
    loses: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    calm: float = CALM


@dataclass(frozen=True)
class Moment:
    """A step of a recovery: what is to be seen, and of which part."""

    fact: str
    part: str

    @property
    def text(self) -> str:
        """The moment in words."""
        return _WORDS[self.fact].format(self.part)


@dataclass(frozen=True)
class Pair:
    """Two faults: at once, or the second one at a moment of the recovery from the first, ``pause`` seconds after it."""

    first: Fault
    second: Fault
    moment: Moment | None = None
    pause: float = 0.0

    @property
    def text(self) -> str:
        """Both in words."""
        if self.moment is None:
            return f"{self.first.name} + {self.second.name}"
        return f"{self.first.name}; {self.moment.text} + {self.pause:g} s: {self.second.name}"


@dataclass(frozen=True)
class Expected:
    """What is to become of the cluster, as a scenario says it."""

    fenced: tuple[str, ...]
    perhaps: tuple[str, ...]
    budget: float
    explained: tuple[str, ...]
    cases: tuple[str, ...]


def together(one: Fault, other: Fault) -> bool:
    """Return whether two faults may come at once: each has something to strike, and one of everything is left."""
    servers = [fault for fault in (one, other) if STRIKES_SERVER in fault.traits]
    return (
        _survivable(one, other)
        and not one.loses & other.loses
        and one.name != other.name
        and one.at not in other.loses
        and other.at not in one.loses
        # A server is on the active node only.
        and len(servers) < 2
        and all(fault.at == ACTIVE for fault in servers)
    )


def moments(first: Fault) -> list[Moment]:
    """Return the steps of the recovery from a fault, in order; none: there is nothing to recover from."""
    found = [Moment(FENCED, part) for part in first.fenced]
    if ACTIVE in first.loses:
        found += [Moment(fact, PASSIVE) for fact in _TAKEOVER]
    elif STRIKES_SERVER in first.traits and first.at == ACTIVE:
        found.append(Moment(SERVER, ACTIVE))
    if RETURNS in first.traits:
        found += [Moment(BACK, part) for part in first.fenced]
    return found


def follows(first: Fault, moment: Moment, second: Fault) -> bool:
    """Return whether a second fault may come at a moment of the recovery from the first."""
    again = first.loses & second.loses
    if not _survivable(first, second) or again - PARTS:
        return False
    if moment.fact == BACK:
        return second.at == moment.part and ANY_TIME in second.traits
    if again and not (STAYS in first.traits and second.at in again):
        return False
    if second.at in first.loses and STAYS not in first.traits:
        return False
    if first.name == second.name and STRIKES_SERVER not in second.traits:
        return False
    return STRIKES_SERVER not in second.traits or _has_a_server(first, moment, second)


def expected(pair: Pair) -> Expected:
    """Return what is to become of the cluster: budgets add up, and each fault may have its node fenced once."""
    first, second = pair.first, pair.second
    fenced, perhaps, budget = (*first.fenced, *second.fenced), (*first.perhaps, *second.perhaps), first.budget + second.budget
    cases = (*first.cases, *second.cases)
    if pair.moment and pair.moment.fact == BACK:
        # Whether it had joined again by then, and so whether anybody misses it, is open.
        fenced, perhaps, cases = first.fenced, (*perhaps, *second.fenced), first.cases
    elif pair.moment and ACTIVE in first.loses:
        # A second fault in a step of a takeover.
        cases = (*cases, "C4")
    if pair.moment and _spoils_the_start(pair.moment, second) and other_part(second.at) in first.loses:
        # The cluster does not start it there again, and waits for the other node to boot.
        budget += COLD_START
    return Expected(fenced, perhaps, budget, _once(*first.explained, *second.explained), _once(*cases))


def other_part(part: str) -> str:
    """Return ``passive`` for ``active`` and the other way round."""
    return PASSIVE if part == ACTIVE else ACTIVE


def _once(*words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _survivable(one: Fault, other: Fault) -> bool:
    """Return whether one of everything is left, and neither fault makes another one of the other."""
    lost = one.loses | other.loses
    left = all(not both <= lost or both <= one.loses or both <= other.loses for both in _ENOUGH)
    return left and not (_spoils(one, other) or _spoils(other, one))


def _spoils(one: Fault, other: Fault) -> bool:
    """Return whether the other fault would decide a race to fence by who has time for it, or delay what is healed at once."""
    return SPLITS in one.traits and SLOWS in other.traits or one.calm == 0 and LASTS in other.traits


def _has_a_server(first: Fault, moment: Moment, second: Fault) -> bool:
    """Return whether there is a server to strike, and one node that may start it afterwards."""
    if moment == Moment(SERVER, second.at):
        elsewhere = other_part(second.at)
        return HANGS not in second.traits and (elsewhere not in first.loses or RETURNS in first.traits)
    return second.at == ACTIVE and ACTIVE not in first.loses and STRIKES_SERVER not in first.traits


def _spoils_the_start(moment: Moment, second: Fault) -> bool:
    """Return whether the second fault makes a start of the server fail, which Pacemaker tries on the other node only."""
    return STRIKES_SERVER in second.traits and moment == Moment(SERVER, second.at)
