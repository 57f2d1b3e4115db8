"""Write docs/pillar.schema.json, for editors, from the schema and the defaults: `make docs`.

The pillar contract (`_utils/hadb_core/schema.py`) describes the document after the defaults are merged in, in words of
its own; this is the same for the pillar that an operator writes, in JSON Schema's words alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_utils"))

from hadb_core.schema import SCHEMA  # noqa: E402
from hadb_core.schema_kinds import NAME  # noqa: E402

# Understood by JSON Schema as they stand.
PLAIN = ("type", "pattern", "enum", "minimum", "maximum", "minItems", "maxItems", "minProperties", "maxProperties")


def document() -> dict[str, Any]:
    """Return the JSON Schema of a pillar file with the key ``hadb``."""
    defaults = yaml.safe_load((ROOT / "hadb/parameters/defaults.yaml").read_text())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hadb pillar",
        "description": "Made from _utils/hadb_core/schema.py by tools/pillar_schema.py; do not edit.",
        "type": "object",
        "properties": {"hadb": converted(SCHEMA, defaults)},
        "required": ["hadb"],
    }


def converted(schema: Mapping[str, Any], defaults: Any) -> dict[str, Any]:
    """Return one part of the contract in JSON Schema's words; what has a default is not required.

    :param defaults: the default of this part, or None.
    """
    meaning = schema.get("meaning")
    words = [schema["description"]] + ([f"Accepted: {meaning}."] if meaning else [])
    made: dict[str, Any] = {"description": " ".join(words)} | {key: schema[key] for key in PLAIN if key in schema}
    # Entries that the defaults bring need not be written.
    given = len(defaults) if isinstance(defaults, list | Mapping) else 0
    for key in ("minItems", "minProperties"):
        if made.get(key, given + 1) <= given:
            del made[key]
    if meaning:
        made["patternErrorMessage"] = f"write {meaning}"
    if schema.get("format") == "ip":
        made["anyOf"] = [{"format": "ipv4"}, {"format": "ipv6"}]
    if schema.get("secret"):
        made["writeOnly"] = True
    if isinstance(defaults, bool | int | str):
        made["default"] = defaults
    if schema["type"] == "object":
        made |= _mapping(schema, defaults if isinstance(defaults, Mapping) else {})
    elif schema["type"] == "array":
        made["items"] = converted(schema["items"], None)
    return made


def _mapping(schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    others = schema.get("additionalProperties", False)
    made: dict[str, Any] = {"additionalProperties": False}
    if "properties" in schema:
        made["properties"] = {key: converted(part, defaults.get(key)) for key, part in schema["properties"].items()}
        made["required"] = [key for key in schema.get("required", ()) if not _complete(schema["properties"][key], defaults.get(key))]
    if isinstance(others, Mapping):
        made["additionalProperties"] = converted(others, None)
        made["propertyNames"] = {"pattern": schema.get("names", NAME)}
    return made


def _complete(schema: Mapping[str, Any], default: Any) -> bool:
    """Tell whether the defaults alone satisfy a required key, so that a pillar may leave it out."""
    if default is None:
        return False
    if not isinstance(default, Mapping):
        return True
    wanted = schema.get("required", ())
    return all(_complete(schema["properties"][key], default.get(key)) for key in wanted)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=1, ensure_ascii=False) + "\n")
