"""``hadb``: the merged document, faults, versions, duty, and facts that never pass for absent."""

from __future__ import annotations

import copy
import hashlib
import json
import sys
import types
from typing import Any

import facts
import pytest

import documents
from hadb_core import VERSION
from hadb_core.errors import CommandFailed, HadbError
from support import load

PILLAR = documents.load("test/lab/pillar.sls")
BLANK = {"running": False, "resources": {}}
LINKS = [
    {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8, "scope": "host"}]},
    {"ifname": "vec0", "address": "52:54:00:00:00:11",
     "addr_info": [{"local": "10.20.0.11", "prefixlen": 24, "scope": "global"}]},
]  # fmt: skip


class Node:
    """db1 of the lab; ``answers`` is what commands answer by their first words, ``ran`` what was run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
        self.ran: list[list[str]] = []
        self.answers: dict[str, tuple[int, str]] = {
            "ip -json address": (0, json.dumps(LINKS)), "ip -json neighbour": (0, "[]"), "dpkg --audit": (0, "")}
        files = {name: (documents.ROOT / name).read_text()
                 for name in ("hadb/parameters/defaults.yaml", "hadb/parameters/os_family/Debian.yaml")}
        self.functions = {
            "cmd.run_all": self.run_all,
            "cp.get_file_str": lambda url: files.get(url.removeprefix("salt://"), False),
            "pacemaker.status": lambda: BLANK,
            "halvm.volume": lambda vg, lv: {"exists": False, "vg": vg, "lv": lv},
            "halvm.luns": lambda: [],
            "corosync.authkey_fingerprint": lambda: None,
            "corosync.membership": lambda: {"running": False},
            **functions,
        }  # fmt: skip
        self.module = load("_modules/hadb.py", salt=self.functions, pillar=PILLAR,
                           grains={"os_family": "Debian", "osmajorrelease": 13})
        monkeypatch.setattr(self.module.socket, "gethostname", lambda: "db1")
        monkeypatch.setattr(self.module.time, "sleep", lambda seconds: None)

    def run_all(self, argv: list[str], **_: Any) -> dict[str, Any]:
        self.ran.append(argv)
        line = " ".join(argv)
        code, out = next((answer for words, answer in self.answers.items() if line.startswith(words)), (0, ""))
        return {"retcode": code, "stdout": out, "stderr": ""}


@pytest.fixture
def node(monkeypatch):
    return Node(monkeypatch)


def test_the_document_is_merged_and_shows_no_secret(node):
    shown = node.module.document()
    assert shown["database"]["port"] == 3306 and shown["bootstrap_node"] == "db1"
    text = json.dumps(shown)
    secrets = [PILLAR["hadb"]["nodes"]["db1"]["bmc"]["password"], "lab-only-nova"]
    assert shown["nodes"]["db1"]["bmc"]["password"] == "(hidden)"
    assert not [secret for secret in secrets if secret in text]


def test_a_valid_pillar_has_no_fault_and_a_broken_one_all_of_them(node):
    assert node.module.faults() == []
    broken = json.loads(json.dumps(PILLAR))
    broken["hadb"]["nodez"], broken["hadb"]["database"]["prot"] = {}, 1
    node.module.__pillar__ = broken
    assert {fault.partition(": ")[0] for fault in node.module.faults()} == {"hadb:database:prot", "hadb:nodez"}


def test_the_formula_s_files_are_read_once_in_a_run_and_the_pillar_each_time(node, monkeypatch):
    read = node.functions["cp.get_file_str"]
    asked, now = [], [0.0]
    node.functions["cp.get_file_str"] = lambda url: asked.append(url) or read(url)
    monkeypatch.setattr(node.module.time, "monotonic", lambda: now[0])
    before = node.module.document()
    node.module.__pillar__ = {}
    assert "nodes" in before and "nodes" not in node.module.document() and len(asked) == 2
    # A minion that does not fork its jobs lives on, and the formula's files may change.
    now[0] = 31.0
    node.module.document()
    assert len(asked) == 4


def test_without_the_formula_in_file_roots_the_error_says_so(node):
    node.functions["cp.get_file_str"] = lambda url: False
    with pytest.raises(HadbError, match="file_roots"):
        node.module.document()


def test_the_version_says_what_runs_and_that_nothing_is_stale(node):
    told = node.module.version()
    assert (told["core"], told["stale"]) == (VERSION, [])
    assert told["core_path"].endswith("hadb_core")


OLD = "import dataclasses\n\nLIMIT = 1\n\n\ndef answer():\n    return 1\n\n\nclass Thing:\n    def method(self):\n        return 1\n"


def test_the_files_that_a_minion_has_otherwise_or_not_at_all_are_named(node, tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/a.py").write_bytes(b"a")
    of_a = hashlib.sha256(b"a").hexdigest()
    node.module.__opts__ = {"extension_modules": str(tmp_path), "hash_type": "sha256"}
    assert node.module.outdated({"modules/a.py": of_a}) == []
    assert node.module.outdated({"modules/b.py": of_a, "modules/a.py": "0" * 64, "modules": of_a}) == [
        "modules", "modules/a.py", "modules/b.py"]


@pytest.mark.parametrize(("new", "stale"), [
    (OLD, False), (OLD.replace("return 1", "return 2", 1), True),
    (OLD.replace("        return 1", "        return 2"), True), (None, True), ("", True),
])
def test_a_helper_that_was_replaced_under_a_running_minion_is_named(node, monkeypatch, tmp_path, new, stale):
    file = tmp_path / "fake.py"
    file.write_text(OLD)
    module = types.ModuleType("hadb_core.fake")
    module.__file__ = str(file)
    exec(compile(OLD, str(file), "exec", dont_inherit=True), module.__dict__)
    monkeypatch.setitem(sys.modules, "hadb_core.fake", module)
    if new is None:
        file.unlink()
    else:
        file.write_text(new)
    assert ("hadb_core.fake" in node.module.version()["stale"]) is stale


@pytest.mark.parametrize(("cib", "here"), [(None, True), ("<cib/>", True), ('<primitive id="db-fs"/>', False)])
def test_the_duty_is_known_also_while_pacemaker_is_stopped(node, monkeypatch, tmp_path, cib, here):
    file = tmp_path / "cib.xml"
    if cib:
        file.write_text(cib)
    monkeypatch.setattr(node.module, "_CIB_FILE", str(file))
    assert node.module.duty()["here"] is here


def test_a_blank_node_lacks_key_volume_and_pacemaker(node):
    lacking = " ".join(node.module.lacking())
    assert "Corosync key" in lacking and "db-vg/db-vol" in lacking and "Pacemaker does not run" in lacking


def test_a_node_with_everything_but_the_database_says_so_and_a_complete_one_lacks_nothing(node):
    node.functions["corosync.authkey_fingerprint"] = lambda: "f"
    node.functions["halvm.volume"] = lambda vg, lv: {"exists": True}
    node.functions["pacemaker.status"] = lambda: {"running": True, "resources": {}}
    assert ["the database is not in the cluster's configuration" in one for one in node.module.lacking()] == [True]
    node.functions["pacemaker.status"] = lambda: {"running": True, "resources": {"db-server": {}}}
    # Not asked for any more: reading the volume is the dearest part.
    del node.functions["halvm.volume"]
    assert node.module.lacking() == []


@pytest.mark.parametrize(("journal", "audit", "half"), [([], "", False), (["0001"], "", True), ([], "broken: x", True)])
def test_a_half_installed_node_is_known_by_dpkg_s_journal_or_audit(node, monkeypatch, tmp_path, journal, audit, half):
    for name in journal:
        (tmp_path / name).touch()
    real = node.module.Path
    monkeypatch.setattr(node.module, "Path", lambda path: tmp_path if path == "/var/lib/dpkg/updates" else real(path))
    node.answers["dpkg --audit"] = (1 if audit else 0, audit)
    assert node.module.half_installed() is half


def test_the_facts_of_the_system(node):
    system = node.module.facts(["system"])["system"]
    assert system["interfaces"] == {"lo": [], "vec0": ["10.20.0.11/24"]}
    assert (system["hostname"], system["core"], system["hardware"]) == ("db1", VERSION, ["52:54:00:00:00:11"])
    assert set(system["neighbours"].values()) == {None}
    assert set(system) == set(facts.system("db1")), "what other tests make up is what is read"


def test_the_ids_of_this_machine_are_compared_in_both_directions(node, monkeypatch):
    user = {"name": "root", "group": "root", "uid": 0, "gid": 0}
    assert node.module._ids(user) == {"user": {"number_of_name": 0, "name_of_number": "root"},
                                      "group": {"number_of_name": 0, "name_of_number": "root"}}
    nobody = {"name": "no-such-user", "group": "no-such-group", "uid": 4_000_000_000, "gid": 4_000_000_000}
    assert node.module._ids(nobody) == {"user": {"number_of_name": None, "name_of_number": None},
                                        "group": {"number_of_name": None, "name_of_number": None}}


@pytest.mark.parametrize(("entries", "found"), [
    ([{"dst": "10.20.0.50", "lladdr": "aa:bb", "state": ["REACHABLE"]}], "aa:bb"),
    ([{"dst": "10.20.0.50", "lladdr": "aa:bb", "state": ["FAILED"]}], None),
    ([{"dst": "10.20.0.99", "lladdr": "cc:dd"}], None), ([], None),
])
def test_who_has_an_address_is_asked_of_the_kernel(node, entries, found):
    node.answers["ip -json neighbour"] = (0, json.dumps(entries))
    assert node.module._neighbours(["10.20.0.50"]) == {"10.20.0.50": found}


def test_the_kernel_gets_time_to_ask_and_no_more(node, monkeypatch):
    node.answers["ip -json neighbour"] = (0, json.dumps([{"dst": "::50", "state": ["INCOMPLETE"]}]))
    clock = iter(range(100))
    monkeypatch.setattr(node.module.time, "monotonic", lambda: next(clock))
    assert node.module._neighbours(["::50"]) == {"::50": None}
    assert len(node.ran) > 2


def test_a_topic_that_cannot_be_read_is_an_error_and_the_others_are_told(monkeypatch):
    def fails():
        raise CommandFailed(["wipefs"], 1, "", "I/O error")

    known = Node(monkeypatch, **{"halvm.luns": fails}).module.facts(["luns", "cluster", "corosync", "volume"])
    assert "I/O error" in known["luns"]["error"]
    assert (known["cluster"], known["corosync"]) == (BLANK, {"running": False})
    assert known["volume"]["vg"] == "db-vg"


@pytest.mark.parametrize("installed", [True, False])
def test_the_other_node_s_bmc_is_asked(monkeypatch, installed):
    asked = []

    def status(address):
        asked.append(address)
        return "on"

    one = Node(monkeypatch, **{"ipmitool.power_status": status, "ipmitool.cipher_zero_refused": lambda address: True})
    monkeypatch.setattr(one.module.salt.utils.path, "which", lambda name: name if installed else None)
    known = one.module.facts(["bmc", "cipher_zero"])
    if installed:
        assert known == {"bmc": {"power": "on"}, "cipher_zero": {"refused": True}}
        assert asked == [PILLAR["hadb"]["nodes"]["db2"]["bmc"]["address"]]
    else:
        assert known == {"bmc": {"not_installed": True}, "cipher_zero": {"not_installed": True}}


def test_a_bmc_that_does_not_answer_is_told_in_its_words(monkeypatch):
    def silent(address):
        raise CommandFailed(["ipmitool"], 1, "", "Unable to establish session")

    one = Node(monkeypatch, **{"ipmitool.power_status": silent})
    monkeypatch.setattr(one.module.salt.utils.path, "which", lambda name: name)
    assert "Unable to establish session" in one.module.facts(["bmc"])["bmc"]["power"]


def test_every_account_that_may_come_from_anywhere_is_tried_at_every_vip(monkeypatch):
    calls = []

    def reachable(address, port, account, key):
        calls.append((address, account, key))
        return {"ok": True}

    one = Node(monkeypatch, **{"dbinstance.reachable": reachable})
    one.module.__pillar__ = json.loads(json.dumps(PILLAR))
    one.module.__pillar__["hadb"]["database"]["accounts"]["local"] = {"password": "x" * 8, "hosts": ["localhost"]}
    assert all(check["ok"] for check in one.module.facts(["clients"])["clients"])
    assert len(calls) == 4 and {account for _, account, _ in calls} == {"nova", "glance"}
    assert calls[0][2] == f"hadb:database:accounts:{calls[0][1]}:password"


def test_reservations_are_asked_for_only_where_there_shall_be_any(monkeypatch):
    wwid = PILLAR["hadb"]["storage"]["luns"][0]["wwid"]
    asked: list[str] = []

    def reservations(one):
        asked.append(one)
        return {"keys": ["0x1"], "held": None}

    functions = {"halvm.paths": lambda wwids: [{"wwid": one, "paths": ["sda", "sdb"]} for one in wwids], "halvm.reservations": reservations}
    assert Node(monkeypatch, **functions).module.facts(["reservations"]) == {"reservations": {}} and asked == []
    wanted = copy.deepcopy(PILLAR)
    wanted["hadb"]["fencing"]["reservations"] = True
    monkeypatch.setitem(sys.modules[__name__].__dict__, "PILLAR", wanted)
    known = Node(monkeypatch, **functions).module.facts(["reservations"])
    assert known == {"reservations": {wwid: {"keys": ["0x1"], "held": None, "paths": 2}}} and asked == [wwid]
