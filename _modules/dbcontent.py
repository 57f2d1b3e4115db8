"""What is in the database server: databases, accounts, grants.

Commands go to the server's local socket as root, which both flavours let in by operating system
account. SQL travels by standard input. Passwords never leave this process: what the server gets
is the form that it stores (see ``hadb_core.db_password``).
"""

from __future__ import annotations

from typing import Any

from hadb_core import db_client, db_facts, db_password, db_sql, document
from hadb_core.errors import Invalid

__virtualname__ = "dbcontent"

SOCKET = "/run/mysqld/mysqld.sock"


def __virtual__() -> str:
    return __virtualname__


def content(
    flavour: str, socket: str = SOCKET, password_keys: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return ``{"databases": {...}, "accounts": {"nova@%": {"plugin", "password", "open", "grants"}}}``.

    flavour, socket
        ``mariadb`` or ``mysql``, and the server's local socket.
    password_keys
        Account (``nova@%``) to the pillar key of its password; ``password`` then says whether the
        server has this one. No password and no stored form of one is returned.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.content mariadb
    """
    keys = password_keys or {}

    def check(who: str, plugin: str, held: bytes) -> bool | None:
        return (
            db_password.matches(plugin, held, document.secret(__pillar__, keys[who]))
            if who in keys
            else None
        )

    run_all = __salt__["cmd.run_all"]
    columns = db_client.query(run_all, db_facts.COLUMNS, socket)
    return db_facts.content(
        flavour, db_client.query(run_all, db_facts.content_sql(flavour, columns), socket), check
    )


def password_set(key: str) -> bool:
    """Return whether the pillar has a password at ``key``; the password itself is not returned.

    key
        Words with colons: ``hadb:database:accounts:nova:password``.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.password_set hadb:database:accounts:nova:password
    """
    try:
        return bool(document.secret(__pillar__, key))
    except Invalid:
        return False


def databases(flavour: str = "mariadb", socket: str = SOCKET) -> dict[str, Any]:
    """Return the databases: ``{"nova": {"charset": ..., "collation": ...}}``.

    flavour, socket
        As in :func:`content`.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.databases
    """
    return content(flavour, socket)["databases"]


def accounts(flavour: str = "mariadb", socket: str = SOCKET) -> dict[str, Any]:
    """Return the accounts: ``{"nova@%": {"plugin": ..., "open": ...}}``; ``open`` needs no password.

    flavour, socket
        As in :func:`content`.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.accounts
    """
    found = content(flavour, socket)["accounts"]
    return {who: {"plugin": there["plugin"], "open": there["open"]} for who, there in found.items()}


def grants(flavour: str = "mariadb", socket: str = SOCKET) -> dict[str, Any]:
    """Return the grants: ``{"nova@%": {"nova": ["ALL PRIVILEGES"]}}``; ``*`` is every database.

    flavour, socket
        As in :func:`content`.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.grants
    """
    found = content(flavour, socket)["accounts"]
    return {who: there["grants"] for who, there in found.items()}


def database_create(
    name: str, charset: str = "", collation: str = "", flavour: str = "mariadb", socket: str = SOCKET
) -> None:
    """Make a database.

    name
        Its name.
    charset, collation
        Of tables made later; ``""`` takes the server's.
    flavour, socket
        As in :func:`content`.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.database_create nova utf8mb3 utf8mb3_general_ci
    """
    _execute(db_sql.create_database(name, charset, collation), socket)


def database_alter(
    name: str, charset: str = "", collation: str = "", flavour: str = "mariadb", socket: str = SOCKET
) -> None:
    """Change the character set that tables made later get.

    name
        Its name.
    charset, collation
        The new ones; ``""`` leaves one as it is. Tables that exist keep theirs.
    flavour, socket
        As in :func:`content`.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.database_alter nova utf8mb3
    """
    _execute(db_sql.alter_database(name, charset, collation), socket)


def account_create(
    name: str, host: str, password_key: str, flavour: str = "mariadb", socket: str = SOCKET
) -> None:
    """Make an account whose password is at ``password_key`` in the pillar.

    name, host
        The account: ``nova`` and a pattern of hosts such as ``%``.
    password_key
        ``hadb:database:accounts:nova:password``; the server gets only the form that it stores.
    flavour, socket
        As in :func:`content`.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.account_create nova % hadb:database:accounts:nova:password
    """
    _execute(db_sql.create_account(name, host, _identified(flavour, password_key)), socket)


def account_password(
    name: str, host: str, password_key: str, flavour: str = "mariadb", socket: str = SOCKET
) -> None:
    """Give an account the password at ``password_key`` in the pillar. Sessions that are open stay open.

    name, host, password_key
        As in :func:`account_create`.
    flavour, socket
        As in :func:`content`.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.account_password nova % hadb:database:accounts:nova:password
    """
    _execute(db_sql.alter_account(name, host, _identified(flavour, password_key)), socket)


def grant(
    name: str, host: str, database: str, privileges: list[str], flavour: str = "mariadb", socket: str = SOCKET
) -> None:
    """Give an account privileges on one database (``*``: on all).

    name, host
        As in :func:`account_create`.
    database
        One database, taken literally (``_`` is no wildcard), or ``*``.
    privileges
        A list: ``["SELECT", "INSERT"]`` or ``["ALL PRIVILEGES"]``.
    flavour, socket
        As in :func:`content`.

    CLI Example:

    .. code-block:: bash

        salt db1 dbcontent.grant nova % nova '["ALL PRIVILEGES"]'
    """
    _execute(db_sql.grant(name, host, database, privileges), socket)


def _identified(flavour: str, password_key: str) -> str:
    """Return the clause that gives an account the pillar's password, in the form that the server stores."""
    return db_sql.identified(flavour, db_password.stored(flavour, document.secret(__pillar__, password_key)))


def _execute(sql: str, socket: str) -> None:
    db_client.execute(__salt__["cmd.run_all"], sql, socket)
