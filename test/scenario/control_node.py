"""Ways to spoil nodes and their hardware: files, agents, server and network, each on a whole cluster that runs."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from typing import Any

from hadblab import ssh
from hadblab.run import run as run_command
from scenario import pillars
from scenario.control_cib import (
    edit,
    on_its_own_target,
    preferring,
    shallow,
    with_default,
    with_parameter,
    with_property,
)
from scenario.faults import POLL, SEEN_SECONDS
from scenario.stage import Stage
from scenario.wait import until

Break = Callable[[Stage], None]

ACTIVE, PASSIVE = ("active",), ("passive",)
BOTH = (*ACTIVE, *PASSIVE)

_AGENT = "/usr/sbin/fence_hadb"
# Seconds; more than lie between the orders of two nodes that shoot at each other.
_SLOW_BMC = "4"
# Says that it has switched off, and has not.
LYING_AGENT = """#!/bin/sh
[ $# = 0 ] || exec {kept} "$@"
given=$(cat)
case $given in
    *action=off* | *action=reboot*) exit 0 ;;
esac
printf '%s\\n' "$given" | {kept}
"""
# As if the BMC's address belonged to another machine, which is off.
OTHER_MACHINE = """#!/bin/sh
echo 'Chassis Power is off'
"""
# What the wrapper is there to prevent.
TALKING_WRAPPER = """#!/bin/sh
for word; do
    [ "${last-}" != -H ] || address=$word
    last=$word
done
program=${HADB_IPMITOOL:-/usr/bin/ipmitool}
exec timeout 60 "$program" -P "$(cat "${HADB_BMC_DIRECTORY:-/etc/hadb/bmc}/$address")" "$@"
"""
# The last line fails unless multipathd has taken it.
_QUEUE_FOR_EVER = """
sed -i 's/no_path_retry .*/no_path_retry queue/' /etc/multipath.conf
multipathd reconfigure
for i in $(seq 100); do ! multipathd show maps raw format %Q | grep -qx 'on *' || exit 0; sleep 0.2; done
exit 1
"""
# Not extra_system_ids: with it LVM changes and reads the group, but activates nothing of it.
_OPEN_TO_THE_OTHER = """sed -i 's/system_id_source = "uname"/system_id_source = "lvmlocal"/' /etc/lvm/lvmlocal.conf
echo "local { system_id = \\"$ACTIVE\\" }" >>/etc/lvm/lvmlocal.conf"""


def on(parts: tuple[str, ...], script: str) -> Break:
    """Return what runs a shell script on the nodes that play these parts; it knows $ACTIVE, $VG, ... and ends at an error."""
    def act(stage: Stage) -> None:
        names = "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables(stage).items())
        for part in parts:
            stage.lab.ask(stage.node(part), f"set -e\n{names}{script}", timeout=SEEN_SECONDS)

    return act


def variables(stage: Stage) -> dict[str, str]:
    """Return what scripts know."""
    lab = stage.lab
    nic = next(iter(lab.pillar["vips"].values()))
    return {
        "ACTIVE": stage.active, "PASSIVE": stage.passive, "VG": lab.storage["vg"], "LV": lab.storage["lv"],
        "VOLUME": lab.volume, "VIP": f"{nic['address']}/{nic['prefix_length']}", "NIC": nic["interface"],
        "CABLE": lab.pillar["heartbeat"]["interfaces"][1], "END": lab.pillar["nodes"][stage.passive]["links"][1],
    }  # fmt: skip


def program(path: str, text: str, keep_as: str = "") -> Break:
    """Return what puts another program in the place of one on both nodes, and keeps the old one under another name."""
    def act(stage: Stage) -> None:
        for node in stage.lab.nodes:
            if keep_as:
                stage.lab.ask(node, f"cp -p {path} {keep_as}")
            ssh.send(stage.lab.run, node, text.encode(), "install", "-m", "0755", "/dev/stdin", path)

    return act


def pillar_says(path: str, value: Any) -> Break:
    """Return what lets the master's pillar say something else."""
    return lambda stage: pillars.send(stage.lab, {path: value})


# Fencing.

agent_lies = program(_AGENT, LYING_AGENT.format(kept=f"{_AGENT}.kept"), keep_as=f"{_AGENT}.kept")
bmc_of_another_machine = program("/usr/lib/hadb/ipmitool", OTHER_MACHINE)


def no_head_start(stage: Stage) -> None:
    """Nobody waits before it shoots, at BMCs that carry out what they were told whatever becomes of who told them."""
    for node in stage.lab.nodes:
        stage.lab.verb("bmc", node, "--power-off-seconds", _SLOW_BMC)
    edit(stage, *(with_parameter(f"fence-{node}", "head_start", "0") for node in stage.lab.nodes))


def guards_itself(stage: Stage) -> None:
    """The device that fences the active node runs there."""
    edit(stage, on_its_own_target(stage.active, stage.passive))


def reserves_nothing(stage: Stage) -> None:
    """The array lets every node write, and a node that hears of its own fencing only stops its cluster."""
    edit(stage, with_parameter("db-lvm", "reservation_keys", ""), with_property("fence-reaction", "stop"))
    stage.wait_served(time.monotonic())


def unguarded_bmcs(stage: Stage) -> None:
    """The BMCs let anybody in by cipher suite 0: nothing hides any more that the simulator does."""
    run_command(stage.lab.inside(["nft", "delete", "table", "ip", "bmc"]))


# Quorum and what starts by itself. A power cut follows: what is broken has to be on the disk.

waits_for_nobody = on(BOTH, "conf=/etc/corosync/corosync.conf\nsed -i 's/wait_for_all: 1/wait_for_all: 0/' $conf\n"
                            "grep -q 'wait_for_all: 0' $conf\nsync")  # fmt: skip
not_started_at_boot = on(PASSIVE, "systemctl disable corosync pacemaker\nsync")


def ignores_quorum(stage: Stage) -> None:
    """Pacemaker goes on without quorum, and has written that down on both nodes."""
    edit(stage, with_property("no-quorum-policy", "ignore"))
    written = "grep -q 'name=\"no-quorum-policy\" value=\"ignore\"' /var/lib/pacemaker/cib/cib.xml && sync"
    for node in stage.lab.nodes:
        until(lambda node=node: stage.lab.ask(node, written, check=False).returncode == 0, SEEN_SECONDS,
              f"{node} does not write its CIB", POLL)  # fmt: skip


def likes_its_home(stage: Stage) -> None:
    """The database goes where it was, and nothing keeps it where it is."""
    edit(stage, with_default("resource-stickiness", "0"), preferring(stage.active))


# Storage.

open_to_the_other = on(PASSIVE, _OPEN_TO_THE_OTHER)
open_on_both = on(PASSIVE, f"{_OPEN_TO_THE_OTHER}\nlvchange --activate y $VG/$LV")
no_system_id = on(PASSIVE, "grep -q system_id_source /etc/lvm/lvmlocal.conf\n"
                           "sed -i '/system_id_source/d' /etc/lvm/lvmlocal.conf")  # fmt: skip
_queues_for_ever = on(BOTH, _QUEUE_FOR_EVER)


def nothing_looks_at_the_array(stage: Stage) -> None:
    """What is written to a dead array waits for ever, and no monitor does more than look whether something is there."""
    _queues_for_ever(stage)
    edit(stage, *(shallow(name) for name in ("db-lvm", "db-fs", "db-server")))


waits_for_a_lost_disk = on(BOTH, "agent=/usr/lib/ocf/resource.d/hadb/server\ngrep -q '! lost' $agent\nsed -i '/! lost/d' $agent")
filesystem_error = on(ACTIVE, "echo control >/sys/fs/ext4/$(basename $(readlink -f /dev/mapper/$VOLUME))/trigger_fs_error")

# Database.

option_file_weakened = on(BOTH, "sed -i 's/^innodb_flush_log_at_trx_commit = 1$/innodb_flush_log_at_trx_commit = 2/'"
                                " /etc/hadb/my.cnf\ngrep -q 'commit = 2' /etc/hadb/my.cnf")  # fmt: skip
oom_ends_pacemaker = on(ACTIVE, "rm /etc/systemd/system/pacemaker.service.d/hadb.conf\nsystemctl daemon-reload")
systemd_may_start_it = on(PASSIVE, "systemctl unmask mariadb.service")
# Once a minute instead of once a second: whether rows are lost is not to depend on the moment of the power cut.
_commits_in_memory = on(ACTIVE, "mariadb --execute 'SET GLOBAL innodb_flush_log_at_timeout = 60;"
                                " SET GLOBAL innodb_flush_log_at_trx_commit = 0'")  # fmt: skip


def commits_in_memory(stage: Stage) -> None:
    """The server acknowledges what is not on the disk yet, and the client has had such answers."""
    _commits_in_memory(stage)
    stage.watch(1.0)


# Network.

second_owner = on(PASSIVE, "ip address add $VIP dev $NIC")
_cable_without_address = on(PASSIVE, "ip address del $END/24 dev $CABLE")


def one_cable_only(stage: Stage) -> None:
    """The second cable carries nothing, which nobody notices as long as the first one does."""
    _cable_without_address(stage)
    until(lambda: "disconnected" in stage.lab.ask(stage.active, "corosync-cfgtool -s").stdout, SEEN_SECONDS,
          "Corosync still uses the cable", POLL)  # fmt: skip


# Secrets.

key_readable = on(BOTH, "chmod 0644 /etc/corosync/authkey")
password_readable = on(BOTH, "chmod 0644 /etc/hadb/bmc/*")
password_on_the_command_line = program("/usr/lib/hadb/ipmitool", TALKING_WRAPPER)
