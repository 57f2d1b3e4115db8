"""Runs the client as a process of its own inside the lab's network, and reads its log."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from scenario import client
from scenario.client_log import ClientLog, parse
from scenario.lab import Lab
from scenario.wait import until

_PROGRAM = Path(client.__file__)
_FIRST_SECONDS = 30.0
_END_SECONDS = 10.0
_ENOUGH = 20


class Writer:
    """A client with a table of its own, named after the scenario."""

    def __init__(self, lab: Lab, name: str, directory: Path) -> None:
        self.lab = lab
        self.log = directory / "client.jsonl"
        self.log.unlink(missing_ok=True)
        # The run's start in the name: rows of an earlier run in the same lab are not this one's.
        self.table = f"hadb_{re.sub('[^a-z0-9]+', '_', name)}_{int(time.time())}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start writing; return once the client is being acknowledged."""
        self._process = subprocess.Popen(
            self.lab.python(_PROGRAM, "write", str(self.log)), stdin=subprocess.PIPE, text=True
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps(self.settings()))
        self._process.stdin.close()
        until(lambda: len(self.read().acked) >= _ENOUGH, _FIRST_SECONDS, "the client does not get its first answers")

    def wait_writing(self, after: float, seconds: float) -> float:
        """Return when the client was first acknowledged after a moment.

        after
            Seconds of the host's monotonic clock.
        seconds
            How long to wait for it.
        """
        def first() -> float | None:
            return min((at for at in self.read().acked.values() if at > after), default=None)

        return until(lambda: first() or 0.0, seconds, "the client is not acknowledged again")

    def stop(self) -> float:
        """Stop writing and return when, in seconds of the host's monotonic clock."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_END_SECONDS)
        return time.monotonic()

    def read(self) -> ClientLog:
        """Return the log as it is now."""
        if not self.log.exists():
            return ClientLog({}, {})
        with self.log.open(encoding="utf-8") as file:
            return parse(file)

    def read_back(self) -> dict[str, Any]:
        """Return what the database holds: ``{ids, check}``. Raises AssertionError when it cannot be asked."""
        done = subprocess.run(
            self.lab.python(_PROGRAM, "read"), input=json.dumps(self.settings()), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"the table cannot be read back: {done.stderr[-1000:]}"
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def settings(self) -> dict[str, Any]:
        """Return how the client gets to its table: what the programs are given on standard input."""
        accounts = self.lab.pillar["database"]["accounts"]
        return {
            "host": self.lab.vip["address"], "port": 3306, "user": "nova",
            "password": accounts["nova"]["password"], "database": "nova", "table": self.table,
        }  # fmt: skip
