"""The volume's table, slow or with broken sectors: the rest of it stays where it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario.dm_table import broken, extents, parse, sectors, slowed

# debugfs of e2fsprogs 1.47.0, of the journals of an ext4 like the lab's and of one without extents, with smaller blocks.
FIXTURES = Path(__file__).with_name("fixtures")
JOURNAL = (FIXTURES / "debugfs-journal-1.47.0.txt").read_text(encoding="utf-8")
SMALL = (FIXTURES / "debugfs-journal-blocks-1.47.0.txt").read_text(encoding="utf-8")
# As linear.rst of the kernel's documentation has it: LVM makes a volume of one piece, and of more once it has grown.
ONE = "0 1000 linear 254:1 2048\n"
TWO = "0 1000 linear 254:1 2048\n1000 500 linear 254:3 384\n"


def covered(table: str) -> list[tuple[int, str]]:
    """Return for each sector where it is: on a device, or broken."""
    found = []
    for line in table.splitlines():
        start, length, target, *place = line.split()
        assert int(start) == len(found), "a hole, or an overlap"
        at = int(place[1]) if place else 0
        found += [(at + n if place else -1, place[0] if place else target) for n in range(int(length))]
    return found


def test_slow_table_has_the_same_sectors_and_a_delay() -> None:
    assert slowed(TWO, 150) == "0 1000 delay 254:1 2048 150\n1000 500 delay 254:3 384 150\n"


@pytest.mark.parametrize(
    ("table", "bad", "wanted"),
    [
        (ONE, [(0, 7)], "0 8 error\n8 992 linear 254:1 2056\n"),
        (ONE, [(100, 199)], "0 100 linear 254:1 2048\n100 100 error\n200 800 linear 254:1 2248\n"),
        (ONE, [(992, 999)], "0 992 linear 254:1 2048\n992 8 error\n"),
        (TWO, [(996, 1003)], "0 996 linear 254:1 2048\n996 4 error\n1000 4 error\n1004 496 linear 254:3 388\n"),
        (ONE, [(200, 299), (0, 7)], "0 8 error\n8 192 linear 254:1 2056\n200 100 error\n300 700 linear 254:1 2348\n"),
    ],
)
def test_only_the_sectors_named_are_broken(table: str, bad: list[tuple[int, int]], wanted: str) -> None:
    assert broken(table, bad) == wanted
    whole, after = covered(table), covered(wanted)
    named = {sector for first, last in bad for sector in range(first, last + 1)}
    assert len(after) == len(whole)
    for sector, (before, now) in enumerate(zip(whole, after, strict=True)):
        assert now == ((-1, "error") if sector in named else before)


def test_ranges_that_overlap_or_lie_outside_break_each_sector_once() -> None:
    assert broken(ONE, [(0, 99), (50, 149), (990, 5000)]) == "0 100 error\n100 50 error\n150 840 linear 254:1 2198\n990 10 error\n"


@pytest.mark.parametrize("table", ["", "0 8 error\n", "0 8 striped 2 128 8:0 0 8:16 0\n", "No devices found\n"])
def test_table_of_other_targets_is_refused(table: str) -> None:
    with pytest.raises(ValueError):
        parse(table)


def test_journal_is_found_where_debugfs_says_that_it_is() -> None:
    ((first, last),) = extents(JOURNAL)
    # Size: 67108864 in the same output, in blocks of 4096.
    assert last - first + 1 == 67108864 // 4096
    assert f"(0-{last - first}):{first}-{last}" in JOURNAL
    assert sectors([(0, 0), (first, last)], 4096) == [(0, 7), (8 * first, 8 * last + 7)]


def test_journal_without_extents_is_found_with_the_blocks_about_it() -> None:
    found = extents(SMALL)
    (total,) = [int(line.split()[1]) for line in SMALL.splitlines() if line.startswith("TOTAL:")]
    assert sum(last - first + 1 for first, last in found) == total


@pytest.mark.parametrize("said", ["", "debugfs: Filesystem not open\n"])
def test_journal_that_debugfs_does_not_name_is_no_empty_one(said: str) -> None:
    with pytest.raises(ValueError, match="no blocks"):
        extents(said)
