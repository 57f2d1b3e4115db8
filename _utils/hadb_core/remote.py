"""Read what ``saltutil.cmd`` brought back: an answer from every minion, or an error that names who failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hadb_core.errors import HadbError


class NoAnswer(HadbError):
    """A minion did not answer, or its function failed.

    failed
        Minion id -> why.
    """

    def __init__(self, function: str, failed: Mapping[str, str]) -> None:
        self.function, self.failed = function, dict(failed)
        super().__init__(
            f"{function} failed: " + "; ".join(f"{minion}: {why}" for minion, why in sorted(failed.items()))
        )


def answers(function: str, minions: list[str], returned: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{minion id: return value}`` with one value for every minion of ``minions``.

    function
        What was called, for the message.
    minions
        The ids that were asked.
    returned
        What ``saltutil.cmd`` returned: it leaves out who did not answer, and puts the text of an
        exception where the value belongs.

    Raises :class:`NoAnswer` naming every minion without an answer.
    """
    found, failed = {}, {}
    for minion in minions:
        answer = returned.get(minion)
        if not isinstance(answer, Mapping) or "ret" not in answer:
            failed[minion] = "it did not answer; is its salt-minion running?"
        elif answer.get("retcode") or answer.get("failed") or answer.get("success") is False:
            failed[minion] = _last_line(answer["ret"])
        else:
            found[minion] = answer["ret"]
    if failed:
        raise NoAnswer(function, failed)
    return found


def _last_line(text: Any) -> str:
    """Return the message of an exception: the last line of its traceback without the class name."""
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return lines[-1].removeprefix("hadb_core.errors.") if lines else "it gave no reason"
