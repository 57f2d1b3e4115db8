"""The kinds of values that :mod:`hadb_core.schema` is put together from; each returns plain JSON Schema."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

# Names of nodes, accounts, resources: what hostnames, CIB ids and LVM all accept.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"


def record(description: str, properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of a mapping with known keys and no others."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def mapping(description: str, values: Schema, **limits: int) -> Schema:
    """Return the schema of a mapping whose keys are names that the operator chooses."""
    return {
        "type": "object",
        "description": description,
        "names": NAME,
        "additionalProperties": values,
        **limits,
    }


def listing(description: str, items: Schema, **limits: int) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "description": description, "items": items, **limits}


def text(description: str, pattern: str, meaning: str) -> Schema:
    """Return the schema of a text that a pattern describes; ``meaning`` says in words what the pattern wants."""
    return {"type": "string", "description": description, "pattern": pattern, "meaning": meaning}


def number(description: str, low: int, high: int) -> Schema:
    """Return the schema of a whole number between two bounds."""
    return {"type": "integer", "description": description, "minimum": low, "maximum": high}


def choice(description: str, *values: str) -> Schema:
    """Return the schema of one of some words."""
    return {"type": "string", "description": description, "enum": list(values)}


def flag(description: str) -> Schema:
    """Return the schema of true or false."""
    return {"type": "boolean", "description": description}


def name(description: str) -> Schema:
    """Return the schema of a name that hostnames, CIB ids and LVM all accept."""
    return text(description, NAME, "letters, digits, '.', '_' and '-', starting with a letter or digit")


def path(description: str) -> Schema:
    """Return the schema of an absolute path without surprises."""
    return text(
        description, r"^(/[A-Za-z0-9_][A-Za-z0-9._+-]*)+$", "an absolute path of letters, digits and . _ + -"
    )


def address(description: str) -> Schema:
    """Return the schema of an IP address."""
    return {"type": "string", "description": description, "format": "ip"}


def secret(description: str, longest: int) -> Schema:
    """Return the schema of a text that is never shown."""
    meaning = f"8 to {longest} printable ASCII characters without spaces"
    return text(description, rf"^[\x21-\x7e]{{8,{longest}}}$", meaning) | {"secret": True}
