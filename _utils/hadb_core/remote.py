"""Read what ``saltutil.cmd`` brought back: an answer from every minion, or an error that names who failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

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


SILENT = "it did not answer; is its salt-minion running?"


class Read(NamedTuple):
    """What came back: minion id -> return value, and minion id -> why there is none."""

    found: dict[str, Any]
    failed: dict[str, str]


def read(minions: Iterable[str], returned: Mapping[str, Any]) -> Read:
    """Tell the answers of ``minions`` from what went wrong; a minion without any answer failed as :data:`SILENT`.

    minions
        The ids that were asked.
    returned
        What ``saltutil.cmd`` returned: it leaves out who did not answer, or says False, depending on Salt's
        version, and puts the text of an exception where the value belongs.
    """
    result = Read({}, {})
    for minion in minions:
        answer = returned.get(minion)
        if not isinstance(answer, Mapping) or "ret" not in answer:
            result.failed[minion] = SILENT
        elif answer.get("retcode") or answer.get("failed") or answer.get("success") is False:
            result.failed[minion] = _last_line(answer["ret"])
        else:
            result.found[minion] = answer["ret"]
    return result


def answers(function: str, minions: Iterable[str], returned: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{minion id: return value}`` with one value for every minion of ``minions``.

    function
        What was called, for the message.
    minions, returned
        As for :func:`read`.

    Raises :class:`NoAnswer` naming every minion without an answer.
    """
    found, failed = read(minions, returned)
    if failed:
        raise NoAnswer(function, failed)
    return found


def _last_line(text: Any) -> str:
    """Return the message of an exception: the last line of its traceback without the class name."""
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return lines[-1].removeprefix("hadb_core.errors.") if lines else "it gave no reason"
