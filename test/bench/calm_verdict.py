"""False fencing and failover: none may happen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.verdict import Check

LOAD, LOSS = "load", "loss"
_TITLES = {LOAD: "both nodes at full load", LOSS: "20 % loss on a heartbeat cable"}
# Minutes that the target speaks of; what was looked at for less is not shown yet.
_MINUTES = 30


def checks(calm: Mapping[str, Mapping[str, Any]]) -> list[Check]:
    """Return a figure for each time that was looked on.

    calm
        As :mod:`bench.calm` measured it: by name ``minutes``, ``fenced`` (nodes), ``changed`` (nodes that booted or on
        which another server runs), ``failures`` (failed actions), ``writes``, ``longest`` (s without an acknowledgement).
    """
    return [_check(name, calm[name]) for name in _TITLES if name in calm]


def _check(name: str, seen: Mapping[str, Any]) -> Check:
    false = len(seen["fenced"]) + len(seen["changed"]) + int(seen["failures"])
    value = f"{false} (longest gap {seen['longest']:.2f} s)"
    reached = False if false else (True if seen["minutes"] >= _MINUTES else None)
    return Check(f"false fencings and failovers, {_TITLES[name]}, {seen['minutes']:g} min", value, "0", reached)
