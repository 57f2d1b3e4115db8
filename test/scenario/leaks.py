"""Where secrets were found, and where they may be: pure functions to findings, and the search of one machine of the lab."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from hadblab import ssh
from hadblab.image_salt import PREFIX
from hadblab.seed_salt import PILLAR
from scenario import canaries, leak_probe
from scenario.canaries import AUTHKEY, CONTROL, STORED, Canary
from scenario.lab import Lab

_PROGRAM = Path(leak_probe.__file__)
# Seconds; some hundred MB per node, on two busy cores.
_SEARCH_SECONDS = 600.0
# Everything that is written to on a running machine. Of /usr only what the formula puts there: the rest came out of packages.
ROOTS = ("/boot", "/dev/shm", "/etc", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr/lib/hadb", "/usr/lib/ocf",
         "/usr/local", "/usr/sbin/fence_hadb", "/var")  # fmt: skip
# Packages as they were fetched, and Salt's own program.
SKIP = (PREFIX, "/var/cache/apt", "/var/lib/apt/lists", "/var/lib/dpkg")
JOURNAL = "the journal"
# `export` prints every field of every entry, the command line of who wrote it among them.
_JOURNAL = {JOURNAL: ["journalctl", "--all", "--no-pager", "--output=export"]}
ON_MASTER: dict[str, list[str]] = _JOURNAL
ON_NODE = {
    **_JOURNAL, "the CIB": ["cibadmin", "--query"], "Corosync's map": ["corosync-cmapctl"],
    "the cluster's status": ["crm_mon", "--one-shot", "--output-as=xml", "--fence-history=3"],
}  # fmt: skip


@dataclass(frozen=True)
class Access:
    """Who may do what with a file: its mode without its kind, and the names of owner and group."""

    mode: int
    owner: str
    group: str

    def __str__(self) -> str:
        return f"{self.mode:04o} {self.owner}:{self.group}"


@dataclass(frozen=True)
class Hit:
    """Canaries by their names in one place; ``access`` is that of a file."""

    where: str
    names: tuple[str, ...]
    access: Access | None = None


@dataclass(frozen=True)
class Search:
    """What a search of one machine told.

    unread
        What could not be looked at, with the reason.
    access
        Of the directories that had to be looked at; one that is missing is not there.
    """

    hits: tuple[Hit, ...]
    unread: tuple[str, ...] = ()
    access: Mapping[str, Access] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Place:
    """A place that may hold secrets.

    path, names
        Patterns of the file's path and of the canaries' names; ``*`` also matches ``/``.
    access
        What each such file has to be; None where the door is enough.
    door
        A directory above that keeps everybody else out, and what it has to be.
    needed
        Whether at least one such file with at least one such canary has to be there: otherwise the search is blind.
    """

    path: str
    names: str
    access: Access | None = None
    door: tuple[str, Access] | None = None
    needed: bool = True


def parse(text: str) -> Search:
    """Return what the program on the machine printed. Raises ValueError, KeyError or TypeError for anything else."""
    told = json.loads(text)
    hits = tuple(Hit(hit["where"], tuple(hit["names"]), _access(hit["access"])) for hit in told["hits"])
    access = {path: Access(*found) for path, found in told["access"].items()}
    return Search(hits, tuple(told["unread"]), access, told["files"], told["bytes"])


def places_on_node(pillar: Mapping[str, Any], datadir: str, *, active: bool) -> list[Place]:
    """Return where a database node may, and must, hold secrets.

    pillar
        ``hadb`` of the pillar.
    active
        Whether the data directory is there.
    """
    private = Access(0o600, "root", "root")
    found = [
        Place(f"/etc/hadb/bmc/{node['bmc']['address']}", f"hadb:nodes:{name}:bmc:password", private,
              ("/etc/hadb/bmc", Access(0o700, "root", "root")))
        for name, node in pillar["nodes"].items()
    ]  # fmt: skip
    found += [
        # Two BMCs with one password: its file is also one with the other's.
        Place("/etc/hadb/bmc/*", "hadb:nodes:*:bmc:password", private, needed=False),
        Place("/etc/corosync/authkey", AUTHKEY, Access(0o400, "root", "root")),
    ]
    if active:
        found.append(Place(f"{datadir}/*", f"*{STORED}", door=(datadir, Access(0o700, "mysql", "mysql"))))
    return found


def places_on_master() -> list[Place]:
    """Return where the master may, and must, hold secrets: the pillar itself, and Salt's own cache of it (3008, 3006)."""
    private = Access(0o600, "root", "root")
    caches = ("/var/cache/salt/master/pillar/*.p", "/var/cache/salt/master/minions/*/data.p")
    return [Place(f"{PILLAR}/hadb.sls", "hadb:*:password", private),
            *(Place(path, "hadb:*:password", private, needed=False) for path in caches)]  # fmt: skip


def findings(machine: str, search: Search, places: Sequence[Place]) -> list[str]:
    """Return everything that is not as it should be on one machine, as sentences without a secret."""
    found = [f"{machine}: not searched: {what}" for what in search.unread]
    for hit in search.hits:
        for name in hit.names:
            if name != CONTROL:
                found += [f"{machine}: {fault}" for fault in _misplaced(hit, name, places)]
    for place in places:
        if place.needed and not any(_fits(place, hit.where, name) for hit in search.hits for name in hit.names):
            found.append(f"{machine}: {place.names} is not in {place.path}, where it has to be")
    for door, wanted in dict.fromkeys(place.door for place in places if place.door):
        if search.access.get(door) != wanted:
            found.append(f"{machine}: {door} is {search.access.get(door, 'not there')}, not {wanted}")
    # A file with three secrets that others may read is one finding.
    return list(dict.fromkeys(found))


def blind(machine: str, search: Search, planted: Iterable[str]) -> list[str]:
    """Return the places in which the canary that was planted there was not found: the search does not see there.

    planted
        Patterns of what a hit calls its place.
    """
    seen = [hit.where for hit in search.hits if CONTROL in hit.names]
    return [f"{machine}: the search is blind: it does not find what was planted in {place}"
            for place in planted if not any(fnmatchcase(where, place) for where in seen)]  # fmt: skip


def told_by(what: str, text: str, wanted: Iterable[Canary]) -> list[str]:
    """Return a finding for each canary in a text, such as what a command printed here."""
    needles = leak_probe.Needles(canaries.told(wanted))
    return [f"{what}: {name} is in it" for name in sorted(needles.within(text.encode()) - {CONTROL})]


def search(lab: Lab, machine: str, wanted: Iterable[Canary], places: Sequence[Place], *, roots: Sequence[str] = (),
           commands: Mapping[str, Sequence[str]]) -> Search:  # fmt: skip
    """Search a machine of the lab. Raises LabError when it cannot be done.

    roots
        Directories besides :data:`ROOTS`.
    commands
        What to run there and to search the output of.
    """
    asked = {
        "canaries": canaries.told(wanted), "roots": [*ROOTS, *roots], "skip": SKIP, "commands": commands,
        "look": [place.door[0] for place in places if place.door],
    }  # fmt: skip
    done = ssh.call(lab.run, machine, "python3", "-c", _PROGRAM.read_text(encoding="utf-8"), input=json.dumps(asked),
                    timeout=_SEARCH_SECONDS)  # fmt: skip
    return parse(done.stdout)


def _misplaced(hit: Hit, name: str, places: Sequence[Place]) -> list[str]:
    allowed = [place for place in places if _fits(place, hit.where, name)]
    if not allowed:
        return [f"{name} is in {hit.where}"]
    wanted = [place.access for place in allowed if place.access]
    return [f"{hit.where} is {hit.access}, not {access}" for access in dict.fromkeys(wanted) if access != hit.access]


def _fits(place: Place, where: str, name: str) -> bool:
    return fnmatchcase(where, place.path) and fnmatchcase(name, place.names)


def _access(found: list[Any] | None) -> Access | None:
    return Access(*found) if found else None
