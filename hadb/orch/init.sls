# hadb.orch: from two blank nodes to a fenced, verified database. Runs on the master:
#   salt-run state.orchestrate hadb.orch [test=True]
# Every phase ends in its proof; a failed one stops the run. Run again, it goes on where it stopped.
{%- from "hadb/map.jinja" import hadb with context %}
{%- from "hadb/orch/steps.jinja" import step, check with context %}
{%- if "hadb.document" not in salt %}
{{ raise("the master does not have hadb's modules yet: run `salt-run saltutil.sync_all` once") }}
{%- endif %}
{{ check("pillar is valid", "hadb.pillar_valid") }}
{#- With a faulty pillar nothing else is even rendered: the first state names all faults. #}
{%- if not salt["hadb.faults"]() %}
{%- set nodes = dict() %}
{%- for name, node in hadb.nodes.items() %}{% do nodes.update({name: node.get("minion_id", name)}) %}{% endfor %}
{%- set both = nodes.values() | list %}

{{ check("no other run is under way", "hadb.turn_taken") }}
{{ check("modules are on both nodes", "hadb.modules_synced", nodes=nodes) }}
{{ check("preflight has passed", "hadb.preflight_passed", topics=["system", "luns"]) }}
{{ step("BMCs can be asked", both, "hadb.package.bmc") }}
{{ check("preflight of fencing has passed", "hadb.preflight_passed", topics=["bmc", "cipher_zero"]) }}
{{ step("nodes are prepared", both, "hadb") }}
{{ check("Corosync key is the same on both nodes", "corosync.authkey_agreed", nodes=nodes, bootstrap=hadb.bootstrap_node) }}
{{ check("LUNs are the same on both nodes and free", "hadb.preflight_passed", topics=["luns"]) }}
{{ step("volume and database exist", both, "hadb.cluster") }}
{{ step("partitions are known to both nodes", both, "hadb.storage.partitions") }}
{{ check("volume is seen by both and open on none but its owner", "hadb.proven", proof="volume") }}
{{ step("Corosync and Pacemaker run", both, "hadb.cluster.start") }}
{{ check("membership holds over every link", "hadb.proven", proof="membership", within=60) }}
{{ check("Corosync does what its file says", "corosync.loaded", nodes=nodes) }}
{{ check("both nodes are online", "hadb.proven", proof="cluster", within=180) }}
{%- if hadb.fencing.reservations %}
{{ check("LUNs can be reserved", "hadb.preflight_passed", topics=["reservations"]) }}
{%- endif %}
{{ step("cluster is configured", [nodes[hadb.bootstrap_node]], "hadb.cluster.cib") }}
{{ check("fencing answers for the right node", "hadb.proven", proof="fencing", within=240) }}
{{ check("database runs on one node", "hadb.proven", proof="placement", within=300) }}
{%- if hadb.fencing.reservations %}
{{ check("LUNs are reserved for that node", "hadb.proven", proof="reservations", within=30) }}
{%- endif %}
{{ check("clients reach the database through every VIP", "hadb.proven", proof="clients", within=30) }}
{%- endif %}
