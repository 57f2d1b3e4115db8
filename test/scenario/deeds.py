"""What a scenario itself did, and which of it is worth a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# What only looks: scenarios ask this again and again until something has come true.
_LOOKS = re.compile(
    r"(?:crm_mon|crmadmin|cibadmin --query|cat |dmsetup status|lvs |pidof|pgrep|test -e|ip -|corosync-cfgtool -s|corosync-quorumtool"
    r"|journalctl|date \+|ls |systemctl (?:status|is-|show)|mariadb .*(?:SELECT|SHOW))"
)
# The lab itself logs when these have taken effect.
_LOGGED = ("bmc", "power", "freeze", "thaw", "cut", "heal", "snapshot", "restore")
LAB = "lab"
# Seconds in which the same deed is the same attempt.
_AGAIN_SECONDS = 2.0


@dataclass(frozen=True)
class Deed:
    """Something that was asked for.

    at
        Seconds of the host's monotonic clock.
    where
        A node, or "lab" for a command of the lab's front end.
    words
        The script or the command.
    """

    at: float
    where: str
    words: str


def harmful(deeds: Iterable[Deed]) -> list[Deed]:
    """Return the deeds that may have changed something, without repetitions of an attempt."""
    found: list[Deed] = []
    last: dict[tuple[str, str], float] = {}
    for deed in deeds:
        before = last.get((deed.where, deed.words))
        last[deed.where, deed.words] = deed.at
        if before is not None and deed.at - before < _AGAIN_SECONDS:
            continue
        if not _of_no_effect(deed):
            found.append(deed)
    return found


def _of_no_effect(deed: Deed) -> bool:
    if deed.where == LAB:
        return deed.words.split(" ")[0] in _LOGGED
    return bool(_LOOKS.match(deed.words))
