"""Every form in which a secret could be told is one that is looked for."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import urllib.parse

import pytest
from scenario import canaries, leak_probe
from scenario.canaries import Canary

from documents import load
from hadb_core import db_password, ipmi_passwords

WORD = 'pa"ss w&rd/42?'


def found(canary: Canary, text: str | bytes) -> bool:
    data = text.encode() if isinstance(text, str) else text
    return bool(leak_probe.Needles(canaries.told([canary])).within(data))


@pytest.mark.parametrize(
    "told",
    [
        WORD, f"password={WORD} user=x", json.dumps({"password": WORD}), urllib.parse.quote(WORD), urllib.parse.quote(WORD, safe=""),
        WORD.encode().hex(), WORD.encode().hex().upper(), WORD.encode().hex(" "), ipmi_passwords.set_command(2, WORD),
        "pa&quot;ss w&amp;rd/42?",
    ],
)  # fmt: skip
def test_a_password_is_found_however_it_is_written(told: str) -> None:
    assert found(canaries.password("secret", WORD), told)


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "user:"])
@pytest.mark.parametrize("after", ["", "1", "12", "123"])
def test_a_password_is_found_in_the_base64_of_a_longer_text(before: str, after: str) -> None:
    text = f"{before}{WORD}{after}".encode()
    for encoded in (base64.b64encode(text), base64.urlsafe_b64encode(text)):
        assert found(canaries.password("secret", WORD), encoded)


def test_nothing_is_found_where_nothing_is() -> None:
    canary = canaries.password("secret", WORD)
    for text in ("", WORD[:-1], WORD[1:], base64.b64encode(b"another password"), "(hidden)", secrets.token_bytes(1 << 16)):
        assert not found(canary, text)


def test_a_password_that_would_be_found_by_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="secret has fewer than 8"):
        canaries.password("secret", "1234567")


def test_a_key_is_found_by_its_beginning_or_its_end() -> None:
    key = secrets.token_bytes(256)
    canary = canaries.key("key", key)
    for told in (key, key[:40], key[-40:], key.hex(), base64.b64encode(b"x" + key), b"y" * 5 + key[:33]):
        assert found(canary, told)
    assert not found(canary, key[40:-40])


def test_every_secret_of_the_labs_pillar_is_a_canary_and_nothing_else() -> None:
    names = [canary.name for canary in canaries.of_pillar(load("test/lab/pillar.sls")["hadb"])]
    assert names == [
        "hadb:nodes:db1:bmc:password", "hadb:nodes:db2:bmc:password",
        "hadb:database:accounts:nova:password", "hadb:database:accounts:nova:password as the server stores it",
        "hadb:database:accounts:glance:password", "hadb:database:accounts:glance:password as the server stores it",
    ]  # fmt: skip


def test_other_secrets_of_a_pillar_are_canaries_too() -> None:
    key = base64.b64encode(bytes(128)).decode()
    pillar = {"corosync": {"authkey": key, "port": 5405}, "nodes": {"db1": {"bmc": {"new_password": "next-year-2"}}}}
    assert [canary.name for canary in canaries.of_pillar(pillar)] == ["hadb:corosync:authkey", "hadb:nodes:db1:bmc:new_password"]


def test_what_the_server_stores_for_a_password_is_what_hadb_gives_it() -> None:
    (canary,) = [one for one in canaries.of_pillar({"accounts": {"nova": {"password": WORD}}}) if one.name.endswith(canaries.STORED)]
    assert found(canary, db_password.native(WORD))
    assert found(canary, db_password.native(WORD).lower())
    assert not found(canary, WORD)
    assert not found(canary, hashlib.sha1(WORD.encode()).hexdigest())


def test_two_names_of_one_secret_are_both_told() -> None:
    needles = leak_probe.Needles(canaries.told([canaries.password("one", WORD), canaries.password("two", WORD)]))
    assert needles.within(WORD.encode()) == {"one", "two"}
