"""One real call of one function, what has to come of it, and how it is put back; and what calls are made from."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from scenario.lab import Lab

ACTIVE, PASSIVE, MASTER = "active", "passive", "master"
MODULES, STATES, RUNNERS = "modules", "states", "runners"

SCRATCH = "/var/lib/hadb-test"
# Of the volume that is made on the spare LUN and taken away again.
VG, LV, MOUNT = "spare-vg", "spare", "/mnt/hadb-test"
# The lab's second LUN, which the pillar does not name; topology.toml has its serial.
SPARE = "36001405" + "2" + "0" * 24

_PRELUDE = 'wait_for() { for i in $(seq 150); do eval "$1" && return 0; sleep 0.1; done; return 1; }'


@dataclass(frozen=True)
class Call:
    """A row of the table.

    function
        ``module.function``, as Salt knows it.
    on
        ``active`` (where the database runs), ``passive``, or ``master``.
    args
        Keyword arguments, or what makes them.
    expect
        Whether the answer is the right one. Of a state its result, of a runner the document that it prints.
    raises
        Part of the error that the call is to end with, where the lab gives it no occasion to succeed.
    before, shows, undo
        Shell scripts on the node: what has to be there first, a look from outside that fails unless the call has
        had its effect, and what puts it back. They know $ACTIVE, $WWID, ... (:attr:`Known.variables`).
    pillar
        What the pillar says besides during this call: ``hadb:fencing:privlvl`` -> value, or what makes it.
    kind
        Whose function it is: execution modules', states' (applied alone, by ``state.single``) or runners'.
    """

    function: str
    on: str
    args: Mapping[str, Any] | Callable[[Known], Mapping[str, Any]]
    expect: Callable[[Any, Known], bool]
    raises: str = ""
    before: str = ""
    shows: str = ""
    undo: str = ""
    pillar: Callable[[Known], Mapping[str, Any]] | None = None
    kind: str = MODULES

    @property
    def only_reads(self) -> bool:
        """Whether it can share a job with others: nothing has to be done around it."""
        return self.kind == MODULES and not (self.before or self.shows or self.undo or self.pillar)

    def arguments(self, known: Known) -> Mapping[str, Any]:
        """Return the keyword arguments. Raises KeyError when they need an answer that is not there yet."""
        return self.args(known) if callable(self.args) else self.args


State = partial(Call, kind=STATES)
Runner = partial(Call, kind=RUNNERS)


class Known:
    """What arguments and expectations are made from.

    answers
        The last answer of each function so far.
    document
        What ``hadb.cluster.cib`` passes on to ``pacemaker.configured``.
    """

    def __init__(self, lab: Lab, active: str) -> None:
        self.lab = lab
        self.active, self.passive = active, lab.peer(active)
        self.answers: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.vg, self.lv = lab.storage["vg"], lab.storage["lv"]
        self.wwid = lab.storage["luns"][0]["wwid"]
        self.vip = lab.addresses[0]
        self.cable = lab.pillar["heartbeat"]["interfaces"][1]
        self.nodes = sorted(lab.nodes)

    def node(self, part: str) -> str:
        """Return the node that plays a part."""
        return {ACTIVE: self.active, PASSIVE: self.passive}[part]

    def bmc(self, part: str) -> str:
        """Return the address of a node's BMC."""
        return str(self.lab.pillar["nodes"][self.node(part)]["bmc"]["address"])

    def guid(self, part: str) -> str:
        """Return the identity that the lab gave a node's BMC."""
        return uuid.uuid5(uuid.NAMESPACE_OID, self.node(part)).hex

    def wanted(self, part: str = "") -> dict[str, str]:
        """Return the pillar keys of the BMCs' passwords by address; of one node, or of all."""
        return {
            node["bmc"]["address"]: f"hadb:nodes:{name}:bmc:password"
            for name, node in self.lab.pillar["nodes"].items() if not part or name == self.node(part)
        }  # fmt: skip

    def corosync_key(self) -> str:
        """Return the cluster's key as a pillar would hold it."""
        return self.lab.ask(self.active, "base64 -w0 /etc/corosync/authkey").stdout.strip()

    @property
    def variables(self) -> dict[str, str]:
        """What shell scripts of the table know."""
        return {
            "ACTIVE": self.active, "PASSIVE": self.passive, "WWID": self.wwid, "SPARE": SPARE, "VG": VG, "LV": LV,
            "MNT": MOUNT, "SCRATCH": SCRATCH, "CABLE": self.cable, "BMC": self.bmc(ACTIVE),
            "PART": f"/dev/mapper/{SPARE}-part1", "LUN": f"/dev/mapper/{SPARE}",
        }  # fmt: skip

    def script(self, text: str) -> str:
        """Return a shell script of the table, complete."""
        names = "\n".join(f"{name}={shlex.quote(value)}" for name, value in self.variables.items())
        return f"{names}\n{_PRELUDE}\n{text}"
