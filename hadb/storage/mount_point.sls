# The directory where Pacemaker mounts the database. Scope: node. Safe to run again, mounted or not: an existing
# directory is left as it is.
{%- from "hadb/map.jinja" import hadb with context %}
hadb mount point exists:
  file.directory:
    - name: {{ hadb.storage.filesystem.mount_point | json }}
    - makedirs: True
