"""Runs ``load.py`` as a process of its own inside the lab's network, and reads what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scenario import load
from scenario.lab import CHECKOUT, Lab
from scenario.wait import until
from scenario.writer import Writer

_COMMAND = [sys.executable, "-m", load.__name__]
_WHERE = CHECKOUT / "test"
_LOGIN_SECONDS = 60.0
_END_SECONDS = 10.0
# ER_ACCESS_DENIED_ERROR
DENIED = 1045
# CR_CONN_HOST_ERROR, CR_SERVER_GONE_ERROR, CR_SERVER_LOST: no answer of the server to the account.
_UNREACHED = (2003, 2006, 2013)

Record = dict[str, Any]


class Load:
    """A load that goes on.

    table
        Where it works; nobody drops it.
    """

    def __init__(self, table: str, log: Path, process: subprocess.Popen[str]) -> None:
        self.table = table
        self._log = log
        self._process = process

    def last(self) -> Record | None:
        """Return the last step, or None before the first one. Raises AssertionError when the load has ended."""
        record = last(self._log.read_text(encoding="utf-8"))
        assert self._process.poll() is None, f"the load ended by itself: see {self._log}; its last step: {record}"
        return record


def last(text: str) -> Record | None:
    """Return the last step in what a load printed; lines that are no steps, or not whole, do not count."""
    steps = [line for line in text.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
    return json.loads(steps[-1]) if steps else None


@contextmanager
def loaded(writer: Writer, verb: str, **more: Any) -> Iterator[Load]:
    """Let a load work beside the client, in a table beside the client's, and end it."""
    settings = {**writer.settings(), "table": f"{writer.table}_{verb}", **more}
    log = writer.log.parent / f"{verb}.txt"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(writer.lab.inside([*_COMMAND, verb]), cwd=_WHERE, stdin=subprocess.PIPE, stdout=out, stderr=out,
                                   text=True)  # fmt: skip
    try:
        assert process.stdin
        process.stdin.write(json.dumps(settings))
        process.stdin.close()
        yield Load(settings["table"], log, process)
    finally:
        process.kill()
        process.wait(_END_SECONDS)


def login(lab: Lab, account: str, password: str) -> int:
    """Return 0 when the server lets an account in through its virtual address, else the server's error number.

    The account has a database and an address of its own name, as in the lab's pillar.
    """
    settings = {"host": lab.pillar["vips"][account]["address"], "port": 3306, "user": account, "password": password,
                "database": account}  # fmt: skip

    def answer() -> Record | None:
        done = subprocess.run(lab.inside([*_COMMAND, "login"]), cwd=_WHERE, input=json.dumps(settings), capture_output=True, text=True,
                              timeout=_LOGIN_SECONDS, check=False)  # fmt: skip
        record = last(done.stdout)
        assert record is not None, f"nobody knows whether {account} is let in: {done.stderr[-1000:]}"
        return None if record["error"] in _UNREACHED else record

    return int(until(answer, _LOGIN_SECONDS, f"the server does not say whether it lets {account} in")["error"])
