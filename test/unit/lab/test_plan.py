from __future__ import annotations

from typing import Any

import pytest
from topologies import default, record

from hadblab import plan
from hadblab.errors import LabError
from hadblab.plan import Found, Step

ALL_ON = {"db1": "on", "db2": "on", "san": "on", "salt": "on"}
BMCS = frozenset({"db1", "db2"})


def found(**changes: Any) -> Found:
    values: dict[str, Any] = {"record": record(), "namespace": True, "power": ALL_ON, "bmcs": BMCS}
    return Found(**{**values, **changes})


def steps(state: Found) -> list[Step]:
    return plan.for_up(record(phase="starting", kernel="", bases={}, images={}, ssh_key=""), default(), state)


def names(made: list[Step]) -> list[str]:
    return [f"{step.what} {step.node}" if step.node else step.what for step in made]


def test_running_lab_with_the_same_parameters_needs_nothing():
    assert steps(found()) == []


def test_nothing_there_means_everything_in_order_with_the_array_before_the_nodes():
    made = names(steps(found(record=None, namespace=False, power={}, bmcs=frozenset())))
    assert made == [
        "clean", "network", "disks", "bmc db1", "bmc db2", "boot san", "boot salt", "boot db1", "boot db2", "wait",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "state",
    [
        found(record=record(phase="starting")),
        found(power=dict.fromkeys(ALL_ON, "off")),
        found(namespace=False),
        found(record=None),
    ],
    ids=["interrupted start", "all kernels dead", "namespace gone", "record gone"],
)
def test_leftovers_of_a_dead_lab_are_cleared_away_first(state: Found):
    assert names(steps(state))[:3] == ["clean", "network", "disks"]


def test_only_what_is_off_is_started_again():
    state = found(power={**ALL_ON, "db2": "off"}, bmcs=frozenset({"db1"}))
    assert names(steps(state)) == ["bmc db2", "boot db2", "wait"]


def test_frozen_node_is_left_to_whoever_froze_it():
    assert steps(found(power={**ALL_ON, "db1": "frozen"})) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"distro": "debian12"}, "distro debian12 instead of debian13"),
        ({"salt": "3006.24"}, "salt 3006.24"),
        ({"topology": {}}, "another topology"),
        ({"pillar": "/q.sls"}, "pillar /q.sls"),
    ],
)
def test_other_parameters_are_refused_while_the_lab_runs(change: dict[str, Any], word: str):
    with pytest.raises(LabError, match=f"{word}.*down first"):
        steps(found(record=record(**change)))


def test_dead_lab_with_other_parameters_does_not_stand_in_the_way():
    assert steps(found(record=record(distro="debian12"), power={}))[0] == Step("clean")


def test_snapshot_fits_the_images_that_it_was_made_with():
    plan.check_snapshot(record(), {"node": "n1", "san": "s1", "master": "m1"})


@pytest.mark.parametrize("now", [{"node": "n2", "san": "s1", "master": "m1"}, {"san": "s1", "master": "m1"}])
def test_snapshot_of_other_images_is_refused(now: dict[str, str]):
    with pytest.raises(LabError, match="other images.*node"):
        plan.check_snapshot(record(), now)
