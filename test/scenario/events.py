"""What the lab's event log says about the nodes' power. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

OFF, ON, RESET = "off", "on", "reset"
BMC, ITSELF = "bmc", "itself"


@dataclass(frozen=True)
class Power:
    """A node's power was switched.

    at
        When it had taken effect, in seconds of the host's monotonic clock.
    source
        ``bmc``: another node asked for it; ``operator``: the lab's front end, so the scenario itself; ``itself``: the
        node's kernel ended.
    before
        ``on``, ``off`` or ``frozen``: what the node was.
    """

    node: str
    at: float
    action: str
    source: str
    before: str

    @property
    def cut(self) -> bool:
        """Whether it took the power from a node that had it."""
        return self.action in (OFF, RESET) and self.before != OFF


def parse(lines: Iterable[str]) -> list[dict[str, object]]:
    """Return the events of a log; a last line that is being written is left out."""
    return [json.loads(line) for line in lines if line.endswith("\n")]


def powers(log: Iterable[dict[str, object]]) -> list[Power]:
    """Return the power events of a log."""
    return [
        Power(str(event["node"]), float(event["monotonic"]), str(event["action"]), str(event["source"]), str(event["before"]))
        for event in log if event["event"] == "power"
    ]  # fmt: skip


def freezes(log: Iterable[dict[str, object]]) -> list[tuple[str, float]]:
    """Return which node was frozen when."""
    return [(str(event["node"]), float(event["monotonic"])) for event in log if event["event"] == "freeze"]
