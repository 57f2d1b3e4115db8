"""Where secrets may be: a secret elsewhere, a file that is too open, and a search that sees nothing are all findings."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from scenario import canaries, leaks
from scenario.canaries import AUTHKEY, CONTROL, STORED
from scenario.leaks import Access, Hit, Place, Search

from documents import load

PILLAR = load("test/lab/pillar.sls")["hadb"]
ROOT = Access(0o600, "root", "root")
BMCS = ("hadb:nodes:db1:bmc:password", "hadb:nodes:db2:bmc:password")
NOVA = "hadb:database:accounts:nova:password"
DOORS = {"/etc/hadb/bmc": Access(0o700, "root", "root"), "/dbmnt/mysql": Access(0o700, "mysql", "mysql")}
RIGHT = Search(
    (
        Hit("/etc/corosync/authkey", (AUTHKEY,), Access(0o400, "root", "root")),
        # One password for both BMCs, as in the lab.
        Hit("/etc/hadb/bmc/10.20.0.101", BMCS, ROOT),
        Hit("/etc/hadb/bmc/10.20.0.102", BMCS, ROOT),
        Hit("/dbmnt/mysql/mysql/global_priv.MAD", (NOVA + STORED,), Access(0o660, "mysql", "mysql")),
        Hit("the journal", (CONTROL,)),
    ),
    access=DOORS,
)
ACTIVE = leaks.places_on_node(PILLAR, "/dbmnt/mysql", active=True)


def judged(*more: Hit, without: str = "", access: dict[str, Access] | None = None) -> list[str]:
    hits = tuple(hit for hit in RIGHT.hits if not without or not fnmatchcase(hit.where, without))
    return leaks.findings("db1", replace(RIGHT, hits=(*hits, *more), access=access or DOORS), ACTIVE)


def test_secrets_where_they_belong_are_no_finding() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("hit", "said"),
    [
        (Hit("the journal", (BMCS[0],)), f"db1: {BMCS[0]} is in the journal"),
        (Hit("/var/log/salt/minion", (NOVA,), ROOT), f"db1: {NOVA} is in /var/log/salt/minion"),
        (Hit("environ of process salt-minion", (AUTHKEY,)), f"db1: {AUTHKEY} is in environ of process salt-minion"),
        # A secret in the place of another one; what the server stores anywhere but with the server; the clear text there.
        (Hit("/etc/hadb/bmc/10.20.0.101", (NOVA,), ROOT), f"db1: {NOVA} is in /etc/hadb/bmc/10.20.0.101"),
        (Hit("/var/lib/mysql/mysql.log", (NOVA + STORED,), ROOT), f"db1: {NOVA}{STORED} is in /var/lib/mysql/mysql.log"),
        (Hit("/dbmnt/mysql/binlog.000001", (NOVA,), ROOT), f"db1: {NOVA} is in /dbmnt/mysql/binlog.000001"),
        (Hit("/etc/hadb/bmc/10.20.0.109", (BMCS[0],), Access(0o640, "root", "root")),
         "db1: /etc/hadb/bmc/10.20.0.109 is 0640 root:root, not 0600 root:root"),
        (Hit("/etc/corosync/authkey", (AUTHKEY,), Access(0o400, "hacluster", "root")),
         "db1: /etc/corosync/authkey is 0400 hacluster:root, not 0400 root:root"),
    ],
)  # fmt: skip
def test_a_secret_elsewhere_and_a_file_that_is_too_open_are_findings(hit: Hit, said: str) -> None:
    assert judged(hit) == [said]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("now", [Access(0o755, "root", "root"), None])
def test_a_directory_that_lets_others_in_or_is_not_there_is_a_finding(door: str, now: Access | None) -> None:
    others = {path: access for path, access in DOORS.items() if path != door}
    (said,) = judged(access={**others, door: now} if now else others)
    assert said == f"db1: {door} is {now or 'not there'}, not {DOORS[door]}"


@pytest.mark.parametrize("where", ["/etc/corosync/authkey", "/etc/hadb/bmc/10.20.0.102", "/dbmnt/*"])
def test_a_secret_that_is_not_where_it_has_to_be_is_a_finding(where: str) -> None:
    (said,) = judged(without=where)
    assert said.endswith("where it has to be")


def test_a_standby_node_has_no_data_directory() -> None:
    places = leaks.places_on_node(PILLAR, "/dbmnt/mysql", active=False)
    hits = tuple(hit for hit in RIGHT.hits if not hit.where.startswith("/dbmnt"))
    assert leaks.findings("db2", Search(hits, access={"/etc/hadb/bmc": DOORS["/etc/hadb/bmc"]}), places) == []
    (said,) = leaks.findings("db2", Search((*hits, RIGHT.hits[3]), access=DOORS), places)
    assert said == f"db2: {NOVA}{STORED} is in /dbmnt/mysql/mysql/global_priv.MAD"


def test_what_was_not_searched_is_a_finding() -> None:
    found = leaks.findings("db1", replace(RIGHT, unread=("the CIB: exit status 102",)), ACTIVE)
    assert found == ["db1: not searched: the CIB: exit status 102"]


def test_the_master_has_the_pillar_and_salts_own_copies_for_root_only() -> None:
    pillar = Hit("/srv/pillar/hadb.sls", (*BMCS, NOVA), ROOT)
    cache = "/var/cache/salt/master"
    copies = tuple(Hit(path, (NOVA,), ROOT) for path in (f"{cache}/pillar/db1.p", f"{cache}/minions/db1/data.p"))
    judge = leaks.places_on_master()
    assert leaks.findings("salt", Search((pillar,)), judge) == leaks.findings("salt", Search((pillar, *copies)), judge) == []
    job = Hit("/var/cache/salt/master/jobs/0a/bc/db1/return.p", (NOVA,), ROOT)
    assert leaks.findings("salt", Search((pillar, job)), judge) == [f"salt: {NOVA} is in {job.where}"]
    (said,) = leaks.findings("salt", Search((replace(pillar, access=Access(0o644, "root", "root")),)), judge)
    assert said == "salt: /srv/pillar/hadb.sls is 0644 root:root, not 0600 root:root"


def test_a_search_that_does_not_find_what_was_planted_is_blind() -> None:
    search = Search((Hit("the journal", (CONTROL,)), Hit("/var/tmp/x", (NOVA,)), Hit("cmdline of process sh", (CONTROL, NOVA))))
    assert leaks.blind("db1", search, ("the journal", "cmdline of process *")) == []
    (said,) = leaks.blind("db1", search, ("the journal", "/var/tmp/*"))
    assert "blind" in said and "/var/tmp/*" in said


def test_a_command_that_tells_a_secret_is_a_finding() -> None:
    wanted = [*canaries.of_pillar(PILLAR), canaries.Canary(CONTROL, (b"planted-1234",))]
    assert leaks.told_by("hadb.orch", "planted-1234 password: (hidden)", wanted) == []
    assert leaks.told_by("hadb.orch", '{"comment": "failed: lab-only-nova"}', wanted) == [f"hadb.orch: {NOVA} is in it"]


def test_the_programs_answer_is_read_whole() -> None:
    text = ('{"hits": [{"where": "/a", "names": ["x"], "access": [384, "root", "adm"]},'
            ' {"where": "the CIB", "names": ["y"], "access": null}],'
            ' "unread": ["/b: torn"], "access": {"/c": [448, "root", "root"]}, "files": 7, "bytes": 9}')  # fmt: skip
    hits = Hit("/a", ("x",), Access(0o600, "root", "adm")), Hit("the CIB", ("y",))
    assert leaks.parse(text) == Search(hits, ("/b: torn",), {"/c": Access(0o700, "root", "root")}, 7, 9)
    with pytest.raises((ValueError, KeyError)):
        leaks.parse("{}")


def test_a_place_needs_both_its_path_and_its_name() -> None:
    place = Place("/etc/*", "hadb:*")
    for where, name, fits in (("/etc/a/b", "hadb:x", True), ("/var/a", "hadb:x", False), ("/etc/a", "other", False)):
        assert (leaks.findings("m", Search((Hit(where, (name,)),)), [place]) == []) is fits
