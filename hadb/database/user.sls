# The account that runs the server, with the same numbers on both nodes, before the package makes one with others.
# Scope: node. Safe to run again: makes it if it is missing, changes nothing that exists.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set user = hadb.database.user %}
include:
  - hadb.pillar

hadb database account is present:
  dbnode.identity_present:
    - name: {{ user.name | json }}
    - group: {{ user.group | json }}
    - uid: {{ user.uid | json }}
    - gid: {{ user.gid | json }}
    - home: {{ user.home | json }}
    - require:
      - hadb: hadb pillar is valid
