"""The lab's event log: who was switched off, cut or frozen, and when."""

from __future__ import annotations

import json
import os
import time


def append(path: str | os.PathLike[str], event: str, **fields: object) -> None:
    """Add one event to a log file.

    Each line is a JSON document with ``time`` (seconds since 1970), ``monotonic``
    (seconds of this machine's monotonic clock), ``event`` and the given fields.

    :raises OSError: the file cannot be written.
    """
    line = json.dumps({"time": time.time(), "monotonic": time.monotonic(), "event": event, **fields})
    # One write to a file opened for appending: lines of several processes never mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)
