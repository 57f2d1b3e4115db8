"""What the programs have in common that keep a lab of their own busy for hours: bench, chaos, controls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from hadblab.errors import LabError

# Exit statuses.
FAILED, USAGE, INTERRUPTED = 1, 2, 130
# What goes wrong with a lab, or in it.
TROUBLE = (LabError, AssertionError, ValueError, OSError, subprocess.SubprocessError)


def prepare(name: str) -> None:
    """Choose a lab of its own unless ``HADB_LAB`` names one: what `make demo` shows and `make scenario` plays stays alone.

    Ended from outside, the program cleans up from now on as it does for an interrupt from the keyboard.
    """
    os.environ.setdefault("HADB_LAB", name)
    signal.signal(signal.SIGTERM, _interrupt)


def progress() -> Callable[[str], None]:
    """Return what tells whoever watches a line, with the seconds since now."""
    began = time.monotonic()
    return lambda line: print(f"[{time.monotonic() - began:7.1f} s] {line}", file=sys.stderr, flush=True)


def said(error: BaseException) -> str:
    """Return an error in words."""
    return f"{type(error).__name__}: {error}"


def say(program: str, message: str, status: int) -> int:
    """Say how a program ends, or why it does not begin, and return its exit status."""
    print(f"{program}: {message}", file=sys.stderr, flush=True)
    return status


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
