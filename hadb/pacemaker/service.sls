# Pacemaker starts at boot, so that a fenced node joins again by itself, and is not shut down when the kernel kills the server
# for its memory. Scope: node. Safe to run again.
# Nothing is started here and nothing watches: starting is hadb.cluster.start, restarting is an operator's decision.
include:
  - hadb.package

hadb Pacemaker outlives a server that is killed for its memory:
  file.managed:
    - name: /etc/systemd/system/pacemaker.service.d/hadb.conf
    - source: salt://hadb/files/pacemaker.service.conf
    - makedirs: True
    - mode: '0644'
    - user: root
    - group: root

# Looking at the unit, Salt has systemd read its files again when they have changed.
hadb Pacemaker starts at boot:
  service.enabled:
    - name: pacemaker
    - require:
      - sls: hadb.package
      - file: hadb Pacemaker outlives a server that is killed for its memory
