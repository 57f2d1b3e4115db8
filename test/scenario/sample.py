"""One look at one node, and how the node's clock becomes the host's. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

MOUNT, VOLUME, SERVER = "mount", "volume", "server"


@dataclass(frozen=True)
class Sample:
    """What a node held at one moment.

    at
        Seconds of the host's monotonic clock.
    boot
        Identity of the node's boot; another one means that it was started anew meanwhile.
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
    return Sample(node, float(now), boot, frozenset([fact for fact, true in facts.items() if true] + addresses))


def calibrated(received: Iterable[tuple[float, Sample]]) -> list[Sample]:
    """Return samples at the host's time, from (time of arrival at the host, sample at the node's time).

    All kernels count the host's monotonic time from their own boot, so within a boot the two differ by a constant.
    The quickest delivery of that boot shows it, to within the milliseconds that a delivery takes at best; how long a
    busy machine let a line wait then does not matter.
    """
    known = list(received)
    offsets: dict[tuple[str, str], float] = {}
    for arrived, sample in known:
        key = (sample.node, sample.boot)
        offsets[key] = min(offsets.get(key, float("inf")), arrived - sample.at)
    placed = [replace(sample, at=sample.at + offsets[sample.node, sample.boot]) for _, sample in known]
    return sorted(placed, key=lambda sample: sample.at)


def as_line(sample: Sample) -> str:
    """Return a sample as one line of JSON, for a scenario's evidence."""
    return json.dumps({**asdict(sample), "held": sorted(sample.held)})
