"""Captures what real servers answer, for the unit tests: ``python3 test/tool/database_capture.py``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / "_utils"), str(REPO / "test" / "tool")]

from chroots import SERVERS  # noqa: E402
from database_chroot import Node, database  # noqa: E402

from hadb_core import db_facts, db_server, db_sql  # noqa: E402

FIXTURES = REPO / "test" / "unit" / "database" / "fixtures"
CLAUSE = {"mariadb": "IDENTIFIED BY", "mysql": "IDENTIFIED WITH caching_sha2_password BY"}

# The installation guide's grants (no escape in nova_api), odd names, an account without a password.
CONTENT = """
CREATE DATABASE nova_api; CREATE DATABASE `odd "name"\\` DEFAULT CHARACTER SET utf8mb4;
CREATE USER 'nova'@'%' {clause} 'test'; CREATE USER 'o''dd "\\\\'@'10.%' {clause} 'x';
CREATE USER 'bare'@'localhost';
GRANT ALL PRIVILEGES ON nova_api.* TO 'nova'@'%';
GRANT SELECT, CREATE TEMPORARY TABLES ON `odd\\_db`.* TO 'o''dd "\\\\'@'10.%';
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'nova'@'%';
"""


def main() -> None:
    """Write one folder per server."""
    for suite, flavour in SERVERS.items():
        node = Node(suite, Path(tempfile.mkdtemp()))
        node.made(database(flavour))
        node.start()
        try:
            _capture(node, FIXTURES / suite)
        finally:
            node.stop()


def _capture(node: Node, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    argv = db_server.local_client("mysql", "/run/mysqld/mysqld.sock")

    def ask(name: str, sql: str) -> str:
        answer = node.run(argv, db_sql.PREAMBLE + sql).stdout
        (folder / f"{name}.jsonl").write_text(answer)
        return answer

    node.run(argv, db_sql.PREAMBLE + CONTENT.format(clause=CLAUSE[node.flavour]))
    columns = db_facts.rows(ask("columns", db_facts.COLUMNS), "capture")
    ask("content", db_facts.content_sql(node.flavour, columns))
    ask("health", db_facts.HEALTH)
    ask("durability", db_facts.DURABILITY)


if __name__ == "__main__":
    main()
