# What: the password of every node's BMC, on every node, for root only. No password is in this SLS or in its result.
# Scope: node. Safe to re-run at any time; the next fencing uses a new password.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set bmcs = {} %}
{%- for name, node in hadb.nodes.items() %}
{%- do bmcs.update({node.bmc.address: "hadb:nodes:" ~ name ~ ":bmc:password"}) %}
{%- endfor %}

hadb fencing passwords are in place:
  ipmitool.passwords_present:
    - name: /etc/hadb/bmc
    - bmcs: {{ bmcs | json }}
