"""Forged packets at Corosync (N9 in ``fault_cases.py``): nobody without the key may have an effect on the cluster.

They come from the other end of the cables: the passive node, whose raw sockets can send as anybody. First forged and altered
ones, all of which knet has to throw away; then genuine ones again, ten seconds old, which carry a right signature.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hadblab import ssh
from scenario import forge_probe
from scenario.faults import CALM
from scenario.scenario import Scenario
from scenario.stage import Stage

_PROGRAM = Path(forge_probe.__file__)
_SEED = 9
# How many, and how many a second. A flood is not what is tested: Corosync tells of each in two lines of the log, and 500 a
# second already keep a node of the lab from everything else (seen), as any flood of its log would.
_FORGED, _FORGED_RATE = 10_000, 100
_REPLAYED, _REPLAYED_RATE = 2_000, 100
# Seconds to listen, and until what was overheard is sent again.
_LISTEN, _OLD = 5.0, 10.0
# The share of what was sent that Corosync has to have read: otherwise nothing was tested.
_REACHED = 0.9
# Datagrams more than the peer says that it sent: both are counted while they go on, one node after the other.
_UNCERTAIN = 300

_LINE = re.compile(r"(\S+) \(\w+\) = (.*)")
# What stays as it is in a cluster to which nothing happens: members, links, and how often Totem had to form a ring.
_STEADY = re.compile(
    r"runtime\.members\.\d+\.(ip|join_count|status)"
    r"|stats\.knet\.node\d+\.link\d+\.(connected|enabled|down_count|up_count)"
    r"|stats\.srp\.(commit_entered|gather_entered|operational_entered|recovery_entered|\w+_token_lost|consensus_timeouts"
    r"|memb_join_rx|memb_commit_token_rx|continuous_gather|firewall_enabled_or_nic_failure)"
)
_LOOK = "corosync-cmapctl; corosync-cmapctl -m stats; echo \"process (str) = $(pidof corosync)\"; grep ^Udp: /proc/net/snmp"


@dataclass(frozen=True)
class View:
    """Corosync on one node: its map and its statistics by key, and how many datagrams the node's programs have read."""

    keys: Mapping[str, str]
    datagrams: int

    def total(self, way: str, node: int) -> int:
        """Return how many packets knet counts from (``rx``) or to (``tx``) a node, over all links."""
        wanted = re.compile(rf"stats\.knet\.node{node}\.link\d+\.{way}_total_packets")
        return sum(int(value) for key, value in self.keys.items() if wanted.fullmatch(key))


def parse(text: str) -> View:
    """Return what the commands of :data:`_LOOK` printed. Raises ValueError when it is not all of it."""
    keys = {found[1]: found[2] for line in text.splitlines() if (found := _LINE.fullmatch(line))}
    udp = [line.split() for line in text.splitlines() if line.startswith("Udp:")]
    if len(udp) != 2 or not keys:
        raise ValueError("not Corosync's map and the node's counts of UDP")
    return View(keys, int(dict(zip(*udp, strict=True))["InDatagrams"]))


def changes(before: View, after: View) -> list[str]:
    """Return what is not as it was: a member, a link, a ring, the process itself."""
    watched = {key for view in (before, after) for key in view.keys if key == "process" or _STEADY.fullmatch(key)}
    return [f"{key}: {before.keys.get(key)} -> {after.keys.get(key)}" for key in sorted(watched)
            if before.keys.get(key) != after.keys.get(key)]  # fmt: skip


def unread(before: View, after: View, sent: int) -> list[str]:
    """Return that too few of the datagrams were read, if they were: then nothing was shown."""
    reached = after.datagrams - before.datagrams
    return [f"only {reached} of {sent} datagrams were read"] if reached < _REACHED * sent else []


def accepted(target: tuple[View, View], sender: tuple[View, View], ids: tuple[int, int]) -> list[str]:
    """Return that knet took more packets than the peer's own Corosync sent, if it did.

    target, sender
        Each node before and after.
    ids
        Their node ids, in the same order.
    """
    taken = target[1].total("rx", ids[1]) - target[0].total("rx", ids[1])
    genuine = sender[1].total("tx", ids[0]) - sender[0].total("tx", ids[0])
    return [f"knet took {taken} packets, but its peer sent {genuine}"] if taken > genuine + _UNCERTAIN else []


@dataclass(frozen=True)
class Link:
    """One cable as the sender sees it."""

    device: str
    source: str
    target: str
    port: int


def links(pillar: Mapping[str, Any], port: int, sender: str, target: str) -> list[Link]:
    """Return the cables between two nodes: the n-th link of both, on the port of the n-th link."""
    ends = zip(pillar["heartbeat"]["interfaces"], pillar["nodes"][sender]["links"], pillar["nodes"][target]["links"], strict=True)
    return [Link(device, mine, other, port + number) for number, (device, mine, other) in enumerate(ends)]


def forge(stage: Stage) -> None:
    """Somebody on the heartbeat cables sends what is no packet of the cluster, and what was one before."""
    told = {}
    told["forged"] = _send(stage, forge_probe.FORGED, _FORGED, _FORGED_RATE, hold=0.0, all_thrown_away=True)
    told["replayed"] = _send(stage, ("replay", "reflect"), _REPLAYED, _REPLAYED_RATE, hold=_OLD, all_thrown_away=False)
    (stage.writer.log.parent / "forged.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    stage.watch(CALM)


def _send(stage: Stage, kinds: Sequence[str], count: int, rate: int, *, hold: float, all_thrown_away: bool) -> dict[str, Any]:
    """Send, and raise AssertionError unless it had no effect at all. Returns what the program told."""
    lab = stage.lab
    asked = {
        "links": [asdict(link) for link in links(lab.pillar, lab.corosync["port"], stage.passive, stage.active)],
        # Corosync's node ids follow the nodes' names.
        "node": _id(lab.nodes, stage.passive), "kinds": kinds, "seed": _SEED, "listen": _LISTEN, "hold": hold, "count": count,
        "rate": rate,
    }  # fmt: skip
    before = _views(stage)
    done = ssh.call(lab.run, stage.passive, "python3", "-c", _PROGRAM.read_text(encoding="utf-8"), input=json.dumps(asked),
                    timeout=_LISTEN + hold + 10 * count / rate)  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    stage.wait_served(time.monotonic())
    after = _views(stage)
    found = [f"{node}: {change}" for node in before for change in changes(before[node], after[node])]
    found += unread(before[stage.active], after[stage.active], sum(told["sent"].values()))
    if all_thrown_away:
        found += accepted(
            (before[stage.active], after[stage.active]), (before[stage.passive], after[stage.passive]),
            (_id(lab.nodes, stage.active), _id(lab.nodes, stage.passive)),
        )  # fmt: skip
    assert not found and not told["failed"], f"{'; '.join(found)}: {told}"
    return told


def _views(stage: Stage) -> dict[str, View]:
    return {node: parse(stage.lab.ask(node, _LOOK).stdout) for node in (stage.passive, stage.active)}


def _id(nodes: Sequence[str], name: str) -> int:
    return sorted(nodes).index(name) + 1


SCENARIOS = (Scenario("forged packets at corosync", forge, cases=("N9",)),)
