# The cluster's configuration, as one transaction. Scope: once, on one node. Safe to run again; refuses what would
# interrupt the database unless hadb:pacemaker:allow_restart is set. Holds of operators are kept and reported.
{%- from "hadb/map.jinja" import hadb with context %}
{#- No secret goes in: the nodes' BMC passwords and the accounts are left out here. #}
{%- set nodes = dict() %}
{%- for name, node in hadb.nodes.items() %}
{%- do nodes.update({name: {"address": node.address, "bmc": {"address": node.bmc.address, "username": node.bmc.username}}}) %}
{%- endfor %}
{%- set database = dict() %}
{%- for key in ("binary", "config_file", "datadir", "pid_file", "socket", "error_log", "user") %}
{%- do database.update({key: hadb.database[key]}) %}
{%- endfor %}
{%- set document = {"cluster_name": hadb.cluster_name, "nodes": nodes, "database": database, "storage": hadb.storage, "vips": hadb.vips,
    "fencing": hadb.fencing, "pacemaker": hadb.pacemaker} %}

hadb cluster is configured:
  pacemaker.configured:
    - document: {{ document | json }}
