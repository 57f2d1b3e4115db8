"""What a node needs before a database can run on it: the account and masked units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hadb_core.errors import Refused
from hadb_core.plan import Plan, Step

# Units of both flavours' packages that can start a server by themselves. Masking an alias of a
# masked unit is harmless, and masking works before the package is there.
UNITS = ("mariadb.service", "mariadb.socket", "mariadb-extra.socket", "mysql.service", "mysqld.service")


@dataclass(frozen=True)
class Identity:
    """The account that runs the server; files on the volume carry its numbers to both nodes."""

    name: str
    group: str
    uid: int
    gid: int
    home: str


def plan_identity(users: Mapping[str, tuple[int, int]], groups: Mapping[str, int], wanted: Identity) -> Plan:
    """Return the steps to the group and the user; they are made, never changed.

    users
        Name to (uid, gid). Renumbering an existing account would orphan its files, and ``usermod``
        fails while a server runs, so everything that does not fit is refused.
    """
    _refuse_taken(users, groups, wanted)
    steps = []
    if wanted.group not in groups:
        steps.append(
            Step(
                "group_add",
                f"group {wanted.group}",
                None,
                wanted.gid,
                {"name": wanted.group, "gid": wanted.gid},
            )
        )
    if wanted.name not in users:
        steps.append(
            Step(
                "user_add",
                f"user {wanted.name}",
                None,
                wanted.uid,
                {"name": wanted.name, "uid": wanted.uid, "gid": wanted.gid, "home": wanted.home},
            )
        )
    return Plan(tuple(steps))


def plan_units(units: Mapping[str, Mapping[str, Any]]) -> Plan:
    """Return the steps that mask ``units``.

    units
        Name to ``{"masked": bool, "active": bool}``. A unit that runs is refused, not stopped: hadb
        takes no database down, and masking alone would let it run beside Pacemaker.
    """
    running = [name for name, unit in units.items() if unit["active"]]
    if running:
        raise Refused(
            f"{', '.join(running)} runs under systemd; only Pacemaker may start the database",
            f"save what is in it, then `systemctl disable --now {' '.join(running)}`",
        )
    return Plan(
        tuple(
            Step("mask", f"unit {name}", "not masked", "masked", {"unit": name})
            for name, unit in units.items()
            if not unit["masked"]
        )
    )


def _refuse_taken(users: Mapping[str, tuple[int, int]], groups: Mapping[str, int], wanted: Identity) -> None:
    remedy = (
        "set hadb:database:user to numbers that are free, or this account's, on both nodes; "
        "or, if its files do not matter, purge the database package, remove the account, and run again"
    )
    if groups.get(wanted.group, wanted.gid) != wanted.gid:
        raise Refused(f"group {wanted.group} has gid {groups[wanted.group]}, not {wanted.gid}", remedy)
    if users.get(wanted.name, (wanted.uid, wanted.gid)) != (wanted.uid, wanted.gid):
        uid, gid = users[wanted.name]
        raise Refused(
            f"user {wanted.name} has uid {uid} and gid {gid}, not {wanted.uid} and {wanted.gid}", remedy
        )
    for name, gid in groups.items():
        if gid == wanted.gid and name != wanted.group:
            raise Refused(f"gid {gid} belongs to group {name}", remedy)
    for name, (uid, _) in users.items():
        if uid == wanted.uid and name != wanted.name:
            raise Refused(f"uid {uid} belongs to user {name}", remedy)
