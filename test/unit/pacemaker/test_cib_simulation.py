import pytest

from hadb_core.cib_guard import refuse_disruptions, refuse_unready, verify_errors
from hadb_core.cib_simulation import Action, actions, answer, disruptions
from hadb_core.cib_status import status, stopped
from hadb_core.errors import Refused, Unreadable

MEMBERS = ("db-lvm", "db-fs", "db-server", "vip-glance", "vip-nova")


def test_a_changed_address_restarts_it_and_what_depends_on_it(real):
    found = actions(real("crm_simulate-restart"))
    assert [(item.what, item.target, item.node) for item in found] == [
        ("restart", "db-server", "db1"),
        ("restart", "vip-nova", "db1"),
    ]
    assert "resource definition change" in str(found[1])


def test_no_change_does_nothing(real):
    assert actions(real("crm_simulate-nothing")) == ()


def test_fencing_is_an_action_on_a_node(real):
    assert Action("fence", "db2", "", "peer is no longer part of the cluster") in actions(
        real("crm_simulate-fence")
    )


@pytest.mark.parametrize("report", ["", "Could not connect", "<pacemaker-result/>"])
def test_no_list_of_actions_is_unreadable_and_never_empty(report):
    with pytest.raises(Unreadable):
        actions(report)


def test_what_pacemaker_is_about_to_do_anyway_is_not_the_changes_doing():
    move = Action("move", "db-fs", "db1", "")
    assert disruptions([move], [], MEMBERS) == (move,)
    assert disruptions([move], [move], MEMBERS) == ()


def test_a_fence_counts_even_if_it_is_due_anyway():
    fence = Action("fence", "db2", "", "")
    assert disruptions([fence], [fence], MEMBERS) == (fence,)


def test_starts_fencing_devices_and_foreign_resources_may_change():
    harmless = [
        Action("start", "db-fs", "db1", ""),
        Action("restart", "fence-db1", "db2", ""),
        Action("stop", "theirs", "db1", ""),
    ]
    assert disruptions(harmless, [], MEMBERS) == ()


def test_an_unknown_word_counts_as_a_disruption():
    strange = Action("teleport", "db-fs", "db1", "")
    assert disruptions([strange], [], MEMBERS) == (strange,)


def test_refuses_to_interrupt_the_database():
    with pytest.raises(Refused, match="interrupt the database: stop db-fs on db1.*allow_restart"):
        refuse_disruptions([Action("stop", "db-fs", "db1", "")])


def test_refuses_a_change_that_fences_a_node():
    with pytest.raises(Refused, match="would: fence db2.*bring the node online"):
        refuse_disruptions([Action("fence", "db2", "", "")])


def test_nothing_disruptive_is_not_refused():
    refuse_disruptions([])


def test_a_settled_cluster_is_ready(real):
    refuse_unready(status(real("crm_mon-running")), ("db1", "db2"), first=True)


def test_refuses_where_pacemaker_does_not_run():
    with pytest.raises(Refused, match="not installed"):
        refuse_unready(stopped("Pacemaker is not installed here"), ("db1", "db2"), first=True)


@pytest.mark.parametrize(("key", "words"), [("dc", "no designated controller"), ("with_quorum", "no quorum")])
def test_refuses_without_controller_or_quorum(real, key, words):
    state = status(real("crm_mon-running"))
    state["cluster"][key] = ""
    with pytest.raises(Refused, match=words):
        refuse_unready(state, ("db1", "db2"), first=False)


def test_refuses_node_names_that_the_cluster_does_not_have(real):
    with pytest.raises(Refused, match=r"does not know db3\.example; it has db[12], db[12]"):
        refuse_unready(status(real("crm_mon-running")), ("db1", "db3.example"), first=False)


def test_the_first_configuration_needs_every_node_and_later_ones_do_not(real):
    state = status(real("crm_mon-fenced"))
    refuse_unready(state, ("db1", "db2"), first=False)
    with pytest.raises(Refused, match="db2 is not online, and would be fenced"):
        refuse_unready(state, ("db1", "db2"), first=True)


# What crm_verify --verbose of 2.1.5 and 3.0.0 printed about a dangling reference, and about no quorum.
BAD_2 = 'element rsc_location: validity error : IDREF attribute rsc references an unknown ID "nothere"\n(main) \terror: CIB did not pass schema validation\ncrm_verify: Errors found during check: config not valid'  # noqa: E501
BAD_3 = 'IDREF attribute rsc references an unknown ID "nothere"\n\nerror: CIB did not pass schema validation\nConfiguration invalid (with errors)'  # noqa: E501
WARNINGS_2 = "crm_verify: Warnings found during check: config may not be valid"
WARNING = "(cluster_status) \twarning: Fencing and resource management disabled due to lack of quorum"


@pytest.mark.parametrize("said", [BAD_2, BAD_3])
def test_an_error_of_crm_verify_is_told_with_its_reason(said):
    assert any("nothere" in line for line in verify_errors(78, said))


def test_a_warning_of_crm_verify_is_no_error_whatever_its_exit_code():
    assert verify_errors(78, WARNINGS_2) == verify_errors(78, WARNING) == verify_errors(0, WARNING) == []


def test_a_silent_failure_of_crm_verify_is_an_error():
    assert verify_errors(78, "") == ["crm_verify ended with exit code 78 without a word"]


def test_a_move_tells_where_from_and_where_to():
    report = '<r><actions><rsc_action action="move" resource="db-fs" source="db1" dest="db2"/></actions></r>'
    (move,) = actions(report)
    assert str(move) == "move db-fs from db1 to db2"


def test_an_answer_names_what_suffers_once_and_leaves_fencing_devices_out(running):
    planned = [
        Action("stop", "db-fs", "db1", ""),
        Action("move", "db-fs", "db1", "", "db2"),
        Action("move", "fence-db2", "db1", "", "db2"),
        Action("fence", "db1", "", ""),
        Action("stop", "vip-nova", "db1", ""),
    ]
    found = answer(planned, [Action("stop", "vip-nova", "db1", "")], running)
    assert (found["interrupted"], found["fenced"], found["anyway"]) == (["db-fs"], ["db1"], ["stop vip-nova on db1"])
    assert found["actions"][1] == {"what": "move", "target": "db-fs", "node": "db1", "reason": "", "to": "db2"}
