"""The states as Salt sees them: what they show, what they refuse, and that test mode changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core.errors import CommandFailed
from support import load

NODES = {"db1": ["172.16.1.1"], "db2": ["172.16.1.2"]}
SETTINGS = {"port": 5405, "token": 3000, "crypto_cipher": "aes256", "crypto_hash": "sha256"}
IDS = {"db1": "db1.example.org", "db2": "db2.example.org"}
A, B = "a" * 64, "b" * 64


class Site:
    """Two minions with a key each, as ``saltutil.cmd`` on the master sees them."""

    def __init__(self, keys: dict[str, str | None], down: str = "", broken: str = "") -> None:
        self.keys, self.down, self.broken = keys, down, broken
        self.sealed: dict[str, str] = {}
        self.called: list[str] = []

    def cmd(self, tgt: list[str], fun: str, arg: list[str], tgt_type: str, timeout: int) -> dict[str, Any]:
        assert tgt_type == "list"
        return {minion: self._answer(minion, fun, arg) for minion in tgt if minion != self.down}

    def _answer(self, minion: str, fun: str, arg: list[str]) -> dict[str, Any]:
        if minion == self.broken:
            error = "Traceback (most recent call last):\n  File\nhadb_core.errors.Refused: the disk is full. What to do: make room"
            return {"ret": error, "retcode": 1}
        if fun != "corosync.authkey_fingerprint":
            self.called.append(f"{fun.removeprefix('corosync.')} {minion.partition('.')[0]}")
        answer: Any = None
        if fun == "corosync.authkey_fingerprint":
            answer = self.keys[minion]
        elif fun == "corosync.authkey_generate":
            answer = self.keys[minion] = A
        elif fun == "corosync.minion_public_key":
            answer = f"public {minion}"
        elif fun == "corosync.authkey_export":
            answer = f"sealed {self.keys[minion]} for {arg[0]}"
        elif fun == "corosync.authkey_import":
            _, key, _, _, recipient = arg[0].split()
            assert recipient == minion, "sealed for somebody else"
            self.keys[minion] = answer = key
        return {"ret": answer, "retcode": 0}


def agreed(site: Site, *, test: bool = False) -> dict[str, Any]:
    module = load("_states/corosync.py", salt={"saltutil.cmd": site.cmd}, opts={"test": test})
    return module.authkey_agreed("agreed", IDS, "db1")


def site(db1: str | None, db2: str | None, **how: str) -> Site:
    return Site({IDS["db1"]: db1, IDS["db2"]: db2}, **how)


def test_equal_keys_change_nothing() -> None:
    ret = agreed(site(A, A))
    assert (ret["result"], ret["changes"]) == (True, {})


def test_no_key_makes_one_and_copies_it_sealed() -> None:
    both = site(None, None)
    ret = agreed(both)
    assert ret["result"] is True
    assert both.called == [
        "authkey_generate db1", "minion_public_key db2", "authkey_export db1", "authkey_import db2",
    ]  # fmt: skip
    assert set(both.keys.values()) == {A}
    assert agreed(both)["changes"] == {}


def test_the_only_key_is_copied() -> None:
    both = site(None, B)
    assert agreed(both)["result"] is True
    assert set(both.keys.values()) == {B}
    assert "authkey_generate db1" not in both.called


def test_in_test_mode_the_changes_are_the_same_and_nothing_happens() -> None:
    dry, real = site(None, None), site(None, None)
    predicted = agreed(dry, test=True)
    assert predicted["result"] is None
    assert dry.called == []
    assert predicted["changes"] == agreed(real)["changes"]


def test_different_keys_are_refused() -> None:
    both = site(A, B)
    ret = agreed(both)
    assert ret["result"] is False
    assert "different Corosync keys" in ret["comment"]
    assert both.called == []


def test_a_minion_that_is_down_fails_the_state_by_name() -> None:
    ret = agreed(site(None, None, down=IDS["db2"]))
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "db2.example.org: it did not answer" in ret["comment"]


def test_a_minion_whose_function_failed_is_shown_with_its_reason_only() -> None:
    ret = agreed(site(None, None, broken=IDS["db2"]))
    assert "db2.example.org: Refused: the disk is full. What to do: make room" in ret["comment"]
    assert "Traceback" not in ret["comment"]


def test_an_unknown_bootstrap_node_is_refused() -> None:
    module = load("_states/corosync.py", salt={"saltutil.cmd": site(None, None).cmd})
    assert module.authkey_agreed("agreed", IDS, "db3")["result"] is False


def test_on_a_minion_the_masters_state_says_where_it_belongs() -> None:
    ret = load("_states/corosync.py", salt={}).authkey_agreed("agreed", IDS, "db1")
    assert ret["result"] is False
    assert "orchestrat" in ret["comment"]


class Node:
    """One node's file, as the execution module would have it."""

    def __init__(self, text: str | None = None, *, running: bool = False) -> None:
        self.text, self.writes = text, 0
        self.functions = {
            "corosync.running": lambda: running,
            "corosync.configuration": lambda path: self.text,
            "corosync.write_configuration": self._write,
        }

    def _write(self, text: str, path: str) -> None:
        self.text, self.writes = text, self.writes + 1


def configured(node: Node, *, test: bool = False, **settings: Any) -> dict[str, Any]:
    module = load("_states/corosync.py", salt=node.functions, opts={"test": test})
    return module.configured("/etc/corosync/corosync.conf", "nova-db", NODES, {**SETTINGS, **settings})


def test_a_blank_node_is_predicted_and_then_done_once() -> None:
    node = Node()
    predicted = configured(node, test=True)
    assert (predicted["result"], node.writes) == (None, 0)
    assert configured(node)["changes"] == predicted["changes"]
    assert (configured(node)["changes"], node.writes) == ({}, 1)


def test_a_running_node_is_told_what_the_change_waits_for() -> None:
    node = Node(running=True)
    configured(node)
    assert "after a reload" in configured(node, token=5000)["comment"]


def test_a_pillar_that_cannot_be_right_fails_with_its_fault() -> None:
    ret = configured(Node(), crypto_cipher="none")
    assert ret["result"] is False
    assert "crypto_cipher" in ret["comment"]


def test_a_write_that_fails_is_a_failure_without_changes() -> None:
    node = Node()

    def fail(**_arguments: Any) -> None:
        raise CommandFailed(["corosync", "-t"], 8, err="parse error in config")

    node.functions["corosync.write_configuration"] = fail
    ret = configured(node)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "parse error" in ret["comment"]


@pytest.mark.parametrize("running", [True, False])
def test_a_key_that_is_made_by_the_orchestration_is_not_missed_here(running: bool) -> None:
    salt = {
        "corosync.running": lambda: running,
        "corosync.authkey": lambda: None,
        "corosync.authkey_pillar_fingerprint": lambda key: None,
    }
    ret = load("_states/corosync.py", salt=salt).authkey_present("key")
    assert (ret["result"], ret["changes"]) == (True, {})
    assert "hadb.orch makes one" in ret["comment"]


class Daemons:
    """Two running Corosyncs that read their files again when one of them is told to."""

    def __init__(self, changes: dict[str, Any], impact: str = "reload") -> None:
        self.changes, self.impact, self.reloads = changes, impact, []

    def cmd(self, tgt: list[str], fun: str, arg: list[str], tgt_type: str, timeout: int) -> dict[str, Any]:
        if fun == "corosync.reload":
            self.reloads += tgt
            self.changes = {}
            return {minion: {"ret": None, "retcode": 0} for minion in tgt}
        found = {"running": True, "file": "same", "impact": self.impact, "changes": self.changes}
        return {minion: {"ret": found, "retcode": 0} for minion in tgt}


def loaded(daemons: Daemons, *, test: bool = False) -> dict[str, Any]:
    return load("_states/corosync.py", salt={"saltutil.cmd": daemons.cmd}, opts={"test": test}).loaded("loaded", IDS)


def test_one_reload_on_one_node_is_predicted_and_done_once() -> None:
    both = Daemons({"totem.token": {"old": "1000", "new": "2000"}})
    predicted = loaded(both, test=True)
    assert (predicted["result"], both.reloads) == (None, [])
    assert loaded(both)["changes"] == predicted["changes"]
    assert (loaded(both)["changes"], both.reloads) == ({}, [IDS["db1"]])


def test_what_needs_a_stop_fails_in_both_modes_and_reloads_nothing() -> None:
    both = Daemons({"totem.transport": {"old": "udpu", "new": "knet"}}, "restart")
    for test in (True, False):
        ret = loaded(both, test=test)
        assert ret["result"] is False and "stopped on both nodes" in ret["comment"]
    assert both.reloads == []
