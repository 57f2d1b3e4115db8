"""The facts that tests make up have no key that the readers of real tools' output do not give.

A proof once asked for a key that only the made-up facts had, and every test of it passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import facts
import pytest

from hadb_core import cib_status
from hadb_core.corosync_runtime import membership, parse_cmap

UNIT = Path(__file__).parents[1]


def foreign(made_up: Any, real: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of ``made_up`` that ``real`` lacks; of a list the first entries stand for all."""
    if isinstance(made_up, Mapping) and isinstance(real, Mapping):
        for key, value in made_up.items():
            if key in real:
                yield from foreign(value, real[key], f"{path}:{key}")
            else:
                yield f"{path}:{key}"
    elif isinstance(made_up, list) and isinstance(real, list) and made_up and real:
        yield from foreign(made_up[0], real[0], f"{path}:0")


def test_a_key_that_is_only_made_up_is_found_wherever_it_is():
    assert list(foreign({"a": {"b": 1}, "c": [{"d": 1}], "e": 1}, {"a": {}, "c": [{"x": 1}], "e": 2})) == [":a:b", ":c:0:d"]


@pytest.mark.parametrize("version", ["2.1.5", "3.0.0", "3.0.3"])
def test_of_the_cluster(version):
    real = cib_status.status((UNIT / f"pacemaker/fixtures/crm_mon-running-{version}.xml").read_text())
    made_up = facts.cluster()
    # The captured cluster has nodes and resources of its own; any of each shows what is said about it.
    for kind in ("nodes", "resources"):
        made_up[kind], real[kind] = list(made_up[kind].values()), list(real[kind].values())
    assert made_up["resources"] and real["resources"]
    assert list(foreign(made_up, real)) == []


def test_of_a_cluster_that_does_not_run():
    assert set(facts.cluster()) <= set(cib_status.stopped("no"))


def test_of_corosync():
    maps = (parse_cmap((UNIT / f"corosync/fixtures/3.1.9/onelink.{name}").read_text()) for name in ("icmap", "stats"))
    real = membership(*maps, quorate=True)
    assert real["links"]
    assert list(foreign(facts.corosync("db1"), real)) == []
