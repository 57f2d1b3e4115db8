"""Verbs whose words belong to another program. Imports little: tests call them all the time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from hadblab.rundir import RunDir

HELP = {
    "exec": "lab exec NODE [--] CMD...: run a command on a node (without CMD: a shell)",
    "run": "lab run [--] CMD...: run a command of this machine inside the lab's network",
    "salt": "lab salt [--] ARGS...: run salt on the master, after pushing what changed in the formula",
    "salt-run": "lab salt-run [--] ARGS...: run salt-run on the master, after pushing what changed in the formula",
}
VERBS = tuple(HELP)


def main(run: RunDir, verb: str, words: list[str], usage: Callable[[str], int]) -> int:
    """Become the other program; returns only when that is impossible.

    :param usage: reports a wrong call and returns the exit status for it.
    :raises LabError: the lab is not up, or the formula could not be pushed.
    """
    if words in (["-h"], ["--help"]):
        print(HELP[verb])
        return 0
    node = words.pop(0) if verb == "exec" and words else ""
    if words[:1] == ["--"]:
        words = words[1:]
    if verb != "exec" and not words:
        return usage(HELP[verb])
    if not run.record.exists():
        return usage(f"lab {run.name} is not up")
    if verb == "run":
        return _become(run.inside(*words))
    if verb == "exec":
        known = sorted(path.name for path in (run.root / "nodes").iterdir())
        if node not in known:
            return usage(f"exec: no node named {node!r}; there are {', '.join(known)}")
        return _become(_ssh(run, node, words))
    # Salt 3008 prints the place in its own code where it left a connection open.
    return _become(_ssh(run, _push(run), ["env", "PYTHONWARNINGS=ignore", verb, *words]))


def _ssh(run: RunDir, node: str, words: list[str]) -> list[str]:
    from hadblab.ssh import argv

    # A terminal on this side wants one on the other, for editors and live displays.
    terminal = ("-t",) if sys.stdin.isatty() and sys.stdout.isatty() else ()
    return argv(run, node, words, terminal)


def _push(run: RunDir) -> str:
    """Bring the master up to date and return its name."""
    from hadblab import formula, up

    record, topology = up.running(run)
    formula.push(run, topology, Path(record.pillar), lambda line: print(f"lab: {line}", file=sys.stderr))
    return topology.master.name


def _become(argv: list[str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        print(f"lab: {argv[0]}: {error.strerror}", file=sys.stderr)
        return 127
