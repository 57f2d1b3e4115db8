"""``python -m bench [--rounds N] [--cases a,b] [--minutes M] [--dry-run] [--document]``: what ``make bench`` runs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from typing import NoReturn

from scenario.results import clock

from bench import cases, document, plan, results, table
from bench.bench import Bench
from hadblab.errors import LabError

FAILED, USAGE, INTERRUPTED = 1, 2, 130
ROUNDS, MINUTES = 5, 30


def main(words: list[str]) -> int:
    """Carry out one command line; return 0 when everything could be measured."""
    chosen = _parser().parse_args(words)
    if chosen.rounds < 1:
        return _say("--rounds: at least 1", USAGE)
    if chosen.minutes <= 0:
        return _say("--minutes: more than 0", USAGE)
    try:
        wanted, others = cases.chosen(chosen.cases)
        if chosen.document:
            document.fill()
            return 0
    except ValueError as error:
        return _say(str(error), USAGE)
    items = plan.items(wanted, chosen.rounds, others)
    if chosen.dry_run:
        print(_shown(items))
        return 0
    # A lab of its own: what `make demo` shows and `make scenario` plays stays alone.
    os.environ.setdefault("HADB_LAB", "bench")
    # Ended from outside, it cleans up as it does for an interrupt from the keyboard.
    signal.signal(signal.SIGTERM, _interrupt)
    return _measure(Bench(items, chosen.rounds, chosen.minutes, _progress()))


def _measure(bench: Bench) -> int:
    status = 0
    try:
        bench.run()
    except KeyboardInterrupt:
        status = _say("interrupted", INTERRUPTED)
    except (LabError, AssertionError, ValueError, OSError) as error:
        status = _say(f"{type(error).__name__}: {error}", FAILED)
    print(table.text(bench.results), end="")
    print(f"figures, plot, logs of each run: {results.BUILD}/")
    return status or (FAILED if table.problems(bench.results) else 0)


def _shown(items: list[plan.Item]) -> str:
    lines = [item.name for item in items]
    return "\n".join([*lines, f"{len(items)} steps, about {clock(plan.seconds_left(items, {}))} beside starting the lab"])


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _progress():
    began = time.monotonic()
    return lambda line: print(f"[{time.monotonic() - began:7.1f} s] {line}", file=sys.stderr, flush=True)


def _say(message: str, status: int) -> int:
    print(f"bench: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="Measures our configuration beside the seed's.", allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"of each case and configuration ({ROUNDS})")
    parser.add_argument("--cases", default="", metavar="a,b", help=f"of {', '.join([*cases.BY_ID, *cases.OTHERS])} (all)")
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="M", help=f"of each part of the calm ({MINUTES})")
    parser.add_argument("--dry-run", action="store_true", help="only print what would be done, in order")
    parser.add_argument("--document", action="store_true", help="put the last figures into docs/performance.md")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
