"""The default topology, as tests need it: fresh for each change."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from hadblab import topology_file
from hadblab.rundir import Record, RunDir
from hadblab.topology import Topology

FILE = Path(__file__).resolve().parents[2] / "lab" / "topology.toml"
_DEFAULT = topology_file.load(FILE)
RUN = RunDir(Path("/var/tmp/hadb-lab"), "lab")


def document() -> dict[str, Any]:
    return copy.deepcopy(_DEFAULT)


def default() -> Topology:
    return topology_file.parse(document())


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "phase": "up", "distro": "debian13", "salt": "3008.3", "topology": document(), "pillar": "/p.sls",
        "kernel": "/k/linux.uml", "bases": {"node": "/n.img", "san": "/s.img", "master": "/m.img"},
        "images": {"node": "n1", "san": "s1", "master": "m1"}, "ssh_key": "/k/key",
    }  # fmt: skip
    return Record(**{**values, **changes})
