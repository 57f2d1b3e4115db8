# Keeps packages from starting, stopping or restarting the cluster and the database, at installation and at every
# later upgrade: that is Pacemaker's business. Scope: node. Safe to run again.
# invoke-rc.d and deb-systemd-invoke ask this file; everything that is not named in it goes on as usual.
include:
  - hadb.pillar

hadb keeps packages from starting cluster and database:
  file.managed:
    - name: /usr/sbin/policy-rc.d
    - source: salt://hadb/files/policy-rc.d
    - mode: '0755'
    - user: root
    - group: root
    - backup: minion
    - require:
      - hadb: hadb pillar is valid
