"""What a database server stores for a password, so that no clear text ever reaches the server.

hadb computes the stored form itself. It compares it with what the server has, to see that a
password in the pillar was changed, and sets it with ``IDENTIFIED ... USING/AS``. Clear text is
then neither in the server's logs nor in its binary log, and no login attempt is needed, which
could lock an account or fail for an account that may not come from this host.
"""

from __future__ import annotations

import hashlib
import secrets
import string

NATIVE = "mysql_native_password"
SHA2 = "caching_sha2_password"

SALT_LENGTH = 20  # bytes; CRYPT_SALT_LENGTH in MySQL's include/crypt_genhash_impl.h
ROUNDS_UNIT = 1000  # caching_sha2_password stores thousands of rounds, "005" by default
_SALT_LETTERS = (string.ascii_letters + string.digits).encode()
_ALPHABET = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def native(password: str) -> str:
    """Return ``*HEX``: SHA1(SHA1(password)), what ``mysql_native_password`` stores."""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def sha2(password: str, salt: bytes | None = None, thousands: int = 5) -> bytes:
    """Return ``$A$005$<salt><digest>``, what ``caching_sha2_password`` stores.

    salt
        20 bytes without NUL and ``$``; random unless given.
    thousands
        Rounds of SHA-256 crypt, in thousands.
    """
    salt = salt or bytes(secrets.choice(_SALT_LETTERS) for _ in range(SALT_LENGTH))
    return b"$A$%03X$" % thousands + salt + _sha256_crypt(password.encode(), salt, thousands * ROUNDS_UNIT)


def stored(flavour: str, password: str) -> bytes:
    """Return what hadb makes a server of this flavour store for ``password``."""
    return sha2(password) if flavour == "mysql" else native(password).encode()


def matches(plugin: str, held: bytes, password: str) -> bool:
    """Return whether ``held`` is the stored form of ``password`` under ``plugin``.

    A plugin that hadb does not set is "no": the account then gets the plugin of its flavour.
    """
    if plugin == NATIVE:
        return secrets.compare_digest(held, native(password).encode())
    if plugin == SHA2:
        return _matches_sha2(held, password)
    return False


def _matches_sha2(held: bytes, password: str) -> bool:
    try:
        thousands = int(held[3:6], 16)
    except ValueError:
        return False
    salt = held[7 : 7 + SALT_LENGTH]
    return secrets.compare_digest(held, sha2(password, salt, thousands))


def _sha256_crypt(key: bytes, salt: bytes, rounds: int) -> bytes:
    """Ulrich Drepper's SHA-crypt (the specification's step numbers in the comments), 43 characters."""

    def digest(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    def stretched(block: bytes, length: int) -> bytes:
        return (block * (length // 32 + 1))[:length]

    other = digest(key + salt + key)  # 4-8
    data = key + salt + stretched(other, len(key))  # 1-3, 9-10
    count = len(key)
    while count:  # 11
        data += other if count & 1 else key
        count >>= 1
    current = digest(data)  # 12
    p = stretched(digest(key * len(key)), len(key))  # 13-16
    s = stretched(digest(salt * (16 + current[0])), len(salt))  # 17-20
    for number in range(rounds):  # 21
        data = p if number & 1 else current
        data += s if number % 3 else b""
        data += p if number % 7 else b""
        data += current if number & 1 else p
        current = digest(data)
    return _encoded(current)


def _encoded(final: bytes) -> bytes:
    order = [(i * 21 % 30, (i * 21 + 10) % 30, (i * 21 + 20) % 30) for i in range(10)]
    out = b"".join(_letters(final[a] << 16 | final[b] << 8 | final[c], 4) for a, b, c in order)
    return out + _letters(final[31] << 8 | final[30], 3)


def _letters(value: int, count: int) -> bytes:
    return bytes(_ALPHABET[value >> 6 * place & 63] for place in range(count))
