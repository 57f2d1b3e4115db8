"""The operators' verbs: what they run, what they refuse, and that they tell the truth afterwards."""

import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
from command_queue import MON, QUERY

from hadb_core.errors import CommandFailed, HadbError, Invalid, Refused

WAIT = ["crm_resource", "--wait"]


@pytest.fixture
def moved(real):
    """What crm_mon says after the group, and its addresses, have moved from db1 to db2."""
    report = ET.fromstring(real("crm_mon-running"))
    for resource in report.iterfind("resources//resource"):
        for node in [] if resource.get("id").startswith("fence-") else resource.findall("node"):
            node.set("name", "db2")
    return ET.tostring(report, encoding="unicode")


def expect_settled(commands, real, after=None):
    commands.expect_status(real).expect(WAIT)
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=after or real("crm_mon-running"))


def with_constraint(text, name):
    root = ET.fromstring(text)
    constraints = root.find("configuration/constraints")
    ET.SubElement(constraints, "rsc_location", id=name, rsc="db", node="db2", score="INFINITY")
    return ET.tostring(root, encoding="unicode")


def at(module, *seconds):
    """Let the module see these times, one after the other; nobody else's clock is touched."""
    clock = iter(seconds)
    module.pacemaker_operate.time = SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None)


def test_settled_waits_until_everything_is_active(module, commands, real):
    expect_settled(commands, real)
    answer = module.settled(timeout=30)
    assert answer["settled"] and answer["lacking"] == []


def test_settled_looks_again_until_the_time_is_over(module, commands, real):
    at(module, 0, 0, 1, 1, 60)
    for left in (30, 29):
        commands.expect_status(real).expect([*WAIT, f"--timeout={left}"], code=124).expect_status(real)
    answer = module.settled(timeout=30)
    assert (answer["settled"], answer["waited"]) == (False, 60)


def test_settled_gives_up_in_time_and_says_why(module, commands, real):
    commands.expect_status(real)
    answer = module.settled(timeout=0, expected=["vip-x"])
    assert not answer["settled"] and answer["lacking"] == ["vip-x is not in the cluster's configuration"]


def test_settled_without_a_cluster_asks_no_tool_to_wait(module, commands):
    commands.expect(QUERY, code=102)
    assert module.settled(timeout=0)["lacking"] == ["Pacemaker does not run here: Pacemaker does not run here"]


def test_a_transition_that_does_not_end_is_not_settled(module, commands, real):
    at(module, 0, 0, 100)
    commands.expect_status(real).expect([*WAIT, "--timeout=60"], code=124).expect_status(real)
    assert module.settled(timeout=60)["lacking"] == ["a transition is in progress"]


def test_a_standby_lasts_and_waits_until_everything_has_moved(module, commands, real):
    commands.expect_status(real)
    commands.expect(
        ["crm_attribute", "--node", "db2", "--name", "standby", "--update", "on", "--lifetime", "forever"]
    )
    expect_settled(commands, real)
    assert module.standby("db2")["settled"]


def test_online_ends_both_kinds_of_standby(module, commands, real):
    commands.expect_status(real)
    for lifetime in ("forever", "reboot"):
        commands.expect(
            ["crm_attribute", "--node", "db2", "--name", "standby", "--delete", "--lifetime", lifetime]
        )
    expect_settled(commands, real)
    assert module.online("db2")["settled"]


@pytest.mark.parametrize(("enabled", "words"), [(True, ["--update", "true"]), (False, ["--delete"])])
def test_maintenance_is_switched_and_read_again(module, commands, real, enabled, words):
    commands.expect_status(real).expect(["crm_attribute", "--name", "maintenance-mode", *words]).expect_status(real)
    assert module.maintenance(enabled) is False, "what the cluster says, not what was asked for"


def test_maintenance_takes_only_a_boolean(module):
    with pytest.raises(Invalid, match="True or False"):
        module.maintenance("off")


@pytest.mark.parametrize(("resource", "words"), [(None, []), ("db-server", ["--resource", "db-server"])])
def test_failures_of_one_resource_or_of_all_are_forgotten(module, commands, real, resource, words):
    commands.expect_status(real)
    if resource:
        commands.expect(QUERY, out=real("cib-running"))
    commands.expect([*WAIT, "--timeout=120"])
    commands.expect(["crm_resource", "--cleanup", *words])
    expect_settled(commands, real)
    assert module.cleanup(resource)["settled"]


def test_nothing_is_forgotten_while_pacemaker_is_at_work(module, commands, real):
    commands.expect_status(real).expect([*WAIT, "--timeout=30"], code=124)
    with pytest.raises(Refused, match=r"still at work after 30 s.*timeout=0"):
        module.cleanup(timeout=30)


def test_what_waits_for_a_cleanup_is_cleaned_up_when_that_is_asked_for(module, commands, real):
    commands.expect_status(real).expect(["crm_resource", "--cleanup"]).expect_status(real)
    assert module.cleanup(timeout=0)["settled"]


def test_a_ban_names_resource_and_node(module, commands, real):
    commands.expect_status(real).expect(QUERY, out=real("cib-running"))
    commands.expect(["crm_resource", "--ban", "--resource", "db", "--node", "db2"])
    expect_settled(commands, real)
    assert module.ban("db", "db2")["settled"]


@pytest.mark.parametrize(("node", "words"), [(None, []), ("db2", ["--node", "db2"])])
def test_bans_are_lifted_on_one_node_or_on_all(module, commands, real, node, words):
    commands.expect_status(real).expect(QUERY, out=real("cib-running"))
    if node:
        commands.expect_status(real)
    commands.expect(["crm_resource", "--clear", "--resource", "db", *words])
    expect_settled(commands, real)
    assert module.clear("db", node)["settled"]


@pytest.mark.parametrize(("verb", "given"), [("ban", ("db3", "db2")), ("clear", ("db3",)), ("cleanup", ("db3",))])
def test_verbs_refuse_a_resource_that_the_cluster_does_not_have(module, commands, real, verb, given):
    commands.expect_status(real).expect(QUERY, out=real("cib-running"))
    with pytest.raises(HadbError, match="no resource db3; it has .*db-fs"):
        getattr(module, verb)(*given)


@pytest.mark.parametrize("verb", ["standby", "online", "move"])
def test_verbs_refuse_a_node_that_the_cluster_does_not_have(module, commands, real, verb):
    commands.expect_status(real)
    with pytest.raises(HadbError, match="no node db3"):
        getattr(module, verb)("db3")


@pytest.mark.parametrize(
    ("verb", "given"),
    [("standby", ("db2",)), ("move", ("db2",)), ("cleanup", ()), ("clear", ("db",)), ("maintenance", (True,))],
)
def test_nothing_is_done_where_pacemaker_does_not_run(module, commands, verb, given):
    commands.expect(QUERY, code=102)
    with pytest.raises(HadbError, match="Pacemaker does not run here"):
        getattr(module, verb)(*given)


def expect_move(commands, real, cib=None):
    commands.expect_status(real).expect(QUERY, out=cib or real("cib-running"))


def test_a_move_clears_only_the_constraint_that_it_made(module, commands, real, moved):
    expect_move(commands, real)
    commands.expect_status(real)
    commands.expect(["crm_resource", "--move", "--resource", "db", "--node", "db2"])
    expect_settled(commands, real, after=moved)
    commands.expect(["crm_resource", "--clear", "--resource", "db", "--node", "db2"])
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=moved)
    answer = module.move("db2")
    assert answer["settled"] and answer["lacking"] == []


def test_a_move_that_ends_elsewhere_is_not_called_a_success(module, commands, real):
    expect_move(commands, real)
    commands.expect_status(real).expect(["crm_resource", "--move"])
    expect_settled(commands, real)
    commands.expect(["crm_resource", "--clear"]).expect_status(real)
    answer = module.move("db2")
    assert not answer["settled"] and "db-server runs on db1, not on db2" in answer["lacking"]


def test_what_is_there_already_is_not_moved(module, commands, real):
    expect_move(commands, real)
    commands.expect_status(real)
    expect_settled(commands, real)
    assert module.move("db1")["settled"]


@pytest.mark.parametrize("constraint", ["cli-ban-db-on-db2", "cli-prefer-db"])
def test_a_move_does_not_lift_what_an_operator_decided(module, commands, real, constraint):
    expect_move(commands, real, with_constraint(real("cib-running"), constraint))
    with pytest.raises(Refused, match=f"{constraint}.*pacemaker.clear db"):
        module.move("db2")


def test_a_move_leaves_no_constraint_even_when_it_fails(module, commands, real):
    expect_move(commands, real)
    commands.expect_status(real)
    commands.expect(["crm_resource", "--move", "--resource", "db", "--node", "db2"])
    commands.expect_status(real).expect(WAIT, code=70, err="it broke")
    commands.expect(["crm_resource", "--clear", "--resource", "db", "--node", "db2"])
    with pytest.raises(CommandFailed, match="it broke"):
        module.move("db2")


def test_fencing_by_hand_needs_the_name_twice(module, commands, real):
    commands.expect_status(real)
    with pytest.raises(Refused, match="confirm=db2"):
        module.fence("db2", "yes")


def test_fencing_answers_with_the_newest_entry_of_the_history(module, commands, real):
    commands.expect_status(real).expect(["stonith_admin", "--reboot", "db2"]).expect_status(real, mon="fenced")
    (event,) = module.fence("db2", "db2")
    assert (event["action"], event["target"], event["status"]) == ("reboot", "db2", "success")
