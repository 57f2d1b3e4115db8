"""What is said about an answer of ipmitool that cannot be used, and every field of one that can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hadb_core.errors import Refused, Unreadable
from hadb_core.ipmi_answers import guid, pairs, power, same_machine, user_id, users

LONG = "x" * 300
NO_ACCOUNT = "cannot read the output of ipmitool user list: "
NO_LINE = f"{NO_ACCOUNT}a line is not `id,name,callin,link,messaging,privilege`"


@pytest.mark.parametrize(
    ("reader", "text", "words"),
    [
        (power, " on fire \n", "cannot read the output of ipmitool chassis power status: it says neither on nor off (line: 'on fire')"),
        (pairs, f" {LONG}\n", f"cannot read the output of ipmitool: no `Key : value` line in its answer (line: {LONG[:200]!r})"),
        (guid, f" {LONG}\n", f"cannot read the output of ipmitool mc guid: no System GUID in it (line: {LONG[:200]!r})"),
        (users, "\n", NO_LINE),
        (users, "2,hadb,true\n", f"{NO_LINE} (line: '2,hadb,true')"),
        (users, "", f"{NO_ACCOUNT}it names no account at all"),
        *((users, line, f"{NO_LINE} (line: {line!r})") for line in (
            "2,hadb,maybe,false,true,USER", "2,hadb,true,maybe,true,USER", "2,hadb,true,false,maybe,USER",
            "two,hadb,true,false,true,USER",
        )),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_is_shown(reader: Callable[[str], Any], text: str, words: str) -> None:
    with pytest.raises(Unreadable) as error:
        reader(text)
    assert str(error.value) == words


def test_an_account_is_read_whole_each_right_from_its_own_column() -> None:
    assert users("2,a,true,false,false,USER\n3,b,false,true,false,OPERATOR\n4,,false,false,false,\n5,c,false,false,true,ADMIN\n") == [
        {"id": 2, "name": "a", "callin": True, "link_auth": False, "messaging": False, "privilege": "USER"},
        {"id": 3, "name": "b", "callin": False, "link_auth": True, "messaging": False, "privilege": "OPERATOR"},
        {"id": 5, "name": "c", "callin": False, "link_auth": False, "messaging": True, "privilege": "ADMIN"},
    ]  # fmt: skip


@pytest.mark.parametrize(("known", "count"), [([], "no"), ([{"id": 3, "name": "x"}, {"id": 4, "name": "x"}], "2")])
def test_why_an_account_is_not_taken(known: list[dict[str, Any]], count: str) -> None:
    with pytest.raises(Refused) as error:
        user_id(known, "x")
    assert str(error.value) == (
        f"the BMC has {count} accounts called x. What to do: look at `ipmitool.users` and give exactly one account that name"
    )


def test_a_machine_is_known_when_its_bmc_reverses_the_smbios_order() -> None:
    own = "01020304-0506-0708-090a-0b0c0d0e0f10"
    assert same_machine("100f0e0d0c0b0a09" + "0708" + "0506" + "01020304", own) == "same"
    assert same_machine("100f0e0d0c0b0a09" + "0708" + "0506" + "01020305", own) == "different"
