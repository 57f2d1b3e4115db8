# Pacemaker starts at boot, so that a fenced node joins again by itself. Scope: node. Safe to run again.
# Nothing is started here and nothing watches: starting is hadb.cluster.start, restarting is an operator's decision.
include:
  - hadb.package

hadb Pacemaker starts at boot:
  service.enabled:
    - name: pacemaker
    - require:
      - sls: hadb.package
