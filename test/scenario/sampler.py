"""Looks at the database nodes from outside, many times a second, across power cuts and reboots."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from hadblab.rundir import RunDir
from scenario import sample
from scenario.clock import Delivery
from scenario.sample import Sample, calibrated, parse
from scenario.stream import Stream
from scenario.wait import until

# Seconds between looks; invariants are promised at 0.1 s, and a look takes about 15 ms.
INTERVAL = 0.07
_PROBE = Path(__file__).with_name("probe.py")
_LIVE_SECONDS = 40.0


class Sampler:
    """One stream of samples per node, for as long as the sampler runs.

    run
        The lab to look into.
    nodes
        Names of the nodes to look at.
    settings
        The probe's, without its interval.
    ways
        ssh's options for nodes that are not looked at over the management network.
    """

    def __init__(
        self, run: RunDir, nodes: Sequence[str], settings: dict[str, object], ways: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> None:
        self.nodes = tuple(nodes)
        self._received: list[tuple[float, Sample]] = []
        probe = ["python3", "-u", "-c", _PROBE.read_text(encoding="utf-8"), json.dumps({**settings, "interval": INTERVAL})]
        self._streams = [Stream(run, node, lambda: probe, partial(self._take, node), options=ways.get(node, ())) for node in nodes]

    def start(self) -> None:
        """Start looking, and return once every node has been seen."""
        for stream in self._streams:
            stream.start()
        until(lambda: {seen.node for _, seen in self._received} == set(self.nodes), _LIVE_SECONDS,
              "no sample from every node")  # fmt: skip

    def seen(self, node: str, since: float) -> list[Sample]:
        """Return the samples of one node that arrived after a moment of the host's monotonic clock, at the node's own time."""
        return [sample for arrived, sample in list(self._received) if arrived > since and sample.node == node]

    def stop(self) -> list[Sample]:
        """Stop looking and return everything seen, in order, at the host's time."""
        for stream in self._streams:
            stream.stop()
        return calibrated(self._received)

    def deliveries(self) -> list[Delivery]:
        """Return what was heard of the nodes' clocks."""
        return sample.deliveries(self._received)

    def _take(self, node: str, arrived: float, line: str) -> None:
        self._received.append((arrived, parse(node, line)))
