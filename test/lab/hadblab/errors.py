"""The one exception that the lab's front end turns into a message."""

from __future__ import annotations


class LabError(Exception):
    """Something the lab cannot go on from, said in one line.

    :param message: what went wrong, and with what; line breaks are folded so
        that the message stays one line wherever it is printed.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" | ".join(line.strip() for line in message.splitlines() if line.strip()))
