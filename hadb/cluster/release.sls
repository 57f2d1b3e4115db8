# Unmounts and deactivates the volume, so that only Pacemaker brings it back; does nothing once Pacemaker owns it.
# Scope: once. Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.cluster.filesystem

hadb filesystem is left to Pacemaker:
  halvm.released:
    - name: {{ hadb.storage.filesystem.mount_point | json }}
    - vg: {{ hadb.storage.vg | json }}
    - lv: {{ hadb.storage.lv | json }}
    - expect_mounted: True
    - require:
      - halvm: hadb filesystem is mounted for the once-only steps
