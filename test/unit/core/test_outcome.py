"""The shape of every state: exact test mode, and no success without proof."""

from __future__ import annotations

from hadb_core.errors import CommandFailed, Refused
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan, Step

STEP = Step("make", "thing", None, "there", {"name": "thing"})


class World:
    """A thing that is either there or not, and a plan to make it."""

    def __init__(self, works: bool = True) -> None:
        self.there, self.works, self.calls = False, works, 0

    def plan(self) -> Plan:
        return Plan() if self.there else Plan((STEP,))

    def apply(self, plan: Plan) -> None:
        self.calls += 1
        self.there = self.works


def run(world: World, test: bool = False):
    return converge("thing", plan=world.plan, apply=world.apply, test=test, done="It is there")


def test_predicts_exactly_what_the_run_reports_and_does_nothing():
    world = World()
    predicted = run(world, test=True)
    assert (predicted["result"], world.calls) == (None, 0)
    real = run(world)
    assert (real["result"], real["changes"]) == (True, predicted["changes"])


def test_a_run_carries_out_the_very_plan_that_it_reports_with_what_was_left_alone():
    carried: list[Plan] = []
    first = Plan((STEP,), ("db1 is in standby",))
    plans = iter((first, Plan()))
    ret = converge("thing", plan=lambda: next(plans), apply=carried.append, test=False, done="It is there")
    assert ret == {
        "name": "thing",
        "result": True,
        "changes": {"thing": {"old": None, "new": "there"}},
        "comment": "It is there\ndb1 is in standby",
    }
    assert carried == [first]


def test_second_run_changes_nothing():
    world = World()
    run(world)
    assert run(world) == {"name": "thing", "result": True, "changes": {}, "comment": "It is there"}
    assert run(world, test=True)["result"] is True


def test_fails_when_the_effect_did_not_last():
    ret = run(World(works=False))
    assert ret["result"] is False
    assert "thing" in ret["comment"]


def test_a_refusal_is_a_failure_with_its_remedy_and_no_changes():
    def refuse() -> Plan:
        raise Refused("there is data on it", "look at it")

    ret = converge("thing", plan=refuse, apply=lambda plan: None, test=False, done="")
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"] == "there is data on it. What to do: look at it"


def test_a_failing_effect_names_the_change_under_way():
    def fail(plan: Plan) -> None:
        raise CommandFailed(["make", "it"], 5, "", "no space")

    ret = converge("thing", plan=lambda: Plan((STEP,)), apply=fail, test=False, done="")
    assert ret["comment"] == "`make it` ended with exit code 5: no space\nIt happened while changing: thing"


def test_all_that_was_being_changed_when_it_failed_is_named():
    def fail(plan: Plan) -> None:
        raise CommandFailed(["make", "it"], 5)

    steps = (STEP, Step("make", "other"), Step("again", "thing"))
    ret = converge("thing", plan=lambda: Plan(steps), apply=fail, test=False, done="")
    assert ret["comment"].splitlines()[1] == "It happened while changing: thing, other"
    assert (ret["result"], ret["changes"]) == (False, {})


def test_what_is_left_and_what_would_be_done_is_told():
    assert run(World(), test=True)["comment"] == "Would change: thing"
    assert run(World(works=False))["comment"] == "Done, but read again this is still not as wanted: thing"


def test_remarks_are_told_with_and_without_changes():
    ret = converge(
        "x", plan=lambda: Plan(remarks=("db1 is in standby",)), apply=carry_out, test=False, done="ok"
    )
    assert ret["comment"] == "ok\ndb1 is in standby"


def test_carry_out_calls_the_module_function_of_each_step():
    made = []
    carry_out({"halvm.make": lambda name: made.append(name)}, "halvm", Plan((STEP,)))
    assert made == ["thing"]


def test_two_steps_on_one_path_are_one_change():
    plan = Plan((Step("a", "p", 1, 2), Step("b", "p", 2, 3)))
    assert plan.changes() == {"p": {"old": 1, "new": 3}}


def test_a_plan_is_told_by_what_it_changes_each_once_in_order():
    plan = Plan((Step("a", "vg db-vg"), Step("b", "lv db-vol"), Step("c", "vg db-vg")))
    assert plan.sentence() == "vg db-vg, lv db-vol"
