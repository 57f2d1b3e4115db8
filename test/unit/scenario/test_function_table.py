"""Every public function has a row in the table of real calls, and no row asks for what does not exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import tomllib
from scenario.function_call import ACTIVE, MASTER, MODULES, PASSIVE, RUNNERS, SPARE, STATES, Call, Known
from scenario.function_player import Player
from scenario.function_table import BY_THE_FORMULA, CALLS
from scenario.lab import Lab
from scenario.salt_calls import Answer, jobs

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = {MODULES: "_modules", STATES: "_states", RUNNERS: "_runners"}


def public(kind: str) -> dict[str, ast.arguments]:
    """Return the arguments of every public function in the files of one kind, by the name that Salt knows it by."""
    found = {}
    for path in sorted(ROOT.glob(f"{FOLDERS[kind]}/*.py")):
        text = path.read_text(encoding="utf-8")
        module = next(iter(re.findall(r"""^__virtualname__ = ["'](\w+)["']""", text, re.MULTILINE)), path.stem)
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found[f"{module}.{node.name}"] = node.args
    return found


PUBLIC = {kind: public(kind) for kind in FOLDERS}


def known() -> Known:
    """Return what calls are made from, without a lab: every answer is there, and has whatever is asked of it."""
    found = Known(Lab(), "db1")
    found.corosync_key = lambda: "a2V5" * 30
    found.answers = MagicMock()
    found.answers.__getitem__.side_effect = lambda name: _ANSWERS.get(name, MagicMock())
    return found


_ANSWERS = {
    "corosync.configuration": "totem {\n\ttoken: 3000\n}\n",
    "halvm.paths": [{"wwid": Lab().storage["luns"][0]["wwid"], "paths": ["sda"], "multipath": None}],
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_public_function_is_called_for_real(kind: str) -> None:
    called = {call.function for call in CALLS if call.kind == kind}
    if kind == STATES:
        assert called & set(BY_THE_FORMULA) == set(), "both the formula and a row"
        called |= set(BY_THE_FORMULA)
    assert set(PUBLIC[kind]) - called == set(), "no row calls these"
    assert called - set(PUBLIC[kind]) == set(), "there are no such functions"


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.kind}-{call.function}")
def test_a_row_calls_its_function_as_it_can_be_called(call: Call) -> None:
    assert call.on in (ACTIVE, PASSIVE, MASTER)
    assert (call.on == MASTER) == (call.kind == RUNNERS)
    assert not (call.raises and call.shows), "a look at the effect of what is refused"
    accepted = PUBLIC[call.kind][call.function]
    names = [one.arg for one in (*accepted.args, *accepted.kwonlyargs)]
    required = set(names[: len(accepted.args) - len(accepted.defaults)])
    given = set(call.arguments(known())) | ({"name"} if call.kind == STATES else set())
    assert given - set(names) == set(), "unknown arguments"
    assert required - given == set(), "missing arguments"


def test_what_a_row_expects_is_not_fulfilled_by_nothing() -> None:
    """An expectation that any answer fulfils would prove nothing."""
    careless = []
    for call in CALLS:
        if call.raises:
            continue
        wrong = ({}, [], None, False, "")
        # Who returns nothing has a look from outside, or repeats a call that has one.
        if all(_fulfils(call, answer) for answer in wrong) or (_fulfils(call, None) and not call.shows):
            careless.append(call.function)
    assert sorted(careless) == ["corosync.check", "hastorage.write_lvmlocal"]


def _fulfils(call: Call, answer: object) -> bool:
    try:
        return call.expect(answer, known()) is True
    except (KeyError, TypeError, AttributeError, IndexError, StopIteration):
        return False


def test_the_spare_lun_is_the_labs() -> None:
    luns = tomllib.loads((ROOT / "test/lab/topology.toml").read_text(encoding="utf-8"))["luns"]
    assert f"36001405{luns[1]['serial'][:25]}" == SPARE
    assert SPARE not in [lun["wwid"] for lun in Lab().storage["luns"]]


def test_scripts_know_every_variable_that_they_use() -> None:
    names = set(known().variables)
    for call in CALLS:
        for text in (call.before, call.shows, call.undo):
            used = set(re.findall(r"\$\{?([A-Z_]{2,})\b", text)) - {"SIGNS"}
            assert used <= names, f"{call.function}: {used - names}"


def test_a_job_has_no_function_twice_and_keeps_the_order() -> None:
    asked = [("a", {}), ("b", {}), ("a", {"x": 1}), ("b", {}), ("c", {})]
    assert list(jobs(asked)) == [asked[:2], asked[2:]]
    assert list(jobs([])) == []


class FakeSalt:
    """Answers from a table, and remembers the jobs."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers, self.jobs = answers, []

    def call(self, minion: str, asked: list) -> list[Answer]:
        self.jobs.append((minion, [name for name, _ in asked]))
        return [self.answers[name] for name, _ in asked]

    def one(self, minion: str, function: str, **named: object) -> object:
        return [{"document": {}}]


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Player:
    lab = Lab()
    lab.asked = []
    monkeypatch.setattr(lab, "ask", lambda node, script, **how: lab.asked.append((node, script.splitlines()[-1])))
    salt = FakeSalt({"m.a": Answer(1), "m.b": Answer(2), "m.boom": Answer("Traceback\nRefused: no, because", True)})
    return Player(lab, salt, "db1", tmp_path)


def test_reading_calls_share_a_job_until_one_needs_an_answer(player: Player) -> None:
    calls = [
        Call("m.a", PASSIVE, {}, lambda a, k: a == 1),
        Call("m.b", PASSIVE, {}, lambda a, k: a == 2),
        Call("m.b", PASSIVE, lambda k: {"x": k.answers["m.a"]}, lambda a, k: a == 2),
        Call("m.a", ACTIVE, {}, lambda a, k: a == 1),
    ]
    assert player.play(calls) == []
    assert player._salt.jobs == [("db2", ["m.a", "m.b"]), ("db2", ["m.b"]), ("db1", ["m.a"])]


def test_a_wrong_answer_and_an_error_are_findings_and_the_rest_goes_on(player: Player) -> None:
    calls = [
        Call("m.a", PASSIVE, {}, lambda a, k: a == 7),
        Call("m.boom", PASSIVE, {}, lambda a, k: True),
        Call("m.boom", PASSIVE, {}, lambda a, k: True, raises="because"),
        Call("m.a", PASSIVE, {}, lambda a, k: True, raises="because"),
        Call("m.b", PASSIVE, {}, lambda a, k: a["x"] == 1),
        Call("m.b", PASSIVE, lambda k: {"x": k.answers["never"]}, lambda a, k: True),
    ]
    found = player.play(calls)
    assert [line.partition(": ")[0] for line in found] == [f"modules m.{name} on passive" for name in ("a", "boom", "a", "b", "b")]
    assert [word in line for word, line in zip(["wrong", "because", "did not raise", "shape", "not answered"], found, strict=True)] == [True] * 5


def test_what_a_call_changes_is_put_back_also_when_it_fails(player: Player) -> None:
    call = Call("m.boom", PASSIVE, {}, lambda a, k: True, before="prepare", shows="look", undo="put back")
    assert len(player.play([call])) == 1
    assert [script for node, script in player._lab.asked if node == "db2"][1:] == ["prepare", "put back"]


def test_a_look_from_outside_that_fails_is_a_finding(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    from hadblab.errors import LabError

    def ask(node: str, script: str, **how: object) -> None:
        if script.endswith("look"):
            raise LabError("exit status 1")

    monkeypatch.setattr(player._lab, "ask", ask)
    (found,) = player.play([Call("m.a", PASSIVE, {}, lambda a, k: a == 1, shows="look")])
    assert "exit status 1" in found
