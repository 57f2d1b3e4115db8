"""docs/pillar.md and docs/pillar.schema.json say what the pillar contract says, and the schema judges as it does."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import jsonschema
import pytest

from documents import ROOT, load

SCHEMA = json.loads((ROOT / "docs/pillar.schema.json").read_text())


def made_by(tool):
    return subprocess.run([sys.executable, ROOT / "tools" / tool], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("tool", "file"), [("pillar_doc.py", "pillar.md"), ("pillar_schema.py", "pillar.schema.json")])
def test_is_up_to_date(tool, file):
    assert made_by(tool) == (ROOT / "docs" / file).read_text(), "run: make docs"


def faults(pillar):
    checker = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    return [(":".join(map(str, one.absolute_path)), one.validator) for one in checker.iter_errors(pillar)]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("pillar", ["pillar.example", "test/lab/pillar.sls"])
def test_every_pillar_that_we_ship_is_valid(pillar):
    assert faults(load(pillar)) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("nodez", {}, ("hadb", "additionalProperties")),
        ("nodes", ..., ("hadb", "required")),
        ("nodes:db1:links", [], ("hadb:nodes:db1:links", "minItems")),
        ("nodes:db1:address", "db1.example.org", ("hadb:nodes:db1:address", "anyOf")),
        ("nodes:db1:bmc:password", "short", ("hadb:nodes:db1:bmc:password", "pattern")),
        ("nodes:db1:bmc:username", ..., ("hadb:nodes:db1:bmc", "required")),
        ("nodes:db 3", {}, ("hadb:nodes", "pattern")),
        ("corosync", {"token": 10}, ("hadb:corosync:token", "minimum")),
        ("corosync", {"crypto_cipher": "none"}, ("hadb:corosync:crypto_cipher", "enum")),
        ("vips:nova:prefix_length", "24", ("hadb:vips:nova:prefix_length", "type")),
    ],
)
def test_a_faulty_pillar_is_marked_where_the_fault_is(path, value, fault):
    pillar = copy.deepcopy(load("pillar.example"))
    *parents, last = path.split(":")
    place = pillar["hadb"]
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    assert fault in faults(pillar)


def test_what_has_a_default_need_not_be_written():
    assert "required" in SCHEMA["properties"]["hadb"]
    wanted = SCHEMA["properties"]["hadb"]["required"]
    assert {"nodes", "heartbeat", "vips"} <= set(wanted)
    assert faults({"hadb": {key: value for key, value in load("pillar.example")["hadb"].items() if key in wanted}}) == []
