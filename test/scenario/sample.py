"""One look at one node, and how the node's clock becomes the host's. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from scenario.clock import Delivery, offsets

MOUNT, VOLUME, SERVER = "mount", "volume", "server"


@dataclass(frozen=True)
class Sample:
    """What a node held at one moment.

    at
        Seconds of the host's monotonic clock.
    boot
        Identity of the node's boot, without hyphens; another one means that it was started anew meanwhile.
    held
        What it held: ``mount``, ``volume``, ``server``, and each virtual address as itself.
    """

    node: str
    at: float
    boot: str
    held: frozenset[str]


def parse(node: str, line: str) -> Sample:
    """Return what one line of the probe says, at the node's own time.

    Raises ValueError for anything that is not such a line.
    """
    now, boot, mounted, volume, server, addresses = json.loads(line)
    facts = {MOUNT: mounted, VOLUME: volume, SERVER: server}
    return Sample(node, float(now), boot.replace("-", ""), frozenset([fact for fact, true in facts.items() if true] + addresses))


def deliveries(received: Iterable[tuple[float, Sample]]) -> list[Delivery]:
    """Return what samples say about the nodes' clocks, from (time of arrival at the host, sample at the node's time)."""
    return [Delivery(sample.node, sample.boot, sample.at, arrived) for arrived, sample in received]


def calibrated(received: Iterable[tuple[float, Sample]]) -> list[Sample]:
    """Return samples at the host's time, in order, from the same as :func:`deliveries`."""
    known = list(received)
    clocks = offsets(deliveries(known))
    placed = [replace(sample, at=sample.at + clocks[sample.node, sample.boot]) for _, sample in known]
    return sorted(placed, key=lambda sample: sample.at)


def as_line(sample: Sample) -> str:
    """Return a sample as one line of JSON, for a scenario's evidence."""
    return json.dumps({**asdict(sample), "held": sorted(sample.held)})
