# Lets this node's kernel see the partitions that the other node made. Scope: node. Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.pillar
  - hadb.storage.multipath

hadb partitions of the shared LUNs are known:
  halvm.partitions_known:
    - luns: {{ hadb.storage.luns | json }}
    - multipath: {{ hadb.storage.multipath.manage | json }}
    - require:
      - sls: hadb.storage.multipath
