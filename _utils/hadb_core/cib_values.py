"""What Pacemaker's values mean: durations, booleans, scores, and which property names exist.

Pacemaker stores any property under any name and ignores what it does not know, and no tool
refuses that (``crm_verify`` is silent, ``crm configure`` warns at most). So names and values
are checked here. Two values are the same when Pacemaker would read them as the same.
"""

from __future__ import annotations

import re

INFINITY = 1_000_000

_UNITS = {
    "": 1000,
    "s": 1000,
    "sec": 1000,
    "ms": 1,
    "msec": 1,
    "m": 60_000,
    "min": 60_000,
    "h": 3_600_000,
    "hr": 3_600_000,
}
_TRUE = frozenset(("true", "on", "yes", "y", "1"))
_FALSE = frozenset(("false", "off", "no", "n", "0"))
_DURATION = re.compile(r"\+?(\d+)\s*([a-z]*)")
_SCORE = re.compile(r"([+-]?)(\d+|infinity|inf)")

# Kinds: "bool", "int", "duration", "score", "text", or the allowed words.
# Names from `pacemaker-{schedulerd,controld,based} metadata` of 2.1.5 and
# `crm_attribute --list-options=cluster --all` of 3.0.0; only what both releases know.
PROPERTIES: dict[str, str | tuple[str, ...]] = {
    "batch-limit": "int",
    "cluster-delay": "duration",
    "cluster-ipc-limit": "int",
    "cluster-recheck-interval": "duration",
    "concurrent-fencing": "bool",
    "dc-deadtime": "duration",
    "election-timeout": "duration",
    "enable-acl": "bool",
    "enable-startup-probes": "bool",
    "fence-reaction": ("stop", "panic"),
    "join-finalization-timeout": "duration",
    "join-integration-timeout": "duration",
    "load-threshold": "text",
    "maintenance-mode": "bool",
    "migration-limit": "int",
    "no-quorum-policy": ("stop", "freeze", "ignore", "demote", "suicide"),
    "node-action-limit": "int",
    "node-health-base": "score",
    "node-health-green": "score",
    "node-health-red": "score",
    "node-health-strategy": ("none", "migrate-on-red", "only-green", "progressive", "custom"),
    "node-health-yellow": "score",
    "pe-error-series-max": "int",
    "pe-input-series-max": "int",
    "pe-warn-series-max": "int",
    "placement-strategy": ("default", "utilization", "minimal", "balanced"),
    "priority-fencing-delay": "duration",
    "shutdown-escalation": "duration",
    "shutdown-lock": "bool",
    "shutdown-lock-limit": "duration",
    "start-failure-is-fatal": "bool",
    "startup-fencing": "bool",
    "stonith-action": ("reboot", "off"),
    "stonith-enabled": "bool",
    "stonith-max-attempts": "int",
    "stonith-timeout": "duration",
    "stonith-watchdog-timeout": "duration",
    "stop-all-resources": "bool",
    "stop-orphan-actions": "bool",
    "stop-orphan-resources": "bool",
    "symmetric-cluster": "bool",
    "transition-delay": "duration",
}

# Meta attributes and operation attributes that hadb writes or may find.
_OTHER: dict[str, str] = {
    "priority": "score",
    "resource-stickiness": "score",
    "migration-threshold": "score",
    "failure-timeout": "duration",
    "is-managed": "bool",
    "maintenance": "bool",
    "critical": "bool",
    "allow-migrate": "bool",
    "record-pending": "bool",
    "enabled": "bool",
    "interval": "duration",
    "timeout": "duration",
    "start-delay": "duration",
    "score": "score",
}

# Pacemaker 3.0.2 renamed these and keeps the old names as aliases (its ChangeLog, 2026-06).
_RENAMED = {
    f"stonith-{what}": f"fencing-{what}"
    for what in ("action", "enabled", "max-attempts", "timeout", "watchdog-timeout")
} | {"fence-reaction": "fencing-reaction"}
_OLD_NAMES = {new: old for old, new in _RENAMED.items()}
_RENAMED_SINCE = (3, 0, 2)


def old_property_name(name: str) -> str:
    """Return the name that every Pacemaker knows for a property: ``fencing-enabled`` -> ``stonith-enabled``."""
    return _OLD_NAMES.get(name, name)


def property_name(name: str, dc_version: str) -> str:
    """Return the name to write for a property in a cluster of a version.

    dc_version
        The property ``dc-version``, for instance ``"3.0.0-3.0.0"``. ``""`` (no designated
        controller yet) means the old names, which every version understands.
    """
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", dc_version)
    new = bool(found) and tuple(int(part) for part in found.groups()) >= _RENAMED_SINCE
    return _RENAMED.get(name, name) if new else name


def kind_of(name: str) -> str | tuple[str, ...]:
    """Return what kind of value a property, meta attribute or operation attribute has."""
    return PROPERTIES.get(old_property_name(name)) or _OTHER.get(name, "text")


def milliseconds(text: str) -> int | None:
    """Return a Pacemaker duration (``20``, ``20s``, ``1min``, ``500ms``) in ms, ``None`` if it is none."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or found[2] not in _UNITS:
        return None
    return int(found[1]) * _UNITS[found[2]]


def boolean(text: str) -> bool | None:
    """Return a Pacemaker boolean, ``None`` if it is none."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def score(text: str) -> int | None:
    """Return a Pacemaker score cut at ±INFINITY (1000000), ``None`` if it is none."""
    found = _SCORE.fullmatch(text.strip().lower())
    if found is None:
        return None
    size = INFINITY if found[2].startswith("inf") else min(int(found[2]), INFINITY)
    return -size if found[1] == "-" else size


def canonical(name: str, value: str) -> str:
    """Return a value in one spelling, so that equal settings compare as equal.

    A value that does not parse stays as it is: it then differs from every right one.
    """
    kind = kind_of(name)
    parsed: int | bool | None = None
    if kind == "duration":
        parsed = milliseconds(value)
    elif kind == "bool":
        parsed = boolean(value)
    elif kind == "score":
        parsed = score(value)
    return value.strip() if parsed is None else str(parsed)


def property_fault(name: str, value: str) -> str:
    """Return what is wrong with a cluster property, or ``""``."""
    kind = PROPERTIES.get(old_property_name(name))
    if kind is None:
        return f"Pacemaker has no cluster property {name!r} and would silently ignore it; check the spelling"
    if isinstance(kind, tuple):
        return "" if value in kind else f"{name} is {value!r}, but must be one of {', '.join(kind)}"
    readers = {"duration": milliseconds, "bool": boolean, "score": score, "int": _integer}
    if kind in readers and readers[kind](value) is None:
        return f"{name} is {value!r}, which Pacemaker does not read as a {kind}"
    return ""


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?\d+", text.strip()) else None
