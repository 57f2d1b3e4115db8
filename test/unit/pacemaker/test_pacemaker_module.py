import xml.etree.ElementTree as ET

import pytest
from cib_document import SITE
from cib_document import captured as document
from cib_document import document as shipped
from command_queue import MON, QUERY

from hadb_core.errors import CommandFailed, HadbError, Invalid, Refused, Unreadable

VERIFY = ["crm_verify", "--verbose", "--xml-pipe"]
SIMULATE = ["crm_simulate", "--simulate", "--xml-pipe", "--output-as=xml"]
PATCH = ["cibadmin", "--patch", "--xml-pipe"]
DIFF = '<diff format="2"><version><source epoch="5"/><target epoch="5" num_updates="3"/></version></diff>'


@pytest.fixture
def not_installed(module, monkeypatch):
    monkeypatch.setattr(module.pacemaker.salt.utils.path, "which", lambda name: None)
    return module


def changed():
    return document(vips={"nova": {"address": "10.20.0.60"}})


def test_not_installed_is_not_running(not_installed):
    state = not_installed.status()
    assert not state["running"] and "not installed" in state["reason"]


def test_a_stopped_daemon_is_not_running(module, commands):
    commands.expect(QUERY, code=102)
    state = module.status()
    assert not state["running"] and state["reason"] == "Pacemaker does not run here"


def test_a_failing_program_is_not_a_stopped_daemon(module, commands):
    commands.expect(QUERY, code=70, err="out of memory")
    with pytest.raises(CommandFailed, match="out of memory"):
        module.status()


def test_a_plan_for_a_cluster_without_quorum_has_its_changes_and_says_what_they_wait_for(module, commands, real):
    cib, mon = real("cib-running"), real("crm_mon-running").replace('with_quorum="true"', 'with_quorum="false"')
    commands.expect(QUERY, out=cib).expect(QUERY, out=cib).expect(MON, out=mon)
    answer = module.plan(changed())
    assert list(answer["changes"]) == ["primitive vip-nova param ip"]
    assert "the cluster has no quorum" in answer["not_ready"] and answer["refused"] == ""


def test_garbage_is_not_an_empty_cluster(module, commands):
    commands.expect(QUERY, out="Signon failed").expect(["pacemakerd", "--version"], out="Pacemaker 3.0.0\nWritten by")
    with pytest.raises(Unreadable) as error:
        module.status()
    assert error.value.tool == "cibadmin --query (Pacemaker 3.0.0)" and error.value.line == "Signon failed"


def test_status_tells_the_name_and_the_holds(module, commands, real):
    commands.expect(QUERY, out=real("cib-held")).expect(MON, out=real("crm_mon-held"))
    state = module.status()
    assert state["cluster"]["name"] in ("pcmk", "tool"), "the names of the clusters that were captured"
    assert any("db is banned from db2" in hold for hold in state["holds"])


def test_a_daemon_that_stops_between_two_questions_is_not_running(module, commands, real):
    commands.expect(QUERY, out=real("cib-running")).expect(MON, code=102)
    assert module.status()["reason"] == "Pacemaker is starting or stopping"


def test_where_the_database_runs(module, commands, real):
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    assert module.where() == "db1"


def test_where_is_an_error_when_nothing_is_known(module, not_installed):
    with pytest.raises(HadbError, match="not known where db-server runs"):
        module.where()


def test_where_is_an_error_for_an_unknown_resource(module, commands, real):
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    with pytest.raises(HadbError, match="no resource vip-x"):
        module.where("vip-x")


def test_the_configuration_names_what_is_hadbs(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    found = module.configuration()
    assert found["running"] and "db-fs" in found["owned"]
    assert found["objects"]["primitive db-fs"]["param directory"] == "/dbmnt"


def test_a_blank_node_predicts_without_running_anything(not_installed):
    answer = not_installed.plan(document())
    assert "group db" in answer["changes"] and answer["refused"] == ""


def test_a_stopped_cluster_predicts_against_its_last_configuration(module, commands, real, tmp_path):
    (tmp_path / "cib.xml").write_text(real("cib-running"))
    commands.expect(QUERY, code=102)
    assert list(module.plan(changed())["changes"]) == ["primitive vip-nova param ip"]


def test_nothing_to_do_costs_one_query(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    assert module.plan(document())["changes"] == {}
    commands.expect(QUERY, out=real("cib-running"))
    assert module.apply(document()) == []


def expect_judgement(commands, real, simulated="crm_simulate-nothing"):
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    commands.expect(VERIFY)
    commands.expect(SIMULATE, out=real(simulated)).expect(SIMULATE, out=real("crm_simulate-nothing"))


def test_one_patch_bound_to_the_version_it_was_made_from(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    expect_judgement(commands, real)
    commands.expect(["crm_diff", "--original"], out=DIFF, code=1).expect(PATCH)
    assert module.apply(changed()) == []
    target = ET.fromstring(commands.inputs[-1]).find("version/target")
    assert (target.get("epoch"), target.get("num_updates")) == ("6", "0")
    assert [mode for _, mode in commands.files] == [0o600, 0o600]
    assert "10.20.0.60" in commands.files[1][0] and "10.20.0.60" not in commands.files[0][0]


def later(text, epoch=0, updates=0):
    """Return a CIB after further changes of its configuration and of its status."""
    root = ET.fromstring(text)
    for name, more in (("epoch", epoch), ("num_updates", updates)):
        root.set(name, str(int(root.get(name)) + more))
    return ET.tostring(root, encoding="unicode")


def test_a_change_of_the_status_in_between_does_not_matter(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    expect_judgement(commands, real)
    busy = later(real("cib-running"), updates=7)
    commands.expect(["crm_diff"], out=DIFF, code=1).expect(PATCH, code=103).expect(QUERY, out=busy).expect(
        PATCH
    )
    module.apply(changed())
    source = ET.fromstring(commands.inputs[-1]).find("version/source")
    assert source.get("num_updates") == ET.fromstring(busy).get("num_updates")


def test_a_change_of_the_configuration_in_between_is_read_and_judged_again(module, commands, real):
    theirs = later(real("cib-running"), epoch=1)
    commands.expect(QUERY, out=real("cib-running"))
    expect_judgement(commands, real)
    commands.expect(["crm_diff"], out=DIFF, code=1).expect(PATCH, code=103).expect(QUERY, out=theirs)
    commands.expect(QUERY, out=theirs)
    expect_judgement(commands, real)
    commands.expect(["crm_diff"], out=DIFF, code=1).expect(PATCH)
    module.apply(changed())


def test_a_configuration_that_never_rests_ends_in_an_error(module, commands, real, monkeypatch):
    monkeypatch.setattr(module.pacemaker, "_TRIES", 2)
    for epoch in (0, 1):
        commands.expect(QUERY, out=later(real("cib-running"), epoch))
        expect_judgement(commands, real)
        commands.expect(["crm_diff"], out=DIFF, code=1).expect(PATCH, code=103)
        commands.expect(QUERY, out=later(real("cib-running"), epoch + 1))
    with pytest.raises(HadbError, match="changed under our hands 2 times"):
        module.apply(changed())


def test_a_change_that_restarts_the_database_is_refused_before_anything_is_written(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    expect_judgement(commands, real, "crm_simulate-restart")
    with pytest.raises(Refused, match="restart vip-nova on db1"):
        module.apply(changed())


def test_the_plan_tells_the_refusal(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    expect_judgement(commands, real, "crm_simulate-restart")
    answer = module.plan(changed())
    assert "restart vip-nova on db1" in answer["refused"]


def test_a_restart_can_be_allowed_and_is_told(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    expect_judgement(commands, real, "crm_simulate-restart")
    commands.expect(["crm_diff"], out=DIFF, code=1).expect(PATCH)
    assert "restart vip-nova on db1" in module.apply(changed(), allow_restart=True)[1]


def test_a_fence_cannot_be_allowed(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    expect_judgement(commands, real, "crm_simulate-fence")
    with pytest.raises(Refused, match="would: fence db2"):
        module.apply(changed(), allow_restart=True)


def test_what_crm_verify_rejects_is_refused(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    commands.expect(VERIFY, code=78, err="error: CIB did not pass schema validation")
    with pytest.raises(Refused, match="did not pass schema"):
        module.apply(changed())


LIST = "<pacemaker-result><agents>{}</agents></pacemaker-result>"
NONE = "<pacemaker-result><status code='1'><errors><error>No agents found for standard 'ocf' and provider 'hadb'</error></errors></status></pacemaker-result>"


def expect_agents(commands, real, ours, fencing):
    """Expect what a change of all agents asks before it is judged; ``ours`` is None where the provider is not there."""
    commands.expect(QUERY, out=real("cib-running"))
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    told = NONE if ours is None else LIST.format("".join(f"<agent>{name}</agent>" for name in ours))
    commands.expect(["crm_resource", "--list-agents=ocf:hadb", "--output-as=xml"], out=told, code=int(ours is None))
    told = LIST.format("".join(f"<agent>{name}</agent>" for name in fencing))
    commands.expect(["crm_resource", "--list-agents=stonith", "--output-as=xml"], out=told)


@pytest.mark.parametrize(
    ("ours", "fencing", "missing"),
    [
        (None, ["fence_hadb"], "ocf:hadb:address, ocf:hadb:filesystem, ocf:hadb:lvm, ocf:hadb:server"),
        (["address", "filesystem", "lvm"], ["fence_hadb"], "ocf:hadb:server"),
        (["address", "filesystem", "lvm", "server"], ["fence_ipmilan"], "stonith:fence_hadb"),
    ],
)
def test_a_change_that_names_an_agent_this_node_lacks_is_refused(module, commands, real, ours, fencing, missing):
    expect_agents(commands, real, ours, fencing)
    with pytest.raises(Refused, match=f"this node does not have {missing}. What to do: apply hadb on both nodes"):
        module.apply(shipped(), allow_restart=True)


def test_a_change_of_agents_that_are_all_here_is_judged_like_any_other(module, commands, real):
    expect_agents(commands, real, ["address", "filesystem", "lvm", "server"], ["fence_hadb"])
    commands.expect(VERIFY)
    commands.expect(SIMULATE, out=real("crm_simulate-restart")).expect(SIMULATE, out=real("crm_simulate-nothing"))
    assert "restart db-server on db1" in module.plan(shipped())["refused"]


def test_only_agents_that_are_new_to_the_cluster_are_asked_for(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    commands.expect(["crm_resource", "--list-agents=stonith"], out=LIST.format(""))
    changed_fencing = document(nodes=SITE["nodes"], fencing={"agent": "fence_hadb"})
    assert "does not have stonith:fence_hadb" in module.plan(changed_fencing)["refused"]


def test_a_list_of_agents_that_cannot_be_had_is_not_an_empty_one(module, commands, real):
    commands.expect(QUERY, out=real("cib-running"))
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    commands.expect(["crm_resource", "--list-agents=ocf:hadb"], code=1, err="crm_resource: Connection to executor failed")
    commands.expect(["pacemakerd", "--version"], out="Pacemaker 3.0.0")
    with pytest.raises(Unreadable):
        module.apply(shipped())


def test_a_stopped_cluster_is_not_configured(module, commands):
    commands.expect(QUERY, code=102)
    with pytest.raises(Refused, match="Pacemaker does not run here.*hadb.cluster.start"):
        module.apply(document())


def test_a_bad_document_is_refused_before_anything_is_read(module):
    with pytest.raises(Invalid):
        module.apply(document(pacemaker={"properties": {"nonsense": 1}}))


def expect_simulation(commands, real, changed="crm_simulate-restart"):
    commands.expect(QUERY, out=real("cib-running"))
    commands.expect(SIMULATE, out=real(changed)).expect(SIMULATE, out=real("crm_simulate-nothing"))


def test_what_a_new_configuration_would_do_is_told_and_not_done(module, commands, real):
    expect_simulation(commands, real)
    answer = module.simulate(document=changed())
    assert answer["interrupted"] == ["db-server", "vip-nova"] and answer["fenced"] == []
    assert answer["actions"][1].items() >= {"what": "restart", "target": "vip-nova", "node": "db1"}.items()
    assert "10.20.0.60" in commands.inputs[1] and "10.20.0.60" not in commands.inputs[2]


def simulated(module, commands, real, **change):
    """Return the CIB that crm_simulate was given."""
    expect_simulation(commands, real, "crm_simulate-nothing")
    module.simulate(**change)
    return ET.fromstring(commands.inputs[1])


def test_a_simulated_standby_is_in_the_cib_that_is_judged(module, commands, real):
    cib = simulated(module, commands, real, standby="db2")
    (item,) = cib.iterfind("configuration/nodes/node[@uname='db2']//nvpair[@name='standby']")
    assert item.get("value") == "on"


def test_a_simulated_online_ends_both_kinds_of_standby(module, commands, real):
    commands.expect(QUERY, out=real("cib-held"))
    for _ in range(2):
        commands.expect(SIMULATE, out=real("crm_simulate-nothing"))
    module.simulate(online="db2")
    assert "standby" not in {item.get("name") for item in ET.fromstring(commands.inputs[1]).iter("nvpair")}
    assert "standby" in {item.get("name") for item in ET.fromstring(commands.inputs[2]).iter("nvpair")}


@pytest.mark.parametrize(
    ("change", "name", "score"),
    [("move", "cli-prefer-db", "INFINITY"), ("ban", "cli-ban-db-on-db2", "-INFINITY")],
)
def test_a_simulated_move_and_ban_are_constraints_like_pacemakers_own(module, commands, real, change, name, score):
    cib = simulated(module, commands, real, **{change: "db2"})
    (item,) = cib.iterfind(f"configuration/constraints/rsc_location[@id='{name}']")
    assert (item.get("rsc"), item.get("node"), item.get("score")) == ("db", "db2", score)


def test_a_lost_node_is_offline_in_the_cib_that_is_judged_and_will_be_fenced(module, commands, real):
    expect_simulation(commands, real, "crm_simulate-fence")
    assert module.simulate(lost="db2")["fenced"] == ["db2"]
    states = {item.get("uname"): item for item in ET.fromstring(commands.inputs[1]).iterfind("status/node_state")}
    assert (states["db2"].get("in_ccm"), states["db2"].get("crmd")) == ("false", "offline")
    assert states["db1"].get("crmd") != "offline"


@pytest.mark.parametrize("given", [{}, {"standby": "db1", "lost": "db2"}])
def test_exactly_one_change_is_simulated(module, given):
    with pytest.raises(Invalid, match="exactly one change"):
        module.simulate(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"lost": "db3"}, "no node db3; it has db1, db2"), ({"ban": "db2", "resource": "x"}, "no resource x")],
)
def test_unknown_nodes_and_resources_are_not_simulated(module, commands, real, given, words):
    commands.expect(QUERY, out=real("cib-running"))
    with pytest.raises(HadbError, match=words):
        module.simulate(**given)


def test_a_stopped_cluster_cannot_be_simulated(module, commands):
    commands.expect(QUERY, code=102)
    with pytest.raises(HadbError, match="nothing can be simulated: Pacemaker does not run here"):
        module.simulate(lost="db1")


def test_a_tool_that_is_not_installed_is_an_error_of_its_own(not_installed):
    with pytest.raises(CommandFailed, match="crm_resource is not installed") as error:
        not_installed.agents()
    assert error.value.code == 127


def test_an_unreadable_answer_of_a_tool_without_version_is_still_told(module, commands):
    commands.expect(["crm_resource", "--show-metadata=x"], out="<oops>").expect(["pacemakerd"], code=1)
    with pytest.raises(Unreadable, match="cannot read the output of crm_resource --show-metadata: not XML"):
        module.metadata("x")


def test_a_password_in_the_cib_is_not_shown_by_a_tool_that_fails(module, commands, real):
    root = ET.fromstring(real("cib-running"))
    attributes = root.find("configuration/resources/primitive/instance_attributes")
    ET.SubElement(attributes, "nvpair", id="x", name="password", value="canary")
    commands.expect(QUERY, out=ET.tostring(root, encoding="unicode"))
    commands.expect(SIMULATE, code=70, err="bad value canary in password")
    with pytest.raises(CommandFailed) as error:
        module.simulate(lost="db2")
    assert "canary" not in f"{error.value} {error.value.err} {error.value.argv}" and "(hidden)" in error.value.err


def test_agents_and_metadata_are_read(module, commands, real):
    commands.expect(["crm_resource", "--list-agents=stonith", "--output-as=xml"], out=real("agents"))
    assert "fence_ipmilan" in module.agents("stonith")
    commands.expect(["crm_resource", "--show-metadata=ocf:heartbeat:IPaddr2"], out=real("metadata"))
    assert module.metadata("ocf:heartbeat:IPaddr2")["parameters"]["ip"]["required"]


def test_properties_come_from_each_daemon_where_crm_attribute_cannot_list_them(module, commands, real, version):
    list_them = ["crm_attribute", "--list-options=cluster"]
    if version.startswith("2."):
        commands.expect(list_them, code=64)
        commands.expect(["/usr/lib/pacemaker/pacemaker-schedulerd", "metadata"], out=real("properties"))
        for name in ("controld", "based"):
            other = f'<resource-agent><parameters><parameter name="{name}-only"/></parameters></resource-agent>'
            commands.expect([f"/usr/lib/pacemaker/pacemaker-{name}", "metadata"], out=other)
    else:
        commands.expect(list_them, out=real("properties"))
    found = module.properties()
    assert "stop" in found["no-quorum-policy"]["values"]
    assert ("based-only" in found) is version.startswith("2.")


def test_a_status_that_never_rests_is_not_overtaken_for_ever(module, commands, real, monkeypatch):
    monkeypatch.setattr(module.pacemaker, "_TRIES", 1)
    commands.expect(QUERY, out=real("cib-running"))
    expect_judgement(commands, real)
    commands.expect(["crm_diff"], out=DIFF, code=1).expect(PATCH, code=103)
    commands.expect(QUERY, out=later(real("cib-running"), updates=7))
    with pytest.raises(HadbError, match="changed under our hands 1 times"):
        module.apply(changed())
