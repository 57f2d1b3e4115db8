# AppArmor lets the server use its data directory. Debian's MariaDB is not confined: nothing to do, and said.
# Scope: node. Safe to run again; a profile is loaded again only when its rules changed.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.package

hadb database may use its files:
  dbnode.apparmor_permits:
    - flavour: {{ hadb.database.flavour | json }}
    - datadir: {{ hadb.database.datadir | json }}
    - files: {{ [hadb.database.socket, hadb.database.pid_file, hadb.database.error_log] | json }}
    - config: {{ hadb.database.config_file | json }}
    - require:
      - sls: hadb.package
