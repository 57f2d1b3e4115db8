"""What must not happen: that a busy machine or a poor cable makes the cluster fence or move anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scenario.lab import Lab
from scenario.stage import wait_whole
from scenario.writer import Writer

from bench.acts import fenced
from bench.calm_verdict import LOAD, LOSS

_CABLE, _PERCENT = "hb1", 20
# Seconds between two lines for whoever watches.
_LOOK_SECONDS = 300.0
# Two loops that never rest on a node's one processor, each in a unit of its own so that systemd shares it evenly.
_UNITS = ("hadb-bench-load-1", "hadb-bench-load-2")
_LOAD = "systemd-run --quiet --collect --unit={} --property=RuntimeMaxSec={:.0f} sh -c 'while :; do :; done'"
# The same server process, on nodes that have not booted since.
_LIVES = "cat /proc/sys/kernel/random/boot_id; pidof mariadbd mysqld || true"

Keep = Callable[[dict[str, Any]], None]


def measure(lab: Lab, minutes: float, directory: Path, keep: Keep, tell: Callable[[str], None]) -> None:
    """Look on for a while with both nodes at full load, and for as long again with a cable that loses packets.

    minutes
        How long each of the two lasts.
    keep
        Takes what :mod:`bench.calm_verdict` reads, after each of them.

    Raises LabError or AssertionError when it cannot be measured.
    """
    found: dict[str, Any] = {}
    for name, begin, end in ((LOAD, _load, _rest), (LOSS, _lose, _heal)):
        wait_whole(lab)
        found[name] = _look_on(lab, name, minutes * 60, directory, tell, begin, end)
        keep(found)


def _look_on(
    lab: Lab, name: str, seconds: float, directory: Path, tell: Callable[[str], None],
    begin: Callable[[Lab, float], None], end: Callable[[Lab], None],
) -> dict[str, Any]:  # fmt: skip
    place = directory / name
    place.mkdir(parents=True, exist_ok=True)
    lives = _lives(lab)
    writer = Writer(lab, f"bench {name}", place)
    writer.start()
    began = time.monotonic()
    try:
        begin(lab, seconds)
        while (left := began + seconds - time.monotonic()) > 0:
            tell(f"{name}: {left / 60:.0f} min left, fenced so far: {fenced(lab, began) or 'none'}")
            time.sleep(min(_LOOK_SECONDS, left))
    finally:
        end(lab)
        stopped = writer.stop()
    status = wait_whole(lab)
    log = writer.read()
    return {
        "minutes": round(seconds / 60, 1), "fenced": fenced(lab, began),
        "changed": sorted(node for node, life in _lives(lab).items() if life != lives[node]),
        "failures": len(status.failures), "writes": len(log.acked), "longest": round(log.longest_gap(stopped).seconds, 2),
    }  # fmt: skip


def _lives(lab: Lab) -> dict[str, str]:
    return {node: lab.ask(node, _LIVES).stdout for node in lab.nodes}


def _load(lab: Lab, seconds: float) -> None:
    for node in lab.nodes:
        lab.ask(node, "; ".join(_LOAD.format(unit, seconds + 60) for unit in _UNITS))


def _rest(lab: Lab) -> None:
    for node in lab.nodes:
        lab.ask(node, f"systemctl stop {' '.join(_UNITS)}", check=False)


def _lose(lab: Lab, _seconds: float) -> None:
    lab.verb("cut", _CABLE, "--loss", str(_PERCENT))


def _heal(lab: Lab) -> None:
    lab.verb("heal", _CABLE)
