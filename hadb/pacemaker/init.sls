# Pacemaker on this node. Scope: node. Safe to run again; never starts or stops it.
include:
  - hadb.pacemaker.agents
  - hadb.pacemaker.boot_order
  - hadb.pacemaker.service
