"""What the plans for corosync.conf and its reload say, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hadb_core import corosync_plan
from hadb_core.corosync_conf import parse
from hadb_core.corosync_plan import Change
from hadb_core.errors import Refused
from hadb_core.plan import Plan, Step

FILE = "totem {\ntoken: 3000\n}\n"
WANTED = parse("totem {\ntoken: 5000\nversion: 2\n}\n")
TEXT = "totem {\n\ttoken: 5000\n\tversion: 2\n}\n"
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
