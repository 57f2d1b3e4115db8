# Pacemaker starts after the shared LUNs are there: after a power cut of both nodes it would otherwise find no volume group,
# and a failed start counts until hadb:pacemaker:failure_timeout has passed. Scope: node. Safe to run again.
hadb Pacemaker waits for the shared LUNs at boot:
  file.managed:
    - name: /etc/systemd/system/resource-agents-deps.target.d/hadb.conf
    - source: salt://hadb/files/resource-agents-deps.conf
    - makedirs: True
    - mode: '0644'
    - user: root
    - group: root
