"""The CIB that hadb builds, judged by the real tools of Debian 12 (Pacemaker 2.1.5), 13 (3.0.0) and sid (3.0.3)."""

from __future__ import annotations

import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chroots import SUITES, chroot
from cib_chroot import agents_layer, run_all
from cib_document import AGENT_SETS, with_addresses_in_the_group, without_vip
from cib_document import document as shipped
from joined_module import pacemaker

from hadb_core import cib_merge
from hadb_core.cib_values import PROPERTIES
from hadb_core.cib_wanted import wanted
from hadb_core.errors import CommandFailed, Refused
from support import load


class Bench:
    """One release's tools around a file that stands for the live CIB, and one set of agents that the pillar chose."""

    def __init__(self, suite: str, agents: str, home: Path) -> None:
        self.suite, self.agents, self.cib = suite, agents, home / "cib.xml"
        self.run_all = run_all(chroot(suite), self.cib, agents_layer(home / "layer"))
        self.module = pacemaker(self._counted)
        self.calls: list[list[str]] = []

    def document(self, **changes: Any) -> dict[str, Any]:
        """Return the shipped defaults with this set of agents."""
        return shipped(AGENT_SETS[self.agents], **changes)

    def _counted(self, argv: list[str], **how: Any) -> dict[str, Any]:
        self.calls.append(argv)
        return self.run_all(argv, **how)

    def tool(self, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = self.run_all(list(argv), stdin=stdin)
        return subprocess.CompletedProcess(argv, done["retcode"], done["stdout"], done["stderr"])

    def root(self) -> ET.Element:
        return cib_merge.parse(self.cib.read_text(encoding="utf-8"))

    def epoch(self) -> int:
        return int(self.root().get("epoch", "0"))

    def two_nodes_online(self) -> None:
        """Make the CIB that of two nodes that have just joined, with a controller and quorum."""
        self.cib.write_text(self.tool("cibadmin", "--empty").stdout, encoding="utf-8")
        self._simulate("--quorum=true", "--node-up=db1", "--node-up=db2")
        root = self.root()
        node = root.find("configuration/nodes/node")
        assert node is not None
        root.set("dc-uuid", node.get("id", ""))
        self.cib.write_text(ET.tostring(root, encoding="unicode"), encoding="utf-8")
        # A controller writes its version; by it hadb chooses between the old and the new names of properties.
        version = self.tool("pacemakerd", "--version").stdout.split()[1]
        assert self.tool("crm_attribute", "--name=dc-version", f"--update={version}").returncode == 0

    def fencing_delays(self, lost: str) -> list[int]:
        """Return the delays (s) of the fencing that the survivor plans when a node is lost."""
        cib, graph = self.cib.with_suffix(".lost"), self.cib.with_suffix(".graph")
        root = self.root()
        state = root.find(f"status/node_state[@uname='{lost}']")
        assert state is not None
        state.attrib.update(in_ccm="false", crmd="offline")
        cib.write_text(ET.tostring(root, encoding="unicode"), encoding="utf-8")
        done = self.tool("crm_simulate", "--simulate", f"--xml-file={cib}", f"--save-graph={graph}")
        assert done.returncode == 0, done.stderr
        fences = (
            ET.parse(graph)
            .getroot()
            .iterfind("synapse/action_set/crm_event[@operation='stonith']/attributes")
        )
        return [int(item.get("CRM_meta_priority_fencing_delay", "0")) for item in fences]

    def head_start(self) -> int:
        """Return for how long (s) Pacemaker itself has to wait with the fencing of the better node."""
        return self.document()["fencing"]["delay"] if self.agents == "stock" else 0

    def let_pacemaker_work(self) -> None:
        """Let the simulated cluster carry out its transition."""
        self._simulate("--simulate")

    def _simulate(self, *how: str) -> None:
        done = self.tool("crm_simulate", f"--xml-file={self.cib}", *how, f"--save-output={self.cib}")
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", params=[(suite, agents) for suite in SUITES for agents in AGENT_SETS], ids="-".join)
def prepared(request: pytest.FixtureRequest) -> Iterator[tuple[Bench, bytes, bytes]]:
    """A bench of each release and set of agents, with the CIBs of a cluster before and after hadb, made once."""
    # Below /tmp, which the chroots share; pytest's own directory may be elsewhere.
    with tempfile.TemporaryDirectory(prefix="hadb-tool-", dir="/tmp") as directory:
        made = Bench(*request.param, Path(directory))
        made.two_nodes_online()
        fresh = made.cib.read_bytes()
        made.module.apply(made.document())
        made.let_pacemaker_work()
        yield made, fresh, made.cib.read_bytes()


@pytest.fixture
def bench(prepared: tuple[Bench, bytes, bytes]) -> Bench:
    """Two nodes that have just joined."""
    prepared[0].cib.write_bytes(prepared[1])
    return prepared[0]


@pytest.fixture
def built(prepared: tuple[Bench, bytes, bytes]) -> Bench:
    """The same after hadb configured them and Pacemaker did its work."""
    prepared[0].cib.write_bytes(prepared[2])
    return prepared[0]


def test_a_fresh_configuration_is_one_epoch_and_everything_runs(bench):
    before = bench.epoch()
    bench.module.apply(bench.document())
    assert bench.epoch() == before + 1
    bench.let_pacemaker_work()
    resources = bench.module.status()["resources"]
    assert all(resource["active"] for resource in resources.values())
    assert len({resources[name]["node"] for name in wanted(bench.document()).service()}) == 1
    assert (resources["fence-db1"]["node"], resources["fence-db2"]["node"]) == ("db2", "db1")


def test_a_second_application_only_reads(built):
    before = built.cib.read_bytes()
    built.calls.clear()
    assert built.module.apply(built.document()) == []
    assert built.calls == [["cibadmin", "--query"]]
    assert built.cib.read_bytes() == before


def test_the_tools_find_nothing_wrong(built):
    verified = built.tool("crm_verify", "--verbose", f"--xml-file={built.cib}")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    checked = built.tool("crm", "-D", "plain", "configure", "verify")
    assert checked.returncode == 0
    assert "ERROR" not in checked.stdout + checked.stderr


def test_an_operator_reads_and_edits_it_with_crm(built):
    shown = built.tool("crm", "-D", "plain", "configure", "show").stdout
    assert "group db db-lvm db-fs db-server" in shown
    assert "colocation col-vip-nova inf: vip-nova db" in shown and "order ord-vip-nova Mandatory: vip-nova db-server" in shown
    assert "passw" not in shown
    saved = built.tool("crm", "-D", "plain", "configure", "save", f"{built.cib}.crm")
    assert saved.returncode == 0, saved.stderr
    assert (
        built.tool("crm", "-D", "plain", "configure", "load", "replace", f"{built.cib}.crm").returncode == 0
    )
    assert built.module.plan(built.document())["changes"] == {}, "what crmsh writes means the same"


def test_every_parameter_is_known_to_its_agent_and_none_is_missing(built):
    for primitive in built.root().iter("primitive"):
        agent = ":".join(
            filter(None, (primitive.get("class"), primitive.get("provider"), primitive.get("type")))
        )
        metadata = ET.fromstring(built.tool("crm_resource", f"--show-metadata={agent}").stdout)
        known = {item.get("name") for item in metadata.iter("parameter")}
        needed = {item.get("name") for item in metadata.iter("parameter") if item.get("required") == "1"}
        given = {item.get("name") for item in primitive.iterfind("instance_attributes/nvpair")}
        own = {name for name in given if name.startswith("pcmk_")}
        assert given - own <= known, f"{primitive.get('id')}: unknown {given - own - known}"
        assert needed <= given, f"{primitive.get('id')}: missing {needed - given}"


def test_no_operation_is_shorter_than_its_agent_advises_unless_decided(built):
    # Decision 0022: a hung unmount fences after 60 s; everything else keeps to the advice.
    for primitive in built.root().iter("primitive"):
        if primitive.get("class") == "stonith":
            continue
        agent = ":".join((primitive.get("class"), primitive.get("provider"), primitive.get("type")))
        metadata = ET.fromstring(built.tool("crm_resource", f"--show-metadata={agent}").stdout)
        advised = {
            item.get("name"): int(item.get("timeout", "0").rstrip("s")) for item in metadata.iter("action")
        }
        for op in primitive.iterfind("operations/op"):
            assert int(op.get("timeout", "0").rstrip("s")) >= advised[op.get("name")], (
                primitive.get("id"),
                op.attrib,
            )


def test_our_list_of_properties_is_pacemakers(bench):
    known = bench.module.properties()
    assert set(PROPERTIES) <= set(known)
    assert known["no-quorum-policy"]["default"] == "stop"
    assert "demote" in known["no-quorum-policy"]["values"]
    assert known["maintenance-mode"]["type"] == "boolean" and known["maintenance-mode"]["short"]
    assert "dc-version" not in known or bench.suite == "bookworm", "Pacemaker's own are told from ours since 3.0"


def test_agents_are_listed_and_described(bench):
    assert {"Filesystem", "IPaddr2", "LVM-activate", "mysql"} <= set(bench.module.agents())
    assert bench.module.agents("ocf:hadb") == ["address", "filesystem", "lvm", "server"]
    assert {"fence_hadb", "fence_ipmilan"} <= set(bench.module.agents("stonith"))
    found = bench.module.metadata("ocf:heartbeat:Filesystem")
    assert found["name"] == "Filesystem" and found["short"] and found["long"]
    assert found["parameters"]["device"]["required"] and not found["parameters"]["options"]["required"]
    assert {"start", "stop", "monitor"} <= {action["name"] for action in found["actions"]}
    assert bench.module.metadata("stonith:fence_ipmilan")["parameters"]["lanplus"]["type"] == "boolean"


@pytest.mark.parametrize("call", [("agents", "nosuch"), ("metadata", "ocf:heartbeat:nosuch")])
def test_an_agent_that_is_not_there_is_an_error_and_not_an_empty_one(bench, call):
    with pytest.raises(CommandFailed, match="nosuch"):
        getattr(bench.module, call[0])(call[1])


def test_what_a_change_would_do_is_foretold_and_nothing_is_written(built):
    before, owner = built.cib.read_bytes(), built.module.where()
    idle = next(node for node in ("db1", "db2") if node != owner)
    members = list(wanted(built.document()).service())

    def told(**change):
        answer = built.module.simulate(**change)
        return answer["fenced"], answer["interrupted"]

    assert told(standby=idle) == told(online=owner) == told(ban=idle) == ([], [])
    assert told(standby=owner) == told(move=idle) == told(ban=owner) == ([], members)
    assert told(lost=owner) == ([owner], members) and told(lost=idle) == ([idle], [])
    moves = [item for item in built.module.simulate(move=idle)["actions"] if item["what"] == "move"]
    assert [(item["target"], item["node"], item["to"]) for item in moves] == [(name, owner, idle) for name in members]
    moved = built.document(vips={"nova": {"address": "10.20.0.60"}})
    assert "vip-nova" in told(document=moved)[1] and "db-fs" not in told(document=moved)[1]
    assert built.cib.read_bytes() == before


def test_a_simulated_online_starts_what_waited_for_the_node(built):
    owner = built.module.where()
    for node in ("db1", "db2"):
        assert built.tool("crm_attribute", f"--node={node}", "--name=standby", "--update=on").returncode == 0
    built.let_pacemaker_work()
    starts = {item["target"] for item in built.module.simulate(online=owner)["actions"] if item["what"] == "start"}
    assert set(wanted(built.document()).service()) <= starts


def test_a_test_run_of_a_state_asks_but_never_changes(built, bench):
    """Every command of a test run is one that only reads, and the CIB stays as it is, byte for byte."""
    state = load("_states/pacemaker.py", salt=built.module.salt, opts={"test": True})
    changed = built.document(pacemaker={"stickiness": 77})
    for cib in (bench.cib.read_bytes(), cib_merge.BLANK.encode()):
        built.cib.write_bytes(cib)
        built.calls.clear()
        state.configured("x", changed)
        state.settled("x")
        state.node_online("db1")
        state.maintenance("x")
        assert built.cib.read_bytes() == cib
        assert {argv[0] for argv in built.calls} <= {"cibadmin", "crm_mon", "crm_verify", "crm_simulate", "crm_resource"}
        assert all(argv[1].startswith("--list-agents=") for argv in built.calls if argv[0] == "crm_resource")
        assert all(argv == ["cibadmin", "--query"] for argv in built.calls if argv[0] == "cibadmin")


def test_refuses_to_restart_the_database_for_a_new_address_unless_allowed(built):
    moved, before = built.document(vips={"nova": {"address": "10.20.0.60"}}), built.cib.read_bytes()
    assert "restart db-server" in built.module.plan(moved)["refused"]
    with pytest.raises(Refused, match="restart vip-nova on db1"):
        built.module.apply(moved)
    assert built.cib.read_bytes() == before
    assert any("restart vip-nova" in action for action in built.module.apply(moved, allow_restart=True))


def test_addresses_leave_the_group_they_were_in_and_nothing_is_interrupted(built):
    built.cib.write_bytes(ET.tostring(with_addresses_in_the_group(built.root())))
    built.let_pacemaker_work()
    before = built.epoch()
    assert built.module.simulate(document=built.document())["interrupted"] == []
    assert built.module.apply(built.document()) == []
    assert built.epoch() == before + 1 and built.module.plan(built.document())["changes"] == {}


def test_an_address_takes_the_group_along_and_waits_for_nothing_but_its_place(built):
    owner, service = built.module.where(), list(wanted(built.document()).service())
    assert built.module.simulate(ban=owner, resource="vip-nova")["interrupted"] == service
    order = [item.get("then") for item in built.root().iterfind("configuration/constraints/rsc_order")]
    assert order == ["db-server", "db-server"]


def test_another_set_of_agents_restarts_the_whole_group_and_is_refused_unless_allowed(built):
    other = shipped(AGENT_SETS["hadb" if built.agents == "stock" else "stock"])
    before, members = built.cib.read_bytes(), wanted(other).service()
    assert built.module.simulate(document=other)["interrupted"] == list(members)
    refused = built.module.plan(other)["refused"]
    with pytest.raises(Refused, match="would interrupt the database"):
        built.module.apply(other)
    assert built.cib.read_bytes() == before
    told = built.module.apply(other, allow_restart=True)
    for name in members:
        assert f"restart {name} on {built.module.where()}" in refused
        assert any(action.startswith(f"restart {name} ") for action in told)
    built.let_pacemaker_work()
    assert built.module.plan(other)["changes"] == {}
    assert all(resource["active"] for resource in built.module.status()["resources"].values())


def test_another_fence_agent_does_not_touch_the_database(built):
    agent = "fence_hadb" if built.agents == "stock" else "fence_ipmilan"
    actions = built.module.apply(built.document(fencing={"agent": agent}))
    assert actions and all("fence-" in action for action in actions)


def test_agents_that_this_node_lacks_are_refused_by_name(bench):
    """The chroot as Debian has it, without what hadb.pacemaker.agents and hadb.fencing.agent install."""
    bare = pacemaker(run_all(chroot(bench.suite), bench.cib))
    refused = bare.plan(bench.document())["refused"]
    missing = "ocf:hadb:address, ocf:hadb:filesystem, ocf:hadb:lvm, ocf:hadb:server, stonith:fence_hadb"
    assert (f"this node does not have {missing}." in refused) is (bench.agents == "hadb")
    assert bool(refused) is (bench.agents == "hadb")


def test_policies_and_monitors_change_without_touching_the_database(built):
    changed = built.document(
        fencing={"delay": 9, "privlvl": "administrator"},
        pacemaker={"stickiness": 500, "operations": {"fs": {"monitor": {"interval": 15}}}},
    )
    before = built.epoch()
    actions = built.module.apply(changed)
    assert built.epoch() == before + 1
    assert all("fence-" in action for action in actions)


def test_a_removed_address_is_taken_away_and_nothing_else(built):
    with pytest.raises(Refused, match="stop vip-glance"):
        built.module.apply(without_vip("glance", built.document()))
    assert [
        action.split(" (")[0]
        for action in built.module.apply(without_vip("glance", built.document()), allow_restart=True)
    ] == [f"stop vip-glance on {built.module.where()}"]
    built.let_pacemaker_work()
    assert built.module.plan(without_vip("glance", built.document()))["changes"] == {}


def test_holds_survive_and_are_told(built):
    for argv in (
        ("crm_attribute", "--node=db2", "--name=standby", "--update=on"),
        ("crm_resource", "--ban", "--resource=db", "--node=db2"),
        (
            "crm_resource",
            "--resource=db",
            "--set-parameter=target-role",
            "--meta",
            "--parameter-value=Stopped",
        ),
        ("crm_attribute", "--name=maintenance-mode", "--update=true"),
    ):
        assert built.tool(*argv).returncode == 0
    held = built.module.status()["holds"]
    built.module.apply(built.document(pacemaker={"stickiness": 1}))
    assert built.module.status()["holds"] == held
    assert len(held) == 4


def test_the_node_with_the_database_is_fenced_later_than_the_other_or_the_agent_sees_to_it(built):
    """Both sides of a split ask Pacemaker's scheduler what to do; the delay is in its transition graph."""
    owner = built.module.where()
    for lost in ("db1", "db2"):
        delays = built.fencing_delays(lost)
        assert delays == [built.head_start() if lost == owner else 0], lost


def test_a_node_that_only_has_the_volume_yet_counts_as_the_better_one(built):
    owner = built.module.where()
    root = built.root()
    for history in root.iterfind(f"status/node_state[@uname='{owner}']//lrm_resources"):
        for resource in list(history):
            if resource.get("id") in ("db-fs", "vip-glance", "vip-nova", "db-server"):
                history.remove(resource)
    built.cib.write_text(ET.tostring(root, encoding="unicode"), encoding="utf-8")
    assert built.fencing_delays(owner) == [built.head_start()]


def test_refuses_the_first_configuration_while_a_node_is_missing(bench):
    root = bench.root()
    states = root.find("status")
    for state in list(states):
        if state.get("uname") == "db2":
            states.remove(state)
    bench.cib.write_text(ET.tostring(root, encoding="unicode"), encoding="utf-8")
    with pytest.raises(Refused, match="db2 is not online, and would be fenced"):
        bench.module.apply(bench.document())


def test_refuses_what_pacemaker_would_not_accept(bench):
    theirs = '<primitive id="x" class="ocf" provider="heartbeat" type="Dummy"><meta_attributes id="db-fs-instance_attributes"/></primitive>'
    assert bench.tool("cibadmin", "--create", "--scope=resources", f"--xml-text={theirs}").returncode == 0
    with pytest.raises(Refused, match="would not accept.*did not pass schema validation"):
        bench.module.apply(bench.document())


def test_a_patch_made_from_an_older_version_is_not_accepted(built):
    old, new = built.root(), cib_merge.merge(built.root(), wanted(built.document(pacemaker={"stickiness": 1})))
    assert built.tool("crm_attribute", "--name=batch-limit", "--update=5").returncode == 0
    assert built.module._patched(old, new) is False
