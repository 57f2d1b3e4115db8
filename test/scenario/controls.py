"""The controls: settings that are broken on purpose, and which scenario or check has to notice each."""

from __future__ import annotations

from scenario import control_node as node
from scenario.control import Control
from scenario.control_cib import edited, fencing_at_failure, shallow, with_property

VERIFY, CHECK, APPLY, ARGV = "hadb.verify", "hadb.check", "state.apply hadb test=True", "command lines"

CONTROLS = (
    # The pillar.
    Control("token-too-short", "pillar", "corosync:token is 300 ms", CHECK,
            r"^hadb:corosync:token: must be between 1000 and", node.pillar_says("hadb:corosync:token", 300)),
    Control("corosync-not-encrypted", "pillar", "corosync:crypto_cipher is none", CHECK,
            r"^hadb:corosync:crypto_cipher: must be one of .* but is 'none'",
            node.pillar_says("hadb:corosync:crypto_cipher", "none")),
    Control("commits-not-flushed-by-pillar", "pillar", "database:settings:innodb_flush_log_at_trx_commit is 2", CHECK,
            r"^hadb:database:settings:innodb_flush_log_at_trx_commit must be 1",
            node.pillar_says("hadb:database:settings:innodb_flush_log_at_trx_commit", 2)),
    # Fencing.
    Control("fencing-off", "fencing", "stonith-enabled is false", "active powered off",
            r"^I4: the cluster says that it fenced none; expected db\d$", edited(with_property("stonith-enabled", "false"))),
    Control("fence-agent-lies", "fencing", "the fence agent says that it has switched off, and has not", "active frozen",
            r"^I4: BMCs cut the power of none; expected db\d$", node.agent_lies),
    Control("no-reservation", "fencing", "the volume is not reserved, and a node that was fenced alive goes on",
            "bmc lies about a frozen active", r"^I2: .* both held mount$", node.reserves_nothing),
    Control("bmc-of-another-machine", "fencing", "what answers at the BMCs' addresses is a machine that is off",
            "both heartbeat cables cut", r"^I2: .* both held mount$", node.bmc_of_another_machine),
    Control("no-head-start", "fencing", "head_start is 0 in both fencing devices, the BMCs need 4 s",
            "both heartbeat cables cut", r"^I4: BMCs cut the power of db1, db2; expected db\d$", node.no_head_start),
    Control("hung-server-is-fenced", "fencing", "on-fail of the server's monitor is fence", "server hung",
            r"^I4: the cluster says that it fenced db\d; expected none$", edited(fencing_at_failure("db-server"))),
    Control("fencing-device-on-its-target", "fencing", "the constraint that keeps a device off its target is turned round",
            VERIFY, r"fencing: expected fence-db\d not on its own target; found it runs on db\d", node.guards_itself),
    Control("cipher-zero", "fencing", "the BMCs accept cipher suite 0", CHECK,
            r"to refuse cipher suite 0; found it lets anyone in", node.unguarded_bmcs),
    # Quorum, and where what starts by itself.
    Control("no-wait-for-all", "quorum", "wait_for_all is 0 in corosync.conf", "both powered off and one returns",
            r"it started alone|Quorate: +Yes", node.waits_for_nobody),
    Control("quorum-ignored", "quorum", "no-quorum-policy is ignore", "both powered off and one returns",
            r"it started alone", node.ignores_quorum),
    Control("cluster-not-started-at-boot", "cluster", "Corosync and Pacemaker are not enabled on the passive node",
            "passive powered off", r"I5: db\d is not online", node.not_started_at_boot),
    Control("oom-ends-pacemaker", "cluster", "systemd stops Pacemaker when the server is killed for its memory",
            "active out of memory", r"Pacemaker was shut down with the server", node.oom_ends_pacemaker),
    Control("failback", "cluster", "resource-stickiness is 0, and the group prefers a node", "fenced node comes back",
            r"the database went back", node.likes_its_home),
    # Storage.
    Control("volume-open-to-the-other", "storage", "LVM of the passive node has the active one's system ID",
            "volume taken by hand on the passive", r"^I2: .* both held volume$", node.open_to_the_other),
    Control("volume-open-on-both", "storage", "the volume is active on the passive node", VERIFY,
            r"volume: expected \S+ not active here; found it is active", node.open_on_both),
    Control("no-system-id", "storage", "LVM of the passive node has no system ID", APPLY,
            r"hadb LVM is configured: .*lvmlocal\.conf", node.no_system_id),
    Control("dead-array-waited-for", "storage", "no_path_retry is queue, and no monitor writes or asks anything",
            "all storage paths of the active lost", r"^I6: no answer for \d+\.\d s; the budget is 180 s$",
            node.nothing_looks_at_the_array),
    Control("start-without-an-end", "storage", "the server's start goes on when its disk is lost",
            "array lost while the server starts", r"^I6: no answer for \d+\.\d s; the budget is 180 s$",
            node.waits_for_a_lost_disk),
    Control("filesystem-error", "storage", "the filesystem has met an error", "one heartbeat cable cut",
            r"^I3: the filesystem counts [1-9]\d* errors$", node.filesystem_error),
    # The database.
    Control("commits-in-memory", "database", "innodb_flush_log_at_trx_commit is 0 in the server that runs",
            "active powered off", r"^I1: [1-9]\d* acknowledged writes are lost", node.commits_in_memory),
    Control("option-file-weakened", "database", "innodb_flush_log_at_trx_commit is 2 in my.cnf", APPLY,
            r"hadb database is configured: .*innodb_flush_log_at_trx_commit", node.option_file_weakened),
    Control("server-not-masked", "database", "systemd may start the server on the passive node",
            "second server started on the passive", r"^I2: .* both held server$", node.systemd_may_start_it),
    Control("shallow-server-monitor", "monitors", "the server's monitor asks it nothing", "server hung",
            r"^I6: no answer for \d+\.\d s; the budget is 90 s$", edited(shallow("db-server"))),
    # The network.
    Control("one-cable-only", "network", "the second cable has no address on the passive node", "one heartbeat cable cut",
            r"^I4: the cluster says that it fenced db\d; expected none$", node.one_cable_only),
    Control("second-owner-of-an-address", "network", "the passive node has a virtual address too", "one heartbeat cable cut",
            r"^I2: .* both held \d+\.\d+\.\d+\.\d+$", node.second_owner),
    # Secrets.
    Control("corosync-key-readable", "secrets", "everybody may read Corosync's key", APPLY,
            r"hadb corosync key is in place: .*mode 0644", node.key_readable),
    Control("bmc-password-readable", "secrets", "everybody may read the BMCs' passwords", APPLY,
            r"hadb fencing passwords are in place: .*readable by others", node.password_readable),
    Control("bmc-password-on-the-command-line", "secrets", "the wrapper gives ipmitool the password as an argument", ARGV,
            r"^db\d: the BMC's password is in the command line of ", node.password_on_the_command_line),
)  # fmt: skip
