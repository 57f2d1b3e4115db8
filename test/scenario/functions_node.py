"""Real calls of every function of ``hadb``, ``hadb_write``, ``ipmitool`` and ``bmcpasswords``, and of the runner."""

from __future__ import annotations

import json

from hadb_core import VERSION
from scenario.function_call import ACTIVE, MASTER, PASSIVE, SCRATCH, Call, Known, Runner

_BMC = f"{SCRATCH}/bmc"
_TOPICS = ["system", "luns", "volume", "bmc", "cipher_zero", "corosync", "cluster", "clients", "reservations"]
_OTHER = "lab-only-other"


def _address(k: Known) -> dict[str, str]:
    """The active node's BMC, asked from the passive one: it is the passive node that has to fence the active one."""
    return {"address": k.bmc(ACTIVE)}


def _passwords(old: str, new: str):
    """Return what a pillar says while the active node's BMC is to get another password."""
    return lambda k: {
        "hadb:fencing:privlvl": "administrator",
        f"hadb:nodes:{k.active}:bmc:password": old,
        f"hadb:nodes:{k.active}:bmc:new_password": new,
    }


def _lets_in(password: str) -> str:
    """Return a script that fails unless the BMC lets this password in; no pillar is asked."""
    return f"IPMI_PASSWORD={password} ipmitool -I lanplus -C 3 -H $BMC -U hadb -E chassis power status | grep -q 'is on'"


NODE = (
    Call("hadb.document", PASSIVE, {}, lambda a, k: a["storage"]["vg"] == k.vg and "lab-only" not in json.dumps(a)),
    Call("hadb.faults", PASSIVE, {}, lambda a, k: a == []),
    Call("hadb.version", PASSIVE, {}, lambda a, k: a["core"] == VERSION and a["stale"] == []),
    Call("hadb.outdated", PASSIVE, {"code": {"modules/hadb.py": "0" * 64, "modules/nowhere.py": "0" * 64}},
         lambda a, k: a == ["modules/hadb.py", "modules/nowhere.py"]),
    Call("hadb.lacking", PASSIVE, {}, lambda a, k: a == []),
    Call("hadb.half_installed", PASSIVE, {}, lambda a, k: a is False),
    Call("hadb.facts", PASSIVE, {"topics": _TOPICS}, lambda a, k: sorted(a) == sorted(_TOPICS)
         and not any(isinstance(found, dict) and "error" in found for found in a.values())
         and all(client["ok"] for client in a["clients"])),
    Call("hadb.duty", PASSIVE, {}, lambda a, k: a["here"] is False),
    Call("hadb.duty", ACTIVE, {}, lambda a, k: a["here"] is True),
    # A package is unpacked and not configured, as after a power cut.
    Call("hadb.half_installed", PASSIVE, {}, lambda a, k: a is True,
         before="cd $SCRATCH && apt-get -q download net-tools && dpkg --unpack net-tools_*.deb"),
    Call("hadb_write.finish_installation", PASSIVE, {}, lambda a, k: a is None,
         shows="[ \"$(dpkg-query -W -f '${Status}' net-tools)\" = 'install ok installed' ]", undo="dpkg --purge net-tools"),
)  # fmt: skip

BMC = (
    Call("ipmitool.power_status", PASSIVE, _address, lambda a, k: a == "on"),
    Call("ipmitool.chassis_status", PASSIVE, _address, lambda a, k: a["System Power"] == "on"),
    Call("ipmitool.mc_info", PASSIVE, _address, lambda a, k: a["IPMI Version"] == "2.0"),
    Call("ipmitool.lan", PASSIVE, _address, lambda a, k: "Cipher Suite Priv Max" in a),
    Call("ipmitool.sel", PASSIVE, _address, lambda a, k: a == []),
    Call("ipmitool.identity", PASSIVE, _address, lambda a, k: a["guid"] == k.guid(ACTIVE) and a["is_own"] != "same"),
    Call("ipmitool.users", PASSIVE, _address, lambda a, k: [user["name"] for user in a if user["messaging"]] == ["hadb"]),
    Call("ipmitool.cipher_zero_refused", PASSIVE, _address, lambda a, k: a is True),
    # It has power; what off and cycle do is shown on every fencing, with the same tool.
    Call("ipmitool.power", PASSIVE, lambda k: {**_address(k), "action": "on"}, lambda a, k: a is None,
         shows=_lets_in("lab-only-bmc")),
    Call("ipmitool.change_password", PASSIVE, _address, lambda a, k: a["proven"] is True and a["file"] is True,
         pillar=_passwords("lab-only-bmc", _OTHER), shows=f"grep -qx {_OTHER} /etc/hadb/bmc/$BMC && {_lets_in(_OTHER)}"),
    Call("ipmitool.change_password", PASSIVE, _address, lambda a, k: a["proven"] is True and a["file"] is True,
         pillar=_passwords(_OTHER, "lab-only-bmc"), shows=f"grep -qx lab-only-bmc /etc/hadb/bmc/$BMC && {_lets_in('lab-only-bmc')}"),
    Call("bmcpasswords.passwords", PASSIVE, lambda k: {"wanted": k.wanted()},
         lambda a, k: set(a) == {".", *k.wanted()} and set(a.values()) == {"the pillar's password"}),
    Call("bmcpasswords.make_directory", PASSIVE, {"directory": _BMC}, lambda a, k: a is None,
         shows="[ $(stat -c %a-%U $SCRATCH/bmc) = 700-root ]"),
    Call("bmcpasswords.write_password", PASSIVE,
         lambda k: {"address": k.bmc(ACTIVE), "pillar_key": k.wanted(ACTIVE)[k.bmc(ACTIVE)], "directory": _BMC},
         lambda a, k: a is None, shows="[ $(stat -c %a $SCRATCH/bmc/$BMC) = 600 ] && cmp $SCRATCH/bmc/$BMC /etc/hadb/bmc/$BMC"),
    Call("bmcpasswords.remove_password", PASSIVE, lambda k: {**_address(k), "directory": _BMC}, lambda a, k: a is None,
         shows='[ -z "$(ls -A $SCRATCH/bmc)" ]'),
)  # fmt: skip

RUNNER = (
    Runner("hadb.status", MASTER, {}, lambda a, k: a["database"] == k.active and set(a["vips"].values()) == {k.active}
           and a["fencing"] == k.lab.fences and a["holds"] == []),
    Runner("hadb.check", MASTER, {}, lambda a, k: a["pillar"] == "valid" and a["preflight"].startswith("nothing speaks")),
    Runner("hadb.verify", MASTER, {}, lambda a, k: set(a.values()) == {"proven"}),
    # The second run of all: everything is there, and nothing changes.
    Runner("hadb.deploy", MASTER, {}, lambda a, k: a["result"] == "ok" and a["changed"] == []),
    # Of what it prints: it never ends by itself.
    Runner("hadb.watch", MASTER, {}, lambda a, k: f"look at system: {k.passive}" in a),
)  # fmt: skip
