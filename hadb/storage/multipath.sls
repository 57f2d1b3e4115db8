# Multipath maps for exactly the shared LUNs, named by WWID. Scope: node. Safe to run again; multipathd
# re-reads its configuration, no map that is in use is taken away.
{%- from "hadb/map.jinja" import hadb with context %}
include:
  - hadb.pillar
  - hadb.package
{%- if hadb.storage.multipath.manage %}

hadb multipath is configured:
  hastorage.multipath_configured:
    - luns: {{ hadb.storage.luns | json }}
    - settings: {{ hadb.storage.multipath | json }}
{%- if hadb.fencing.reservations %}
    - cluster_name: {{ hadb.cluster_name | json }}
{%- endif %}
    - require:
      - sls: hadb.package
{%- else %}

hadb multipath is configured:
  test.nop:
    - name: left to the operator (hadb:storage:multipath:manage)
{%- endif %}
