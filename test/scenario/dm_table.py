"""A device-mapper table of the volume's, made slow or broken in places. Pure.

The node's own map is exchanged under the mounted filesystem, so the array and the other node keep theirs, and activating
the volume again, wherever, makes a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SECTOR = 512
# debugfs's "(FIRST-LAST):FIRST-LAST" or "(ONE):ONE": blocks of a file, and where they are; "(IND):N", "(ETB0):N" are
# blocks about them.
_EXTENT = re.compile(r"\([^)]+\):(\d+)(?:-(\d+))?")

Range = tuple[int, int]
"""First and last, both included."""


@dataclass(frozen=True)
class Segment:
    """A line of a table: sectors, and what becomes of I/O on them."""

    start: int
    length: int
    target: str
    device: str = ""
    offset: int = 0

    def line(self, *more: object) -> str:
        """Return it as ``dmsetup`` takes it, with further parameters of its target."""
        place = [self.device, self.offset] if self.device else []
        return " ".join(map(str, (self.start, self.length, self.target, *place, *more)))


def parse(text: str) -> list[Segment]:
    """Return what ``dmsetup table NAME`` printed of a volume that LVM made from one or more pieces of a disk.

    Raises ValueError for a table of other targets, which nobody here knows how to slow down.
    """
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) != 5 or words[2] != "linear":
            raise ValueError(f"not a linear segment: {line}")
        found.append(Segment(int(words[0]), int(words[1]), words[2], words[3], int(words[4])))
    if not found:
        raise ValueError("an empty table")
    return found


def slowed(table: str, delay: int) -> str:
    """Return a table on which each read, write and flush takes so many ms longer."""
    return _text(Segment(one.start, one.length, "delay", one.device, one.offset).line(delay) for one in parse(table))


def broken(table: str, sectors: Iterable[Range]) -> str:
    """Return a table on which I/O on some sectors fails."""
    bad = sorted(sectors)
    return _text(piece.line() for one in parse(table) for piece in _pieces(one, bad))


def extents(told: str) -> list[Range]:
    """Return the blocks of a file from ``debugfs -R 'stat <INODE>'``. Raises ValueError when it names none."""
    found = [(int(first), int(last or first)) for first, last in _EXTENT.findall(told)]
    if not found:
        raise ValueError(f"no blocks in what debugfs said: {told[-200:]}")
    return found


def sectors(blocks: Iterable[Range], size: int) -> list[Range]:
    """Return the sectors of a filesystem's blocks of ``size`` bytes."""
    each = size // SECTOR
    return [(first * each, (last + 1) * each - 1) for first, last in blocks]


def _pieces(one: Segment, bad: Sequence[Range]) -> Iterable[Segment]:
    at, end = one.start, one.start + one.length
    for first, last in bad:
        first, stop = max(first, at), min(last + 1, end)
        if first >= stop:
            continue
        if first > at:
            yield _part(one, at, first)
        yield Segment(first, stop - first, "error")
        at = stop
    if at < end:
        yield _part(one, at, end)


def _part(one: Segment, start: int, stop: int) -> Segment:
    return Segment(start, stop - start, one.target, one.device, one.offset + start - one.start)


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
