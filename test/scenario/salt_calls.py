"""Functions called through Salt on the lab's minions, many in little time: one process on the master, jobs of many calls."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hadblab import ssh
from hadblab.image_salt import PREFIX
from scenario.lab import Lab

_PROGRAM = Path(__file__).with_name("caller.py")
# Seconds; a job of many calls on a busy machine, among them the start of a database server and a rebuilt initramfs.
_JOB_SECONDS = 240.0

Asked = tuple[str, Mapping[str, Any]]
"""A function's name and its keyword arguments."""


class Answer(NamedTuple):
    """What a function returned; when it raised, ``failed`` is set and ``value`` is the traceback."""

    value: Any
    failed: bool = False

    @property
    def reason(self) -> str:
        """The last line of the traceback: the error's class and its words."""
        return next((line.strip() for line in reversed(str(self.value).splitlines()) if line.strip()), "")


class Salt:
    """The master's client. Close it when it is not needed any more."""

    def __init__(self, lab: Lab) -> None:
        command = [f"{PREFIX}/bin/python3", "-W", "ignore", "-u", "-c", _PROGRAM.read_text(encoding="utf-8")]
        self._process = subprocess.Popen(
            ssh.argv(lab.run, "salt", command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._line()

    def close(self) -> None:
        """End the client."""
        self._process.kill()
        self._process.wait()

    def call(self, minion: str, asked: Sequence[Asked]) -> list[Answer]:
        """Call functions one after the other on a minion and return their answers, in order.

        Raises AssertionError when the minion or the master does not answer.
        """
        answers = []
        for job in jobs(asked):
            words = {"minion": minion, "functions": [name for name, _ in job], "arguments": [dict(args) for _, args in job]}
            assert self._process.stdin
            print(json.dumps(words), file=self._process.stdin, flush=True)
            told = json.loads(self._line())
            assert isinstance(told, list), f"{minion} does not answer: {told.get('silent')}"
            answers += [Answer(one["return"], one["failed"]) for one in told]
        return answers

    def one(self, minion: str, function: str, **named: Any) -> Any:
        """Return what a single function returned. Raises AssertionError when it raised."""
        (answer,) = self.call(minion, [(function, named)])
        assert not answer.failed, f"{function} on {minion}: {answer.reason}"
        return answer.value

    def _line(self) -> str:
        assert self._process.stdout
        # Killed, it ends its output, which ends the waiting.
        watchdog = threading.Timer(_JOB_SECONDS, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        assert line, f"the client on the master ended, or was silent for {_JOB_SECONDS:g} s"
        return line


def jobs(asked: Sequence[Asked]) -> Iterator[list[Asked]]:
    """Cut calls into jobs, in order: a minion answers a job by the functions' names, so none may be in it twice."""
    job: list[Asked] = []
    for one in asked:
        if one[0] in {name for name, _ in job}:
            yield job
            job = []
        job.append(one)
    if job:
        yield job
