# What: everything that a fence agent needs on a node. The fencing devices themselves are part of the CIB.
# Scope: node. Safe to re-run at any time.
include:
  - hadb.fencing.agent
  - hadb.fencing.wrapper
  - hadb.fencing.passwords
