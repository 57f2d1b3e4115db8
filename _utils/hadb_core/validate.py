"""Check a value against the schema and return *all* faults, each with path and remedy."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from hadb_core.schema_kinds import NAME, Schema

_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
}


def faults(value: Any, schema: Schema, path: str = "hadb") -> list[str]:
    """Return every fault of ``value``, or an empty list.

    value
        The pillar under ``hadb``, merged with the defaults.
    schema
        The part of :data:`hadb_core.schema.SCHEMA` that describes it.
    path
        Where the value stands in the pillar, with colons.

    .. code-block:: python

        faults({"nodez": {}}, SCHEMA)
        # ["hadb:nodez: unknown key; did you mean 'nodes'?", ...]
    """
    return list(_walk(value, schema, path))


def _walk(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if not _is_type(value, schema.get("type", "object")):
        # Only the kind is named: a secret may stand where a mapping belongs.
        yield f"{path}: must be {_wanted(schema)}, but is {_kind(value)}"
        return
    if isinstance(value, dict):
        yield from _object(value, schema, path)
    elif isinstance(value, list):
        yield from _size(len(value), schema, path, "minItems", "maxItems", "entries")
        for index, item in enumerate(value):
            yield from _walk(item, schema["items"], f"{path}:{index}")
    else:
        yield from _scalar(value, schema, path)


def _object(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
    yield from _size(len(value), schema, path, "minProperties", "maxProperties", "entries")
    for key, item in value.items():
        where = f"{path}:{key}"
        if key in known:
            yield from _walk(item, known[key], where)
        elif isinstance(others, dict):
            if not re.fullmatch(schema.get("names", NAME), str(key)) or not isinstance(key, str):
                yield f"{where}: {key!r} cannot be used as a name here; use letters, digits, '.', '_' and '-'"
            yield from _walk(item, others, where)
        else:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
            yield f"{where}: unknown key; {hint}"
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{path}:{key}: is missing; add it ({known[key].get('description', '')})"


def _scalar(value: Any, schema: Schema, path: str) -> Iterator[str]:
    shown = _shown(value, schema)
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: must be one of {', '.join(map(str, schema['enum']))}, but is {shown}"
    # fullmatch: `$` alone would let a trailing newline through.
    if isinstance(value, str) and "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{path}: {shown} is not accepted; write {schema['meaning']}"
    if schema.get("format") == "ip" and not _is_address(value):
        yield f"{path}: {shown} is not an IP address; write it without a prefix length, such as 10.20.0.50"
    if "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        yield f"{path}: must be between {schema['minimum']} and {schema['maximum']}, but is {shown}"


def _size(count: int, schema: Schema, path: str, least: str, most: str, what: str) -> Iterator[str]:
    low, high = schema.get(least), schema.get(most)
    if low is not None and low == high and count != low:
        yield f"{path}: must have exactly {low} {what}, but has {count}"
    elif low is not None and count < low:
        yield f"{path}: must have at least {low} {what}, but has {count}"
    elif high is not None and count > high:
        yield f"{path}: may have at most {high} {what}, but has {count}"


def _is_type(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    # bool is an int in Python; YAML's `on` must not pass for a number.
    return any(
        isinstance(value, _TYPES[name]) and (isinstance(value, bool) == (name == "boolean")) for name in names
    )


def _wanted(schema: Schema) -> str:
    names = schema.get("type", "object")
    return " or ".join(_WORDS[name] for name in ([names] if isinstance(names, str) else names))


def _kind(value: Any) -> str:
    # bool before int: True is an int.
    for name in ("boolean", "integer", "string", "array", "object"):
        if isinstance(value, _TYPES[name]):
            return _WORDS[name]
    return "empty" if value is None else f"a {type(value).__name__}"


def _shown(value: Any, schema: Schema) -> str:
    return "a value that is not shown" if schema.get("secret") else repr(value)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
