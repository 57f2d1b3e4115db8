# The volume takes all the space that the pillar gives it, online: new LUNs join the group, the volume and its
# filesystem grow. Scope: once; applied to both nodes by hadb.orch.grow, carried out only by the one whose duty it is.
# Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set duty = salt["hadb.duty"]() %}
{%- if duty.here %}
include:
  - hadb.pillar
  - hadb.cluster.volume

hadb volume and filesystem have grown:
  halvm.grown:
    - name: {{ hadb.storage.lv | json }}
    - vg: {{ hadb.storage.vg | json }}
    - luns: {{ hadb.storage.luns | json }}
    - size: {{ hadb.storage.lv_size | json }}
    - fstype: {{ hadb.storage.filesystem.type | json }}
    - mount_point: {{ hadb.storage.filesystem.mount_point | json }}
    - require:
      - halvm: hadb logical volume is present
{%- else %}
hadb growing the volume is not the duty of this node:
  test.nop:
    - name: {{ duty.reason | json }}
{%- endif %}
