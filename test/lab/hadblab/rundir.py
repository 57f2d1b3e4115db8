"""Where one lab keeps its state, and the record of what it was started with."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hadblab.errors import LabError

# Longer paths do not leave room for ssh's control sockets (108 characters in all).
_LONGEST_PATH = 70
_UNQUOTED_PATH = r"/[A-Za-z0-9._/-]+"


@dataclass(frozen=True)
class RunDir:
    """The files of one lab: ``home`` is shared with others, ``name`` is this one's."""

    home: Path
    name: str

    @property
    def root(self) -> Path:
        """The directory of everything that belongs to the running lab."""
        return self.home / "run" / self.name

    @property
    def namespace(self) -> str:
        """The lab's network namespace."""
        return f"hadb-{self.name}"

    @property
    def namespace_file(self) -> Path:
        """The file by which the namespace can be entered."""
        return Path("/run/netns") / self.namespace

    @property
    def lock(self) -> Path:
        """Held by whoever changes the lab as a whole; outlives the lab."""
        return self.home / "run" / f"{self.name}.lock"

    @property
    def events(self) -> Path:
        """The lab's event log, one JSON document a line; outlives the lab."""
        return self.root / "events.log"

    @property
    def record(self) -> Path:
        """What the lab was started with."""
        return self.root / "lab.json"

    @property
    def pushed(self) -> Path:
        """Fingerprints of the formula and the pillar that the master has."""
        return self.root / "pushed.json"

    @property
    def kernels(self) -> Path:
        """User-Mode Linux's own directory of running kernels."""
        return self.root / "uml"

    @property
    def ssh_config(self) -> Path:
        """ssh's configuration: ``ssh -F`` this file reaches every node by name."""
        return self.root / "ssh" / "config"

    @property
    def snapshots(self) -> Path:
        """The directory of this lab's snapshots; outlives the lab."""
        return self.home / "snapshots" / self.name

    def node(self, name: str) -> Path:
        """Return the directory of one node."""
        return self.root / "nodes" / name

    def console(self, name: str) -> Path:
        """Return the log of one node's console; outlives the lab."""
        return self.root / "logs" / f"{name}.log"

    def bmc_log(self, name: str) -> Path:
        """Return what one node's BMC printed; outlives the lab."""
        return self.root / "logs" / f"{name}-bmc.log"

    def bmc(self, name: str) -> Path:
        """Return the directory of one node's BMC."""
        return self.root / "bmc" / name

    def lun(self, name: str) -> Path:
        """Return the file behind one LUN."""
        return self.root / "luns" / f"{name}.img"

    def inside(self, *argv: str) -> list[str]:
        """Return the command line that runs ``argv`` in the lab's network namespace."""
        return ["nsenter", f"--net={self.namespace_file}", "--", *argv]


def locate() -> RunDir:
    """Return the lab that the environment means: ``HADB_LAB_HOME`` and ``HADB_LAB``.

    :raises LabError: a name or a path that the lab's tools could not use.
    """
    home = os.environ.get("HADB_LAB_HOME") or "/var/tmp/hadb-lab"
    name = os.environ.get("HADB_LAB") or "lab"
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", name):
        raise LabError(f"HADB_LAB: a lab's name is up to 16 lower-case letters, digits and -, not {name!r}")
    found = RunDir(Path(home), name)
    if not re.fullmatch(_UNQUOTED_PATH, home) or len(str(found.root)) > _LONGEST_PATH:
        raise LabError(
            f"HADB_LAB_HOME: must be an absolute path of letters, digits, '.', '_' and '-', "
            f"short enough for sockets, not {home!r}"
        )
    return found


@dataclass(frozen=True)
class Record:
    """What a lab was started with.

    :param phase: ``starting`` or ``up``; a lab found in ``starting`` was interrupted.
    :param images: fingerprint of each role's image.
    :param topology: the topology as a document.
    :param pillar: the pillar file, absolute.
    """

    phase: str
    distro: str
    salt: str
    topology: dict[str, Any]
    pillar: str
    kernel: str
    bases: dict[str, str]
    images: dict[str, str]
    ssh_key: str

    def differences(self, other: Record) -> list[str]:
        """Return what the other was started with instead, one phrase each."""
        found = [
            f"{key} {mine} instead of {theirs}"
            for key in ("distro", "salt", "pillar")
            if (mine := getattr(self, key)) != (theirs := getattr(other, key))
        ]
        return found + ["another topology"] * (self.topology != other.topology)


def write_record(run: RunDir, record: Record) -> None:
    """Write the record so that a reader sees the old or the new one, never half."""
    write_json(run.record, asdict(record))


def read_record(path: Path) -> Record | None:
    """Return a record, or None when there is none.

    :raises LabError: the file is not one that this program wrote.
    """
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise LabError(f"{path}: not a lab's record: {error}") from error


def write_json(path: Path, value: object) -> None:
    """Replace a JSON file in one step."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(value, indent=1), encoding="utf-8")
    temporary.replace(path)
