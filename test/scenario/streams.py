"""A program on each of some machines that prints line after line, followed across power cuts and reboots."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from hadblab import ssh
from hadblab.rundir import RunDir

# A stream of its own that notices within seconds that its machine froze or lost its power.
_SSH = ["-o", "ControlPath=none", "-o", "ControlMaster=no", "-o", "ConnectTimeout=2", "-o", "ServerAliveInterval=1",
        "-o", "ServerAliveCountMax=3"]  # fmt: skip
_RETRY_SECONDS = 0.25


class Streams:
    """One stream per machine, begun again whenever it ends, for as long as this runs.

    run
        The lab to look into.
    machines
        Their names.
    command
        The program and its arguments, the same on each.
    receive
        Gets each whole line with its machine's name, in a thread per machine.
    told
        The program's standard input; the place for secrets.
    """

    def __init__(
        self, run: RunDir, machines: Sequence[str], command: Sequence[str], receive: Callable[[str, str], None], told: str = ""
    ) -> None:
        self._run, self._command, self._receive, self._told = run, list(command), receive, told
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._follow, args=(machine,), daemon=True) for machine in machines]

    def start(self) -> None:
        """Begin; whether a machine answers is seen by what is received."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all streams; nothing is received afterwards."""
        self._stopped.set()
        for process in list(self._processes.values()):
            process.kill()
        for thread in self._threads:
            thread.join()

    def _follow(self, machine: str) -> None:
        while not self._stopped.is_set():
            with subprocess.Popen(
                ssh.argv(self._run, machine, self._command, _SSH), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True,
            ) as process:  # fmt: skip
                self._processes[machine] = process
                self._tell(process)
                self._read(machine, process)
                process.kill()
            self._stopped.wait(_RETRY_SECONDS)

    def _tell(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        # A machine that is not there does not listen; the stream then ends by itself.
        with suppress(BrokenPipeError):
            process.stdin.write(self._told)
            process.stdin.flush()
        with suppress(BrokenPipeError):
            process.stdin.close()

    def _read(self, machine: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            # Killed in the middle of a line, the stream's last one is none.
            if line.endswith("\n"):
                self._receive(machine, line)
            if self._stopped.is_set():
                return
