"""The stored forms of passwords, against values that real servers made."""

from __future__ import annotations

import hashlib

import pytest

from hadb_core import db_password

# authentication_string of an account with the password `test` on MariaDB 11.8.6
NATIVE_TEST = b"*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29"
# An example of Ulrich Drepper's specification of SHA-crypt: $5$rounds=10000$saltstringsaltst$...
SHA_CRYPT = ("Hello world!", "saltstringsaltst", 10000, "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA")


def test_native_is_what_mariadb_stores() -> None:
    assert db_password.native("test").encode() == NATIVE_TEST
    assert db_password.matches("mysql_native_password", NATIVE_TEST, "test")
    assert not db_password.matches("mysql_native_password", NATIVE_TEST, "Test")


def test_sha2_has_the_shape_that_mysql_stores_and_recognises_its_own() -> None:
    held = db_password.sha2("pässword'\\")
    assert held.startswith(b"$A$005$") and len(held) == 7 + 20 + 43
    assert b"\0" not in held and b"$" not in held[7:27]
    assert db_password.matches("caching_sha2_password", held, "pässword'\\")
    assert not db_password.matches("caching_sha2_password", held, "password'\\")


def test_the_rounds_of_a_stored_form_are_three_hexadecimal_digits() -> None:
    held = db_password.sha2("x", b"s" * 20, 0x101)
    assert held.startswith(b"$A$101$" + b"s" * 20)
    assert db_password.matches("caching_sha2_password", held, "x")


def test_sha2_uses_a_new_salt_each_time() -> None:
    assert db_password.sha2("x") != db_password.sha2("x")


@pytest.mark.parametrize(
    "held", [b"", b"$A$005$short", b"$A$xyz$" + b"s" * 63, b"THISISACOMBINATIONOFINVALIDSALT"]
)
def test_a_damaged_stored_form_matches_nothing(held: bytes) -> None:
    assert not db_password.matches("caching_sha2_password", held, "x")


def test_another_plugin_counts_as_another_password() -> None:
    assert not db_password.matches("unix_socket", b"", "")


def test_each_flavour_stores_its_own_form() -> None:
    assert db_password.stored("mariadb", "test") == NATIVE_TEST
    assert db_password.stored("mysql", "test").startswith(b"$A$005$")


def test_sha256_crypt_gives_the_specifications_example() -> None:
    key, salt, rounds, wanted = SHA_CRYPT
    assert db_password._sha256_crypt(key.encode(), salt.encode(), rounds) == wanted.encode()


def test_sha256_crypt_agrees_with_the_c_library() -> None:
    crypt = pytest.importorskip("crypt", reason="Python 3.13 dropped it")
    for key, salt in (("x", "abcdefghijklmnop"), ("ä" * 30, "zz"), ("k" * 65, "salt"), ("k" * 70, "saltsaltsaltsalt")):
        wanted = crypt.crypt(key, f"$5$rounds=5000${salt}").rsplit("$", 1)[1].encode()
        assert db_password._sha256_crypt(key.encode(), salt.encode(), 5000) == wanted


def test_stored_forms_hold_no_clear_text() -> None:
    assert b"secret" not in db_password.sha2("secret") + db_password.native("secret").encode()
    assert hashlib.sha1(b"secret").hexdigest().upper() not in db_password.native("secret")
