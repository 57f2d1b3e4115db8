"""What the lab's pillar says with more in it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import yaml
from scenario import pillars
from scenario.pillars import GONE, saying, text

LAB = "hadb:\n  vips: {nova: {address: 10.20.0.50}, glance: {address: 10.20.0.51}}  # two\n"


def test_without_more_it_is_the_labs_own_file() -> None:
    assert text({}, LAB) == LAB


def test_values_are_set_wherever_they_belong_and_the_rest_stays() -> None:
    said = json.loads(text({"hadb:pacemaker:stickiness": 1001, "hadb:vips:nova:address": "10.20.0.60"}, LAB))
    assert said == {"hadb": {"vips": {"nova": {"address": "10.20.0.60"}, "glance": {"address": "10.20.0.51"}},
                             "pacemaker": {"stickiness": 1001}}}  # fmt: skip


def test_what_is_gone_is_not_there_any_more() -> None:
    assert list(json.loads(text({"hadb:vips:glance": GONE}, LAB))["hadb"]["vips"]) == ["nova"]
    with pytest.raises(KeyError):
        text({"hadb:vips:cinder": GONE}, LAB)


def test_pillar_says_more_for_a_while_only_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[object] = []
    monkeypatch.setattr(pillars.ssh, "send", lambda run, node, data, *command: happened.append((node, yaml.safe_load(data))))
    lab = SimpleNamespace(run=None, verb=lambda *words: happened.append(words[-2]))
    with pytest.raises(RuntimeError), saying(lab, {"hadb:new": 1}):
        raise RuntimeError
    sent = [document for node, document in happened[::2]]
    assert happened[1::2] == ["saltutil.refresh_pillar"] * 2
    assert sent[0]["hadb"]["new"] == 1
    assert "new" not in sent[1]["hadb"]
