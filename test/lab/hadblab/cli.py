"""The lab's front end: words to verbs, errors to one line and an exit status."""

from __future__ import annotations

import sys

from hadblab import passthrough
from hadblab.errors import LabError
from hadblab.rundir import locate

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def main(words: list[str]) -> int:
    """Carry out one command line and return its exit status."""
    try:
        run = locate()
        if words and words[0] in passthrough.VERBS:
            return passthrough.main(run, words[0], words[1:], usage)
        # The other verbs are rarer and need more: only now is it imported.
        from hadblab import verbs

        return verbs.main(run, words)
    except LabError as error:
        return _failed(error)
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return INTERRUPTED


def usage(message: str) -> int:
    """Report a wrong call in one line and return the exit status for it."""
    print(f"lab: {message}", file=sys.stderr)
    return USAGE


def _failed(error: LabError) -> int:
    for line in getattr(error, "reasons", [str(error)]):
        print(f"lab: {line}", file=sys.stderr)
    return USAGE if getattr(error, "is_usage", False) else FAILED
