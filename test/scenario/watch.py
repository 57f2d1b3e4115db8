"""Watches every command line on machines of the lab while something happens, and says how closely it looked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType

from scenario import canaries
from scenario.canaries import CONTROL, Canary
from scenario.lab import Lab
from scenario.stream import Stream
from scenario.wait import until

_PROGRAM = Path(__file__).with_name("cmdline_probe.py")
# Seconds between looks, and between the lines that tell about them.
_INTERVAL, _EVERY = 0.001, 1.0
_LIVE_SECONDS = 60.0
# Looks a second; below this is told as slow.
SLOW = 200.0
# Processes that end as soon as they have begun; how many of them are seen tells how much is.
SHORT = 20
_SHORT_PROGRAM = "/bin/true"
# `{0}` is the canary that is to be seen.
_PLANT = f": {{0}}; sleep 0.3; for n in $(seq {SHORT}); do {_SHORT_PROGRAM} {{0}}-$n; done"


@dataclass(frozen=True)
class Seen:
    """Something with a canary in it: a command line, or a process's environment; ``shown`` has the secret taken out."""

    what: str
    names: tuple[str, ...]
    shown: str


@dataclass(frozen=True)
class Watched:
    """How one machine was looked at, and what was seen.

    seconds, slowest
        How long it was looked at, and the looks a second in the worst second.
    gap
        Seconds; the longest time between two looks, not counting when the machine was down.
    lines
        How often the program told.
    born, missed
        Processes and threads that were made, and those that were gone before they could be read.
    """

    lines: int = 0
    looks: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    gap: float = 0.0
    born: int = 0
    missed: int = 0
    seen: tuple[Seen, ...] = ()

    @property
    def rate(self) -> float:
        """Looks a second."""
        return self.looks / self.seconds if self.seconds else 0.0

    @property
    def short(self) -> int:
        """How many of the :data:`SHORT` processes that end at once were seen."""
        return len({seen.shown for seen in self.seen if CONTROL in seen.names and seen.shown.startswith(_SHORT_PROGRAM)})

    def line(self, machine: str) -> str:
        """Return how closely a machine was looked at, in a line."""
        slow = f", LESS THAN {SLOW:g}" if self.rate < SLOW else ""
        return (
            f"{machine}: {self.rate:.0f} looks a second{slow} (in the worst second {self.slowest:.0f}, longest gap"
            f" {self.gap:.2f} s) for {self.seconds:.0f} s; {self.missed} of {self.born} new processes and threads were gone before"
            f" they could be read; of {SHORT} that end at once {self.short} were seen"
        )


def add(watched: Watched, line: str) -> Watched:
    """Return what is known with one more line of the program. Raises ValueError or KeyError when it is none of its lines."""
    told = json.loads(line)
    rate = told["looks"] / told["seconds"]
    return replace(
        watched, lines=watched.lines + 1, looks=watched.looks + told["looks"], seconds=watched.seconds + told["seconds"],
        slowest=min(watched.slowest, rate) if watched.looks else rate, gap=max(watched.gap, told["gap"]),
        born=watched.born + told["born"], missed=watched.missed + told["missed"],
        seen=watched.seen + tuple(Seen(hit["what"], tuple(hit["names"]), hit["shown"]) for hit in told["hits"]),
    )  # fmt: skip


def findings(machine: str, watched: Watched) -> list[str]:
    """Return each secret that was seen, and whether anybody looked at all."""
    found = []
    for seen in dict.fromkeys(watched.seen):
        if names := [name for name in seen.names if name != CONTROL]:
            found.append(f"{machine}: {', '.join(names)} is in the {seen.what} of {seen.shown!r}")
    if not any(CONTROL in seen.names for seen in watched.seen):
        found.append(f"{machine}: the watch is blind: it did not see the command line that was planted")
    return found


class Watch:
    """Looks at machines for as long as the ``with`` block lasts.

    watched
        What is known of each machine.
    """

    def __init__(self, lab: Lab, machines: Sequence[str], wanted: Iterable[Canary], token: str) -> None:
        self.watched = dict.fromkeys(machines, Watched())
        self._lab, self._token = lab, token
        control = Canary(CONTROL, (token.encode(),))
        told = {"canaries": canaries.told([*wanted, control]), "interval": _INTERVAL, "every": _EVERY}
        command = ["python3", "-u", "-c", _PROGRAM.read_text(encoding="utf-8")]
        self._streams = [Stream(lab.run, machine, lambda: command, partial(self._take, machine), json.dumps(told))
                         for machine in machines]  # fmt: skip

    def __enter__(self) -> Watch:
        for stream in self._streams:
            stream.start()
        try:
            until(lambda: all(one.looks for one in self.watched.values()), _LIVE_SECONDS, "not every machine is looked at")
            for machine in self.watched:
                self._lab.ask(machine, _PLANT.format(self._token))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._wait_told()
        finally:
            self._stop()

    def findings(self) -> list[str]:
        """Return what was seen that nobody may see, on all machines."""
        return [found for machine, watched in self.watched.items() for found in findings(machine, watched)]

    def lines(self) -> list[str]:
        """Return how closely each machine was looked at."""
        return [watched.line(machine) for machine, watched in self.watched.items()]

    def _wait_told(self) -> None:
        """Wait until everything is told that was seen until now: the line under way, and one that began after it."""
        before = {machine: watched.lines for machine, watched in self.watched.items()}
        until(lambda: all(watched.lines >= before[machine] + 2 for machine, watched in self.watched.items()), _LIVE_SECONDS,
              "not every machine is looked at up to the end")  # fmt: skip

    def _stop(self) -> None:
        for stream in self._streams:
            stream.stop()

    def _take(self, machine: str, _arrived: float, line: str) -> None:
        # One thread per machine, so nobody else changes this machine's entry meanwhile.
        self.watched[machine] = add(self.watched[machine], line)
