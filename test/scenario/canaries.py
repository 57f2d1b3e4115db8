"""Canaries: the secrets of the lab's site, with every form in which one of them could be found again. Pure.

A password's forms are its own bytes, as a URL, JSON, XML and a shell would quote it, in hexadecimal (also as ipmitool's raw
commands have it) and in base64 at each of the three places at which it can begin in a longer text.

What MariaDB stores for a password (``mysql_native_password``: SHA1 of SHA1) is a canary of its own: whoever has it can guess the
password at leisure, and with one login that he overheard he can log in without it. Only the server's own files may hold it.

Not found: what is encrypted, and base64 that was broken into lines in the middle of a secret.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import shlex
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# The name of a canary that is no secret: planted where the search has to find it.
CONTROL = "control"
# What is added to a password's name for the form that the server stores.
STORED = " as the server stores it"
AUTHKEY = "Corosync's key"

_SECRET_KEYS = ("password", "new_password", "authkey")
# Shorter words are in files by chance.
_SHORTEST = 8
# Bytes; of a key the beginning and the end are looked for.
_WINDOW = 32


@dataclass(frozen=True)
class Canary:
    """A secret by its name, which may be told, and the byte strings that give it away."""

    name: str
    forms: tuple[bytes, ...]


def of_pillar(pillar: Mapping[str, Any], path: str = "hadb") -> list[Canary]:
    """Return the canaries of a pillar: whatever is at a key named password, new_password or authkey.

    Raises ValueError for one that is too short to be searched for.
    """
    found = []
    for key, value in pillar.items():
        place = f"{path}:{key}"
        if isinstance(value, Mapping):
            found += of_pillar(value, place)
        elif key in _SECRET_KEYS:
            found.append(password(place, str(value)))
            if ":accounts:" in place:
                found.append(Canary(place + STORED, _stored(str(value))))
    return found


def password(name: str, value: str) -> Canary:
    """Return the canary of one password. Raises ValueError when it is too short to be searched for."""
    if len(value) < _SHORTEST:
        raise ValueError(f"{name} has fewer than {_SHORTEST} characters: it would be found by chance")
    quoted = (urllib.parse.quote(value), urllib.parse.quote(value, safe=""), json.dumps(value)[1:-1], html.escape(value),
              shlex.quote(value))  # fmt: skip
    return Canary(name, _unique([value.encode(), *(text.encode() for text in quoted), *_encoded(value.encode())]))


def key(name: str, value: bytes) -> Canary:
    """Return the canary of a key made of random bytes."""
    windows = (value[:_WINDOW], value[-_WINDOW:])
    return Canary(name, _unique([form for window in windows for form in (window, *_encoded(window))]))


def told(canaries: Iterable[Canary]) -> dict[str, list[str]]:
    """Return canaries as JSON for a program on a node: name -> forms in hexadecimal digits."""
    return {canary.name: [form.hex() for form in canary.forms] for canary in canaries}


def _encoded(value: bytes) -> Iterator[bytes]:
    yield value.hex().encode()
    yield value.hex().upper().encode()
    yield value.hex(" ").encode()
    yield " ".join(f"{byte:#04x}" for byte in value).encode()
    for offset in range(3):
        # Of the base64 of a longer text only those letters are known that hold no bit of what is around.
        first, last = -(-8 * offset // 6), 8 * (offset + len(value)) // 6
        text = base64.b64encode(bytes(offset) + value)[first:last]
        yield text
        yield text.translate(bytes.maketrans(b"+/", b"-_"))


def _stored(value: str) -> tuple[bytes, ...]:
    digest = hashlib.sha1(hashlib.sha1(value.encode()).digest()).hexdigest()
    return digest.upper().encode(), digest.encode()


def _unique(forms: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(forms))
