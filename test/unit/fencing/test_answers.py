"""What ipmitool really printed (1.8.19 against ipmi_sim), read."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadb_core.errors import Refused, Unreadable
from hadb_core.ipmi_answers import guid, pairs, power, refuses_session, same_machine, user_id, users

FIXTURES = Path(__file__).parent / "fixtures"
GUID = "0102030405060708090a0b0c0d0e0f10"


def read(name: str) -> str:
    return (FIXTURES / f"ipmitool-1.8.19/{name}.txt").read_text()


@pytest.mark.parametrize("word", ["on", "off"])
def test_the_power_is_read(word: str) -> None:
    assert power(read(f"power-{word}")) == word


@pytest.mark.parametrize(
    "text", ["", "Chassis Power is unknown\n", "Error: Unable to establish IPMI v2 / RMCP+ session\n"]
)
def test_an_unknown_power_is_neither_on_nor_off(text: str) -> None:
    with pytest.raises(Unreadable):
        power(text)


def test_the_pairs_are_read_and_continued_lists_left_out() -> None:
    info = pairs(read("mc-info"))
    assert info["IPMI Version"] == "2.0"
    assert info["Firmware Revision"] == "9.08"
    assert "Chassis Device" not in info
    assert pairs(read("chassis-status"))["System Power"] == "on"


def test_no_pair_is_no_answer() -> None:
    with pytest.raises(Unreadable):
        pairs("Get Device ID command failed\n")


def test_the_guid_is_read_in_both_forms() -> None:
    assert guid(read("mc-guid")) == GUID
    assert guid(f"System GUID  : {GUID[:8]}-0506-0708-090a-0b0c0d0e0f10\n") == GUID
    with pytest.raises(Unreadable):
        guid("Get GUID command failed\n")


@pytest.mark.parametrize(
    ("own", "verdict"),
    [
        ("01020304-0506-0708-090a-0b0c0d0e0f10", "same"),
        ("04030201-0605-0807-090a-0b0c0d0e0f10", "same"),
        ("100f0e0d-0c0b-0a09-0807-060504030201", "same"),
        ("01020304-0506-0708-090a-0b0c0d0e0f11", "different"),
        (None, "unknown"),
    ],
)
def test_a_machine_is_known_in_every_order_of_bytes(own: str | None, verdict: str) -> None:
    assert same_machine(GUID, own) == verdict


@pytest.mark.parametrize("unset", ["0" * 32, "f" * 32])
def test_a_guid_that_nobody_set_proves_nothing(unset: str) -> None:
    assert same_machine(unset, "01020304-0506-0708-090a-0b0c0d0e0f10") == "unknown"


def test_the_accounts_are_read_without_the_empty_slots() -> None:
    found = users(read("user-list"))
    assert [(user["id"], user["name"], user["messaging"], user["privilege"]) for user in found] == [
        (2, "hadb", True, "OPERATOR")]  # fmt: skip
    assert user_id(found, "hadb") == 2


def test_an_account_without_a_name_that_may_log_in_is_told() -> None:
    assert users("1,,true,false,true,ADMINISTRATOR\n")[0]["id"] == 1


def test_a_name_may_hold_commas() -> None:
    assert users("3,a,b,true,false,true,USER\n")[0]["name"] == "a,b"


@pytest.mark.parametrize("text", ["", "2,hadb,true\n", "ID Name\n", "2,hadb,yes,no,true,USER\n"])
def test_a_list_of_accounts_that_cannot_be_read_is_not_empty(text: str) -> None:
    with pytest.raises(Unreadable):
        users(text)


@pytest.mark.parametrize("name", ["other", "twin"])
def test_an_account_is_taken_only_when_exactly_one_has_the_name(name: str) -> None:
    known = users("3,twin,true,false,true,USER\n4,twin,true,false,true,USER\n")
    with pytest.raises(Refused, match=name):
        user_id(known, name)


def test_a_refusal_is_told_from_silence() -> None:
    assert refuses_session(read("refused-session"))
    assert not refuses_session(read("no-session"))
