"""Ensure that the instance on the shared volume exists and has the databases and accounts wanted.

Once per cluster, on the node that has the volume. Nothing that exists is overwritten or removed.
"""

from __future__ import annotations

from typing import Any

from hadb_core import db_content, db_datadir
from hadb_core.errors import HadbError, Invalid
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan, Step

__virtualname__ = "dbinstance"


def __virtual__() -> str:
    return __virtualname__


def initialised(
    name: str, mount_point: str, flavour: str, user: str = "mysql", config: str = "/etc/hadb/my.cnf"
) -> dict[str, Any]:
    """Ensure that there is an instance in a data directory on the mounted volume.

    name
        The data directory.
    mount_point
        Where the volume is mounted.
    flavour
        ``mariadb`` or ``mysql``.
    user
        The account that runs the server.
    config
        The server's option file.

    **Safety**: only an empty or missing directory is used, and only on the mounted volume. An
    instance that is there is left as it is. An initialisation that was cut off is made again.

    .. code-block:: yaml

        /dbmnt/mysql:
          dbinstance.initialised:
            - mount_point: /dbmnt
            - flavour: mariadb
    """
    args = {"datadir": name, "flavour": flavour, "user": user, "config": config}

    def plan() -> Plan:
        place = db_datadir.Place(**__salt__["dbinstance.place"](name, mount_point))
        return db_datadir.plan(
            place,
            datadir=name,
            mount_point=mount_point,
            flavour=flavour,
            uid=__salt__["dbinstance.user_id"](user),
            test=__opts__["test"],
            args=args,
        )

    return converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "dbinstance", steps),
        test=__opts__["test"],
        done=f"There is a {flavour} instance in {name}",
    )


def content_present(
    name: str,
    mount_point: str,
    flavour: str,
    presets: list[str],
    databases: dict[str, Any],
    accounts: dict[str, Any],
    socket: str = "/run/mysqld/mysqld.sock",
    pid_file: str = "/run/mysqld/mysqld.pid",
    config: str = "/etc/hadb/my.cnf",
) -> dict[str, Any]:
    """Ensure that databases, accounts and grants exist, and that the accounts have the pillar's passwords.

    name
        The data directory.
    mount_point
        Where the volume is mounted.
    flavour
        ``mariadb`` or ``mysql``.
    presets
        Sets of databases and accounts that hadb knows (``openstack_nova``).
    databases
        Name to ``{charset, collation}``.
    accounts
        Name to ``{hosts, grants}``. The password is read from ``hadb:database:accounts:NAME:password``.
    socket, pid_file, config
        The server's.

    **Safety**: uses the server that runs; if none does, and no cluster manages one, a temporary
    server without network is started and shut down again. What the pillar does not name is left
    alone.

    .. code-block:: yaml

        /dbmnt/mysql:
          dbinstance.content_present:
            - mount_point: /dbmnt
            - flavour: mariadb
            - presets: [openstack_nova]
            - databases: {glance: {charset: utf8mb3, collation: utf8mb3_general_ci}}
            - accounts: {nova: {}, glance: {grants: {glance: ALL PRIVILEGES}}}
    """
    served: dict[str, str] = {}

    def plan() -> Plan:
        target = db_content.wanted(presets, databases, accounts)
        keys = {
            f"{account.name}@{host}": account.password_key
            for account in target.accounts
            for host in account.hosts
        }
        _refuse_missing(keys)
        if __opts__["test"] and not __salt__["dbinstance.ping"](socket, name):
            return _prediction(target, db_datadir.Place(**__salt__["dbinstance.place"](name, mount_point)))
        if not served:
            served["socket"] = __salt__["dbinstance.serve"](name, flavour, socket, pid_file, config)
        facts = __salt__["dbcontent.content"](flavour, served["socket"], keys)
        return db_content.plan(facts, target, {"flavour": flavour, "socket": served["socket"]})

    ret = converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "dbcontent", steps),
        test=__opts__["test"],
        done=f"Databases and accounts of {name} are as wanted",
    )
    if served.get("socket", socket) != socket:
        _release(ret)
    return ret


def _refuse_missing(keys: dict[str, str]) -> None:
    missing = [key for key in dict.fromkeys(keys.values()) if not __salt__["dbcontent.password_set"](key)]
    if missing:
        raise Invalid([f"{key} is not set: the account needs a password" for key in missing])


def _prediction(target: db_content.Wanted, place: db_datadir.Place) -> Plan:
    """A test run starts no server: without an instance all is missing, with a stopped one nothing is known."""
    if not place.mounted or not db_datadir.flavour_in(place):
        return db_content.plan({"databases": {}, "accounts": {}}, target, {})
    return Plan((Step("serve", "contents", "unknown, no server runs", "checked and completed"),))


def _release(ret: dict[str, Any]) -> None:
    try:
        __salt__["dbinstance.release"]()
    except HadbError as error:
        ret.update(result=False, comment=f"{ret['comment']}\n{error}")
