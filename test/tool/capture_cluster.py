"""Write the golden files of Pacemaker and Corosync anew: python test/tool/capture_cluster.py SUITE [PART ...].

Parts: ``pacemaker`` (a live cluster that hadb configured, held, crashed, fenced), ``waiting`` (one that cannot go on),
``corosync`` (two daemons and their cables), ``descriptions`` (agents and properties). Needs root and mmdebstrap, see ``chroots.py``.
"""

from __future__ import annotations

import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "_utils"), str(ROOT / "test")]

from chroots import chroot  # noqa: E402
from cib_chroot import run_all  # noqa: E402
from cib_cluster import Cluster  # noqa: E402
from cib_document import captured  # noqa: E402
from corosync_pair import NODES, Pair, pair  # noqa: E402
from joined_module import pacemaker  # noqa: E402

from hadb_core import cib_change, cib_merge, corosync_conf, corosync_wanted  # noqa: E402
from hadb_core.cib_wanted import wanted  # noqa: E402

FIXTURES = ROOT / "test/unit"
SETTLE = 120
SETTINGS = {
    "port": 5405, "token": 3000, "token_retransmits_before_loss_const": 10, "crypto_cipher": "aes256",
    "crypto_hash": "sha256",
}  # fmt: skip


def descriptions(suite: str) -> None:
    """What agents and properties there are."""
    tool = run_all(chroot(suite))
    version = tool(["pacemakerd", "--version"])["stdout"].split()[1]
    asked = {
        "agents": ["crm_resource", "--list-agents=stonith", "--output-as=xml"],
        "metadata": ["crm_resource", "--show-metadata=ocf:heartbeat:IPaddr2"],
        "properties": ["crm_attribute", "--list-options=cluster", "--all", "--output-as=xml"],
    }
    if version.startswith("2."):
        asked["properties"] = ["/usr/lib/pacemaker/pacemaker-schedulerd", "metadata"]
    for name, argv in asked.items():
        _write(f"pacemaker/fixtures/{name}-{version}.xml", tool(argv)["stdout"])


def live(suite: str) -> None:
    """What a live cluster says: running, held, after a crash and a fence, and what it would do."""
    with tempfile.TemporaryDirectory(prefix="hadb-tool-", dir="/tmp") as home, Cluster(suite, Path(home)) as cluster:
        tool = cluster.run_all("db1")
        module = pacemaker(tool)
        version = tool(["pacemakerd", "--version"])["stdout"].split()[1]

        def keep(name: str, text: str) -> None:
            _write(f"pacemaker/fixtures/{name}-{version}.xml", text)

        def look(name: str, *, cib: bool = True) -> None:
            if cib:
                keep(f"cib-{name}", tool(["cibadmin", "--query"])["stdout"])
            keep(f"crm_mon-{name}", tool(["crm_mon", "--one-shot", "--output-as=xml"])["stdout"])

        module.apply(captured())
        module.settled(SETTLE)
        module.move("db1")
        look("running")
        cib = module.pacemaker._live()[0]
        moved = cib_merge.merge(cib, wanted(captured(vips={"nova": {"address": "10.20.0.60"}})))
        simulated = {"nothing": cib, "restart": moved, "fence": cib_change.lost(cib, "db2")}
        for name, changed in simulated.items():
            argv = ["crm_simulate", "--simulate", "--xml-pipe", "--output-as=xml"]
            keep(f"crm_simulate-{name}", tool(argv, stdin=ET.tostring(changed, encoding="unicode"))["stdout"])
        holds = (
            ["crm_attribute", "--node=db2", "--name=standby", "--update=on"],
            ["crm_resource", "--ban", "--resource=db", "--node=db2"],
            ["crm_resource", "--resource=fence-db1", "--set-parameter=is-managed", "--meta", "--parameter-value=false"],
            ["crm_resource", "--resource=db-server", "--set-parameter=target-role", "--meta", "--parameter-value=Stopped"],
            ["crm_attribute", "--node=db1", "--name=maintenance", "--update=true", "--lifetime=reboot"],
        )
        for argv in holds:
            tool(argv)
        module.settled(10)
        look("held")
        for argv in (["crm_attribute", "--node=db1", "--name=maintenance", "--delete", "--lifetime=reboot"],
                     ["crm_attribute", "--node=db2", "--name=standby", "--delete"],
                     ["crm_resource", "--clear", "--resource=db"]):  # fmt: skip
            tool(argv)
        for resource, name in (("fence-db1", "is-managed"), ("db-server", "target-role")):
            tool(["crm_resource", f"--resource={resource}", f"--delete-parameter={name}", "--meta"])
        module.settled(SETTLE)
        cluster.crash("db1", "db-server")
        cluster.wait(lambda: module.status()["failures"], SETTLE)
        module.settled(SETTLE)
        module.fence("db2", "db2")
        cluster.wait(lambda: not module.status()["nodes"]["db2"]["online"], SETTLE)
        module.settled(SETTLE)
        look("fenced", cib=False)


def waiting(suite: str) -> None:
    """What a live cluster says that does not go on: a start that fails everywhere, one without an end, fencing that fails."""
    with tempfile.TemporaryDirectory(prefix="hadb-tool-", dir="/tmp") as home, Cluster(suite, Path(home)) as cluster:
        tool = cluster.run_all("db2")
        module = pacemaker(tool)
        version = tool(["pacemakerd", "--version"])["stdout"].split()[1]

        def look(name: str) -> None:
            _write(f"pacemaker/fixtures/crm_mon-{name}-{version}.xml", tool(["crm_mon", "--one-shot", "--output-as=xml"])["stdout"])

        def server() -> dict[str, Any]:
            return module.status()["resources"]["db-server"]

        module.apply(captured())
        module.settled(SETTLE)
        module.move("db1")
        for node in ("db1", "db2"):
            cluster.refuse_start(node, "db-server")
        cluster.crash("db1", "db-server")
        cluster.wait(lambda: {failure["node"] for failure in module.status()["failures"]} == {"db1", "db2"}, SETTLE)
        module.settled(SETTLE)
        look("refused")
        for node in ("db1", "db2"):
            cluster.allow_start(node, "db-server")
        tool(["crm_resource", "--cleanup"])
        module.settled(SETTLE)
        module.move("db1")
        cluster.hold_start("db1", "db-server")
        cluster.crash("db1", "db-server")
        cluster.wait(lambda: server()["role"] == "Starting", SETTLE)
        look("starting")
        cluster.crash("db1", "db-fs")
        cluster.wait(lambda: module.status()["nodes"]["db1"]["unclean"], SETTLE)
        look("held_up")
        cluster.lose_bmcs("db2")
        cluster.power_off("db1")
        cluster.wait(lambda: any(event["status"] == "failed" for event in module.status()["fencing_history"]), SETTLE)
        look("unfenced")


def daemons(suite: str) -> None:
    """What two Corosyncs say: alone since the start, healthy, one cable cut, the peer gone."""
    root = chroot(suite)
    version = run_all(root)(["corosync", "-v"])["stdout"].split("'")[1]
    text = corosync_conf.render(corosync_wanted.wanted("nova-db", NODES, SETTINGS))
    _write(f"corosync/fixtures/{version}/pair.conf", text)
    _write(f"corosync/fixtures/{version}/debian.conf", Path(root, "etc/corosync/corosync.conf").read_text())
    with tempfile.TemporaryDirectory(prefix="hadb-tool-", dir="/tmp") as home, pair(root, Path(home)) as nodes:
        for node in NODES:
            nodes.configure(node, text, bytes(range(256)))
        tool = nodes.run_all("db1")

        def look(name: str, seconds: float, *told: str) -> None:
            """Keep what is said as soon as it has all these words in it."""
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                found = _corosync(tool)
                if all(word in "".join(found.values()) for word in told):
                    break
                time.sleep(0.2)
            for kind, said in found.items():
                _write(f"corosync/fixtures/{version}/{name}.{kind}", said)

        nodes.start("db1")
        look("waiting", 30, "WaitForAll", "runtime.votequorum.wait_for_all_status (u8) = 1")
        nodes.start("db2")
        connected = [f"stats.knet.node2.link{link}.connected (u8) = 1" for link in (0, 1)]
        look("healthy", 30, "runtime.members.2.status (str) = joined", "Total votes:      2", *connected)
        _cut(nodes, look)


def _cut(nodes: Pair, look: Callable[..., None]) -> None:
    nodes.cut(0)
    look("onelink", 30, "stats.knet.node2.link0.connected (u8) = 0")
    nodes.kill("db2")
    look("alone", 30, "runtime.members.2.status (str) = left", "stats.knet.node2.link1.connected (u8) = 0")


def _corosync(tool: Callable[..., dict[str, Any]]) -> dict[str, str]:
    asked = {name: ["corosync-cmapctl", "-m", name] for name in ("icmap", "stats")}
    asked["quorum"] = ["corosync-quorumtool", "-s"]
    return {name: tool(argv)["stdout"] for name, argv in asked.items()}


def _write(name: str, text: str) -> None:
    path = FIXTURES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(path.relative_to(ROOT), len(text))


PARTS = {"pacemaker": live, "waiting": waiting, "corosync": daemons, "descriptions": descriptions}

if __name__ == "__main__":
    for part in sys.argv[2:] or PARTS:
        PARTS[part](sys.argv[1])
