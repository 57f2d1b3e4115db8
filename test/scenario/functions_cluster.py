"""Real calls of every function of ``corosync``, ``heartbeat`` and ``pacemaker``."""

from __future__ import annotations

import re

from scenario.function_call import ACTIVE, PASSIVE, SCRATCH, Call, State

_KEY = "hadb:corosync:authkey"
_KEY_FILE = "/etc/corosync/authkey"
# Beside the cables of the cluster: a bond over nothing.
_BOND = "modprobe bonding max_bonds=0; ip link add hadbbond type bond mode active-backup; ip link add hadbdummy type dummy"


def _slower(text: str) -> str:
    """Return a corosync.conf with another token time."""
    return re.sub(r"\btoken: \d+", "token: 4000", text, count=1)


def _settled(answer, known) -> bool:
    return answer["settled"] and answer["lacking"] == []


COROSYNC = (
    Call("corosync.configuration", PASSIVE, {}, lambda a, k: k.lab.pillar["cluster_name"] in a),
    Call("corosync.validate", PASSIVE, {}, lambda a, k: a == []),
    Call("corosync.parse", PASSIVE, {}, lambda a, k: "totem" in [line.get("section") for line in a]),
    Call("corosync.installed", PASSIVE, {}, lambda a, k: a is True),
    Call("corosync.running", PASSIVE, {}, lambda a, k: a is True),
    Call("corosync.pending", PASSIVE, {}, lambda a, k: a["running"] and a["impact"] == "none" and a["changes"] == {}),
    Call("corosync.membership", PASSIVE, {}, lambda a, k: a["members"] == k.nodes and a["quorate"] and a["two_node"]),
    Call("corosync.status", PASSIVE, {}, lambda a, k: a["votes"]["total"] == 2 and len(a["links"]) == 2
         and all(link["peers"][k.active]["connected"] for link in a["links"])),
    Call("corosync.authkey", PASSIVE, {}, lambda a, k: a["mode"] == 0o400 and a["root"] is True),
    Call("corosync.authkey_fingerprint", PASSIVE, {}, lambda a, k: a == k.answers["corosync.authkey"]["fingerprint"]),
    Call("corosync.minion_public_key", PASSIVE, {}, lambda a, k: a.startswith("-----BEGIN PUBLIC KEY-----")),
    Call("corosync.render", PASSIVE, lambda k: {"items": k.answers["corosync.parse"]},
         lambda a, k: a == k.answers["corosync.configuration"]),
    Call("corosync.diff", PASSIVE, lambda k: {"new": _slower(k.answers["corosync.configuration"])},
         lambda a, k: list(a["changes"]) == ["totem.token"] and a["impact"] == "reload"),
    Call("corosync.check", PASSIVE, lambda k: {"text": k.answers["corosync.configuration"] + "totem {\n\ttokem: 1\n}\n"},
         lambda a, k: False, raises="tokem"),
    Call("corosync.check", PASSIVE, lambda k: {"text": k.answers["corosync.configuration"]}, lambda a, k: a is None),
    Call("corosync.write_configuration", PASSIVE,
         lambda k: {"text": k.answers["corosync.configuration"], "path": f"{SCRATCH}/corosync.conf"},
         lambda a, k: a is None, shows="cmp $SCRATCH/corosync.conf /etc/corosync/corosync.conf"),
    # Nothing is pending, so it changes nothing; both nodes read their files again.
    Call("corosync.reload", PASSIVE, {}, lambda a, k: a is None, shows="corosync-quorumtool -s >/dev/null"),
    # The running Corosync does not look at the file again.
    Call("corosync.authkey_generate", PASSIVE, {}, lambda a, k: len(a) == 64 and a != k.answers["corosync.authkey_fingerprint"],
         before=f"mv {_KEY_FILE} {_KEY_FILE}.kept",
         shows=f"[ $(stat -c %a-%s {_KEY_FILE}) = 400-256 ]", undo=f"mv -f {_KEY_FILE}.kept {_KEY_FILE}"),
    Call("corosync.authkey_export", ACTIVE, lambda k: {"recipient_pem": k.answers["corosync.minion_public_key"]},
         lambda a, k: k.corosync_key()[:40] not in a and len(a) > 300),
    Call("corosync.authkey_import", PASSIVE, lambda k: {"sealed": k.answers["corosync.authkey_export"]},
         lambda a, k: a == k.answers["corosync.authkey_fingerprint"],
         before=f"mv {_KEY_FILE} {_KEY_FILE}.kept", shows=f"cmp {_KEY_FILE} {_KEY_FILE}.kept",
         undo=f"mv -f {_KEY_FILE}.kept {_KEY_FILE}"),
    Call("corosync.authkey_secure", PASSIVE, {}, lambda a, k: a is None,
         before=f"chmod 0644 {_KEY_FILE}", shows=f"[ $(stat -c %a-%U {_KEY_FILE}) = 400-root ]"),
    Call("corosync.authkey_pillar_fingerprint", PASSIVE, {"pillar_key": _KEY},
         lambda a, k: a == k.answers["corosync.authkey_fingerprint"], pillar=lambda k: {_KEY: k.corosync_key()}),
    Call("corosync.authkey_from_pillar", PASSIVE, {"pillar_key": _KEY},
         lambda a, k: a == k.answers["corosync.authkey_fingerprint"], pillar=lambda k: {_KEY: k.corosync_key()},
         before=f"mv {_KEY_FILE} {_KEY_FILE}.kept", shows=f"cmp {_KEY_FILE} {_KEY_FILE}.kept",
         undo=f"mv -f {_KEY_FILE}.kept {_KEY_FILE}"),
)  # fmt: skip

HEARTBEAT = (
    Call("heartbeat.facts", PASSIVE, {}, lambda a, k: a["corosync_running"] and k.cable in a["links"]
         and k.cable not in a["default_routes"]),
    Call("heartbeat.write_file", PASSIVE, {"path": f"{SCRATCH}/drop-in/hadb", "text": "# nothing\n"},
         lambda a, k: a is None, shows="grep -qx '# nothing' $SCRATCH/drop-in/hadb"),
    # The other cable carries the cluster meanwhile.
    Call("heartbeat.down", PASSIVE, lambda k: {"interface": k.cable}, lambda a, k: a is None,
         shows='[ -z "$(ip -4 -o address show dev $CABLE)" ]'),
    Call("heartbeat.up", PASSIVE, lambda k: {"interface": k.cable}, lambda a, k: a is None,
         shows='ip -4 -o address show dev $CABLE | grep -q 172.16. && wait_for "! corosync-cfgtool -s | grep -q disconnected"'),
    Call("heartbeat.link_up", PASSIVE, lambda k: {"interface": k.cable}, lambda a, k: a is None,
         before="ip link set dev $CABLE down",
         shows='ip link show dev $CABLE | grep -q "[<,]UP[,>]" && wait_for "! corosync-cfgtool -s | grep -q disconnected"'),
    Call("heartbeat.enslave", PASSIVE, {"bond": "hadbbond", "interface": "hadbdummy"}, lambda a, k: a is None,
         before=_BOND, shows="ip -o link show dev hadbdummy | grep -q 'master hadbbond'"),
    Call("heartbeat.bond_options", PASSIVE, {"bond": "hadbbond", "options": {"miimon": 250}}, lambda a, k: a is None,
         shows="ip -d link show dev hadbbond | grep -q 'miimon 250'",
         undo="ip link del hadbdummy; ip link del hadbbond"),
)  # fmt: skip

PACEMAKER = (
    Call("pacemaker.status", PASSIVE, {}, lambda a, k: a["running"] and sorted(a["nodes"]) == k.nodes
         and a["cluster"]["with_quorum"] and a["failures"] == [] and a["holds"] == []),
    Call("pacemaker.where", PASSIVE, {}, lambda a, k: a == k.active),
    Call("pacemaker.configuration", PASSIVE, {}, lambda a, k: a["running"] and "db-server" in a["owned"]),
    Call("pacemaker.agents", PASSIVE, {"standard": "stonith"}, lambda a, k: "fence_ipmilan" in a),
    Call("pacemaker.metadata", PASSIVE, {"agent": "ocf:heartbeat:Filesystem"},
         lambda a, k: a["parameters"]["device"]["required"] is True),
    Call("pacemaker.properties", PASSIVE, {}, lambda a, k: a["maintenance-mode"]["type"] == "boolean"),
    Call("pacemaker.settled", PASSIVE, {"timeout": 60}, _settled),
    Call("pacemaker.plan", PASSIVE, lambda k: {"document": k.document},
         lambda a, k: a["changes"] == {} and a["actions"] == [] and a["refused"] == ""),
    Call("pacemaker.simulate", PASSIVE, lambda k: {"standby": k.active},
         lambda a, k: set(k.lab.group) <= set(a["interrupted"]) and a["fenced"] == []),
    Call("pacemaker.simulate", PASSIVE, lambda k: {"lost": k.active}, lambda a, k: a["fenced"] == [k.active]),
    Call("pacemaker.apply", PASSIVE, lambda k: {"document": k.document}, lambda a, k: a == []),
    Call("pacemaker.ban", PASSIVE, lambda k: {"resource": "db", "node": k.passive}, _settled,
         shows="cibadmin --query --scope constraints | grep -q cli-ban-db-on-$PASSIVE"),
    Call("pacemaker.clear", PASSIVE, {"resource": "db"}, _settled,
         shows="! cibadmin --query --scope constraints | grep -q cli-ban"),
    Call("pacemaker.standby", ACTIVE, lambda k: {"node": k.passive}, _settled,
         shows="crm_attribute --node $PASSIVE --name standby --query | grep -q value=on"),
    Call("pacemaker.online", ACTIVE, lambda k: {"node": k.passive}, _settled,
         shows="! crm_attribute --node $PASSIVE --name standby --query | grep -q value=on"),
    Call("pacemaker.maintenance", PASSIVE, {"enabled": True}, lambda a, k: a is True,
         shows="crm_attribute --name maintenance-mode --query | grep -q value=true"),
    Call("pacemaker.maintenance", PASSIVE, {"enabled": False}, lambda a, k: a is False),
    Call("pacemaker.cleanup", PASSIVE, {}, _settled),
    State("pacemaker.settled", PASSIVE, {"timeout": 60}, lambda a, k: a["result"] is True and a["changes"] == {}),
    State("pacemaker.node_online", PASSIVE, lambda k: {"node": k.passive},
          lambda a, k: a["result"] is True and list(a["changes"]) == [f"node {k.passive} standby"],
          before="crm node standby $PASSIVE"),
    State("pacemaker.maintenance", PASSIVE, {"enabled": True},
          lambda a, k: a["result"] is True and a["changes"]["cluster maintenance-mode"]["new"] is True),
    State("pacemaker.maintenance", PASSIVE, {"enabled": False},
          lambda a, k: a["result"] is True and a["changes"]["cluster maintenance-mode"]["new"] is False),
    # There and back: what comes after relies on who is active.
    Call("pacemaker.move", PASSIVE, lambda k: {"node": k.passive}, _settled,
         shows="! cibadmin --query --scope constraints | grep -q cli-prefer"),
    Call("pacemaker.move", PASSIVE, lambda k: {"node": k.active}, _settled,
         shows="! cibadmin --query --scope constraints | grep -q cli-prefer"),
)  # fmt: skip

# By itself and last: the passive node comes back by booting.
FENCE = (
    Call("pacemaker.fence", ACTIVE, lambda k: {"node": k.passive, "confirm": k.active}, lambda a, k: False,
         raises="is not fenced without a confirmation"),
    Call("pacemaker.fence", ACTIVE, lambda k: {"node": k.passive, "confirm": k.passive},
         lambda a, k: a[0]["target"] == k.passive and a[0]["status"] == "success"),
)  # fmt: skip
