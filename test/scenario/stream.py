"""Follows what a program on a node prints, across power cuts, freezes and reboots."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from hadblab import ssh
from hadblab.rundir import RunDir

# A connection of its own that notices within seconds that its node froze or lost its power.
_SSH = ["-o", "ControlPath=none", "-o", "ControlMaster=no", "-o", "ConnectTimeout=2", "-o", "ServerAliveInterval=1",
        "-o", "ServerAliveCountMax=3"]  # fmt: skip
_RETRY_SECONDS = 0.25


class Stream:
    """A program that is started again on its node whenever it ended, until it is told to stop.

    command
        Asked before each start: what to run.
    take
        Given each whole line without its end, and when it arrived, in seconds of the host's monotonic clock. Called in
        a thread of the stream's own.
    told
        The program's standard input; the place for secrets.
    options
        ssh's, for a node that is not reached over the management network.
    """

    def __init__(
        self, run: RunDir, node: str, command: Callable[[], Sequence[str]], take: Callable[[float, str], None], told: str = "",
        options: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._run = run
        self._node = node
        self._command = command
        self._take = take
        self._told = told
        self._options = [*_SSH, *options]
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Start following and return at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; nothing is taken any more when this returns."""
        self._stopped.set()
        # Again until it has seen it: a program may be starting just now, and one that is silent would be waited for.
        while self._thread.is_alive():
            if self._process:
                self._process.kill()
            self._thread.join(_RETRY_SECONDS)

    def _follow(self) -> None:
        while not self._stopped.is_set():
            with subprocess.Popen(
                ssh.argv(self._run, self._node, self._command(), self._options), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace",
            ) as self._process:  # fmt: skip
                self._tell(self._process)
                self._receive(self._process)
                self._process.kill()
            self._stopped.wait(_RETRY_SECONDS)

    def _tell(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        # A node that is not there does not listen; the program then ends by itself.
        with suppress(BrokenPipeError):
            process.stdin.write(self._told)
            process.stdin.flush()
        with suppress(BrokenPipeError):
            process.stdin.close()

    def _receive(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            # Killed in the middle of a line, the program's last one is not whole.
            if line.endswith("\n"):
                self._take(time.monotonic(), line.rstrip("\n"))
            if self._stopped.is_set():
                return
