import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cib_document import captured as document

from hadb_core.errors import CommandFailed, HadbError, Invalid, Refused, Unreadable
from support import load

QUERY = ["cibadmin", "--query"]
MON = ["crm_mon", "--one-shot", "--output-as=xml"]
VERIFY = ["crm_verify", "--verbose", "--xml-pipe"]
SIMULATE = ["crm_simulate", "--simulate", "--xml-pipe", "--output-as=xml"]
PATCH = ["cibadmin", "--patch", "--xml-pipe"]
DIFF = '<diff format="2"><version><source epoch="5"/><target epoch="5" num_updates="3"/></version></diff>'


class Commands:
    """A queue of expected commands: an unexpected one, or one that is left over, fails the test."""

    def __init__(self):
        self.expected, self.inputs, self.files = [], [], []

    def expect(self, argv, out="", code=0, err=""):
        self.expected.append((argv, {"retcode": code, "stdout": out, "stderr": err}))
        return self

    def run_all(self, argv, stdin=None, **_):
        assert self.expected, f"unexpected: {argv}"
        wanted, answer = self.expected.pop(0)
        assert argv[: len(wanted)] == wanted
        self.inputs.append(stdin)
        self.files += [
            (Path(word).read_text(), Path(word).stat().st_mode & 0o777)
            for word in argv
            if word.endswith(".xml")
        ]
        return answer


@pytest.fixture
def commands():
    queue = Commands()
    yield queue
    assert queue.expected == []


@pytest.fixture
def module(commands, monkeypatch, tmp_path):
    loaded = load("_modules/pacemaker.py", salt={"cmd.run_all": commands.run_all})
    monkeypatch.setattr(loaded.salt.utils.path, "which", lambda name: f"/usr/sbin/{name}")
    monkeypatch.setattr(loaded, "_SAVED", tmp_path / "cib.xml")
    monkeypatch.setattr(loaded, "_PAUSE", 0)
    return loaded


@pytest.fixture
def not_installed(module, monkeypatch):
    monkeypatch.setattr(module.salt.utils.path, "which", lambda name: None)
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


def test_garbage_is_not_an_empty_cluster(module, commands):
    commands.expect(QUERY, out="Signon failed")
    with pytest.raises(Unreadable):
        module.status()


def test_status_tells_the_name_and_the_holds(module, commands, real):
    commands.expect(QUERY, out=real("cib-held")).expect(MON, out=real("crm_mon-held"))
    state = module.status()
    assert state["cluster"]["name"] == "pcmk"
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
    monkeypatch.setattr(module, "_TRIES", 2)
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
    assert "restart vip-nova on db1" in module.apply(changed(), allow_restart=True)[0]


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


def test_a_stopped_cluster_is_not_configured(module, commands):
    commands.expect(QUERY, code=102)
    with pytest.raises(Refused, match="Pacemaker does not run here.*hadb.cluster.start"):
        module.apply(document())


def test_a_bad_document_is_refused_before_anything_is_read(module):
    with pytest.raises(Invalid):
        module.apply(document(pacemaker={"properties": {"nonsense": 1}}))


def test_settled_waits_until_everything_is_active(module, commands, real):
    settled = (QUERY, real("cib-running")), (MON, real("crm_mon-running"))
    for _ in range(2):
        for argv, out in settled:
            commands.expect(argv, out=out)
        if _ == 0:
            commands.expect(["crm_resource", "--wait"])
    answer = module.settled(timeout=30)
    assert answer["settled"] and answer["lacking"] == []


def test_settled_gives_up_in_time_and_says_why(module, commands, real):
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    answer = module.settled(timeout=0, expected=["vip-x"])
    assert not answer["settled"] and answer["lacking"] == ["vip-x is not in the cluster's configuration"]


def test_a_transition_that_does_not_end_is_not_settled(module, commands, real, monkeypatch):
    clock = iter((0, 0, 100))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    commands.expect(["crm_resource", "--wait", "--timeout=60"], code=124)
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    assert module.settled(timeout=60)["lacking"] == ["a transition is in progress"]


def test_fencing_by_hand_needs_the_name_twice(module, commands, real):
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    with pytest.raises(Refused, match="confirm=db2"):
        module.fence("db2", "yes")


@pytest.mark.parametrize("verb", ["standby", "online", "move"])
def test_verbs_refuse_a_node_that_the_cluster_does_not_have(module, commands, real, verb):
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    with pytest.raises(HadbError, match="no node db3"):
        getattr(module, verb)("db3")


def test_a_move_leaves_no_constraint_even_when_it_fails(module, commands, real, monkeypatch):
    def fail(*_):
        raise HadbError("did not settle")

    monkeypatch.setattr(module, "settled", fail)
    commands.expect(QUERY, out=real("cib-running")).expect(MON, out=real("crm_mon-running"))
    commands.expect(["crm_resource", "--move", "--resource", "db", "--node", "db2"])
    commands.expect(["crm_resource", "--clear", "--resource", "db"])
    with pytest.raises(HadbError, match="did not settle"):
        module.move("db2")


def test_maintenance_takes_only_a_boolean(module):
    with pytest.raises(HadbError, match="True or False"):
        module.maintenance("off")
