# What: the direct cables between the nodes have their addresses, as plain links or as one bond.
# Scope: node. Safe to re-run: repairs what a hand took away, touches no interface but the pillar's,
# takes no address away while Corosync runs.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set links = {} %}
{%- set this = namespace(node="") %}
{%- for name, node in hadb.nodes.items() %}
{%- do links.update({name: node.links}) %}
{%- if node.get("minion_id", name) == grains["id"] %}{% set this.node = name %}{% endif %}
{%- endfor %}

include:
  - hadb.package
{% if hadb.heartbeat.manage %}
hadb direct cables are configured:
  heartbeat.configured:
    - node: {{ this.node | json }}
    - nodes: {{ links | json }}
    - settings: {{ hadb.heartbeat | json }}
    - require:
      - sls: hadb.package
{% else %}
hadb direct cables are left to the site:
  test.nop: []
{% endif %}
