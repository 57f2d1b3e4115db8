"""Is there an instance in the data directory, and may hadb make one there?

An instance is made in a directory beside it and renamed into place when it is complete, so a data
directory is either whole or not there. A directory that is neither empty nor an instance is
somebody else's and is refused.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hadb_core.errors import Refused
from hadb_core.plan import Plan, Step

MARKER = ".hadb-instance"  # in the data directory, written last
PARTIAL = ".hadb-partial"  # in a directory that is being made, written first

# What each server's system schema always has (10.4+ and 8.0+), relative to the data directory.
SIGNS: Mapping[str, str] = {"mariadb": "mysql/global_priv.frm", "mysql": "mysql.ibd"}


@dataclass(frozen=True)
class Place:
    """What was found at a data directory.

    mounted
        Whether the mount point that must carry it is mounted.
    entries
        Names in it, ``None`` if it does not exist.
    signs
        Which of :data:`SIGNS` (values) exist in it.
    owner
        Numeric uid, ``None`` if it does not exist.
    partial
        Whether a directory of an interrupted run is beside it.
    """

    mounted: bool
    entries: Collection[str] | None
    signs: Collection[str] = ()
    owner: int | None = None
    partial: bool = False


def partial_of(datadir: str) -> str:
    """Return where an instance for ``datadir`` is made: beside it, so that a rename is enough."""
    # Not a hidden name: MySQL skips hidden directories when it looks for its files (9.7, seen).
    return f"{datadir.rstrip('/')}.hadb-partial"


def faults(datadir: str, mount_point: str) -> list[str]:
    """Return why this data directory cannot be used: it must be a directory below the mount point."""
    inside = posixpath.normpath(datadir).startswith(posixpath.normpath(mount_point).rstrip("/") + "/")
    if posixpath.isabs(datadir) and inside and posixpath.normpath(datadir) == datadir.rstrip("/"):
        return []
    return [
        f"hadb:database:datadir ({datadir}) must be a directory below the mount point {mount_point}, "
        "not the mount point itself (lost+found is there)"
    ]


def mounted(mountinfo: str, mount_point: str) -> bool:
    """Return whether ``/proc/self/mountinfo`` has this mount point (field 5, blanks as ``\\040``)."""
    wanted = posixpath.normpath(mount_point).replace("\\", "\\134").replace(" ", "\\040")
    return any(line.split(" ")[4] == wanted for line in mountinfo.splitlines() if line.count(" ") > 4)


def flavour_in(place: Place) -> str:
    """Return the flavour of the instance there, ``""`` if there is none."""
    for flavour, sign in SIGNS.items():
        if sign in place.signs and "ibdata1" in (place.entries or ()):
            return flavour
    return ""


def plan(
    place: Place,
    *,
    datadir: str,
    mount_point: str,
    flavour: str,
    uid: int | None,
    test: bool,
    args: Mapping[str, Any],
) -> Plan:
    """Return the steps to an instance in ``datadir``: none, ``initialise``, or first ``discard_partial``.

    uid
        The database account's id; ``None`` if it does not exist yet (possible in a test run only).
    test
        A test run predicts for a volume that is not mounted yet; a real run refuses.
    args
        Arguments of ``initialise``.
    """
    _refuse_wrong_place(datadir, mount_point)
    remarks = () if place.mounted else _refuse_unmounted(mount_point, test)
    there = flavour_in(place) if place.mounted else ""
    if there:
        _refuse_wrong_instance(place, there, datadir, flavour, uid)
        adopted = f"The instance in {datadir} was not made by hadb; it is used as it is."
        return Plan(remarks=() if MARKER in (place.entries or ()) else (adopted,))
    if place.mounted and place.entries:
        raise Refused(
            f"{datadir} is not empty and holds no instance: {', '.join(sorted(place.entries)[:5])}",
            f"look at what it is; hadb makes an instance only where {datadir} is empty or missing",
        )
    steps = [Step("initialise", f"instance {datadir}", None, flavour, args)]
    if place.mounted and place.partial:
        leftover = partial_of(datadir)
        steps.insert(
            0,
            Step(
                "discard_partial",
                f"interrupted initialisation {leftover}",
                "present",
                None,
                {"datadir": datadir},
            ),
        )
    return Plan(tuple(steps), remarks)


def _refuse_wrong_place(datadir: str, mount_point: str) -> None:
    if found := faults(datadir, mount_point):
        raise Refused(found[0])


def _refuse_unmounted(mount_point: str, test: bool) -> tuple[str, ...]:
    if test:
        return (f"{mount_point} is not mounted here: this is what an empty volume would get.",)
    raise Refused(
        f"{mount_point} is not mounted on this node",
        "run this on the node that has the volume; the data would land on the local disk",
    )


def _refuse_wrong_instance(place: Place, there: str, datadir: str, flavour: str, uid: int | None) -> None:
    if there != flavour:
        raise Refused(
            f"{datadir} holds a {there} instance, the pillar wants {flavour}",
            "set hadb:database:flavour, or move the data by dump and load",
        )
    if uid is not None and place.owner != uid:
        raise Refused(
            f"{datadir} belongs to uid {place.owner}, the database account has uid {uid}",
            "set hadb:database:user:uid to the owner's id, or chown it while no server runs",
        )
