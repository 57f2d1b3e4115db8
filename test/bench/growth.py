"""How the cluster's part of a no-op grows with the site: the plan in this process. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import islice
from statistics import median
from typing import Any
from xml.etree import ElementTree

from documents import document
from hadb_core.cib_merge import merge, parse
from hadb_core.cib_plan import plan
from hadb_core.cib_wanted import wanted

SIZES = (1, 5, 20)
_REPEAT = 7


def site(count: int) -> dict[str, Any]:
    """Return the part of a pillar with so many VIPs and databases in all, the lab's own among them.

    Its own stay in any case: a pillar on the command line is merged into the site's.
    """
    own = document()
    vips = {f"v{number}": {"address": f"10.20.0.{130 + number}", "prefix_length": 24, "interface": "vec0"}
            for number in range(count)}  # fmt: skip
    databases: dict[str, Any] = {f"d{number}": {} for number in range(count)}
    return {"vips": _first(count, own["vips"], vips),
            "database": {"databases": _first(count, own["database"].get("databases", {}), databases)}}  # fmt: skip


def _first(count: int, own: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return dict(islice({**own, **more}.items(), count))


def with_site(count: int) -> dict[str, Any]:
    """Return the lab's document with exactly so many VIPs."""
    found = deepcopy(document())
    found["vips"] = site(count)["vips"]
    return found


def plan_seconds(cib: str, sizes: Sequence[int] = SIZES) -> dict[str, float]:
    """Return the median time of reading a CIB and finding nothing to do in it, by number of VIPs (as text).

    cib
        The whole CIB of a running cluster; it is given the VIPs first, so that nothing is left to be done.

    Raises ValueError when the plan is not empty: then it is not a no-op that was timed.
    """
    found = {}
    for size in sizes:
        given = with_site(size)
        root = merge(parse(cib), wanted(given))
        text = ElementTree.tostring(root, encoding="unicode")
        took = []
        for _ in range(_REPEAT):
            began = time.perf_counter()
            steps = plan(parse(text), wanted(given))
            took.append(time.perf_counter() - began)
            if steps:
                raise ValueError(f"with {size} VIPs a merged CIB still needs: {steps.sentence()}")
        found[str(size)] = round(median(took), 5)
    return found
