# A GPT with one partition on every shared LUN; refuses a LUN that is not blank. Scope: once. Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}

hadb shared LUNs are partitioned:
  halvm.partitioned:
    - vg: {{ hadb.storage.vg | json }}
    - luns: {{ hadb.storage.luns | json }}
    - multipath: {{ hadb.storage.multipath.manage | json }}
