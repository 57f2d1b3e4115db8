# What every node gets. Scope: node. Safe on any node at any time, also in the middle of a failover:
# it never starts, stops or moves the database, never touches a LUN or a VIP, never undoes an operator's hold.
{%- if "hadb.faults" not in salt %}
{{ raise("this minion does not have hadb's modules yet: run `salt '*' saltutil.sync_all` once") }}
{%- endif %}
include:
  - hadb.pillar
{#- With a faulty pillar nothing else is even rendered: the first state names all faults. #}
{%- if not salt["hadb.faults"]() %}
  - hadb.package
  - hadb.storage
  - hadb.database
  - hadb.heartbeat
  - hadb.corosync
  - hadb.pacemaker
  - hadb.fencing
  - hadb.verify.node
{%- endif %}
