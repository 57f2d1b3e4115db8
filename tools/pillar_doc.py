"""Write docs/pillar.md from the schema and the defaults: `python tools/pillar_doc.py > docs/pillar.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_utils"))

from hadb_core.schema import SCHEMA  # noqa: E402

HEAD = """# The pillar

Everything under `hadb:`. Made from `_utils/hadb_core/schema.py` and `hadb/parameters/defaults.yaml` by
`tools/pillar_doc.py`; [pillar.example](../pillar.example) shows it in use. A key that is not here is refused.

| key | what | accepted | default |
|---|---|---|---|
"""


def document() -> str:
    """Return the whole page."""
    defaults = yaml.safe_load((ROOT / "hadb/parameters/defaults.yaml").read_text())
    return HEAD + "".join(
        f"| `{key}` | {what} | {accepted} | {default} |\n"
        for key, what, accepted, default in rows(SCHEMA, defaults, "")
    )


def rows(
    schema: Mapping[str, Any], defaults: Any, path: str, required: bool = False
) -> Iterator[tuple[str, str, str, str]]:
    """Yield one row for each key below ``schema``: path, description, what is accepted, default."""
    if path:
        yield path, _cell(schema["description"]), _accepted(schema), _default(schema, defaults, required)
    for key, part in schema.get("properties", {}).items():
        below = defaults.get(key) if isinstance(defaults, Mapping) else None
        yield from rows(part, below, f"{path}:{key}" if path else key, key in schema["required"])
    for kind in ("additionalProperties", "items"):
        part = schema.get(kind)
        if isinstance(part, Mapping) and (part.get("properties") or part.get("additionalProperties")):
            name = "NAME" if kind == "additionalProperties" else "[]"
            yield from rows(part, None, f"{path}:{name}")


def _accepted(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "minimum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    if schema.get("format") == "ip":
        return "an IP address"
    if "meaning" in schema:
        return _cell(schema["meaning"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(
        {"object": "mapping", "array": "list", "boolean": "true or false"}.get(kind, kind) for kind in kinds
    )


def _default(schema: Mapping[str, Any], value: Any, required: bool) -> str:
    if value is None or isinstance(value, Mapping):
        return "**required**" if required and value is None else ""
    return f"`{yaml.safe_dump(value, default_flow_style=True).splitlines()[0]}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(document())
