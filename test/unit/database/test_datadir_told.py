"""Each step towards an instance whole, and each reason not to make one word for word."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core import db_datadir
from hadb_core.db_datadir import Place
from hadb_core.errors import Refused
from hadb_core.plan import Plan, Step

MARIADB = Place(True, ["ibdata1", "mysql"], ["mysql/global_priv.frm"], 3306)
INITIALISE = Step("initialise", "instance /dbmnt/mysql", None, "mariadb", {"user": "mysql"})


def plan(place: Place, **changed: Any) -> Plan:
    wanted = {"datadir": "/dbmnt/mysql", "mount_point": "/dbmnt", "flavour": "mariadb", "uid": 3306, "test": False, "args": {"user": "mysql"}}
    return db_datadir.plan(place, **(wanted | changed))


def test_an_interrupted_initialisation_is_shown_as_one() -> None:
    leftover = Step("discard_partial", "interrupted initialisation /dbmnt/mysql.hadb-partial", "present", None, {"datadir": "/dbmnt/mysql"})
    assert plan(Place(True, [], partial=True)) == Plan((leftover, INITIALISE))
    assert plan(Place(True, [])) == Plan((INITIALISE,))


def test_a_volume_that_is_not_mounted_yet_is_predicted_with_a_remark_whatever_lies_below_it() -> None:
    remark = "/dbmnt is not mounted here: this is what an empty volume would get."
    for place in (Place(False, None), Place(False, ["x"], partial=True), Place(False, ["ibdata1"], ["mysql.ibd"], 0)):
        assert plan(place, test=True) == Plan((INITIALISE,), (remark,))


def test_an_instance_without_hadbs_marker_is_adopted_with_a_remark() -> None:
    assert plan(MARIADB) == Plan((), ("The instance in /dbmnt/mysql was not made by hadb; it is used as it is.",))
    assert plan(Place(True, ["ibdata1", ".hadb-instance"], MARIADB.signs, 3306)) == Plan()


def test_an_instance_of_any_owner_is_taken_while_there_is_no_account_yet() -> None:
    assert not plan(MARIADB, uid=None, test=True)
    assert not plan(Place(True, MARIADB.entries, MARIADB.signs, 0), uid=0)


@pytest.mark.parametrize(
    ("place", "changed", "words"),
    [
        (Place(False, None), {},
         "/dbmnt is not mounted on this node. What to do: run this on the node that has the volume; the data would land on the local disk"),
        (Place(True, list("gfedcba")), {},
         "/dbmnt/mysql is not empty and holds no instance: a, b, c, d, e. What to do: look at what it is; hadb makes an instance only where "
         "/dbmnt/mysql is empty or missing"),
        (Place(True, ["ibdata1"], ["mysql.ibd"]), {},
         "/dbmnt/mysql holds a mysql instance, the pillar wants mariadb. What to do: set hadb:database:flavour, or move the data by dump and "
         "load"),
        (MARIADB, {"uid": 107},
         "/dbmnt/mysql belongs to uid 3306, the database account has uid 107. What to do: set hadb:database:user:uid to the owner's id, or "
         "chown it while no server runs"),
        (MARIADB, {"uid": 0},
         "/dbmnt/mysql belongs to uid 3306, the database account has uid 0. What to do: set hadb:database:user:uid to the owner's id, or "
         "chown it while no server runs"),
        (MARIADB, {"datadir": "/dbmnt"},
         "hadb:database:datadir (/dbmnt) must be a directory below the mount point /dbmnt, not the mount point itself (lost+found is there)"),
    ],
)  # fmt: skip
def test_why_no_instance_is_made_is_told(place: Place, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as error:
        plan(place, **changed)
    assert str(error.value) == words


@pytest.mark.parametrize(
    ("datadir", "mount_point", "fine"),
    [
        ("/dbmnt/mysql", "/dbmnt", True),
        ("/dbmnt/mysql/", "/dbmnt/", True),
        ("/dbmnt/a/b", "/dbmnt/./", True),
        ("/dbmnt/a/b", "/x/../dbmnt", True),
        ("/mysql", "/", True),
        ("/X/mysqlX", "/X", True),
        ("/mysql", "/X", False),
        ("/dbmnt//mysql", "/dbmnt", False),
        ("dbmnt/mysql", "dbmnt", False),
        ("/dbmntx/mysql", "/dbmnt", False),
    ],
)
def test_which_directories_can_hold_an_instance(datadir: str, mount_point: str, fine: bool) -> None:
    assert (db_datadir.faults(datadir, mount_point) == []) is fine


def test_the_draft_of_a_name_is_that_name_with_an_ending() -> None:
    assert db_datadir.partial_of("/dbmnt/X/") == db_datadir.partial_of("/dbmnt/X") == "/dbmnt/X.hadb-partial"


def test_mount_points_are_the_fifth_field_of_a_whole_line_and_escaped() -> None:
    line = "41 22 252:1 / {} rw - ext4 /dev/x rw\n"
    assert db_datadir.mounted(line.format("/a\\134b\\040c"), "/a\\b c")
    assert not db_datadir.mounted(line.format("/x"), "/") and not db_datadir.mounted("41 22 252:1 /\n\n", "/dbmnt")
    assert db_datadir.mounted("41 22 252:1 / /dbmnt rw", "/dbmnt/.") and not db_datadir.mounted("41 22 252:1 / /dbmnt", "/dbmnt")


@pytest.mark.parametrize(
    ("entries", "signs", "flavour"),
    [
        (["ibdata1"], ["mysql.ibd"], "mysql"),
        (["ibdata1"], ["mysql/global_priv.frm"], "mariadb"),
        (["ibdata1"], ["mysql.ibd", "mysql/global_priv.frm"], "mariadb"),
        (["ibdata1"], [], ""),
        (["x"], ["mysql.ibd"], ""),
        (None, ["mysql.ibd"], ""),
    ],
)
def test_an_instance_is_known_by_its_sign_and_its_system_tablespace(entries: Any, signs: list[str], flavour: str) -> None:
    assert db_datadir.flavour_in(Place(True, entries, signs)) == flavour
