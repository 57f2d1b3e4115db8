"""The contents of a server: read from captured answers of real ones, written as SQL that shows no password."""

from __future__ import annotations

from typing import Any

import pytest
from captured import FIXTURES, FLAVOURS
from hypothesis import given
from hypothesis import strategies as st
from test_content import BLANK, WHERE, _carried_out, _nova

from hadb_core import db_client, db_content, db_facts, db_password
from hadb_core.errors import CommandFailed, Invalid
from support import load

KEY = "hadb:database:accounts:nova:password"
PASSWORD = "never-in-clear"
PILLAR = {"hadb": {"database": {"accounts": {"nova": {"password": PASSWORD}}}}}


class Server:
    """Answers the queries of one release's server from what a real one said; ``sql`` holds what it was told."""

    def __init__(self, suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(db_client, "which", lambda names: f"/usr/bin/{names[0]}")
        self.suite, self.sql, self.fails = suite, [], ""
        self.module = load("_modules/dbcontent.py", salt={"cmd.run_all": self.run_all}, pillar=PILLAR)

    def run_all(self, argv: list[str], stdin: str, **_: Any) -> dict[str, Any]:
        assert PASSWORD not in " ".join(argv) + stdin
        self.sql.append(stdin)
        if self.fails:
            return {"retcode": 1, "stdout": "", "stderr": self.fails}
        name = "columns" if db_facts.COLUMNS in stdin else "content" if "'kind', 'database'" in stdin else ""
        out = (FIXTURES / self.suite / f"{name}.jsonl").read_text() if name else ""
        return {"retcode": 0, "stdout": out, "stderr": ""}


@pytest.fixture(params=sorted(FLAVOURS))
def server(request, monkeypatch):
    return Server(request.param, monkeypatch)


def test_databases_accounts_and_grants_are_told_without_any_form_of_a_password(server):
    flavour = FLAVOURS[server.suite]
    whole = server.module.content(flavour)
    assert server.module.databases(flavour) == whole["databases"] and "mysql" in whole["databases"]
    accounts = server.module.accounts(flavour)
    assert "root@localhost" in accounts and set(accounts["root@localhost"]) == {"plugin", "open"}
    assert server.module.grants(flavour)["root@localhost"]["*"] == ["ALL PRIVILEGES"]


def test_a_password_is_compared_here_and_only_where_it_is_asked_for(server):
    flavour = FLAVOURS[server.suite]
    keys = {"root@localhost": KEY}
    accounts = server.module.content(flavour, password_keys=keys)["accounts"]
    assert accounts["root@localhost"]["password"] is False
    assert [there["password"] for who, there in accounts.items() if who != "root@localhost"] == [None] * (len(accounts) - 1)


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_accounts_get_the_stored_form_of_the_pillar_s_password(server, flavour):
    server.module.account_create("nova", "%", KEY, flavour)
    server.module.account_password("nova", "%", KEY, flavour)
    create, alter = server.sql
    assert "CREATE USER 'nova'@'%'" in create and "ALTER USER 'nova'@'%'" in alter
    stored = db_password.native(PASSWORD) if flavour == "mariadb" else "AS 0x24412430303524"
    assert stored in create and stored in alter


def test_databases_and_grants_are_made(server):
    server.module.database_create("nova", "utf8mb3", "utf8mb3_general_ci")
    server.module.database_alter("nova", "utf8mb4")
    server.module.grant("nova", "%", "nova_api", ["ALL PRIVILEGES"])
    create, alter, grant = (sql.splitlines()[-1] for sql in server.sql)
    assert create == "CREATE DATABASE IF NOT EXISTS `nova` CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci;"
    assert alter == "ALTER DATABASE `nova` CHARACTER SET utf8mb4;"
    assert grant == "GRANT ALL PRIVILEGES ON `nova\\_api`.* TO 'nova'@'%';"


def test_an_error_names_neither_statement_nor_stored_form(server):
    server.fails = f"CREATE USER x IDENTIFIED VIA y USING '{db_password.native(PASSWORD)}'\nERROR 1396 (HY000) at line 2: no\n"
    with pytest.raises(CommandFailed, match="ERROR 1396") as failure:
        server.module.account_create("nova", "%", KEY)
    assert "*" not in str(failure.value) and "CREATE" not in str(failure.value)


def test_whether_the_pillar_has_a_password_is_told_without_it(server):
    assert server.module.password_set(KEY) is True
    assert server.module.password_set("hadb:database:accounts:glance:password") is False
    with pytest.raises(Invalid, match="glance"):
        server.module.account_create("glance", "%", "hadb:database:accounts:glance:password")
    assert server.sql == []


NAMES = st.text("abcdefgh_", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, st.fixed_dictionaries({}, optional={"charset": st.sampled_from(["utf8mb3", "utf8mb4"])})),
       st.dictionaries(NAMES, st.lists(st.sampled_from(["SELECT", "INSERT", "ALL PRIVILEGES"]), min_size=1)),
       st.data())  # fmt: skip
def test_from_every_interruption_the_next_plan_completes_the_contents(databases, grants, data):
    target = db_content.wanted(["openstack_nova"], databases, {"nova": {"grants": grants}, "app": {"grants": grants}})
    facts = BLANK
    for _ in range(3):
        steps = db_content.plan(facts, target, WHERE).steps
        facts = _carried_out(facts, steps[: data.draw(st.integers(0, len(steps)))])
    facts = _carried_out(facts, db_content.plan(facts, target, WHERE).steps)
    # What a server without a wish for it tells of a database it made.
    assert not [step for step in db_content.plan(facts, target, WHERE).steps if step.do != "database_alter"]


def test_the_nova_contents_are_complete_after_one_plan():
    assert not db_content.plan(_carried_out(BLANK, db_content.plan(BLANK, _nova(), WHERE).steps), _nova(), WHERE)
