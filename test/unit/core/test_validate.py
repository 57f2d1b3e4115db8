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


def test_what_a_key_may_be_and_what_is_missing_is_told():
    schema = {"properties": {"nodes": {"description": "the nodes"}, "node": {}, "vips": {}}, "required": ["nodes", "vips"]}
    assert faults({"node": {}, "nodesx": 1, "zzz": 2}, schema, "x") == [
        "x:nodesx: unknown key; did you mean 'nodes'?", "x:zzz: unknown key; known are node, nodes, vips",
        "x:nodes: is missing; add it (the nodes)", "x:vips: is missing; add it ()"]  # fmt: skip
    assert faults({"a": 1}, {}, "x") == ["x:a: unknown key; known are "]


def test_a_kind_that_is_not_named_is_a_mapping():
    assert faults({}, {}, "x") == []
    assert faults("a", {}, "x") == ["x: must be a mapping, but is a text"]


def test_names_that_the_operator_chooses_follow_a_pattern_of_their_own_or_the_common_one():
    told = "x:{}: {!r} cannot be used as a name here; use letters, digits, '.', '_' and '-'"
    items = {"additionalProperties": {"type": "integer"}}
    assert faults({"a-1": 1, "a b": 2, 5: 3}, items, "x") == [told.format("a b", "a b"), told.format(5, 5)]
    assert faults({"a-1": 1, "a": 2}, items | {"names": "[a-z]"}, "x") == [told.format("a-1", "a-1")]
