# Physical volumes, the volume group that belongs to one node, the logical volume. Scope: once. Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.cluster.partition

hadb physical volumes are present:
  halvm.pv_present:
    - vg: {{ hadb.storage.vg | json }}
    - luns: {{ hadb.storage.luns | json }}
    - multipath: {{ hadb.storage.multipath.manage | json }}
    - require:
      - halvm: hadb shared LUNs are partitioned

hadb volume group is present:
  halvm.vg_present:
    - name: {{ hadb.storage.vg | json }}
    - luns: {{ hadb.storage.luns | json }}
    - multipath: {{ hadb.storage.multipath.manage | json }}
    - require:
      - halvm: hadb physical volumes are present

hadb logical volume is present:
  halvm.lv_present:
    - name: {{ hadb.storage.lv | json }}
    - vg: {{ hadb.storage.vg | json }}
    - size: {{ hadb.storage.lv_size | json }}
    - require:
      - halvm: hadb volume group is present
