# What: everything that Corosync needs on a node. Corosync is not started here.
# Scope: node. Safe to re-run at any time.
include:
  - hadb.corosync.config
  - hadb.corosync.authkey
  - hadb.corosync.service
