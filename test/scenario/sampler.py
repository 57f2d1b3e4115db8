"""Looks at the database nodes from outside, many times a second, across power cuts and reboots."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from hadblab.rundir import RunDir
from scenario.sample import Sample, calibrated, parse
from scenario.streams import Streams
from scenario.wait import until

# Seconds between looks; invariants are promised at 0.1 s, and a look takes about 15 ms.
INTERVAL = 0.07
_PROBE = Path(__file__).with_name("probe.py")
_LIVE_SECONDS = 40.0


class Sampler:
    """One stream of samples per node, reconnected for as long as the sampler runs.

    run
        The lab to look into.
    nodes
        Names of the nodes to look at.
    settings
        The probe's, without its interval.
    """

    def __init__(self, run: RunDir, nodes: Sequence[str], settings: dict[str, object]) -> None:
        self.run = run
        self.nodes = tuple(nodes)
        self._received: list[tuple[float, Sample]] = []
        command = ["python3", "-u", "-c", _PROBE.read_text(encoding="utf-8"), json.dumps({**settings, "interval": INTERVAL})]
        self._streams = Streams(run, nodes, command, self._take)

    def start(self) -> None:
        """Start looking, and return once every node has been seen."""
        self._streams.start()
        until(lambda: {sample.node for _, sample in self._received} == set(self.nodes), _LIVE_SECONDS,
              "no sample from every node")  # fmt: skip

    def stop(self) -> list[Sample]:
        """Stop looking and return everything seen, in order, at the host's time."""
        self._streams.stop()
        return calibrated(self._received)

    def _take(self, node: str, line: str) -> None:
        self._received.append((time.monotonic(), parse(node, line)))
