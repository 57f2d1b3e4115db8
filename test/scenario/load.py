"""Work for the database from outside the nodes, and who is let in. Run inside the lab's network.

``python -m scenario.load fill`` or ``grow`` or ``login``, with what ``client.py`` is given on standard input. Prints a line
of JSON for each step: how full the redo log is, how many rows the transaction has, or the server's error number. The first
two go on until they are ended.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from typing import Any

import pymysql

from scenario.client import Settings, open_connection, quoted

# Seconds that one statement may take: a server that is writing back pages lets everybody wait.
ANSWER_SECONDS = 60.0
# Rows per statement, so that other clients get their turn; bytes per row.
BATCH, WIDTH = 500, 1000
# Rows that are changed again and again: 20 MB, which the buffer pool holds, so that only redo is written.
ROWS = 20_000
_STATUS = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_checkpoint_age', 'Innodb_checkpoint_max_age')"
_IDLE_SECONDS = 0.5


def fill(settings: Settings) -> None:
    """Change rows without end: the redo log is as full as the server lets it be. Prints ``{age, most}`` in bytes."""
    table = quoted(settings["table"])
    with open_connection(settings, answer=ANSWER_SECONDS) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (id INT NOT NULL PRIMARY KEY, v VARBINARY({WIDTH}) NOT NULL) ENGINE=InnoDB")
        for first in range(0, ROWS, BATCH):
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", [(n, b"0" * WIDTH) for n in range(first, first + BATCH)])
        for number in itertools.count(1):
            for first in range(0, ROWS, BATCH):
                cursor.execute(f"UPDATE {table} SET v = REPEAT(%s, {WIDTH}) WHERE id BETWEEN %s AND %s",
                               (chr(ord("a") + number % 26), first, first + BATCH - 1))  # fmt: skip
                cursor.execute(_STATUS)
                status = {name.lower(): int(value) for name, value in cursor.fetchall()}
                _put({"age": status["innodb_checkpoint_age"], "most": status["innodb_checkpoint_max_age"]})


def grow(settings: Settings) -> None:
    """Insert rows in a transaction that is never committed, then keep it open. Prints ``{rows}``."""
    table = quoted(settings["table"])
    with open_connection(settings, answer=ANSWER_SECONDS) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (id INT NOT NULL PRIMARY KEY, v VARBINARY({WIDTH}) NOT NULL) ENGINE=InnoDB")
        connection.begin()
        for first in range(0, settings["rows"], BATCH):
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", [(n, b"x" * WIDTH) for n in range(first, first + BATCH)])
            _put({"rows": first + BATCH})
        while True:
            cursor.execute("SELECT 1")
            time.sleep(_IDLE_SECONDS)


def login(settings: Settings) -> None:
    """Print ``{error}``: 0 when the server lets the account in, else its error number (1045: not with this password)."""
    try:
        open_connection(settings, answer=ANSWER_SECONDS).close()
        _put({"error": 0})
    except pymysql.Error as error:
        _put({"error": error.args[0]})


def _put(record: dict[str, Any]) -> None:
    print(json.dumps(record), flush=True)


def main(argv: list[str]) -> None:
    """Carry out one verb of the command line."""
    verbs = {"fill": fill, "grow": grow, "login": login}
    if len(argv) != 1 or argv[0] not in verbs:
        sys.exit(f"usage: load.py {' | '.join(verbs)}")
    verbs[argv[0]](json.load(sys.stdin))


if __name__ == "__main__":
    main(sys.argv[1:])
