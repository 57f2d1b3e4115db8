"""Ensure what a database needs of its node. Node scope: safe on any node, at any time, also with the
database running: nothing here starts, stops or restarts it.
"""

from __future__ import annotations

from typing import Any

from hadb_core import db_apparmor, db_config, db_node
from hadb_core.errors import Invalid
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan, Step

__virtualname__ = "dbnode"


def __virtual__() -> str:
    return __virtualname__


def identity_present(name: str, group: str, uid: int, gid: int, home: str) -> dict[str, Any]:
    """Ensure that the account that runs the server exists with these ids.

    name, group
        The user and its primary group.
    uid, gid
        Equal on both nodes: the files on the shared volume carry the numbers.
    home
        Its home directory, which is not created.

    **Safety**: nothing that exists is changed. An account with other numbers, or numbers that
    somebody else has, fail the state.

    .. code-block:: yaml

        mysql:
          dbnode.identity_present:
            - group: mysql
            - uid: 3306
            - gid: 3306
            - home: /var/lib/mysql
    """
    wanted = db_node.Identity(name, group, uid, gid, home)

    def plan() -> Plan:
        there = __salt__["dbnode.identities"]()
        return db_node.plan_identity(there["users"], there["groups"], wanted)

    return _converge(name, plan, f"User {name} has uid {uid} and gid {gid}")


def units_masked(name: str, units: list[str] | None = None) -> dict[str, Any]:
    """Ensure that systemd can never start a database server: only Pacemaker does.

    name
        Any text.
    units
        Units; those of MariaDB's and MySQL's packages unless given. They need not exist yet.

    **Safety**: a server that runs under one of them is not stopped; the state fails and says how.

    .. code-block:: yaml

        no unit can start a database:
          dbnode.units_masked: []
    """
    return _converge(
        name,
        lambda: db_node.plan_units(__salt__["dbnode.units"](units)),
        "No unit can start a database server",
    )


def apparmor_permits(name: str, flavour: str, datadir: str, files: list[str], config: str) -> dict[str, Any]:
    """Ensure that AppArmor lets the server use its data directory.

    name
        Any text.
    flavour
        ``mariadb`` or ``mysql``.
    datadir
        The data directory.
    files
        Socket, pid file and log.
    config
        The option file.

    .. code-block:: yaml

        AppArmor lets the server use its data:
          dbnode.apparmor_permits:
            - flavour: mysql
            - datadir: /dbmnt/mysql
            - files: [/run/mysqld/mysqld.sock]
            - config: /etc/hadb/my.cnf
    """
    rules = db_apparmor.rules(datadir, files, config)

    def plan() -> Plan:
        facts = __salt__["dbnode.apparmor_facts"](flavour)
        wanted = db_apparmor.override(flavour, rules, facts["profiles"], facts["local"])
        if wanted is None:
            return Plan(remarks=(f"Nothing confines {flavour} on this node.",))
        if wanted.text == facts["local"]:
            return Plan()
        args = {"path": wanted.path, "text": wanted.text, "profile": wanted.profile}
        return Plan((Step("apparmor_permit", f"file {wanted.path}", None, rules, args),))

    return _converge(name, plan, f"AppArmor lets the server use {datadir}")


def configured(
    name: str,
    flavour: str,
    datadir: str,
    socket: str,
    pid_file: str,
    error_log: str,
    user: str,
    port: int,
    bind_address: str,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Ensure that the server's option file is as the pillar wants it.

    name
        The file, ``/etc/hadb/my.cnf``.
    flavour, datadir, socket, pid_file, error_log, user, port, bind_address
        As in ``hadb:database`` (``user`` is the user's name).
    settings
        More of ``[mysqld]``. One that weakens durability fails the state.

    **Safety**: a running server is not restarted; it takes the file at its next start.

    .. code-block:: yaml

        /etc/hadb/my.cnf:
          dbnode.configured:
            - flavour: mariadb
            - datadir: /dbmnt/mysql
            - socket: /run/mysqld/mysqld.sock
            - pid_file: /run/mysqld/mysqld.pid
            - error_log: /var/log/mysql/error.log
            - user: mysql
            - port: 3306
            - bind_address: 0.0.0.0
            - settings: {innodb_buffer_pool_size: 8G}
    """
    server = db_config.Server(
        flavour, datadir, socket, pid_file, error_log, user, port, bind_address, settings
    )

    def plan() -> Plan:
        if found := db_config.faults(settings):
            raise Invalid(found)
        return db_config.plan(name, __salt__["dbnode.read"](name), db_config.render(server))

    return _converge(name, plan, f"{name} is as wanted")


def _converge(name: str, plan: Any, done: str) -> dict[str, Any]:
    return converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "dbnode", steps),
        test=__opts__["test"],
        done=done,
    )
