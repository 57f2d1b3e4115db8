# The option file that the server is started with, whole: nothing in /etc/mysql can weaken it. Scope: node.
# Safe to run again; a running server takes it at its next start.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set database = hadb.database %}
include:
  - hadb.pillar

hadb database is configured:
  dbnode.configured:
    - name: {{ database.config_file | json }}
    - flavour: {{ database.flavour | json }}
    - datadir: {{ database.datadir | json }}
    - socket: {{ database.socket | json }}
    - pid_file: {{ database.pid_file | json }}
    - error_log: {{ database.error_log | json }}
    - user: {{ database.user.name | json }}
    - port: {{ database.port | json }}
    - bind_address: {{ database.bind_address | json }}
    - settings: {{ database.settings | json }}
    - require:
      - hadb: hadb pillar is valid
