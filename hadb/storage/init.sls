# How this node sees the shared storage. Scope: node. Safe to run again, at any time: writes to no LUN,
# activates and deactivates no volume.
include:
  - hadb.storage.multipath
  - hadb.storage.lvm
  - hadb.storage.blk_availability
  - hadb.storage.modprobe
  - hadb.storage.mount_point
  - hadb.storage.partitions
