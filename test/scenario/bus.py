"""Follows Salt's event bus on the master, to know when a phase of an orchestration starts."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hadblab import ssh
from scenario.lab import Lab
from scenario.wait import until

_LIVE_SECONDS = 60.0
_NEW_JOB = re.compile(r"salt/job/\d+/new")
_LISTEN = ["salt-run", "state.event", "pretty=False"]
# An event of our own shows that the bus is being read.
_HELLO = "hadb/scenario/hello"


def started_sls(line: str) -> str | None:
    """Return the SLS that a line of ``salt-run state.event`` says is being applied now, or None."""
    tag, _, text = line.partition("\t")
    if not _NEW_JOB.fullmatch(tag):
        return None
    data: dict[str, Any] = json.loads(text)
    if data.get("fun") not in ("state.sls", "state.apply"):
        return None
    names = [argument for argument in data.get("arg", []) if isinstance(argument, str)]
    return names[0] if names else None


class Bus:
    """The SLS files that the master has had applied since this was started, in order, with repetitions.

    log
        Where to keep every event as it comes, if anywhere.
    """

    def __init__(self, lab: Lab, log: Path | None = None) -> None:
        self.started: list[str] = []
        self._log = log
        self._greeted = threading.Event()
        self._stream = subprocess.Popen(
            ssh.argv(lab.run, "salt", _LISTEN), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        # Sent until heard: the listener needs seconds to start.
        until(lambda: self._greet(lab), _LIVE_SECONDS, "the master's event bus cannot be followed")

    def stop(self) -> None:
        """Stop following."""
        self._stream.kill()
        self._stream.wait()
        self._thread.join()

    def _greet(self, lab: Lab) -> bool:
        lab.ask("salt", f"salt-run --out=quiet event.send {_HELLO}", timeout=_LIVE_SECONDS)
        return self._greeted.is_set()

    def _follow(self) -> None:
        assert self._stream.stdout
        with self._log.open("w", encoding="utf-8") if self._log else nullcontext() as log:
            for line in self._stream.stdout:
                self._greeted.set()
                if log:
                    log.write(line)
                if name := started_sls(line.rstrip("\n")):
                    self.started.append(name)
