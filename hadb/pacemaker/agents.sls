# What: hadb's own resource agents (ocf:hadb:*) and their common part, whichever set the cluster is configured with: the
# cluster can then be changed over to them. Scope: node. Safe to run again at any time; the next action uses new ones.
{% for name in ("agent", "reservation") %}
hadb common part of the resource agents is installed, {{ name }}:
  file.managed:
    - name: /usr/lib/hadb/{{ name }}.sh
    - source: salt://hadb/files/agents/{{ name }}.sh
    - user: root
    - group: root
    - mode: '0644'
    - makedirs: True
    - dir_mode: '0755'
{% endfor %}
hadb watcher of reservations is installed:
  file.managed:
    - name: /usr/lib/hadb/reservation-watch
    - source: salt://hadb/files/reservation-watch
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: True
    - dir_mode: '0755'
{% for name in ("lvm", "filesystem", "address", "server") %}
hadb resource agent {{ name }} is installed:
  file.managed:
    - name: /usr/lib/ocf/resource.d/hadb/{{ name }}
    - source: salt://hadb/files/agents/{{ name }}
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: True
    - dir_mode: '0755'
    - require:
      - file: hadb common part of the resource agents is installed, agent
      - file: hadb common part of the resource agents is installed, reservation
{% endfor %}
