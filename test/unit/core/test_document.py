"""The document: which layer wins, what follows from what, and what of it is hidden or only fingerprinted."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core import document
from hadb_core.errors import Invalid

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "word": {"secret": True}, "plain": {"type": "string"},
        "list": {"type": "array", "items": {"additionalProperties": {"secret": True}}}, "bare": {"type": "array"},
    },
    "additionalProperties": {"properties": {"word": {"secret": True}}},
}  # fmt: skip


def test_later_layers_win_key_by_key_and_lists_are_replaced() -> None:
    family = {"a": {"x": 2, "y": 2}, "releases": {"12": {"a": {"y": 3}, "b": [3]}}}
    defaults = {"a": {"x": 1, "y": 1, "z": 1}, "b": [1], "c": 1}
    assert document.layers(defaults, family, "12", {"c": {"d": 4}}) == {"a": {"x": 2, "y": 3, "z": 1}, "b": [3], "c": {"d": 4}}
    assert document.layers(defaults, family, "13", {}) == {"a": {"x": 2, "y": 2, "z": 1}, "b": [1], "c": 1}
    assert document.layers(defaults, {}, "12", {}) == defaults


def test_a_merged_document_shares_nothing_with_its_layers() -> None:
    layer = {"a": {"b": {"c": [1]}}, "d": [2]}
    merged = document.merge(layer)
    merged["a"]["b"]["c"].append(9)
    merged["d"].append(9)
    assert layer == {"a": {"b": {"c": [1]}}, "d": [2]}


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ({"nodes": {"db2": {}, "db1": {}}}, "db1"), ({"nodes": {10: {}, 9: {}}}, 10), ({"nodes": {10: {}, "db1": {}}}, 10),
        ({"nodes": {"db1": {}}, "bootstrap_node": "db2"}, "db2"), ({"nodes": {}}, None), ({"nodes": ["db1"]}, None), ({}, None),
    ],
)  # fmt: skip
def test_the_first_node_by_name_makes_the_cluster_unless_another_is_named(given: dict[str, Any], first: Any) -> None:
    assert document.complete(given) == given | ({} if first is None else {"bootstrap_node": first})


def test_secrets_are_hidden_wherever_the_schema_has_them() -> None:
    given = {"word": "s", "plain": "p", "list": [{"a": "s"}, "p"], "bare": [{"word": "p"}], "other": {"word": {"x": "s"}, "plain": "p"}}
    assert document.redacted(given, SCHEMA) == {
        "word": "(hidden)", "plain": "p", "list": [{"a": "(hidden)"}, "p"], "bare": [{"word": "p"}],
        "other": {"word": "(hidden)", "plain": "p"},
    }  # fmt: skip


def test_the_fingerprint_is_of_what_both_nodes_must_have_in_whatever_order() -> None:
    given = {"nodes": {"db1": {}, "db2": {}}, "packages": {"x": 1}, "database": {"accounts": {"nova": {"password": "a"}}}}
    other = {"database": {"accounts": {"nova": {"password": "b"}}}, "nodes": {"db2": {}, "db1": {}}}
    assert document.digest(given) == document.digest(other)
    assert len(document.digest(given)) == 16
    assert document.digest(given) != document.digest(other | {"heartbeat": {}})


PILLAR: dict[str, Any] = {"hadb": {"bmc": {"password": "p"}, "empty": "", "number": 5, "text": "t"}}


def test_a_secret_is_read_from_the_pillar_itself() -> None:
    assert document.secret(PILLAR, "hadb:bmc:password") == "p"


@pytest.mark.parametrize("key", ["hadb:bmc", "hadb:empty", "hadb:number", "hadb:none", "hadb:text:deeper", "none:x:y"])
def test_a_secret_that_is_no_text_is_told_by_its_key(key: str) -> None:
    with pytest.raises(Invalid) as error:
        document.secret(PILLAR, key)
    assert error.value.faults == (f"{key} is not set in the pillar",)


def test_minions_are_named_after_their_nodes_unless_told_otherwise() -> None:
    given = {"nodes": {"db1": {"minion_id": "a.example"}, "db2": {}}}
    assert document.minion_ids(given) == {"db1": "a.example", "db2": "db2"}
    assert (document.peer_of(given, "db1"), document.peer_of(given, "db2")) == ("db2", "db1")
