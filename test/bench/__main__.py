"""``python -m bench [--rounds N] [--cases a,b] [--minutes M] [--dry-run] [--document]``: what ``make bench`` runs."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from scenario import long_run
from scenario.long_run import FAILED, INTERRUPTED, TROUBLE, USAGE, said
from scenario.results import clock

from bench import cases, document, plan, results, table
from bench.bench import Bench

ROUNDS, MINUTES = 5, 30
_say = partial(long_run.say, "bench")


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
    long_run.prepare("bench")
    return _measure(Bench(items, chosen.rounds, chosen.minutes, long_run.progress()))


def _measure(bench: Bench) -> int:
    status = 0
    try:
        bench.run()
    except KeyboardInterrupt:
        status = _say("interrupted", INTERRUPTED)
    except TROUBLE as error:
        status = _say(said(error), FAILED)
    print(table.text(bench.results), end="")
    print(f"figures, plot, logs of each run: {results.BUILD}/")
    return status or (FAILED if table.problems(bench.results) else 0)


def _shown(items: list[plan.Item]) -> str:
    lines = [item.name for item in items]
    return "\n".join([*lines, f"{len(items)} steps, about {clock(plan.seconds_left(items, {}))} beside starting the lab"])


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
