"""From what a server has to what the pillar wants."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core import db_content
from hadb_core.errors import Invalid
from hadb_core.plan import Plan, Step

WHERE = {"flavour": "mariadb", "socket": "/run/mysqld/mysqld.sock"}
NOVA = {"nova": {"password": "x"}}
BLANK: dict[str, Any] = {
    "databases": {"mysql": {}},
    "accounts": {"root@localhost": {"password": None, "grants": {}}},
}


def _nova() -> db_content.Wanted:
    return db_content.wanted(["openstack_nova"], {}, NOVA)


def _carried_out(facts: dict[str, Any], steps: tuple[Step, ...]) -> dict[str, Any]:
    """Do to ``facts`` what the steps would do to a server."""
    facts = {
        "databases": dict(facts["databases"]),
        "accounts": {
            who: {**there, "grants": dict(there["grants"])} for who, there in facts["accounts"].items()
        },
    }
    for step in steps:
        args = step.args
        who = f"{args.get('name')}@{args.get('host')}"
        if step.do in ("database_create", "database_alter"):
            facts["databases"][args["name"]] = {"charset": args["charset"], "collation": args["collation"]}
        elif step.do == "account_create":
            facts["accounts"][who] = {"password": True, "grants": {}}
        elif step.do == "account_password":
            facts["accounts"][who]["password"] = True
        else:
            held = facts["accounts"][who]["grants"]
            held[args["database"]] = [*held.get(args["database"], ()), *args["privileges"]]
    return facts


def test_the_nova_preset_is_the_installation_guides() -> None:
    target = _nova()
    assert list(target.databases) == ["nova_api", "nova", "nova_cell0"]
    (nova,) = target.accounts
    assert nova.hosts == ("%", "localhost")
    assert nova.grants == dict.fromkeys(target.databases, ("ALL PRIVILEGES",))
    assert nova.password_key == "hadb:database:accounts:nova:password"


def test_a_blank_server_gets_everything_in_an_order_that_works() -> None:
    plan = db_content.plan(BLANK, _nova(), WHERE)
    assert [step.do for step in plan.steps] == ["database_create"] * 3 + (
        ["account_create"] + ["grant"] * 3
    ) * 2


@pytest.mark.parametrize("done", range(12))
def test_every_interrupted_run_converges(done: int) -> None:
    target = _nova()
    first = db_content.plan(BLANK, target, WHERE).steps
    half = _carried_out(BLANK, first[:done])
    rest = db_content.plan(half, target, WHERE)
    assert rest.steps == first[done:]
    assert db_content.plan(_carried_out(half, rest.steps), target, WHERE) == Plan()


def test_a_complete_server_needs_nothing() -> None:
    target = _nova()
    facts = _carried_out(BLANK, db_content.plan(BLANK, target, WHERE).steps)
    assert not db_content.plan(facts, target, WHERE)


def test_a_password_that_differs_is_set_and_not_shown() -> None:
    target = _nova()
    facts = _carried_out(BLANK, db_content.plan(BLANK, target, WHERE).steps)
    facts["accounts"]["nova@%"]["password"] = False
    where = WHERE | {"name": "nova", "host": "%", "password_key": "hadb:database:accounts:nova:password"}
    assert db_content.plan(facts, target, WHERE).steps == (
        Step("account_password", "password of nova@%", "not as in the pillar", "as in the pillar", where),
    )


def test_what_the_pillar_does_not_name_is_left_alone() -> None:
    target = _nova()
    facts = _carried_out(BLANK, db_content.plan(BLANK, target, WHERE).steps)
    facts["databases"]["glance"] = {}
    facts["accounts"]["glance@%"] = {"password": None, "grants": {"glance": ["ALL PRIVILEGES"]}}
    facts["accounts"]["nova@%"]["grants"]["glance"] = ["SELECT"]
    assert not db_content.plan(facts, target, WHERE)


def test_only_missing_privileges_are_given() -> None:
    target = db_content.wanted([], {}, {"mon": {"hosts": ["%"], "grants": {"nova": ["SELECT", "INSERT"]}}})
    facts = {"databases": {}, "accounts": {"mon@%": {"password": True, "grants": {"nova": ["SELECT"]}}}}
    args = WHERE | {"name": "mon", "host": "%", "database": "nova", "privileges": ["INSERT"]}
    assert db_content.plan(facts, target, WHERE).steps == (
        Step("grant", "grant of mon@% on nova", ["SELECT"], ["INSERT", "SELECT"], args),
    )


def test_all_privileges_cover_single_ones() -> None:
    target = db_content.wanted([], {}, {"mon": {"hosts": ["%"], "grants": {"nova": "SELECT"}}})
    facts = {
        "databases": {},
        "accounts": {"mon@%": {"password": True, "grants": {"nova": ["ALL PRIVILEGES"]}}},
    }
    assert not db_content.plan(facts, target, WHERE)


def test_a_character_set_that_differs_is_changed_and_one_not_asked_for_is_not() -> None:
    target = db_content.wanted([], {"a": {"charset": "utf8mb4"}, "b": {}}, {})
    latin = {"charset": "latin1", "collation": "latin1_swedish_ci"}
    args = WHERE | {"name": "a", "charset": "utf8mb4", "collation": ""}
    assert db_content.plan({"databases": {"a": latin, "b": latin}, "accounts": {}}, target, WHERE).steps == (
        Step("database_alter", "database a", {"charset": "latin1"}, {"charset": "utf8mb4"}, args),
    )


def test_each_step_to_a_new_database_and_a_new_account_is_told() -> None:
    options = {"charset": "utf8mb3", "collation": "utf8mb3_bin"}
    target = db_content.wanted([], {"a": options, "b": None, "c": {"charset": "", "collation": "x"}}, {"mon": {"grants": {"a": "ALL"}}})
    mon = WHERE | {"name": "mon", "host": "%"}
    facts = {"databases": {"c": {"charset": "latin1", "collation": "x"}}, "accounts": {}}
    assert db_content.plan(facts, target, WHERE).steps == (
        Step("database_create", "database a", None, options, WHERE | {"name": "a"} | options),
        Step("database_create", "database b", None, "present", WHERE | {"name": "b", "charset": "", "collation": ""}),
        Step("account_create", "account mon@%", None, "present", mon | {"password_key": "hadb:database:accounts:mon:password"}),
        Step("grant", "grant of mon@% on a", None, ["ALL PRIVILEGES"], mon | {"database": "a", "privileges": ["ALL PRIVILEGES"]}),
    )


def test_an_account_of_the_pillar_has_one_host_and_no_grants_unless_told() -> None:
    target = db_content.wanted([], {}, {"mon": {"hosts": [], "grants": None, "password": "x"}, "a": None})
    assert target.accounts == tuple(
        db_content.Account(name, ("%",), {}, f"hadb:database:accounts:{name}:password") for name in ("mon", "a")
    )


def test_an_account_that_needs_no_password_is_reported_not_removed() -> None:
    facts = {"databases": {}, "accounts": {"@localhost": {"password": None, "open": True, "grants": {}}}}
    plan = db_content.plan(facts, db_content.wanted([], {}, {}), WHERE)
    assert not plan
    assert "'@localhost'" in plan.remarks[0]


def test_the_pillar_may_widen_or_narrow_the_preset() -> None:
    target = db_content.wanted(["openstack_nova"], {}, {"nova": {"hosts": ["10.20.0.%"]}})
    assert target.accounts[0].hosts == ("10.20.0.%",)
    assert target.accounts[0].grants["nova"] == ("ALL PRIVILEGES",)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(Invalid) as error:
        db_content.wanted(
            ["openstack_glance", "openstack_nova"],
            {"x" * 65: {}, "nova": {"size": 1, "charset": "utf8mb4", "age": 2}, "y": {"charset": "a b"}, "z": {"collation": "c d"}},
            {"a": {"hosts": "%"}, "b": {"grants": {"c": "no;"}}},
        )
    key = "hadb:database:databases"
    assert error.value.faults == (
        "hadb:database:presets: 'openstack_glance' is unknown, there is openstack_nova",
        f"{key}:nova: unknown age, size; there is charset and collation",
        f"{key}:{'x' * 65}: {'x' * 65!r} cannot be the name of a database: 1 to 64 characters, not ending in a space",
        f"{key}:y: 'a b' is not the name of a character set or collation",
        f"{key}:z: 'c d' is not the name of a character set or collation",
        "hadb:database:accounts:a: hadb:database:accounts:a:hosts must be a list of host patterns",
        "hadb:database:accounts:b: 'NO;' is not a privilege",
    )


def test_a_missing_password_is_a_fault_of_the_pillar() -> None:
    for account in ({}, {"password": ""}, {"password": 5}):
        (fault,) = db_content.faults({"presets": ["openstack_nova"], "accounts": {"nova": account}})
        assert fault.startswith("hadb:database:accounts:nova:password must be a text")
    assert db_content.faults({"presets": ["openstack_nova"], "accounts": NOVA}) == []
    assert db_content.faults({"presets": ["openstack_nova"]}) == [
        "hadb:database:accounts:nova:password must be a text: the account needs a password"]  # fmt: skip
    (fault,) = db_content.faults({"databases": {"a": {"size": 1}}})
    assert fault.startswith("hadb:database:databases:a: unknown size")


def test_faults_show_no_password() -> None:
    faults = db_content.faults({"accounts": {"nova": {"password": "s3cret", "hosts": "%"}}})
    assert faults and "s3cret" not in repr(faults)
