"""Reading a server: queries that answer in JSON, one object a line, and what they mean.

The server makes the JSON, so names with blanks, quotes or line ends need no parser of ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hadb_core import db_config, db_sql
from hadb_core.errors import Unreadable

Check = Callable[[str, str, bytes], "bool | None"]

COLUMNS = """SELECT JSON_OBJECT('kind', 'column', 'table', TABLE_NAME, 'name', COLUMN_NAME)
 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'mysql' AND TABLE_NAME IN ('db', 'user')
 AND COLUMN_NAME LIKE '%\\_priv';
"""
_DATABASES = """SELECT JSON_OBJECT('kind', 'database', 'name', SCHEMA_NAME,
 'charset', DEFAULT_CHARACTER_SET_NAME, 'collation', DEFAULT_COLLATION_NAME) FROM information_schema.SCHEMATA;
"""
_ACCOUNTS: Mapping[str, str] = {
    "mariadb": """SELECT JSON_OBJECT('kind', 'account', 'name', User, 'host', Host,
 'plugin', JSON_VALUE(Priv, '$.plugin'), 'stored', HEX(JSON_VALUE(Priv, '$.authentication_string')),
 'others', JSON_EXISTS(Priv, '$.auth_or'), 'locked', COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0))
 FROM mysql.global_priv WHERE COALESCE(JSON_VALUE(Priv, '$.is_role'), 0) = 0;
""",
    "mysql": """SELECT JSON_OBJECT('kind', 'account', 'name', User, 'host', Host, 'plugin', plugin,
 'stored', HEX(authentication_string), 'others', 0, 'locked', account_locked = 'Y') FROM mysql.user;
""",
}
# Columns of mysql.db and mysql.user whose privilege is not the column's name in words.
_PRIVILEGES: Mapping[str, str] = {
    "Create_tmp_table_priv": "CREATE TEMPORARY TABLES",
    "Show_db_priv": "SHOW DATABASES",
    "Repl_slave_priv": "REPLICATION SLAVE",
    "Repl_client_priv": "REPLICATION CLIENT",
    "Grant_priv": "GRANT OPTION",
}
PASSWORD_PLUGINS = ("mysql_native_password", "caching_sha2_password", "sha256_password", "")
HEALTH = """SELECT JSON_OBJECT('version', VERSION(), 'read_only', @@read_only + 0, 'datadir', @@datadir,
 'max_connections', @@max_connections, 'connections', (SELECT COUNT(*) FROM information_schema.PROCESSLIST));
"""
UPGRADE_FILES = ("mariadb_upgrade_info", "mysql_upgrade_info")  # the name since 11.0, and before
DATADIR = "SELECT JSON_OBJECT('datadir', @@datadir);\n"
VARIABLES: Mapping[str, str] = {
    flavour: f"SELECT JSON_OBJECT('name', VARIABLE_NAME, 'value', VARIABLE_VALUE) FROM {table};\n"
    for flavour, table in (
        ("mariadb", "information_schema.GLOBAL_VARIABLES"),
        ("mysql", "performance_schema.global_variables"),
    )
}
_DURABILITY = (*db_config.DURABLE, "log_bin", "datadir", "default_storage_engine")
# As text: MariaDB puts a switch into JSON as a bare OFF, which is not JSON.
DURABILITY = (
    "SELECT JSON_OBJECT(" + ", ".join(f"'{name}', CONCAT('', @@{name})" for name in _DURABILITY) + ");\n"
)


def rows(output: str, tool: str) -> list[dict[str, Any]]:
    """Return the objects of a client's output, one a line; anything else raises :class:`Unreadable`."""
    found = []
    for line in output.splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise Unreadable(tool, "a line is not JSON", line[:200]) from error
        if not isinstance(row, dict):
            raise Unreadable(tool, "a line is not a JSON object", line[:200])
        found.append(row)
    return found


def content_sql(flavour: str, columns: Sequence[Mapping[str, Any]]) -> str:
    """Return the query for databases, accounts and grants, given the rows of :data:`COLUMNS`."""
    return _DATABASES + _ACCOUNTS[flavour] + _grants("db", "Db", columns) + _grants("user", "'*'", columns)


def content(flavour: str, found: Iterable[Mapping[str, Any]], check: Check) -> dict[str, Any]:
    """Return ``{"databases": {...}, "accounts": {"nova@%": {...}}}`` without any stored password.

    check
        ``(account, plugin, stored)`` -> whether the stored form is of the password wanted, ``None`` if
        none is wanted for this account.
    """
    facts: dict[str, Any] = {"databases": {}, "accounts": {}}
    grants: list[Mapping[str, Any]] = []
    for row in found:
        if row["kind"] == "database":
            facts["databases"][row["name"]] = {"charset": row["charset"], "collation": row["collation"]}
        elif row["kind"] == "account":
            facts["accounts"][f"{row['name']}@{row['host']}"] = _account(row, check)
        else:
            grants.append(row)
    for row in grants:
        who = f"{row['name']}@{row['host']}"
        held = _held(row["rights"])
        if held and who in facts["accounts"]:
            database = row["database"].replace("\\_", "_").replace("\\%", "%")
            facts["accounts"][who]["grants"][database] = held
    return facts


def durability(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{"safe": bool, "faults": [...], "settings": {...}}`` of the values in force."""
    faults = []
    for name, (wanted, why) in db_config.DURABLE.items():
        if str(row[name]).upper() not in db_config.spellings(wanted):
            faults.append(f"{name} is {row[name]}, not {wanted}: {why}")
    return {"safe": not faults, "faults": faults, "settings": dict(row)}


def upgrade_due(made: str, version: str) -> bool:
    """Return whether MariaDB's system tables are of another series than the server.

    made
        What the installer or ``mariadb-upgrade`` left in the data directory (``11.8.6-MariaDB``), ``""`` if
        nothing. Debian runs the upgrade from the server's unit, which hadb masks; MySQL upgrades by itself.
    """
    return bool(made) and made.split(".")[:2] != version.split(".")[:2]


def _grants(table: str, database: str, columns: Sequence[Mapping[str, Any]]) -> str:
    rights = [row["name"] for row in columns if row["table"] == table]
    pairs = ", ".join(f"{db_sql.text(name)}, {db_sql.identifier(name)} = 'Y'" for name in rights)
    return (
        f"SELECT JSON_OBJECT('kind', 'grant', 'name', User, 'host', Host, 'database', {database}, "
        f"'rights', JSON_OBJECT({pairs})) FROM mysql.{table};\n"
    )


def _account(row: Mapping[str, Any], check: Check) -> dict[str, Any]:
    stored = bytes.fromhex(row["stored"] or "")
    plugin = row["plugin"] or ""
    bare = not stored and plugin in PASSWORD_PLUGINS and not row["others"]
    return {
        "plugin": plugin,
        "password": check(f"{row['name']}@{row['host']}", plugin, stored),
        "open": not int(row["locked"]) and (bare or not row["name"]),
        "grants": {},
    }


def _held(rights: Mapping[str, Any]) -> list[str]:
    named = {column: bool(given) for column, given in rights.items() if column != "Grant_priv"}
    if named and all(named.values()):
        return [db_sql.ALL]
    return sorted(_privilege(column) for column, given in named.items() if given)


def _privilege(column: str) -> str:
    return _PRIVILEGES.get(column, column.removesuffix("_priv").replace("_", " ").upper())
