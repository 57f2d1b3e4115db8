"""Another password at a node's BMC, set there by somebody who tells nobody."""

from __future__ import annotations

from hadblab.run import run as run_command
from scenario.lab import Lab

# The lab's account at its BMCs is number 2 (hadblab/bmc.py).
_ACCOUNT = 2
_SECONDS = 30.0


def change(lab: Lab, node: str, old: str, new: str) -> None:
    """Change the password of the lab's account at a node's BMC; none is on a command line. Raises LabError."""
    _ipmitool(lab, node, old, "exec", "/dev/stdin", script=f"user set password {_ACCOUNT} {new}\n")
    # ipmitool may call a script of commands a success when one of them failed: whoever may log in now decides.
    _ipmitool(lab, node, new, "chassis", "power", "status")


def _ipmitool(lab: Lab, node: str, password: str, *words: str, script: str = "") -> None:
    bmc, cipher = lab.pillar["nodes"][node]["bmc"], str(lab.pillar["fencing"]["cipher"])
    session = ["-I", "lanplus", "-C", cipher, "-H", bmc["address"], "-U", bmc["username"], "-E"]
    run_command(
        lab.inside(["ipmitool", *session, *words]), input=script, env={"IPMI_PASSWORD": password}, timeout=_SECONDS
    )
