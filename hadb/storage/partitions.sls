# Lets this node's kernel see the partitions that the other node made; without it a takeover finds no volume group.
# Scope: node. Safe to run again. hadb.orch applies it to both nodes right after the once-only steps.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.pillar

hadb partitions of the shared LUNs are known:
  halvm.partitions_known:
    - luns: {{ hadb.storage.luns | json }}
    - multipath: {{ hadb.storage.multipath.manage | json }}
    - require:
      - hadb: hadb pillar is valid
