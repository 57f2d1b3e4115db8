"""What ties search and watch to a lab, with this machine in a node's place: what is planted is found, and what is told is told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from scenario import canaries, leaks, secrecy, stream
from scenario.canaries import AUTHKEY, CONTROL, STORED
from scenario.leaks import Access, Hit, Search
from scenario.watch import Watch

from documents import load
from hadblab.errors import LabError

PILLAR = load("test/lab/pillar.sls")["hadb"]
NOVA = "hadb:database:accounts:nova:password"
BMCS = ("hadb:nodes:db1:bmc:password", "hadb:nodes:db2:bmc:password")
ROOT = Access(0o600, "root", "root")


class FakeLab:
    """A lab whose machines are this one, or nothing."""

    run = None
    nodes = ("db1", "db2")
    pillar = PILLAR
    datadir, mount = "/dbmnt/mysql", "/dbmnt"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.fails = ""
        self.printed: dict[str, CompletedProcess[str]] = {}

    def ask(self, machine: str, script: str, *, check: bool = True, timeout: float = 0) -> CompletedProcess[str]:
        subprocess.run(["sh", "-n", "-c", script], check=True)
        self.asked.append((machine, script))
        if self.fails and self.fails in script:
            raise LabError("it does not work")
        return CompletedProcess([], 0, "", "")

    def verb(self, *words: str, check: bool = True) -> CompletedProcess[str]:
        return self.printed.get(" ".join(words[-1:]), CompletedProcess([], 0, " ".join(words), ""))

    def orchestrate(self, *words: str) -> CompletedProcess[str]:
        return self.verb("orchestrate", *words)

    def apply(self, *words: str) -> CompletedProcess[str]:
        return self.verb("apply", *words)


class LocalLab(FakeLab):
    """A lab whose scripts run here."""

    def ask(self, machine: str, script: str, *, check: bool = True, timeout: float = 0) -> CompletedProcess[str]:
        return subprocess.run(["sh", "-c", script], check=check, capture_output=True, text=True)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream.ssh, "argv", lambda run, machine, command, options: list(command))


def searches(**changed: Search) -> dict[str, Search]:
    """Return what a right site would be searched with, by machine."""
    door = {"/etc/hadb/bmc": Access(0o700, "root", "root"), "/dbmnt/mysql": Access(0o700, "mysql", "mysql")}
    node = (
        Hit("/etc/corosync/authkey", (AUTHKEY,), Access(0o400, "root", "root")),
        *(Hit(f"/etc/hadb/bmc/10.20.0.10{number}", BMCS, ROOT) for number in (1, 2)),
        *(Hit(where, (CONTROL,)) for where in (
            "/var/tmp/hadb-test-canary", "the journal", "cmdline of process sh", "environ of process sh",
            "/var/tmp/hadb-test-report/db1/journal.log", "/var/cache/salt/master/jobs/0a/b/return.p",
        )),
    )  # fmt: skip
    volume = Hit("/dbmnt/mysql/aria_log.00000001", (NOVA + STORED,), Access(0o660, "mysql", "mysql"))
    pillar = Hit("/srv/pillar/hadb.sls", (NOVA,), ROOT)
    return {"db1": Search((*node, volume), access=door), "db2": Search(node, access=door), "salt": Search((*node[3:], pillar))} | changed


def examined(monkeypatch: pytest.MonkeyPatch, lab: FakeLab, found: dict[str, Search]) -> list[str]:
    monkeypatch.setattr(leaks, "search", lambda lab, machine, *args, **named: found[machine])
    return secrecy.examine(lab, [], secrecy.token(), "db1")[0]


def test_a_site_whose_secrets_are_where_they_belong_is_right_and_clean_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = FakeLab()
    assert examined(monkeypatch, lab, searches()) == []
    assert [machine for machine, script in lab.asked if script == secrecy._CLEAN] == ["db1", "db2", "salt"]
    assert [machine for machine, script in lab.asked if "crm report" in script] == ["db1", "db2"]


def test_a_leak_on_any_machine_is_found_and_the_lab_is_cleaned_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    right = searches()
    job = Search((*right["salt"].hits, Hit("/var/cache/salt/master/jobs/0a/b/return.p", (NOVA,), ROOT)))
    assert examined(monkeypatch, FakeLab(), searches(salt=job)) == [f"salt: {NOVA} is in /var/cache/salt/master/jobs/0a/b/return.p"]
    lab = FakeLab()
    with pytest.raises(KeyError):
        examined(monkeypatch, lab, {})
    assert sum(script == secrecy._CLEAN for _, script in lab.asked) == 3


def test_a_report_that_cannot_be_made_and_a_journal_that_is_not_seen_are_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, right = FakeLab(), searches()
    lab.fails = "crm report"
    blind = Search(tuple(hit for hit in right["db2"].hits if hit.where != "the journal"), access=right["db2"].access)
    found = examined(monkeypatch, lab, searches(db2=blind))
    assert found == ["db1: crm report: it does not work", "db2: crm report: it does not work",
                     "db2: the search is blind: it does not find what was planted in the journal"]  # fmt: skip


def test_the_search_of_a_machine_is_the_programs_own_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "job").write_text("password: lab-only-nova")
    (tmp_path / "job").chmod(0o644)

    def call(run: object, machine: str, *command: str, input: str, timeout: float) -> CompletedProcess[str]:
        assert "lab-only" not in " ".join(command)
        return subprocess.run(command, input=input, capture_output=True, text=True, check=True)

    monkeypatch.setattr(leaks.ssh, "call", call)
    monkeypatch.setattr(leaks, "ROOTS", (str(tmp_path),))
    places = leaks.places_on_node(PILLAR, "/d", active=True)
    found = leaks.search(FakeLab(), "db1", canaries.of_pillar(PILLAR), places, commands={"x": ["true"]})
    assert [hit for hit in found.hits if hit.access] == [Hit(str(tmp_path / "job"), (NOVA,), leaks.Access(0o644, *owner(tmp_path)))]
    assert found.files == 1


def owner(path: Path) -> tuple[str, str]:
    return path.owner(), path.group()


def test_what_commands_and_the_bus_told_is_searched(tmp_path: Path) -> None:
    events, wanted = tmp_path / "events.txt", canaries.of_pillar(PILLAR)
    events.write_text('salt/job/1/ret/db1\t{"return": "hadb-canary-1"}\n')
    assert secrecy.examine_texts({"hadb.orch": "all is well"}, events, wanted, "hadb-canary-1") == []
    assert secrecy.examine_texts({"hadb.orch": "lab-only-nova"}, events, wanted, "hadb-canary-1") == [f"hadb.orch: {NOVA} is in it"]
    events.write_text('salt/job/1/ret/db1\t{"return": "lab-only-nova"}\n')
    found = secrecy.examine_texts({}, events, wanted, "hadb-canary-1")
    assert found[0] == f"the event bus: {NOVA} is in it"
    assert "blind" in found[1]


def test_every_run_has_to_succeed_and_both_its_outputs_are_kept() -> None:
    lab = FakeLab()
    texts = secrecy.runs(lab)
    assert texts["hadb.orch"] == "orchestrate"
    assert texts["state.apply hadb test=True"] == "apply test=True"
    assert texts["hadb.verify (errors)"] == ""
    lab.printed = {"hadb.verify": CompletedProcess([], 1, "not proven", "")}
    with pytest.raises(AssertionError, match="not proven"):
        secrecy.runs(lab)


def test_a_watch_sees_what_happens_and_what_was_planted_and_writes_it_down(
    here: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(secrecy, "_RECORD", tmp_path / "security.json")
    monkeypatch.setattr(secrecy.results, "BUILD", tmp_path)
    lab, wanted = LocalLab(), canaries.of_pillar(PILLAR)
    with Watch(lab, ["db1"], wanted, secrecy.token()) as clean:
        lab.ask("db1", "sleep 0.2")
    with Watch(lab, ["db1"], wanted, secrecy.token()) as watch:
        lab.ask("db1", "sleep 0.2; : --password lab-only-bmc")
    assert clean.findings() == []
    (found, *others) = watch.findings()
    assert "command line of 'sh -c sleep 0.2; : --password (hidden)'" in found and "lab-only" not in found
    assert others == []
    secrecy.note("install", watch, {"db1": {"files": 3}}, [found])
    secrecy.note("moves", clean, {}, [])
    record: dict[str, Any] = json.loads((tmp_path / "security.json").read_text())
    assert sorted(record) == ["install", "moves"]
    assert record["install"]["watched"]["db1"]["rate"] > 0
    assert record["install"]["findings"] == [found]
