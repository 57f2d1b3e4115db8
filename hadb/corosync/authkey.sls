# What: Corosync's key, if the pillar has one; without it hadb.orch makes one and gives it to both nodes.
# Scope: node. Safe to re-run at any time; a running Corosync never loses its key.
include:
  - hadb.package

hadb corosync key is in place:
  corosync.authkey_present:
    - pillar_key: hadb:corosync:authkey
    - require:
      - sls: hadb.package
