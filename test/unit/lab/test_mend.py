"""Everything that can be done to a lab's hardware is undone, in an order in which nodes come up to what is whole."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from topologies import default

from hadblab import kernel, mend

TOPOLOGY = default()


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to a lab of which db1 is frozen and db2 is off."""
    found: list[str] = []
    powers = {"db1": kernel.FROZEN, "db2": kernel.OFF}
    monkeypatch.setattr(mend.power, "load", lambda _root, name: (name, 0.0))
    monkeypatch.setattr(mend.kernel, "power", lambda name: powers.get(name, kernel.ON))
    monkeypatch.setattr(mend.effects, "freeze", lambda _run, name, frozen: found.append(f"freeze {name} {frozen}"))
    monkeypatch.setattr(mend.effects, "switch", lambda _run, name, action: found.append(f"{action} {name}"))
    monkeypatch.setattr(mend.effects, "slow_bmc", lambda _run, name, seconds: found.append(f"bmc {name} {seconds:g}"))
    monkeypatch.setattr(mend.effects, "lying_bmc", lambda _run, name, lies: found.append(f"bmc {name} lies {lies}"))
    monkeypatch.setattr(mend.links, "heal", lambda _run, _topology, link, node: found.append(f"heal {link} {node}"))
    mend.mend(SimpleNamespace(root="x"), TOPOLOGY)  # type: ignore[arg-type]
    return found


def test_all_that_can_be_broken_is_mended(done: list[str]) -> None:
    bmcs = [f"bmc {node.name} {node.bmc.power_off_seconds:g}" for node in TOPOLOGY.nodes.values() if node.bmc]
    assert len(bmcs) == 2
    bmcs += [f"bmc {node.name} lies False" for node in TOPOLOGY.nodes.values() if node.bmc]
    links = [f"heal {link} None" for link in (*TOPOLOGY.networks, "bmc")]
    assert sorted(done) == sorted(["freeze db1 False", *links, *bmcs, "on db2"])


def test_node_comes_up_last_and_a_frozen_one_goes_on_first(done: list[str]) -> None:
    assert (done[0], done[-1]) == ("freeze db1 False", "on db2")
