"""The one way to wait: ask again until it is so, within a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.2


class TooLateError(AssertionError):
    """Something did not come true within its bound."""


def until(condition: Callable[[], T], seconds: float, otherwise: str | Callable[[], str], poll: float = _POLL_SECONDS) -> T:
    """Return the first true answer of ``condition``.

    seconds, poll
        How long to ask, and how long to wait between two questions.
    otherwise
        What to say when it never came true, or who is to be asked for that.

    Raises TooLateError with that text.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            said = otherwise if isinstance(otherwise, str) else otherwise()
            raise TooLateError(f"{said} (waited {seconds:g} s)")
        time.sleep(poll)
    return answer
