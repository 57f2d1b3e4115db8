# What every node gets. Scope: node. Safe on any node at any time, also in the middle of a failover:
# it never starts, stops or moves the database, never touches a LUN or a VIP, never undoes an operator's hold.
include:
  - hadb.pillar
  - hadb.package
  - hadb.storage
  - hadb.database
  - hadb.heartbeat
  - hadb.corosync
  - hadb.pacemaker
  - hadb.fencing
  - hadb.verify.node
