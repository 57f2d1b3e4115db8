# What: Corosync starts at boot, so that a node that was fenced comes back by itself. Not started here.
# Scope: node. Safe to re-run at any time.
include:
  - hadb.package

hadb corosync starts at boot:
  service.enabled:
    - name: corosync
    - require:
      - sls: hadb.package
