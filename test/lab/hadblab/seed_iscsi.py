"""The storage array's configuration, and the nodes' way to it. Pure."""

from __future__ import annotations

import json

from hadblab.addresses import initiator, portals
from hadblab.seed_files import File, Files
from hadblab.topology import Lun, Node, Topology
from hadblab.uml import lun_device

LOGIN_UNIT = "hadb-lab-iscsi.service"
_PORT = 3260


def initiator_files(topology: Topology, node: Node) -> Files:
    """Return what makes a node see the array's LUNs by itself at every boot, as behind an HBA."""
    unit = f"etc/systemd/system/{LOGIN_UNIT}"
    return {
        "etc/iscsi/initiatorname.iscsi": File(f"InitiatorName={initiator(topology, node)}\n", 0o600),
        "usr/lib/hadb-lab/iscsi-login": File(_login_script(topology, node), 0o755),
        unit: File(_LOGIN_SERVICE),
        f"etc/systemd/system/multi-user.target.wants/{LOGIN_UNIT}": File(f"/{unit}", link=True),
        # The distribution's own service logs out at shutdown, under a mounted database,
        # and holds back the boot while a portal is silent. An HBA does neither.
        "etc/systemd/system/open-iscsi.service": File("/dev/null", link=True),
    }


def target_files(topology: Topology) -> Files:
    """Return the array's saved LIO configuration and a place for persistent reservations."""
    return {
        "etc/rtslib-fb-target/saveconfig.json": File(json.dumps(_saveconfig(topology), indent=1) + "\n", 0o600),
        # Where the kernel keeps reservations that outlive power; without it they "are not ready".
        "etc/rtslib-fb-target/pr/.keep": File(""),
    }


def _session_settings(topology: Topology) -> dict[str, int]:
    """Return how long, in seconds, a session waits; an adapter reports a lost path soon."""
    return {
        "node.session.timeo.replacement_timeout": topology.iscsi.replacement_timeout_seconds,
        "node.session.initial_login_retry_max": 1,
        "node.session.err_timeo.abort_timeout": 5,
        "node.session.err_timeo.lu_reset_timeout": 5,
        "node.session.err_timeo.tgt_reset_timeout": 5,
        "node.conn[0].timeo.login_timeout": 5,
        "node.conn[0].timeo.noop_out_interval": 2,
        "node.conn[0].timeo.noop_out_timeout": 3,
    }


def _login_script(topology: Topology, node: Node) -> str:
    addresses = " ".join(f"{address}:{_PORT}" for address in portals(topology))
    ports = "".join(
        f"ip link set vec{position} up\n"
        f"ip address replace {card.address}/{topology.networks[card.network].prefix} dev vec{position}\n"
        for position, card in enumerate(node.interfaces)
        if card.network in topology.iscsi.portals
    )
    settings = "".join(
        f"    iscsiadm -m node -T \"$target\" -p \"$1\" -o update -n '{name}' -v {value}\n"
        for name, value in _session_settings(topology).items()
    )
    return f"""\
#!/bin/sh
# Log in to every portal of the array, and go on trying where it is late or cut off.
# Once a session exists the kernel and iscsid keep it alive by themselves.
{ports}target={topology.iscsi.target}
describe() {{
    iscsiadm -m node -T "$target" -p "$1" -o new
    # A new record does not always take iscsid.conf's values.
{settings}}}
log_in() {{
    iscsiadm -m node -T "$target" -p "$1" >/dev/null 2>&1 || describe "$1" || return
    iscsiadm -m node -T "$target" -p "$1" --login
    # 15: there is such a session already.
    case $? in 0|15) ;; *) return 1 ;; esac
}}
wanted="{addresses}"
while [ -n "$wanted" ]; do
    missing=
    for portal in $wanted; do log_in "$portal" || missing="$missing $portal"; done
    wanted=$missing
    if [ -n "$wanted" ]; then sleep 1; fi
done
"""


_LOGIN_SERVICE = """\
[Unit]
Description=The server's storage adapter: log in to the array
After=iscsid.socket
Wants=iscsid.socket

[Service]
ExecStart=/usr/lib/hadb-lab/iscsi-login
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
"""


def _saveconfig(topology: Topology) -> dict[str, object]:
    luns = list(enumerate(topology.luns))
    group = {
        "tag": 1,
        "enable": True,
        "attributes": {"authentication": 0, "generate_node_acls": 0, "demo_mode_write_protect": 0},
        "luns": [{"index": i, "storage_object": f"/backstores/block/{lun.name}"} for i, lun in luns],
        "node_acls": [
            {
                "node_wwn": initiator(topology, node),
                "mapped_luns": [{"index": i, "tpg_lun": i, "write_protect": False} for i, _ in luns],
            }
            for node in topology.of_role("node")
        ],
        "portals": [{"ip_address": a, "port": _PORT, "iser": False} for a in portals(topology)],
    }
    return {
        "fabric_modules": [],
        "storage_objects": [_storage_object(i, lun) for i, lun in luns],
        "targets": [{"fabric": "iscsi", "wwn": topology.iscsi.target, "tpgs": [group]}],
    }


def _storage_object(position: int, lun: Lun) -> dict[str, object]:
    # A block object has no cache of its own: what it acknowledges, and flushes, the disk did.
    return {
        "plugin": "block",
        "name": lun.name,
        "dev": lun_device(position),
        "wwn": lun.serial,
        "readonly": False,
        "write_back": False,
        "attributes": {},
    }
