# LVM: a system ID for this host, shared LUNs only through multipath; the initramfs is rebuilt when that changes.
# Scope: node. Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.pillar
  - hadb.package
  - hadb.storage.multipath

hadb LVM is configured:
{%- if hadb.storage.lvm.manage %}
  hastorage.lvm_configured:
    - vg: {{ hadb.storage.vg | json }}
    - luns: {{ hadb.storage.luns | json }}
    - multipath: {{ hadb.storage.multipath.manage | json }}
    - auto_activation_volume_list: {{ hadb.storage.lvm.auto_activation_volume_list | json }}
    - volume_list: {{ hadb.storage.lvm.volume_list | json }}
    - require:
      - sls: hadb.package
      - sls: hadb.storage.multipath
{%- else %}
  test.nop:
    - name: left to the operator (hadb:storage:lvm:manage)
{%- endif %}
