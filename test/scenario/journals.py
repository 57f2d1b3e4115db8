"""Follows the journals of the nodes and of the array while a scenario runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType, TracebackType

from hadblab.rundir import RunDir
from scenario import journal
from scenario.clock import Delivery
from scenario.journal import Entry
from scenario.stream import Stream
from scenario.wait import until

_OPEN_SECONDS = 40.0


class Journals:
    """One stream per node, open inside a ``with`` statement; afterwards everything that was read is here.

    nodes
        Whose journals, and which part of each, as matches of journalctl.
    ways
        ssh's options for nodes that are not reached over the management network.

    entries
        At the nodes' own time, none twice.
    deliveries
        What was heard of the nodes' clocks. Not from entries: they can be old.
    unreadable
        Lines that are not entries.
    """

    def __init__(
        self, run: RunDir, nodes: Mapping[str, str], ways: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> None:
        self.entries: list[Entry] = []
        self.deliveries: list[Delivery] = []
        self.unreadable: list[str] = []
        self._known: set[str] = set()
        self._last = dict.fromkeys(nodes, ("", ""))
        self._streams = [
            Stream(run, node, partial(self._command, node, matches), partial(self._take, node), options=ways.get(node, ()))
            for node, matches in nodes.items()
        ]

    def __enter__(self) -> Journals:
        for stream in self._streams:
            stream.start()
        return self

    def wait_open(self) -> None:
        """Return once every journal is being read: what is said from now on will be here. Raises TooLateError."""
        until(lambda: {one.node for one in self.deliveries} >= set(self._last), _OPEN_SECONDS, "not every journal can be read")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._streams:
            stream.stop()

    def _command(self, node: str, matches: str) -> list[str]:
        return ["sh", "-c", journal.script(*self._last[node], matches)]

    def _take(self, node: str, arrived: float, line: str) -> None:
        try:
            if not line.startswith("{"):
                boot, up = journal.hello(line)
                self.deliveries.append(Delivery(node, boot, up, arrived))
                return
            entry = journal.parse(node, line)
        except ValueError:
            self.unreadable.append(f"{node}: {line}")
            return
        self._last[node] = (entry.boot, entry.cursor)
        if entry.cursor not in self._known:
            self._known.add(entry.cursor)
            self.entries.append(entry)
