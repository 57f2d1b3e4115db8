"""What a BMC asks its chassis, and the answers. Pure.

ipmi_sim calls a program with ``get WHAT...``, ``set WHAT VALUE...`` or ``check WHAT...``
and reads ``WHAT:VALUE`` lines.
"""

from __future__ import annotations

ON, OFF, RESET = "on", "off", "reset"
_KNOWN = {("power", "1"): ON, ("power", "0"): OFF, ("reset", "1"): RESET}
# Accepted without effect: no lab node has a light, or a choice of what to boot.
_WITHOUT_EFFECT = ("identify", "boot")


class UnsupportedError(Exception):
    """A request that this chassis refuses, in one line."""


def parse(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what a request asks for: (values to print, power actions to carry out).

    :raises UnsupportedError: the request is unknown, or asks for what the chassis cannot do.
    """
    verb, rest = (words[0], words[1:]) if words else ("", [])
    if verb == "get" and rest:
        if set(rest) - {"power"}:
            raise UnsupportedError(f"cannot get {' '.join(rest)}")
        return rest, []
    if verb == "check" and rest:
        if set(rest) - {"power", "reset", *_WITHOUT_EFFECT}:
            raise UnsupportedError(f"there is no {' '.join(rest)}")
        return [], []
    if verb == "set" and rest and len(rest) % 2 == 0:
        return [], _actions(rest)
    raise UnsupportedError(f"not a request: {' '.join(words)}")


def answer(what: str, power: str) -> str:
    """Return the answer to one ``get``; a frozen machine has power."""
    return f"{what}:{0 if power == OFF else 1}"


def _actions(rest: list[str]) -> list[str]:
    found = []
    for pair in zip(rest[::2], rest[1::2], strict=True):
        if pair in _KNOWN:
            found.append(_KNOWN[pair])
        elif pair[0] not in _WITHOUT_EFFECT:
            raise UnsupportedError(f"cannot set {pair[0]} to {pair[1]}")
    return found
