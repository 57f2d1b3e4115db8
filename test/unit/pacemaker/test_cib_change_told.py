"""What a change of the CIB would do and why it is refused, word for word."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from hadb_core.cib_agents import named
from hadb_core.cib_guard import refuse_disruptions, refuse_missing_agents, refuse_unready, verify_errors
from hadb_core.cib_simulation import Action, actions, answer, disruptions
from hadb_core.cib_status import stopped
from hadb_core.errors import Refused, Unreadable


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as error:
        call()
    return str(error.value)


def cluster(dc: str = "db1", quorum: bool = True, **online: bool) -> dict[str, Any]:
    return {
        "running": True, "cluster": {"dc": dc, "with_quorum": quorum},
        "nodes": {name: {"online": up} for name, up in ({"db1": True, "db2": True} | online).items()},
    }  # fmt: skip


def simulated(*items: str) -> tuple[Action, ...]:
    return actions(f"<pacemaker-result><actions>{''.join(items)}</actions></pacemaker-result>")


@pytest.mark.parametrize(
    ("item", "action", "words"),
    [
        ('<node_action task="Fence (Off)" node="db2" reason="gone"/>', Action("fence", "db2", "", "gone"), "fence db2 (gone)"),
        ('<node_action task="Shutdown" node="db2"/>', Action("shutdown", "db2", "", ""), "shutdown db2"),
        ("<node_action/>", Action("", "", "", ""), " "),
        ('<rsc_action action="Stop" resource="db-fs" node="db1" reason="due to db-lvm"/>',
         Action("stop", "db-fs", "db1", "due to db-lvm"), "stop db-fs on db1 (due to db-lvm)"),
        ('<rsc_action action="Move" resource="db-fs" source="db1" dest="db2"/>',
         Action("move", "db-fs", "db1", "", "db2"), "move db-fs from db1 to db2"),
        ('<rsc_action action="Restart" resource="db-fs" node="db1" source="db9" dest="db2"/>',
         Action("restart", "db-fs", "db1", "", ""), "restart db-fs on db1"),
        ("<rsc_action/>", Action("?", "", "", "", ""), "? "),
    ],
)  # fmt: skip
def test_an_action_is_read_whole_and_told_as_a_sentence(item: str, action: Action, words: str) -> None:
    assert simulated(item) == (action,)
    assert str(action) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<pacemaker-result/>", "cannot read the output of crm_simulate: its report has no <actions>"),
        ("no", "cannot read the output of crm_simulate: not XML: syntax error: line 1, column 0 (line: 'no')"),
    ],
)
def test_a_simulation_that_did_not_answer_is_told(text: str, words: str) -> None:
    with pytest.raises(Unreadable) as error:
        actions(text)
    assert str(error.value) == words


@pytest.mark.parametrize(("what", "counts"), [("start", False), ("default", False), ("noop", False), ("demote", True)])
def test_only_three_words_are_harmless(what: str, counts: bool) -> None:
    assert bool(disruptions([Action(what, "db-fs", "db1", "")], [], ["db-fs"])) is counts


def test_the_same_word_for_another_resource_or_another_word_is_not_what_happens_anyway() -> None:
    stop = Action("stop", "db-fs", "db1", "now")
    assert disruptions([stop], [Action("stop", "db-lvm", "db1", ""), Action("move", "db-fs", "db1", "")], ["db-fs"]) == (stop,)
    assert disruptions([stop], [Action("stop", "db-fs", "db2", "other words")], ["db-fs"]) == ()


def test_an_answer_is_told_whole() -> None:
    cib = ET.fromstring('<cib><primitive id="db-fs" class="ocf"/><primitive id="db-lvm"/><primitive id="f" class="stonith"/></cib>')
    stop = Action("stop", "db-fs", "db1", "due to db-lvm")
    planned = [stop, Action("move", "db-fs", "db1", "", "db2"), Action("stop", "f", "db1", ""), Action("fence", "db2", "", ""),
               Action("recover", "db-lvm", "db1", ""), Action("start", "db-lvm", "db1", "")]  # fmt: skip
    anyway = [Action("move", "f", "db1", "", "db2")]
    found = answer(planned, anyway, cib)
    assert found.pop("actions")[0] == {
        "what": "stop", "target": "db-fs", "node": "db1", "reason": "due to db-lvm", "to": "",
    }  # fmt: skip
    assert found == {"fenced": ["db2"], "interrupted": ["db-fs", "db-lvm"], "anyway": ["move f from db1 to db2"]}


def test_why_a_cluster_is_not_ready_is_told() -> None:
    nodes = ("db1", "db2")
    assert refusal(lambda: refuse_unready(stopped("why"), nodes, first=False)) == (
        "the cluster cannot be configured here: why. What to do: start Corosync and Pacemaker"
    )
    elsewhere = "What to do: start Pacemaker on the other node and look at `crm_mon -1`"
    assert refusal(lambda: refuse_unready(cluster(quorum=False), nodes, first=False)) == (
        f"the cluster has no quorum. {elsewhere}"
    )
    assert refusal(lambda: refuse_unready(cluster(dc=""), nodes, first=False)) == (
        f"the cluster has no designated controller. {elsewhere}"
    )
    assert refusal(lambda: refuse_unready(cluster(), ("db1", "a", "b"), first=False)) == (
        "the cluster does not know a, b; it has db1, db2. What to do: the names under hadb:nodes must be the nodes' host "
        "names (`crm_node -n`), or fencing finds no target"
    )
    assert refusal(lambda: refuse_unready(cluster(db1=False, db2=False), nodes, first=True)) == (
        "db1, db2 is not online, and would be fenced as soon as fencing is configured. What to do: start Corosync and "
        "Pacemaker there"
    )


def test_a_ready_cluster_is_not_refused() -> None:
    refuse_unready(cluster(db3=False), ("db1", "db2"), first=True)
    refuse_unready(cluster(db2=False), ("db1", "db2"), first=False)


def test_every_agent_that_this_node_does_not_have_is_told_and_each_family_asked_once() -> None:
    asked = []

    def installed(family: str) -> list[str]:
        asked.append(family)
        return ["here"]

    wanted = [("stonith", "fence_x"), ("ocf:hadb", "b"), ("ocf:hadb", "a"), ("ocf:hadb", "here")]
    assert refusal(lambda: refuse_missing_agents(wanted, installed)) == (
        "this node does not have ocf:hadb:a, ocf:hadb:b, stonith:fence_x. What to do: apply hadb on both nodes, which "
        "installs all agents, or choose others in hadb:pacemaker:agents and hadb:fencing:agent"
    )
    assert asked == ["ocf:hadb", "stonith"]
    refuse_missing_agents([("ocf:hadb", "here")], installed)


def test_the_agents_of_a_cib_are_named_by_family_wherever_they_are() -> None:
    resources = (
        '<primitive id="a" class="ocf" provider="hadb" type="lvm"/><primitive id="t" template="x"/>'
        '<group id="g"><primitive id="b" class="stonith" type="fence_x"/><primitive id="c" type="bare"/></group>'
    )
    root = ET.fromstring(f"<cib><configuration><resources>{resources}</resources></configuration></cib>")
    assert named(root) == {("ocf:hadb", "lvm"), ("stonith", "fence_x"), ("", "bare")}


def test_why_a_disruption_is_refused_is_told() -> None:
    stop, fence = Action("stop", "db-fs", "db1", ""), Action("fence", "db2", "", "gone")
    assert refusal(lambda: refuse_disruptions([stop, stop])) == (
        "this change would interrupt the database: stop db-fs on db1; stop db-fs on db1. What to do: choose a quiet moment "
        "and set hadb:pacemaker:allow_restart for one run"
    )
    assert refusal(lambda: refuse_disruptions([stop, fence])) == (
        "with this configuration Pacemaker would: stop db-fs on db1; fence db2 (gone). What to do: bring the node online, "
        "then run again"
    )


@pytest.mark.parametrize(
    ("code", "said", "found"),
    [
        (78, " error: a \n\n  error: a\n  b\n", ["error: a", "b"]),
        (0, "error: a", ["error: a"]),
        (78, "a\nb", ["a", "b"]),
        (78, "WARNING: a", []),
        (0, "a", []),
        (1, "", ["crm_verify ended with exit code 1 without a word"]),
    ],
)
def test_what_crm_verify_said_counts_when_there_is_an_error_in_it(code: int, said: str, found: list[str]) -> None:
    assert verify_errors(code, said) == found
