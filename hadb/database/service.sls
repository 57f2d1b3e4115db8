# systemd can never start a server; done before the package is installed. Scope: node. Safe to run again:
# a server that Pacemaker started is not under any of these units.
include:
  - hadb.pillar

hadb database is started by Pacemaker only:
  dbnode.units_masked:
    - require:
      - hadb: hadb pillar is valid
