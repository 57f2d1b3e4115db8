# Databases, accounts and grants; Nova's own by the preset. Scope: once. Safe to run again, with the server
# running or not. What the pillar does not name is left alone; passwords are read by the state, not rendered.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set accounts = dict() %}
{%- for name, account in hadb.database.accounts | dictsort %}
{%- do accounts.update({name: {"hosts": account.get("hosts"), "grants": account.get("grants")}}) %}
{%- endfor %}
include:
  - hadb.cluster.instance

hadb databases and accounts are complete:
  dbinstance.content_present:
    - name: {{ hadb.database.datadir | json }}
    - mount_point: {{ hadb.storage.filesystem.mount_point | json }}
    - flavour: {{ hadb.database.flavour | json }}
    - presets: {{ hadb.database.presets | json }}
    - databases: {{ hadb.database.databases | json }}
    - accounts: {{ accounts | json }}
    - socket: {{ hadb.database.socket | json }}
    - pid_file: {{ hadb.database.pid_file | json }}
    - config: {{ hadb.database.config_file | json }}
    - require:
      - dbinstance: hadb database instance is made
