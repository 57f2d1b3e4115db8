"""Makes a lab's hardware whole again, whatever was done to it."""

from __future__ import annotations

from hadblab import chassis, effects, kernel, links, network, power
from hadblab.rundir import RunDir
from hadblab.topology import Topology


def mend(run: RunDir, topology: Topology) -> None:
    """Thaw what is frozen, heal all links, set the BMCs as the topology says, and at last switch on what is off.

    A node comes up to whole networks and BMCs. What a kernel itself was told is not undone.

    :raises LabError: something could not be done.
    """
    for name in topology.nodes:
        if power.look(str(run.root), name) == kernel.FROZEN:
            effects.freeze(run, name, frozen=False)
    for link in (*topology.networks, network.BMC):
        links.heal(run, topology, link, None)
    for node in topology.nodes.values():
        if node.bmc is not None:
            effects.lying_bmc(run, node.name, lies=False)
            effects.slow_bmc(run, node.name, node.bmc.power_off_seconds)
    for name in topology.nodes:
        if power.look(str(run.root), name) == kernel.OFF:
            effects.switch(run, name, chassis.ON)
