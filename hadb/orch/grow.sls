# hadb.orch.grow: more space for a database that runs. Add LUNs to hadb:storage:luns (or enlarge hadb:storage:lv_size
# where the group has free space), then on the master:
#   salt-run state.orchestrate hadb.orch.grow [test=True]
# The database stays up. Both nodes have to see the new LUNs, free, before the first byte is written to them.
{%- from "hadb/map.jinja" import hadb with context %}
{%- from "hadb/orch/steps.jinja" import step, check with context %}
{{ check("pillar is valid", "hadb.pillar_valid") }}
{%- if not salt["hadb.faults"]() %}
{%- set nodes = dict() %}
{%- for name, node in hadb.nodes.items() %}{% do nodes.update({name: node.get("minion_id", name)}) %}{% endfor %}
{%- set both = nodes.values() | list %}

{{ check("no other run is under way", "hadb.turn_taken") }}
{{ check("modules are on both nodes", "hadb.modules_synced", nodes=nodes) }}
{{ check("preflight has passed", "hadb.preflight_passed", topics=["system", "luns"]) }}
{{ step("nodes know the LUNs", both, "hadb") }}
{{ check("LUNs are the same on both nodes and free", "hadb.preflight_passed", topics=["luns"]) }}
{{ step("volume has grown", both, "hadb.cluster.grow") }}
{{ step("partitions are known to both nodes", both, "hadb.storage.partitions") }}
{{ check("volume is seen by both and open on none but its owner", "hadb.proven", proof="volume") }}
{{ check("database runs on one node", "hadb.proven", proof="placement", within=60) }}
{%- endif %}
