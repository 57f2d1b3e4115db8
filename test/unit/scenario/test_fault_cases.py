"""The table of faults: scenarios play cases that there are, and what is not played is told."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import scenario
from scenario import scenarios
from scenario.fault_cases import CASES, TESTS, coverage, key_of, report, verdicts_of
from scenario.faults import RESOURCES
from scenario.lab import Lab
from scenario.stage import Stage
from scenario.status import Failure
from scenario.verdicts import FAIL, PASS, UNKNOWN
from scenario.wait import TooLateError

FOLDER = Path(scenario.__file__).parent
MODULES = [importlib.import_module(f"scenario.{path.stem}") for path in sorted(FOLDER.glob("faults*.py"))]
SCENARIOS = scenarios.ALL


def test_there_are_73_cases_and_scenarios_and_tests_play_nothing_else() -> None:
    assert len(CASES) == 73
    assert {case for one in SCENARIOS for case in one.cases} <= set(CASES)
    assert {case for cases in TESTS.values() for case in cases} <= set(CASES)


def test_make_test_plays_every_scenario_that_is_named_for_it() -> None:
    assert {one.name for one in scenarios.FIRST} > scenarios.ALSO


def test_make_test_plays_at_least_45_cases() -> None:
    played = {case for one in scenarios.FIRST for case in one.cases} | {case for cases in TESTS.values() for case in cases}
    assert len(played) >= 45


def test_every_table_of_scenarios_is_played() -> None:
    assert sorted(one.name for one in SCENARIOS) == sorted(one.name for module in MODULES for one in module.SCENARIOS)


def test_each_scenario_has_a_name_of_its_own() -> None:
    names = [one.name for one in SCENARIOS]
    assert len(set(names)) == len(names)
    assert [name for name in names if len(name) > 42 or not re.fullmatch(r"[a-zA-Z0-9%, -]+", name)] == []


def test_every_case_is_played() -> None:
    played = {case for one in SCENARIOS for case in one.cases}
    assert [case for case in CASES if case not in played] == []


def test_resources_are_those_that_the_lab_has() -> None:
    lab = Lab()
    assert {*lab.group, *lab.fences} == set(RESOURCES)


@pytest.mark.parametrize("one", SCENARIOS, ids=lambda one: one.name)
def test_scenario_names_parts_and_resources_that_there_are(one) -> None:
    assert {*one.fenced, *one.perhaps} <= {"active", "passive"}
    assert not set(one.fenced) & set(one.perhaps)
    assert set(one.fencing_fails) <= {*one.fenced, *one.perhaps}
    assert set(one.refused) <= set(one.fenced)
    assert set(one.explained) <= set(RESOURCES)
    assert one.budget > 0


@pytest.mark.parametrize("name", TESTS)
def test_tests_that_play_cases_are_there(name: str) -> None:
    file, _, test = name.partition("::")
    tree = ast.parse((FOLDER / file).read_text(encoding="utf-8"))
    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_test_is_known_by_file_and_name_whatever_its_parameters() -> None:
    assert key_of("test/scenario/test_build.py::test_second_apply_changes_nothing[real]") in TESTS
    assert key_of("test_build.py::test_second_apply_changes_nothing") in TESTS


def test_worst_verdict_on_a_case_counts() -> None:
    build, second = list(TESTS)[:2]
    assert verdicts_of([(("A1", "S12"), PASS)], {}) == {"A1": PASS, "S12": PASS}
    assert verdicts_of([(("A1",), PASS), (("A1", "A2"), FAIL)], {}) == {"A1": FAIL, "A2": FAIL}
    assert verdicts_of([(("A1",), UNKNOWN), (("A1",), PASS)], {}) == {"A1": UNKNOWN}
    assert verdicts_of([], {build: True, second: True}) == {"M2": PASS, "M4": PASS, "M5": PASS}
    assert verdicts_of([(("M5",), PASS)], {build: False}) == {"M2": FAIL, "M5": FAIL}
    assert verdicts_of([], {"test_build.py::test_of_something_else": True}) == {}


def test_report_has_a_line_for_each_case_and_counts() -> None:
    found = report({"A1": PASS, "A2": FAIL, "D1": UNKNOWN, "D2": PASS}, everything=True)
    assert len(found) == 73 + 1
    assert found[0] == f"A1   pass        {CASES['A1']}"
    assert found[1].split()[:2] == ["A2", "fail"]
    assert found[2] == f"A3   not played  {CASES['A3']}"
    assert found[-1].startswith("4 of 73 fault cases; not: A3, ")
    assert found[-1].endswith(": 2 passed, 1 failed, 1 unknown")
    assert [line.split()[0] for line in report({"D1": PASS}, everything=False)[:-1]] == ["D1"]


def test_what_was_not_played_is_named() -> None:
    assert coverage([]).startswith("0 of 73 fault cases; not: A1, A2, ")
    assert coverage([*list(CASES)[1:], "D1", "D1"]) == "72 of 73 fault cases; not: A1"
    assert coverage(CASES) == coverage(case for case in CASES) == "73 of 73 fault cases"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_scripts_for_nodes_are_shell(module) -> None:
    """What a module keeps as text and has a shell's words in it, with its names filled in."""
    shell = shutil.which("dash") or "sh"
    for name, text in vars(module).items():
        if isinstance(text, str) and re.search(r"[;&|$]", text) and not name.startswith("__"):
            script = re.sub(r"\{\w+\}", "x", text)
            checked = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
            assert checked.returncode == 0, f"{name}: {checked.stderr}"


def stage(*failures: Failure) -> Stage:
    """Return a stage whose passive node sees these failures."""
    view = SimpleNamespace(failures=failures, home=lambda resource: "db1")
    lab = SimpleNamespace(nodes=("db1", "db2"), peer=lambda node: "db2", status=lambda node: view)
    return Stage(lab, None, view)


def test_refusal_is_waited_for_on_every_node_and_its_reasons_are_told() -> None:
    refused = [Failure("db-lvm", "start", node, f"no disk on {node}") for node in ("db1", "db2")]
    assert stage(*refused, Failure("db-fs", "start", "db1", "other")).wait_refused("db-lvm", ["db1", "db2"], 0.0) == [
        "no disk on db1", "no disk on db2"]  # fmt: skip


@pytest.mark.parametrize("resource, task, node", [("db-lvm", "monitor", "db2"), ("db-fs", "start", "db2"), ("db-lvm", "start", "db1")])
def test_what_is_no_refusal_on_the_node_does_not_count(resource: str, task: str, node: str) -> None:
    with pytest.raises(TooLateError, match="db-lvm was not refused on db2"):
        stage(Failure(resource, task, node, "x")).wait_refused("db-lvm", ["db2"], 0.0)
