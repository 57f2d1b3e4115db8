"""The account and the units of a node."""

from __future__ import annotations

import dataclasses

import pytest

from hadb_core import db_node
from hadb_core.errors import Refused
from hadb_core.plan import Plan, Step

MYSQL = db_node.Identity("mysql", "mysql", 3306, 3306, "/var/lib/mysql")
USERS = {"root": (0, 0)}
GROUPS = {"root": 0}


def test_a_blank_node_gets_the_group_first() -> None:
    user = {"name": "mysql", "uid": 3306, "gid": 3307, "home": "/var/lib/mysql"}
    assert db_node.plan_identity(USERS, GROUPS, dataclasses.replace(MYSQL, gid=3307)) == Plan((
        Step("group_add", "group mysql", None, 3307, {"name": "mysql", "gid": 3307}),
        Step("user_add", "user mysql", None, 3306, user),
    ))  # fmt: skip


def test_an_interrupted_run_goes_on_with_the_user() -> None:
    assert [step.do for step in db_node.plan_identity(USERS, {**GROUPS, "mysql": 3306}, MYSQL).steps] == [
        "user_add"
    ]


def test_an_account_with_the_right_numbers_is_left_alone() -> None:
    assert not db_node.plan_identity({**USERS, "mysql": (3306, 3306)}, {**GROUPS, "mysql": 3306}, MYSQL)


@pytest.mark.parametrize(
    ("users", "groups", "reason"),
    [
        ({"mysql": (107, 3306)}, {"mysql": 3306}, "user mysql has uid 107"),
        ({"mysql": (3306, 115)}, {"mysql": 3306}, "user mysql has uid 3306 and gid 115"),
        ({}, {"mysql": 115}, "group mysql has gid 115"),
        ({"joe": (3306, 1000)}, {}, "uid 3306 belongs to user joe"),
        ({}, {"staff": 3306}, "gid 3306 belongs to group staff"),
    ],
)
def test_refuses_numbers_that_do_not_fit_and_says_what_to_do(users: dict, groups: dict, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as error:
        db_node.plan_identity({**USERS, **users}, {**GROUPS, **groups}, MYSQL)
    assert error.value.remedy == (
        "set hadb:database:user to numbers that are free, or this account's, on both nodes; "
        "or, if its files do not matter, purge the database package, remove the account, and run again"
    )


def test_units_are_masked_once() -> None:
    units = {
        "mariadb.service": {"masked": False, "active": False},
        "mariadb.socket": {"masked": True, "active": False},
    }
    assert db_node.plan_units(units) == Plan((
        Step("mask", "unit mariadb.service", "not masked", "masked", {"unit": "mariadb.service"}),
    ))  # fmt: skip


def test_refuses_while_a_server_runs_under_systemd() -> None:
    running = {"masked": True, "active": True}
    with pytest.raises(Refused) as error:
        db_node.plan_units({"mariadb.service": running, "mysql.service": running | {"active": False}, "mariadb.socket": running})
    assert error.value.reason == (
        "mariadb.service, mariadb.socket runs under systemd; only Pacemaker may start the database"
    )
    assert error.value.remedy == "save what is in it, then `systemctl disable --now mariadb.service mariadb.socket`"
