"""Each kind of value as the JSON Schema that the pillar is checked against and documented from."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core import schema_kinds as kinds

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (kinds.record, {"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": False}),
        (kinds.mapping, {"type": "object", "names": NAME, "additionalProperties": {"a": {}}}),
        (kinds.listing, {"type": "array", "items": {"a": {}}}),
    ],
)
def test_kinds_that_hold_others(schema: Any, wanted: dict[str, Any]) -> None:
    assert schema("why", {"a": {}}) == {"description": "why"} | wanted


def test_what_is_required_and_how_many_there_may_be_is_part_of_the_schema() -> None:
    assert kinds.record("why", {"a": {}, "b": {}}, ("b",))["required"] == ["b"]
    assert kinds.mapping("why", {}, minProperties=2)["minProperties"] == 2
    assert kinds.listing("why", {}, minItems=1, maxItems=3) == {
        "type": "array", "description": "why", "items": {}, "minItems": 1, "maxItems": 3}  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "given", "wanted"),
    [
        (kinds.text, ("^a$", "an a"), {"type": "string", "pattern": "^a$", "meaning": "an a"}),
        (kinds.number, (1, 9), {"type": "integer", "minimum": 1, "maximum": 9}),
        (kinds.choice, ("on", "off"), {"type": "string", "enum": ["on", "off"]}),
        (kinds.flag, (), {"type": "boolean"}),
        (kinds.name, (), {"type": "string", "pattern": NAME,
                          "meaning": "letters, digits, '.', '_' and '-', starting with a letter or digit"}),
        (kinds.path, (), {"type": "string", "pattern": r"^(/[A-Za-z0-9_][A-Za-z0-9._+-]*)+$",
                          "meaning": "an absolute path of letters, digits and . _ + -"}),
        (kinds.address, (), {"type": "string", "format": "ip"}),
        (kinds.secret, (20,), {"type": "string", "pattern": r"^[\x21-\x7e]{8,20}$", "secret": True,
                               "meaning": "8 to 20 printable ASCII characters without spaces"}),
    ],
)  # fmt: skip
def test_kinds_of_single_values(schema: Any, given: tuple[Any, ...], wanted: dict[str, Any]) -> None:
    assert schema("why", *given) == {"description": "why"} | wanted
