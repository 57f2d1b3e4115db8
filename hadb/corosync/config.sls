# What: /etc/corosync/corosync.conf. A running Corosync is left alone; the state's comment says what it needs.
# Scope: node. Safe to re-run at any time.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set nodes = {} %}
{%- for name, node in hadb.nodes.items() %}
{#- A bond is one link, however many cables are in it. #}
{%- do nodes.update({name: node.links[:1] if hadb.heartbeat.mode == "bond" else node.links}) %}
{%- endfor %}
{%- set settings = {} %}
{%- for key, value in hadb.corosync.items() if key != "authkey" %}
{%- do settings.update({key: value}) %}
{%- endfor %}

include:
  - hadb.package

hadb corosync configuration is managed:
  corosync.configured:
    - name: /etc/corosync/corosync.conf
    - cluster_name: {{ hadb.cluster_name | json }}
    - nodes: {{ nodes | json }}
    - settings: {{ settings | json }}
    - require:
      - sls: hadb.package
