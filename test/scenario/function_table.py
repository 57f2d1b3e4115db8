"""Where every function of every module is called for real: by a row here, or by the formula itself.

``test/unit/scenario/test_function_table.py`` fails when a public function has no row, ``test_functions.py`` makes the
calls. States that the formula applies are named with the SLS and the id that do it;
``test/render/test_states_applied.py`` renders these.
"""

from __future__ import annotations

from scenario import functions_cluster, functions_database, functions_node, functions_storage
from scenario.function_call import Call

CALLS: tuple[Call, ...] = (
    *functions_cluster.COROSYNC, *functions_storage.READ, *functions_database.CONTENT, *functions_database.INSTANCE,
    *functions_database.NODE, *functions_node.NODE, *functions_node.BMC, *functions_cluster.HEARTBEAT,
    *functions_cluster.PACEMAKER, *functions_storage.WRITE, *functions_node.RUNNER, *functions_cluster.FENCE,
)  # fmt: skip

# On each node, by `state.apply hadb` and by the steps of `hadb.orch`; and on the master, by `hadb.orch` itself.
BY_THE_FORMULA: dict[str, tuple[str, str]] = {
    "corosync.authkey_agreed": ("hadb.orch", "hadb Corosync key is the same on both nodes"),
    "corosync.authkey_present": ("hadb.corosync.authkey", "hadb corosync key is in place"),
    "corosync.configured": ("hadb.corosync.config", "hadb corosync configuration is managed"),
    "corosync.loaded": ("hadb.orch", "hadb Corosync does what its file says"),
    "dbinstance.content_present": ("hadb.cluster.accounts", "hadb databases and accounts are complete"),
    "dbinstance.initialised": ("hadb.cluster.instance", "hadb database instance is made"),
    "dbnode.apparmor_permits": ("hadb.database.apparmor", "hadb database may use its files"),
    "dbnode.configured": ("hadb.database.config", "hadb database is configured"),
    "dbnode.identity_present": ("hadb.database.user", "hadb database account is present"),
    "dbnode.units_masked": ("hadb.database.service", "hadb database is started by Pacemaker only"),
    "hadb.modules_synced": ("hadb.orch", "hadb modules are on both nodes"),
    "hadb.node_reported": ("hadb.verify.node", "hadb node is described"),
    "hadb.packages_whole": ("hadb.package", "hadb packages are whole"),
    "hadb.pillar_valid": ("hadb.pillar", "hadb pillar is valid"),
    "hadb.preflight_passed": ("hadb.orch", "hadb preflight has passed"),
    "hadb.proven": ("hadb.orch", "hadb both nodes are online"),
    "hadb.turn_taken": ("hadb.orch", "hadb no other run is under way"),
    "halvm.formatted": ("hadb.cluster.filesystem", "hadb filesystem is made"),
    "halvm.lv_present": ("hadb.cluster.volume", "hadb logical volume is present"),
    "halvm.mounted": ("hadb.cluster.filesystem", "hadb filesystem is mounted for the once-only steps"),
    "halvm.partitioned": ("hadb.cluster.partition", "hadb shared LUNs are partitioned"),
    "halvm.partitions_known": ("hadb.storage.partitions", "hadb partitions of the shared LUNs are known"),
    "halvm.pv_present": ("hadb.cluster.volume", "hadb physical volumes are present"),
    "halvm.released": ("hadb.cluster.release", "hadb filesystem is left to Pacemaker"),
    "halvm.vg_present": ("hadb.cluster.volume", "hadb volume group is present"),
    "hastorage.lvm_configured": ("hadb.storage.lvm", "hadb LVM is configured"),
    "hastorage.mount_point_present": ("hadb.storage.mount_point", "hadb mount point exists"),
    "hastorage.multipath_configured": ("hadb.storage.multipath", "hadb multipath is configured"),
    "heartbeat.configured": ("hadb.heartbeat", "hadb direct cables are configured"),
    "ipmitool.passwords_present": ("hadb.fencing.passwords", "hadb fencing passwords are in place"),
    "pacemaker.configured": ("hadb.cluster.cib", "hadb cluster is configured"),
}
