# The database instance on the mounted volume, made once, whole or not at all. Scope: once. Safe to run again:
# an instance that is there is left as it is, a directory with anything else in it is refused.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.cluster.filesystem

hadb database instance is made:
  dbinstance.initialised:
    - name: {{ hadb.database.datadir | json }}
    - mount_point: {{ hadb.storage.filesystem.mount_point | json }}
    - flavour: {{ hadb.database.flavour | json }}
    - user: {{ hadb.database.user.name | json }}
    - config: {{ hadb.database.config_file | json }}
    - require:
      - halvm: hadb filesystem is mounted for the once-only steps
