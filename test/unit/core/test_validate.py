"""Words of the schema that no shipped pillar breaks: bounds of lists, numbers, kinds."""

from __future__ import annotations

import pytest

from hadb_core.validate import faults

LIST = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 9}, "minItems": 1, "maxItems": 2}


@pytest.mark.parametrize(("value", "told"), [
    ([1, 9], []), ([], ["x: must have at least 1 entries, but has 0"]),
    ([1, 2, 3], ["x: may have at most 2 entries, but has 3"]), ([0], ["x:0: must be between 1 and 9, but is 0"]),
    ([None], ["x:0: must be a whole number, but is empty"]), ([1.5], ["x:0: must be a whole number, but is a float"]),
    ([True], ["x:0: must be a whole number, but is true or false"]),
])
def test_bounds_are_told_in_words(value, told):
    assert faults(value, LIST, "x") == told


def test_a_value_may_have_several_kinds():
    schema = {"type": ["string", "integer"]}
    assert faults("a", schema, "x") == faults(1, schema, "x") == []
    assert faults([], schema, "x") == ["x: must be a text or a whole number, but is a list"]
