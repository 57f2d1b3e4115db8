"""The lab's pillar on the master, saying more than the lab's file does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from hadblab import ssh
from hadblab.seed_salt import PILLAR as ON_MASTER
from scenario.lab import PILLAR, Lab


def text(more: Mapping[str, Any]) -> str:
    """Return the lab's pillar file with values put at paths such as ``hadb:fencing:cipher``; with none, as it is."""
    lab_says = PILLAR.read_text(encoding="utf-8")
    pillar = yaml.safe_load(lab_says)
    for path, value in more.items():
        *parents, last = path.split(":")
        place = pillar
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
    return json.dumps(pillar) if more else lab_says


def give(lab: Lab, more: Mapping[str, Any]) -> None:
    """Let the master say this; what a minion remembers is refreshed by others. Raises LabError."""
    ssh.send(lab.run, "salt", text(more).encode(), "install", "-m", "0600", "/dev/stdin", f"{ON_MASTER}/hadb.sls")
