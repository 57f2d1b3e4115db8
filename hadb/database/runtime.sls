# Directories for socket, pid file and log, now and after a reboot. Scope: node. Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set user = hadb.database.user %}
{%- set runtime = hadb.database.socket.rsplit("/", 1)[0] %}
{%- set log = hadb.database.error_log.rsplit("/", 1)[0] %}
include:
  - hadb.database.user

hadb database runtime directory is made at boot:
  file.managed:
    - name: /etc/tmpfiles.d/hadb-database.conf
    - contents: d {{ runtime }} 0755 {{ user.name }} {{ user.group }} -
    - user: root
    - group: root
    - mode: '0644'

hadb database runtime directory is there:
  file.directory:
    - name: {{ runtime | json }}
    - user: {{ user.name | json }}
    - group: {{ user.group | json }}
    - mode: '0755'
    - require:
      - sls: hadb.database.user

hadb database log directory is there:
  file.directory:
    - name: {{ log | json }}
    - user: {{ user.name | json }}
    - group: adm
    - mode: '2750'
    - require:
      - sls: hadb.database.user
