"""Configuration of one node's simulated management controller (ipmi_sim)."""

from __future__ import annotations

import uuid
from pathlib import Path

from hadblab.rundir import RunDir
from hadblab.topology import Bmc, Node

CHASSIS = Path(__file__).resolve().parent.parent / "bmc" / "chassis"


def files(run: RunDir, node: Node, bmc: Bmc) -> dict[str, str]:
    """Return the controller's files, by name; all are secret, since one holds the password."""
    return {
        "lan.conf": _lan(run, node, bmc),
        "commands": _COMMANDS,
        "password": bmc.password,
    }


def argv(run: RunDir, node: Node) -> list[str]:
    """Return the controller's command line."""
    directory = run.bmc(node.name)
    return run.inside(
        "ipmi_sim", "-n", "-c", f"{directory}/lan.conf", "-f", f"{directory}/commands", "-s", f"{directory}/state"
    )


def _lan(run: RunDir, node: Node, bmc: Bmc) -> str:
    return f"""\
name "{node.name}"
set_working_mc 0x20
  startlan 1
    addr {bmc.address} 623
    priv_limit admin
    allowed_auths_callback md5
    allowed_auths_user md5
    allowed_auths_operator md5
    allowed_auths_admin md5
    guid {uuid.uuid5(uuid.NAMESPACE_OID, node.name).hex}
  endlan
  chassis_control "{CHASSIS} {run.root} {node.name}"
  user 2 true "{bmc.user}" "{bmc.password}" admin 10 md5
"""


_COMMANDS = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""
