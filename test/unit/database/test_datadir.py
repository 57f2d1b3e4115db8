"""When an instance is made, and when never."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core import db_datadir
from hadb_core.db_datadir import Place
from hadb_core.errors import Refused

MARIADB = Place(True, ["ibdata1", "mysql", ".hadb-instance"], ["mysql/global_priv.frm"], 3306)


def _plan(place: Place, **changed: Any) -> Any:
    wanted = {
        "datadir": "/dbmnt/mysql",
        "mount_point": "/dbmnt",
        "flavour": "mariadb",
        "uid": 3306,
        "test": False,
        "args": {},
        **changed,
    }
    return db_datadir.plan(place, **wanted)


@pytest.mark.parametrize("entries", [None, []])
def test_a_missing_or_empty_directory_gets_an_instance(entries: list[str] | None) -> None:
    assert [step.do for step in _plan(Place(True, entries)).steps] == ["initialise"]


def test_a_whole_instance_is_left_as_it_is() -> None:
    plan = _plan(MARIADB)
    assert not plan and not plan.remarks


def test_an_instance_that_somebody_else_made_is_used_and_reported() -> None:
    plan = _plan(Place(True, ["ibdata1", "mysql"], ["mysql/global_priv.frm"], 3306))
    assert not plan
    assert "not made by hadb" in plan.remarks[0]


@pytest.mark.parametrize(
    "entries", [["lost+found"], ["mysql"], ["ibdata1"], ["mysql", "aria_log_control"], ["x"]]
)
def test_refuses_a_directory_that_is_neither_empty_nor_an_instance(entries: list[str]) -> None:
    with pytest.raises(Refused, match="not empty and holds no instance"):
        _plan(Place(True, entries))


def test_an_interrupted_initialisation_is_made_again() -> None:
    assert [step.do for step in _plan(Place(True, None, partial=True)).steps] == [
        "discard_partial",
        "initialise",
    ]


def test_a_leftover_beside_a_whole_instance_is_not_touched() -> None:
    assert not _plan(Place(True, MARIADB.entries, MARIADB.signs, 3306, partial=True))


def test_refuses_when_the_volume_is_not_mounted() -> None:
    with pytest.raises(Refused, match="not mounted"):
        _plan(Place(False, None))


def test_a_test_run_predicts_for_a_volume_that_is_not_mounted_yet() -> None:
    plan = _plan(Place(False, None), test=True, uid=None)
    assert [step.do for step in plan.steps] == ["initialise"]
    assert "not mounted" in plan.remarks[0]


def test_files_on_the_local_disk_do_not_count_as_an_instance() -> None:
    with pytest.raises(Refused, match="not mounted"):
        _plan(Place(False, MARIADB.entries, MARIADB.signs, 3306))


def test_refuses_an_instance_of_the_other_server() -> None:
    with pytest.raises(Refused, match="holds a mysql instance"):
        _plan(Place(True, ["ibdata1", "mysql.ibd"], ["mysql.ibd"], 3306))


def test_refuses_an_instance_of_another_owner() -> None:
    with pytest.raises(Refused, match="belongs to uid 3306"):
        _plan(MARIADB, uid=107)


@pytest.mark.parametrize(
    "datadir", ["/dbmnt", "/dbmnt/", "/dbmnt/../var/lib/mysql", "/dbmntx/mysql", "mysql", "/"]
)
def test_refuses_a_data_directory_that_is_not_below_the_mount_point(datadir: str) -> None:
    assert db_datadir.faults(datadir, "/dbmnt")
    with pytest.raises(Refused, match="below the mount point"):
        _plan(Place(True, None), datadir=datadir)


def test_mount_points_are_read_from_mountinfo() -> None:
    mountinfo = (
        "22 1 98:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
        "41 22 252:1 / /dbmnt rw,noatime shared:27 - ext4 /dev/mapper/db--vg-db--vol rw\n"
        "42 22 252:2 / /with\\040blank rw shared:28 - ext4 /dev/x rw\n"
    )
    assert db_datadir.mounted(mountinfo, "/dbmnt") and db_datadir.mounted(mountinfo, "/dbmnt/")
    assert db_datadir.mounted(mountinfo, "/with blank")
    assert not db_datadir.mounted(mountinfo, "/dbmnt/mysql") and not db_datadir.mounted(mountinfo, "/db")


def test_the_draft_is_beside_the_data_directory_and_not_hidden() -> None:
    assert db_datadir.partial_of("/dbmnt/mysql/") == "/dbmnt/mysql.hadb-partial"
