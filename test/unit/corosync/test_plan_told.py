"""What the plans for corosync.conf, its reload and its key say, word for word, and where their bounds are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hadb_core import corosync_authkey as authkey
from hadb_core import corosync_plan
from hadb_core.corosync_conf import Comment, Entry, Section, parse
from hadb_core.corosync_plan import Change
from hadb_core.corosync_wanted import timing_faults, wanted
from hadb_core.errors import Invalid, Refused
from hadb_core.plan import Plan, Step

FILE = "totem {\ntoken: 3000\n}\n"
WANTED = parse("totem {\ntoken: 5000\nversion: 2\n}\n")
TEXT = "totem {\n\ttoken: 5000\n\tversion: 2\n}\n"
NODES = {"db2": ["172.16.1.2", "172.16.2.2"], "db1": ["172.16.1.1", "172.16.2.1"]}
SETTINGS = {"port": 5405, "token": 3000, "crypto_cipher": "aes256", "crypto_hash": "sha256"}
ONE, OTHER = "1" * 64, "2" * 64
SHOWN, OTHER_SHOWN = "sha256 111111111111", "sha256 222222222222"
RESTARTS = (
    "will count when Corosync was stopped on both nodes and started again, which takes the database down: do it in a "
    "maintenance window"
)


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as error:
        call()
    return str(error.value)


def test_a_file_that_differs_is_written_and_each_difference_shown() -> None:
    args = {"text": TEXT, "path": "/c"}
    assert corosync_plan.plan(FILE, WANTED, "/c", running=False) == Plan((
        Step("write_configuration", "/c", {"totem.token": "3000", "totem.version": None},
             {"totem.token": "5000", "totem.version": "2"}, args),
    ))  # fmt: skip
    assert corosync_plan.plan(FILE, WANTED, "/c", running=True).remarks == (
        f"Corosync runs and is left alone; totem.token, totem.version {RESTARTS}",
    )
    (step,) = corosync_plan.plan(None, WANTED, "/c", running=False).steps
    assert (step.old, step.new) == (None, {"totem.token": "5000", "totem.version": "2"})


def test_a_change_that_a_reload_brings_in_says_so() -> None:
    assert corosync_plan.plan(TEXT.replace("5000", "3000"), WANTED, "/c", running=True).remarks == (
        "Corosync runs and is left alone; totem.token will count after a reload (hadb.orch, once both nodes agree)",
    )


def test_the_same_settings_in_another_layout_are_written_without_a_remark() -> None:
    assert corosync_plan.plan(f"# old\n{TEXT}", WANTED, "/c", running=True) == Plan((
        Step("write_configuration", "/c", "other comments or layout", "as hadb writes it", {"text": TEXT, "path": "/c"}),
    ))  # fmt: skip
    assert corosync_plan.plan(TEXT, WANTED, "/c", running=True) == Plan()


def test_a_file_that_cannot_be_read_is_replaced_and_its_fault_shown() -> None:
    assert corosync_plan.plan("}\n", WANTED, "/c", running=True) == Plan((
        Step("write_configuration", "/c", "not readable (a section is closed that was never opened)", "as hadb writes it",
             {"text": TEXT, "path": "/c"}),
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("path", "impact"),
    [
        ("totem.token", "reload"),
        ("totem.tokens", "restart"),
        ("totem.interface[12].knet_ping_timeout", "reload"),
        ("totem.interface[1].mcastport", "restart"),
        ("logging.debug", "reload"),
        ("nodelist.node[db1].ring0_addr", "restart"),
    ],
)
def test_what_a_setting_needs_to_count(path: str, impact: str) -> None:
    assert corosync_plan.compare({path: "1"}, {path: "2", "a": "1"})[1:] == [Change(path, "1", "2", impact)]
    assert corosync_plan.compare({path: "1"}, {}) == [Change(path, "1", None, impact)]


def test_a_report_of_two_files_tells_what_is_needed_in_all() -> None:
    assert corosync_plan.report(parse(FILE), WANTED) == {
        "impact": "restart", "layout": False,
        "changes": {
            "totem.token": {"old": "3000", "new": "5000", "impact": "reload"},
            "totem.version": {"old": None, "new": "2", "impact": "restart"},
        },
    }  # fmt: skip
    assert corosync_plan.report(WANTED, WANTED) == {"impact": "none", "changes": {}, "layout": False}
    assert corosync_plan.report(parse(f"# x\n{TEXT}"), WANTED) == {"impact": "none", "changes": {}, "layout": True}


def test_every_fault_that_corosync_lets_through_is_told() -> None:
    text = """version: 2
    totem {\ntoken: 1\ntoken: 2\ntoken: 3\ntokn: 4\ninterface {\nlinknumber: 0\nttl: 1\nttl: 2\n}\ninterface {\nbad: 1\n}\n}
    totm {\nx: 1\n}
    quorum {\ndevice {\nmodel: net\nheuristics {\nexec_ping: /bin/true\nexecping: 1\n}\nnet {\nhost: h\n}\n}\n}
    nodelist {\nnode {\nname: a\n}\nnode {\nname: a\n}\n}\n"""
    ignored = "Corosync does not know this and ignores it; check the spelling"
    assert corosync_plan.faults(parse(text)) == [
        f"version: {ignored}", f"totem.tokn: {ignored}", f"totem.interface.bad: {ignored}", f"totm: {ignored}",
        f"quorum.device.heuristics.execping: {ignored}",
        "totem.token: is given 3 times; only the last counts",
        "totem.interface[0]: there are 2 of them; give each a name or number of its own",
        "totem.interface[0].ttl: is given 2 times; only the last counts",
        "nodelist.node[a]: there are 2 of them; give each a name or number of its own",
    ]  # fmt: skip


def node(file: str = "f", **changes: tuple[str, str]) -> dict[str, Any]:
    impact = "restart" if "netmtu" in changes else "reload" if changes else "none"
    return {"file": file, "impact": impact, "changes": {
        f"totem.{key}": {"old": old, "new": new} for key, (old, new) in changes.items()}}  # fmt: skip


def test_a_reload_is_made_once_from_the_first_node_that_waits() -> None:
    found = {"db2": node(token=("1", "2"), join=("3", "4")), "db3": node(hold=("5", "6")), "db1": node()}
    assert corosync_plan.plan_reload(found) == Plan((
        Step("reload", "corosync, on all nodes", {"totem.token": "1", "totem.join": "3"},
             {"totem.token": "2", "totem.join": "4"}, {"node": "db2"}),
    ))  # fmt: skip
    assert corosync_plan.plan_reload({"db1": node("a"), "db2": node("b")}) == Plan()


def test_why_a_reload_is_refused_is_told() -> None:
    assert refusal(lambda: corosync_plan.plan_reload({"db1": node("a", token=("1", "2")), "db2": node("b")})) == (
        "Corosync waits for a reload, but the nodes have different corosync.conf files. What to do: apply the node states "
        "on both nodes first; a reload reaches both"
    )
    found = {"db1": node(token=("1", "2")), "db2": node(netmtu=("1", "2"), token=("1", "2"))}
    assert refusal(lambda: corosync_plan.plan_reload(found)) == (
        "Corosync takes totem.netmtu, totem.token only when it is stopped on both nodes and started again. What to do: in "
        "a maintenance window stop pacemaker and corosync on both nodes and start them, or take the change back"
    )


def test_a_fingerprint_is_shown_short_and_none_is_shown_as_none() -> None:
    assert (authkey.short(ONE), authkey.short(None), authkey.short("")) == (SHOWN, None, None)


@pytest.mark.parametrize("size", [127, 4097])
def test_a_key_of_a_size_that_corosync_refuses_is_refused(size: int) -> None:
    assert refusal(lambda: authkey.check_size(b"x" * size)) == (
        f"the Corosync key has {size} bytes. What to do: a key has 128 to 4096 bytes; make one with corosync-keygen"
    )


@pytest.mark.parametrize("size", [128, 4096])
def test_the_shortest_and_the_longest_key_are_taken(size: int) -> None:
    authkey.check_size(b"x" * size)


def test_no_key_anywhere_is_made_on_the_bootstrap_node_and_copied() -> None:
    made = "256 random bytes, the same on every node"
    assert authkey.plan_agreement({"db2": None, "db1": None, "db3": ""}, "db2") == Plan((
        Step("generate", "corosync key on db2", None, made, {"node": "db2"}),
        Step("copy", "corosync key on db1", None, made, {"source": "db2", "target": "db1"}),
        Step("copy", "corosync key on db3", None, made, {"source": "db2", "target": "db3"}),
    ))  # fmt: skip


def test_a_key_that_is_there_is_copied_from_the_first_node_that_has_it() -> None:
    assert authkey.plan_agreement({"db3": ONE, "db2": ONE, "db1": None}, "db1") == Plan((
        Step("copy", "corosync key on db1", None, SHOWN, {"source": "db2", "target": "db1"}),
    ))  # fmt: skip
    assert authkey.plan_agreement({"db2": ONE, "db1": ONE}, "db1") == Plan()


def test_different_keys_are_told_apart_by_node() -> None:
    assert refusal(lambda: authkey.plan_agreement({"db2": ONE, "db1": OTHER, "db3": None}, "db1")) == (
        f"the nodes have different Corosync keys (db1 {OTHER_SHOWN}, db2 {SHOWN}). What to do: on the node that is not "
        "rightly in the cluster stop pacemaker and corosync, move /etc/corosync/authkey away, run hadb.orch again"
    )


def key(fingerprint: str = ONE, mode: int = 0o400, root: bool = True) -> dict[str, Any]:
    return {"fingerprint": fingerprint, "mode": mode, "root": root}


@pytest.mark.parametrize(
    ("have", "want", "plan"),
    [
        (None, ONE, Plan((Step("authkey_from_pillar", authkey.PATH, None, SHOWN, {"pillar_key": "k"}),))),
        (key(), OTHER, Plan((Step("authkey_from_pillar", authkey.PATH, SHOWN, OTHER_SHOWN, {"pillar_key": "k"}),))),
        (None, None, Plan(remarks=("There is no key yet; hadb.orch makes one and gives it to both nodes",))),
        (key(mode=0o44), ONE, Plan((Step("authkey_secure", authkey.PATH, "mode 0044", "mode 0400, owned by root"),))),
        (key(root=False), None,
         Plan((Step("authkey_secure", authkey.PATH, "mode 0400, not owned by root", "mode 0400, owned by root"),))),
        (key(), ONE, Plan()),
        (key(), None, Plan()),
    ],
)  # fmt: skip
def test_what_a_node_does_about_its_key(have: Any, want: str | None, plan: Plan) -> None:
    assert authkey.plan_node(have, want, "k") == plan


def test_a_running_corosync_keeps_its_key() -> None:
    assert refusal(lambda: authkey.plan_node(key(), OTHER, "k", running=True)) == (
        f"Corosync runs with another key ({SHOWN}) than the pillar has ({OTHER_SHOWN}). What to do: stop pacemaker and "
        "corosync on both nodes, apply again, start them; or take the pillar's key back"
    )
    assert authkey.plan_node(None, OTHER, "k", running=True).steps and not authkey.plan_node(key(), ONE, "k", running=True)


def test_the_wanted_file_is_written_whole() -> None:
    timing = {"consensus": 3600, "token_retransmits_before_loss_const": 10}
    entries = {"version": "2", "cluster_name": "nova-db", "transport": "knet", "link_mode": "active", "crypto_cipher": "aes256",
               "crypto_hash": "sha256", "token": "3000", "consensus": "3600", "token_retransmits_before_loss_const": "10"}  # fmt: skip
    assert wanted("nova-db", NODES, SETTINGS | timing) == Section("", (
        Comment("# Managed by Salt (hadb, state corosync.configured). Changes made here are overwritten."),
        Section("totem", (
            *(Entry(*entry) for entry in entries.items()),
            Section("interface", (Entry("linknumber", "0"), Entry("mcastport", "5405"))),
            Section("interface", (Entry("linknumber", "1"), Entry("mcastport", "5406"))),
        )),
        Section("nodelist", tuple(
            Section("node", (Entry("name", f"db{n}"), Entry("nodeid", f"{n}"), Entry("ring0_addr", f"172.16.1.{n}"),
                             Entry("ring1_addr", f"172.16.2.{n}"))) for n in (1, 2)
        )),
        Section("quorum", (Entry("provider", "corosync_votequorum"), Entry("two_node", "1"), Entry("wait_for_all", "1"))),
        Section("logging", (Entry("to_stderr", "no"), Entry("to_logfile", "no"), Entry("to_syslog", "yes"),
                            Entry("syslog_facility", "daemon"), Entry("debug", "off"))),
    ))  # fmt: skip


def test_every_fault_of_the_input_is_told() -> None:
    nodes = {"db1": ["10.0.0.1", "10.0.0.1", "x"], "db2": [], "db3": [f"10.0.1.{n}" for n in range(9)]}
    settings = {"port": "5405", "consensus": "x", "token_retransmits_before_loss_const": None, "crypto_cipher": "none"}
    with pytest.raises(Invalid) as error:
        wanted("nova-db", nodes, settings)
    assert list(error.value.faults) == [
        "hadb:nodes: two_node quorum needs exactly two nodes, but there are 3",
        "hadb:nodes: every node needs the same number of links",
        "hadb:nodes:db1:links: 'x' is not an IP address",
        "hadb:nodes:db2:links: must have 1 to 8 addresses, but has 0",
        "hadb:nodes:db3:links: must have 1 to 8 addresses, but has 9",
        "hadb:nodes: 10.0.0.1 is the address of two links",
        "hadb:corosync: crypto_cipher and crypto_hash must both be set and not `none`; without them anyone who can send "
        "UDP to a link can take the cluster over",
        "hadb:corosync:port: must be a number", "hadb:corosync:token: must be a number",
        "hadb:corosync:consensus: must be a number",
        "hadb:corosync:token_retransmits_before_loss_const: must be a number",
    ]  # fmt: skip


@pytest.mark.parametrize("unset", ["crypto_cipher", "crypto_hash"])
def test_crypto_that_is_not_set_is_a_fault(unset: str) -> None:
    with pytest.raises(Invalid, match="^hadb:corosync: crypto_cipher and crypto_hash must both be set"):
        wanted("nova-db", NODES, {key: value for key, value in SETTINGS.items() if key != unset})


def test_eight_links_are_taken_and_the_last_port_follows() -> None:
    nodes = {name: [f"10.{n}.0.{link}" for link in range(8)] for n, name in enumerate(("db1", "db2"))}
    totem = wanted("nova-db", nodes, SETTINGS).sections("totem")[0]
    assert [section.get("mcastport") for section in totem.sections("interface")][-1] == "5412"


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        ({"token": 126}, []),
        ({"token": 125}, [
            "hadb:corosync:token_retransmits_before_loss_const: 4 within a token of 125 ms are less than 30 ms apart, which "
            "Corosync refuses; at most 3 fit"]),
        ({"token": 1000, "token_retransmits_before_loss_const": 34}, [
            "hadb:corosync:token_retransmits_before_loss_const: 34 within a token of 1000 ms are less than 30 ms apart, which "
            "Corosync refuses; at most 33 fit"]),
        ({"token": 1000, "consensus": 51}, []),
        ({"token": 1000, "consensus": 50}, [
            "hadb:corosync:consensus: 50 ms is not more than the join timeout of 50 ms"]),
    ],
)  # fmt: skip
def test_the_bounds_of_the_timing(settings: dict[str, Any], faults: list[str]) -> None:
    assert timing_faults(settings) == faults
