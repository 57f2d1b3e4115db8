# What: hadb's own fence agents, where Pacemaker looks for agents (hadb:fencing:agent: fence_hadb, hadb:fencing:reservations).
# Scope: node. Safe to re-run at any time; the next fencing uses a new one.
hadb fence agent is installed:
  file.managed:
    - name: /usr/sbin/fence_hadb
    - source: salt://hadb/files/fence_hadb
    - user: root
    - group: root
    - mode: '0755'

# Its two common parts come with the resource agents (hadb.pacemaker.agents).
hadb fence agent for reservations is installed:
  file.managed:
    - name: /usr/sbin/fence_hadb_reservation
    - source: salt://hadb/files/fence_hadb_reservation
    - user: root
    - group: root
    - mode: '0755'

hadb registry that makes ipmitool quick is installed:
  file.managed:
    - name: /usr/lib/hadb/home/.local/usr/share/misc/enterprise-numbers.txt
    - source: salt://hadb/files/enterprise-numbers.txt
    - user: root
    - group: root
    - mode: '0644'
    - makedirs: True
    - dir_mode: '0755'
