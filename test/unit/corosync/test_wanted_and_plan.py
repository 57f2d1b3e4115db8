"""The wanted file, how it differs from another one, and what it takes for that to count."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadb_core import corosync_plan
from hadb_core.corosync_conf import flatten, parse, render
from hadb_core.corosync_plan import differences, impact, plan, plan_reload, unknown_keys
from hadb_core.corosync_wanted import wanted
from hadb_core.errors import Invalid, Refused

NODES = {"db2": ["172.16.1.2", "172.16.2.2"], "db1": ["172.16.1.1", "172.16.2.1"]}
SETTINGS = {"port": 5405, "token": 3000, "crypto_cipher": "aes256", "crypto_hash": "sha256"}
PATH = "/etc/corosync/corosync.conf"


def tree(**settings: Any) -> Any:
    return wanted("nova-db", NODES, {**SETTINGS, **settings})


def test_the_file_says_what_a_two_node_cluster_needs() -> None:
    flat = flatten(tree())
    assert flat["totem.transport"] == "knet"
    assert (flat["quorum.two_node"], flat["quorum.wait_for_all"]) == ("1", "1")
    assert (flat["totem.crypto_cipher"], flat["totem.crypto_hash"]) == ("aes256", "sha256")
    assert flat["nodelist.node[db1].nodeid"] == "1"
    assert flat["nodelist.node[db2].ring1_addr"] == "172.16.2.2"
    assert flat["totem.interface[1].mcastport"] == "5406"


def test_both_nodes_write_the_same_file_whatever_the_order_of_the_pillar() -> None:
    assert render(tree()) == render(wanted("nova-db", dict(sorted(NODES.items())), SETTINGS))


def test_several_links_are_all_used_at_once_and_one_needs_no_mode() -> None:
    assert flatten(tree())["totem.link_mode"] == "active"
    single = wanted("nova-db", {name: links[:1] for name, links in NODES.items()}, SETTINGS)
    assert "totem.link_mode" not in flatten(single)


@pytest.mark.parametrize("settings", [{"consensus": 100}, {"consensus": 250}, {"token_retransmits_before_loss_const": 33}])
def test_a_consensus_below_the_token_and_the_densest_retransmits_are_written(settings: dict[str, Any]) -> None:
    ((key, value),) = settings.items()
    assert flatten(tree(token=1000, **settings))[f"totem.{key}"] == str(value)


def test_what_hadb_writes_has_no_unknown_key() -> None:
    assert unknown_keys(tree(consensus=3600, token_retransmits_before_loss_const=10)) == []


@pytest.mark.parametrize(
    ("nodes", "settings", "fault"),
    [
        ({"db1": ["10.0.0.1"]}, SETTINGS, "exactly two nodes"),
        ({"db1": ["10.0.0.1"], "db2": ["10.0.0.2", "10.0.1.2"]}, SETTINGS, "same number of links"),
        ({"db1": ["10.0.0.1"], "db2": ["10.0.0.1"]}, SETTINGS, "address of two links"),
        ({"db1": ["10.0.0.1"], "db2": ["db2"]}, SETTINGS, "not an IP address"),
        ({"db1": [], "db2": []}, SETTINGS, "must have 1 to 8 addresses"),
        (NODES, {**SETTINGS, "crypto_cipher": "none"}, "must both be set"),
        (NODES, {"port": 5405, "token": 3000}, "must both be set"),
        (NODES, {**SETTINGS, "port": "5405"}, "port: must be a number"),
        (NODES, {**SETTINGS, "consensus": "250"}, "consensus: must be a number"),
        (NODES, {**SETTINGS, "consensus": 50}, "consensus: 50 ms is not more than the join timeout"),
        (NODES, {**SETTINGS, "token": 1000, "token_retransmits_before_loss_const": 34}, "at most 33 fit"),
    ],
)
def test_input_that_cannot_be_right_is_refused(
    nodes: dict[str, list[str]], settings: dict[str, Any], fault: str
) -> None:
    with pytest.raises(Invalid, match=fault):
        wanted("nova-db", nodes, settings)


def test_an_unknown_key_and_an_unknown_section_are_named_with_their_place() -> None:
    assert unknown_keys(parse("totem {\n tokn: 1\n interface {\n prt: 1\n }\n}\nqorum {\n}\nstray: 1\n")) == [
        "totem.tokn", "totem.interface.prt", "qorum", "stray",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        ({"token": 5000}, "reload"),
        ({"consensus": 4000}, "reload"),
        ({"crypto_cipher": "aes128", "token": 5000}, "reload"),
        ({"port": 6000}, "restart"),
        ({"port": 6000, "token": 5000}, "restart"),
        ({}, "none"),
    ],
)
def test_the_impact_of_a_change_is_known(settings: dict[str, Any], needs: str) -> None:
    assert impact(differences(tree(), tree(**settings))) == needs


def test_a_wanted_file_leaves_nothing_to_do() -> None:
    assert not plan(render(tree()), tree(), PATH, running=True)


def test_a_missing_file_is_written_whole() -> None:
    (step,) = plan(None, tree(), PATH, running=False).steps
    assert (step.do, step.path, step.old) == ("write_configuration", PATH, None)
    assert step.new["totem.token"] == "3000"
    assert step.args["text"] == render(tree())


def test_a_drifted_value_is_shown_alone() -> None:
    drifted = render(tree()).replace("token: 3000", "token: 1")
    found = plan(drifted, tree(), PATH, running=False)
    assert found.changes() == {PATH: {"old": {"totem.token": "1"}, "new": {"totem.token": "3000"}}}
    assert found.remarks == ()


def test_a_comment_by_hand_is_overwritten_and_said_to_be_that() -> None:
    (step,) = plan(render(tree()) + "# mine\n", tree(), PATH, running=True).steps
    assert step.old == "other comments or layout"


def test_a_file_that_cannot_be_read_is_replaced() -> None:
    (step,) = plan("totem {\n", tree(), PATH, running=False).steps
    assert "not readable" in step.old


def test_a_running_corosync_gets_a_remark_about_a_reload() -> None:
    (remark,) = plan(render(tree(token=2000)), tree(), PATH, running=True).remarks
    assert "after a reload" in remark


def test_a_running_corosync_gets_a_remark_about_a_restart() -> None:
    (remark,) = plan(render(tree(port=1)), tree(), PATH, running=True).remarks
    assert "stopped on both nodes" in remark


def pending(changes: dict[str, Any], needs: str, file: str = "same") -> dict[str, Any]:
    return {"running": True, "file": file, "impact": needs, "changes": changes}


TOKEN = {"totem.token": {"old": "1", "new": "2"}}


def test_one_reload_serves_all_nodes() -> None:
    (step,) = plan_reload({"db2": pending(TOKEN, "reload"), "db1": pending(TOKEN, "reload")}).steps
    assert (step.do, step.args) == ("reload", {"node": "db1"})


def test_nothing_pending_reloads_nothing_even_with_different_files() -> None:
    assert not plan_reload({"db1": pending({}, "none", "a"), "db2": pending({}, "none", "b")})


def test_different_files_are_never_reloaded() -> None:
    with pytest.raises(Refused, match="different corosync.conf"):
        plan_reload({"db1": pending(TOKEN, "reload", "a"), "db2": pending({}, "none", "b")})


def test_a_restart_is_never_done() -> None:
    change = {"totem.transport": {"old": "udpu", "new": "knet"}}
    with pytest.raises(Refused, match="stopped on both nodes"):
        plan_reload({"db1": pending(change, "restart"), "db2": pending({}, "none")})


def test_the_table_of_keys_covers_every_link_of_a_node() -> None:
    assert {f"ring{link}_addr" for link in range(8)} <= corosync_plan._KNOWN_KEYS["nodelist.node"]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 600), st.text(max_size=40), st.booleans())
def test_whatever_is_in_the_file_one_write_makes_it_right(cut: int, junk: str, running: bool) -> None:
    """Also a file that an interrupted editor left behind, at any length."""
    left = render(tree())[:cut] + junk
    found = plan(left, tree(), PATH, running=running)
    for step in found.steps:
        left = step.args["text"]
    assert not plan(left, tree(), PATH, running=running)


def test_what_other_clusters_have_in_their_files_is_known() -> None:
    text = (
        "quorum {\n device {\n  model: net\n  votes: 1\n  net {\n   host: q\n   algorithm: ffsplit\n  }\n"
        "  heuristics {\n   mode: sync\n   exec_ping: /bin/ping\n   exc_typo: x\n  }\n }\n}\n"
        "uidgid {\n uid: a\n}\nuidgid {\n gid: b\n}\nresources {\n watchdog_device: off\n}\n"
    )
    assert unknown_keys(parse(text)) == ["quorum.device.heuristics.exc_typo"]
    assert {"uidgid[a].uid", "uidgid[b].gid"} <= set(flatten(parse(text)))
