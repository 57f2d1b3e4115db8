# The directory where Pacemaker mounts the database; refused while files lie in it unmounted. Scope: node. Safe to run
# again, mounted or not.
{%- from "hadb/map.jinja" import hadb with context %}
hadb mount point exists:
  hastorage.mount_point_present:
    - name: {{ hadb.storage.filesystem.mount_point | json }}
