# Corosync and Pacemaker run. Scope: node; applied to both by hadb.orch. Safe to run again: what runs is left alone.

hadb Corosync runs:
  service.running:
    - name: corosync

hadb Pacemaker runs:
  service.running:
    - name: pacemaker
    - require:
      - service: hadb Corosync runs
