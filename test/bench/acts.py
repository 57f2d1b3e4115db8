"""The faults: what brings each about, when it is over, and what takes it back."""

from __future__ import annotations

import time

from scenario import events
from scenario.lab import Lab
from scenario.stage import Stage
from scenario.wait import TooLateError, until

from bench.cases import Case
from bench.outage import served_again

_SERVER = "$(pidof mariadbd mysqld)"
# Seconds to go on looking once the client is served again.
_AFTER = 1.0
# Seconds until a BMC that was asked at the same time would have switched off the other node too.
_BOTH = 4.0


def act(case: Case, stage: Stage) -> None:
    """Bring a case's fault about. Raises LabError when that cannot be done."""
    lab, active = stage.lab, stage.active
    if case.id == "killed":
        lab.ask(active, f"kill -9 {_SERVER}")
    elif case.id == "hung":
        lab.ask(active, f"kill -STOP {_SERVER}")
    elif case.id == "switchover":
        lab.ask(active, f"crm node standby {active}")
    elif case.id == "power":
        lab.verb("power", active, "off")
    elif case.id == "frozen":
        lab.verb("freeze", active)
    elif case.id == "cables":
        for cable in ("hb1", "hb2"):
            lab.verb("cut", cable)
    elif case.id == "storage":
        for network in ("san1", "san2"):
            lab.verb("cut", network, active)
    else:
        raise ValueError(f"no fault for {case.id}")


def wait_over(case: Case, stage: Stage, began: float) -> bool:
    """Return whether the client was served again within the case's bound.

    began
        When the fault began, in seconds of the host's monotonic clock.

    Looks at files of this machine only: a question to the nodes would lengthen what is being measured.
    """
    left = began + case.bound - time.monotonic()
    try:
        until(lambda: _over(case, stage, began), max(left, 0.0), "not served")
    except TooLateError:
        return False
    time.sleep(_AFTER)
    return True


def take_back(case: Case, stage: Stage) -> None:
    """Take back what healing the hardware does not. Raises LabError when that cannot be done."""
    if case.id == "hung":
        # Nothing is left to be woken when the cluster killed it.
        stage.lab.ask(stage.active, f"kill -CONT {_SERVER}", check=False)
    elif case.id == "switchover":
        stage.lab.ask(stage.active, f"crm node online {stage.active}")


def fenced(lab: Lab, began: float) -> list[str]:
    """Return which nodes' power a BMC cut since a moment."""
    return sorted({one.node for one in events.powers(lab.events(began)) if one.source == "bmc" and one.cut})


def _over(case: Case, stage: Stage, began: float) -> bool:
    if case.id == "cables":
        cut = fenced(stage.lab, began)
        if cut == [stage.passive] and not fenced(stage.lab, time.monotonic() - _BOTH):
            # The node with the database won, and the client need not have noticed.
            return bool(stage.writer.wait_writing(time.monotonic(), case.bound))
        if cut in ([], [stage.passive]):
            return False
    return _served(stage, began) is not None


def _served(stage: Stage, began: float) -> float | None:
    with stage.writer.log.open(encoding="utf-8") as lines:
        return served_again(lines, began)
