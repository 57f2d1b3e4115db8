"""Runs on the master, under Salt's own Python: calls functions on minions, as told line by line on standard input.

One process for hundreds of calls: starting ``salt`` takes seconds on a node. A line is ``{"minion", "functions",
"arguments"}`` with keyword arguments for each function; the answer is one line too: for each function
``{"return": ...}``, with ``"failed": true`` when it raised, or ``{"silent": why}`` for all of them.
"""

from __future__ import annotations

import json
import sys

import salt.client

# Seconds until the minion is asked whether it is still at it; a job that it still has is waited for without end.
_TIMEOUT = 30


def main() -> None:
    """Answer until standard input ends."""
    # Salt's client itself prints that no minion matched.
    answers, sys.stdout = sys.stdout, sys.stderr
    client = salt.client.LocalClient()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(client, **json.loads(line)), default=str), file=answers, flush=True)


def answer(client: salt.client.LocalClient, minion: str, functions: list, arguments: list) -> object:
    """Return what the functions answered, in their order; no function may be there twice."""
    words = [[{"__kwarg__": True, **named}] if named else [] for named in arguments]
    told = client.cmd([minion], functions, words, tgt_type="list", full_return=True, timeout=_TIMEOUT).get(minion)
    returned = told.get("ret") if isinstance(told, dict) else told
    if not isinstance(returned, dict):
        return {"silent": str(returned)}
    # A function that raised has its traceback for an answer, and no exit code.
    codes = told.get("retcode")
    codes = codes if isinstance(codes, dict) else {}
    return [{"return": returned.get(name), "failed": name not in codes} for name in functions]


if __name__ == "__main__":
    main()
