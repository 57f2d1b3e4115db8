"""A client outside the nodes: writes numbered rows through the VIP and logs what was acknowledged.

Run inside the lab's network as ``client.py write LOG`` or ``client.py read``, with the database's
address as one JSON document on standard input: ``{host, port, user, password, database, table}``.
"""

from __future__ import annotations

import itertools
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pymysql

# Seconds. The connect time-out bounds what one attempt adds to a measured outage; the read time-out is the
# longest that a commit may take before the client gives the server up, as a client with a deadline would.
CONNECT_SECONDS = 0.25
ANSWER_SECONDS = 1.0
PACE_SECONDS = 0.01
# Reading everything back happens once, on a healthy cluster.
READ_BACK_SECONDS = 30.0

Settings = dict[str, Any]


def write(settings: Settings, log: TextIO, running: Callable[[], bool]) -> None:
    """Write one row after the other until told to stop, and log each as one JSON line.

    A row's line is ``{id, sent, wall, acked}`` or ``{id, sent, wall, failed, error}``; an attempt to connect
    that failed is ``{connect, error}``. Times are seconds of CLOCK_MONOTONIC, ``wall`` those since 1970.
    Numbers are never used twice, whatever became of the row.

    running
        Asked before every step.
    """
    connection, numbers = None, itertools.count(1)
    while running():
        began = time.monotonic()
        if connection is None:
            connection = _connect(settings, log)
        else:
            connection = _insert(connection, settings["table"], next(numbers), log)
        time.sleep(max(0.0, began + PACE_SECONDS - time.monotonic()))


def read_back(settings: Settings) -> dict[str, Any]:
    """Return ``{ids, check}``: every number in the table, and the rows of CHECK TABLE."""
    table = quoted(settings["table"])
    with open_connection(settings, answer=READ_BACK_SECONDS) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table}")
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"CHECK TABLE {table} EXTENDED")
        return {"ids": ids, "check": [list(row) for row in cursor.fetchall()]}


def open_connection(settings: Settings, *, answer: float) -> pymysql.Connection:
    """Return a new connection, on which no answer takes longer than ``answer`` seconds. Raises pymysql.Error, or OSError."""
    return pymysql.connect(
        host=settings["host"], port=settings["port"], user=settings["user"], password=settings["password"],
        database=settings["database"], autocommit=True, connect_timeout=CONNECT_SECONDS, read_timeout=answer,
        write_timeout=answer,
    )  # fmt: skip


def _connect(settings: Settings, log: TextIO) -> pymysql.Connection | None:
    began = time.monotonic()
    try:
        connection = open_connection(settings, answer=ANSWER_SECONDS)
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {quoted(settings['table'])} "
                "(id BIGINT NOT NULL PRIMARY KEY, wall DOUBLE NOT NULL) ENGINE=InnoDB"
            )
        return connection
    except (pymysql.Error, OSError) as error:
        _put(log, {"connect": began, "error": str(error)})
        return None


def _insert(connection: pymysql.Connection, table: str, number: int, log: TextIO) -> pymysql.Connection | None:
    """Write one row in a transaction of its own; return the connection if it is still good."""
    row: dict[str, Any] = {"id": number, "sent": time.monotonic(), "wall": time.time()}
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {quoted(table)} VALUES (%s, %s)", (number, row["wall"]))
        _put(log, {**row, "acked": time.monotonic()})
        return connection
    except (pymysql.Error, OSError) as error:
        _put(log, {**row, "failed": time.monotonic(), "error": str(error)})
        # The server may still hold the row's fate: a new connection, and a new number.
        connection._force_close()
        return None


def quoted(name: str) -> str:
    """Return a table's name as SQL has it."""
    return "`" + name.replace("`", "``") + "`"


def _put(log: TextIO, record: dict[str, Any]) -> None:
    log.write(json.dumps(record) + "\n")


def main(argv: list[str]) -> None:
    """Carry out one verb of the command line."""
    settings = json.load(sys.stdin)
    if argv[:1] == ["write"]:
        stopped: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
        # Line by line, so that the log is whole up to the last acknowledgement whatever happens.
        with Path(argv[1]).open("a", buffering=1, encoding="utf-8") as log:
            write(settings, log, lambda: not stopped)
    elif argv == ["read"]:
        json.dump(read_back(settings), sys.stdout)
    else:
        sys.exit("usage: client.py write LOG | read")


if __name__ == "__main__":
    main(sys.argv[1:])
