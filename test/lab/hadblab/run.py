"""The lab's one process runner: argv lists in, text out, one-line errors."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess

from hadblab.errors import LabError

_STDERR_LINES = 5


def run(
    argv: Sequence[str | Path],
    *,
    check: bool = True,
    input: str | None = None,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> CompletedProcess[str]:
    """Run one command to its end and return it with its output as text.

    :param argv: the command and its arguments; never goes through a shell.
    :param check: raise when the command's exit status is not 0.
    :param input: text for the command's standard input; without it that is empty.
    :param cwd: directory to run in.
    :param env: variables added to (or replacing those of) this process's environment.
    :param timeout: seconds after which the command is killed.
    :returns: the finished process; ``stdout`` and ``stderr`` are text, undecodable
        bytes replaced.
    :raises LabError: the command could not be started, took longer than
        ``timeout``, or failed while ``check`` is set.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            # An inherited terminal would let a command wait for an answer for ever.
            input=input if input is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{shlex.join(words)}: no end after {timeout:g} s") from error
    except OSError as error:
        raise LabError(f"{shlex.join(words)}: {error.strerror or error}") from error
    if check and done.returncode != 0:
        raise LabError(f"{shlex.join(words)}: exit status {done.returncode}{_tail(done)}")
    return done


def _tail(done: CompletedProcess[str]) -> str:
    """Return ``: `` and the last lines that say why a command failed, or nothing."""
    said = done.stderr.strip() or done.stdout.strip()
    lines = said.splitlines()[-_STDERR_LINES:]
    return ": " + " | ".join(lines) if lines else ""
