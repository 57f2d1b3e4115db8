"""From a node's own monotonic clock to the host's, boot by boot. Pure.

All kernels count the host's monotonic time from their own boot, so within a boot the two differ by a constant. A node's
wall clock is of no use for this: a scenario sets it wrong on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Boot = tuple[str, str]


@dataclass(frozen=True)
class Delivery:
    """A node said its time, and the host heard it.

    boot
        Identity of the node's boot, without hyphens, as the journal writes it.
    at
        Seconds of the node's monotonic clock.
    arrived
        Seconds of the host's.
    """

    node: str
    boot: str
    at: float
    arrived: float


def offsets(deliveries: Iterable[Delivery]) -> dict[Boot, float]:
    """Return for each (node, boot) the seconds to add to the node's monotonic clock; they are also when it booted.

    The quickest delivery of a boot shows it, to within the milliseconds that a delivery takes at best; how long a busy
    machine let another one wait then does not matter.
    """
    found: dict[Boot, float] = {}
    for one in deliveries:
        key = (one.node, one.boot)
        found[key] = min(found.get(key, float("inf")), one.arrived - one.at)
    return found
