"""The same question to several nodes at the same time: an answer takes each of them a while, and none waits for another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def of_each(nodes: Sequence[str], ask: Callable[[str], T]) -> dict[str, T]:
    """Return what ``ask`` returns for each node, in their order. Raises what it raises, once all have ended."""
    with ThreadPoolExecutor(len(nodes)) as pool:
        return dict(zip(nodes, pool.map(ask, nodes), strict=True))
