"""Documents for tests: the lab's pillar on top of the defaults, and ways to break it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from hadb_core.document import layers

ROOT = Path(__file__).resolve().parent.parent


def load(path: str) -> Any:
    """Return the YAML file at ``path``, relative to the checkout."""
    return yaml.safe_load((ROOT / path).read_text())


def document(pillar: str = "test/lab/pillar.sls", release: str = "13") -> dict[str, Any]:
    """Return the complete document of a pillar file."""
    return layers(
        load("hadb/parameters/defaults.yaml"),
        load("hadb/parameters/os_family/Debian.yaml"),
        release,
        load(pillar)["hadb"],
    )


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the lab's document with ``value`` at ``path`` (colons), or without the key when ``value`` is ``...``."""
    result = copy.deepcopy(document())
    *parents, last = path.split(":")
    place = result
    for key in parents:
        place = place[int(key) if isinstance(place, list) else key]
    if value is ...:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return result
