# The filesystem, mounted here until hadb.cluster.release. Does nothing once Pacemaker is configured to own it.
# Scope: once. Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.cluster.volume

hadb filesystem is made:
  halvm.formatted:
    - name: {{ hadb.storage.lv | json }}
    - vg: {{ hadb.storage.vg | json }}
    - fstype: {{ hadb.storage.filesystem.type | json }}
    - require:
      - halvm: hadb logical volume is present

hadb filesystem is mounted for the once-only steps:
  halvm.mounted:
    - name: {{ hadb.storage.filesystem.mount_point | json }}
    - vg: {{ hadb.storage.vg | json }}
    - lv: {{ hadb.storage.lv | json }}
    - fstype: {{ hadb.storage.filesystem.type | json }}
    - options: {{ hadb.storage.filesystem.options | json }}
    - require:
      - halvm: hadb filesystem is made
