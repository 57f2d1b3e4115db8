"""Ensure that the fence agent of this node can log in to every BMC."""

from typing import Any

from hadb_core import ipmi_passwords
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan

__virtualname__ = "ipmitool"


def __virtual__() -> str:
    return __virtualname__


def passwords_present(name: str, bmcs: dict[str, str]) -> dict[str, Any]:
    """Ensure that there is a password file for exactly these BMCs, readable by root only.

    name
        The directory of the files; each has its BMC's address as name.
    bmcs
        Address -> the pillar key of its password. No password is ever shown.

    .. code-block:: yaml

        /etc/hadb/bmc:
          ipmitool.passwords_present:
            - bmcs: {"10.20.0.101": "hadb:nodes:db1:bmc:password"}
    """
    return converge(
        name,
        plan=lambda: _plan(name, bmcs),
        apply=lambda steps: carry_out(__salt__, "bmcpasswords", steps),
        test=__opts__["test"],
        done=f"The password of every BMC is in {name}",
    )


def _plan(directory: str, bmcs: dict[str, str]) -> Plan:
    return ipmi_passwords.plan(__salt__["bmcpasswords.passwords"](bmcs, directory), bmcs, directory)
