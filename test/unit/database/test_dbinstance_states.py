"""The database's conditions: a test run shows what the real one reports, starts nothing, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from test_content import BLANK, _carried_out

from hadb_core import db_content, db_datadir
from hadb_core.errors import HadbError
from hadb_core.plan import Step
from support import load

DATADIR, MOUNT = "/dbmnt/mysql", "/dbmnt"
CONTENT = {"presets": ["openstack_nova"], "databases": {"glance": {"charset": "utf8mb3"}}, "accounts": {"nova": {}}}


class World:
    """A node with a volume; effects act on it, ``did`` holds those that change or start something."""

    def __init__(self, *, mounted: bool = True, instance: bool = False, running: bool = False, **changed: Any) -> None:
        self.place = {"mounted": mounted, "entries": None, "signs": [], "owner": None, "partial": False, **changed}
        if instance:
            self._make()
        self.running, self.temporary, self.facts, self.did = running, False, BLANK, []
        self.release_fails = False

    def _make(self) -> None:
        self.place |= {"entries": ["ibdata1", db_datadir.MARKER], "signs": [db_datadir.SIGNS["mariadb"]], "owner": 3306}

    def initialise(self, **args: Any) -> None:
        self.did.append("initialise")
        self._make()

    def discard_partial(self, datadir: str) -> None:
        self.did.append("discard_partial")
        self.place["partial"] = False

    def serve(self, *args: str) -> str:
        self.did.append("serve")
        self.temporary = not self.running
        return "/run/mysqld/mysqld.sock" if self.running else "/run/hadb/database/mysqld.sock"

    def release(self) -> None:
        self.did.append("release")
        self.temporary = False
        if self.release_fails:
            raise HadbError("the temporary server did not stop")

    def effect(self, name: str) -> Any:
        def act(**args: Any) -> None:
            self.did.append(name)
            self.facts = _carried_out(self.facts, (Step(name, "", args=args),))
            if name.startswith("database"):
                self.facts["databases"][args["name"]] = {"charset": args["charset"] or "utf8mb4", "collation": "x"}

        return act

    def states(self, test: bool, passwords: bool = True) -> Any:
        names = ("database_create", "database_alter", "account_create", "account_password", "grant")
        return load("_states/dbinstance.py", opts={"test": test}, salt={
            "dbinstance.place": lambda datadir, mount_point: dict(self.place), "dbinstance.user_id": lambda user: 3306,
            "dbinstance.initialise": self.initialise, "dbinstance.discard_partial": self.discard_partial,
            "dbinstance.ping": lambda socket, datadir: self.running, "dbinstance.serve": self.serve,
            "dbinstance.release": self.release, "dbcontent.content": lambda *args: self.facts,
            "dbcontent.password_set": lambda key: passwords,
            **{f"dbcontent.{name}": self.effect(name) for name in names}})  # fmt: skip

    def content(self, test: bool, **how: Any) -> dict[str, Any]:
        return self.states(test, **how).content_present(DATADIR, MOUNT, "mariadb", **CONTENT)


@pytest.mark.parametrize("partial", [False, True])
def test_an_instance_is_made_once_and_predicted_exactly(partial):
    world = World(partial=partial)
    predicted = world.states(True).initialised(DATADIR, MOUNT, "mariadb")
    assert predicted["result"] is None and world.did == []
    real = world.states(False).initialised(DATADIR, MOUNT, "mariadb")
    assert (real["result"], real["changes"]) == (True, predicted["changes"])
    assert world.did == ["discard_partial"] * partial + ["initialise"]
    assert world.states(False).initialised(DATADIR, MOUNT, "mariadb")["changes"] == {}


def test_an_instance_is_made_only_on_the_mounted_volume():
    world = World(mounted=False)
    assert world.states(True).initialised(DATADIR, MOUNT, "mariadb")["result"] is None
    assert world.states(False).initialised(DATADIR, MOUNT, "mariadb")["result"] is False
    assert world.did == []


@pytest.mark.parametrize("running", [True, False])
def test_contents_are_completed_and_a_temporary_server_does_not_stay(running):
    world = World(instance=True, running=running)
    real = world.content(False)
    assert real["result"] is True, real
    assert {"database nova", "database glance", "account nova@%", "grant of nova@% on nova"} <= set(real["changes"])
    assert world.temporary is False and ("release" in world.did) is not running
    world.did.clear()
    assert world.content(False)["changes"] == {}
    assert set(world.did) <= {"serve", "release"}


def test_a_test_run_asks_the_server_that_runs_and_shows_the_same_changes():
    world = World(instance=True, running=True)
    predicted = world.content(True)
    assert predicted["result"] is None and world.facts == BLANK and world.did == ["serve"]
    assert world.content(False)["changes"] == predicted["changes"]


def test_a_test_run_before_there_is_an_instance_predicts_all_of_it():
    world = World(mounted=False)
    predicted = world.content(True)
    assert world.did == []
    world.place["mounted"] = True
    world.states(False).initialised(DATADIR, MOUNT, "mariadb")
    assert world.content(False)["changes"] == predicted["changes"]


def test_a_test_run_starts_no_server_and_says_that_nothing_is_known():
    world = World(instance=True)
    predicted = world.content(True)
    assert (world.did, predicted["changes"]["contents"]["old"]) == ([], "unknown, no server runs")


def test_an_account_without_a_password_fails_before_anything_is_started():
    world = World(instance=True)
    ret = world.content(False, passwords=False)
    assert ret["result"] is False and "hadb:database:accounts:nova:password" in ret["comment"] and world.did == []


def test_a_temporary_server_that_stays_fails_the_state():
    world = World(instance=True)
    world.release_fails = True
    ret = world.content(False)
    assert ret["result"] is False and "did not stop" in ret["comment"]


def test_the_temporary_server_ends_also_when_a_step_fails():
    world = World(instance=True)
    states = world.states(False)

    def fails(**args: Any) -> None:
        raise HadbError("ERROR 1044")

    states.__salt__["dbcontent.grant"] = fails
    ret = states.content_present(DATADIR, MOUNT, "mariadb", **CONTENT)
    assert ret["result"] is False and "ERROR 1044" in ret["comment"] and world.did[-1] == "release"
    assert db_content.plan(world.facts, db_content.wanted(**CONTENT), {})
