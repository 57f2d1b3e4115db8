# Deactivates volumes at shutdown after Pacemaker has stopped. ocf:heartbeat:LVM-activate would start the unit
# during a takeover otherwise, which costs time then. Scope: node. Safe to run again.
include:
  - hadb.package

hadb volumes are deactivated at shutdown:
  service.running:
    - name: blk-availability
    - enable: True
    - require:
      - sls: hadb.package
