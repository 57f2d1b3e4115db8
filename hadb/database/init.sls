# What a node needs to run the database; the server itself is started by Pacemaker only. Scope: node.
# Safe to run again, at any time: nothing here starts, stops or restarts it.
include:
  - hadb.database.user
  - hadb.database.service
  - hadb.database.runtime
  - hadb.database.apparmor
  - hadb.database.config
