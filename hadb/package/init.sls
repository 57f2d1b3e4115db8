# Installs the packages; the database user exists first, so that its files get the equal ids. Scope: node.
{%- from "hadb/map.jinja" import hadb with context %}
{%- set wanted = hadb.packages.base + hadb.packages.storage + hadb.packages.cluster + hadb.packages.fencing
    + hadb.packages["database_" ~ hadb.database.flavour] %}
{%- if hadb.fencing.reservations %}{% set wanted = wanted + hadb.packages.reservations %}{% endif %}
{%- if hadb.heartbeat.mode == "bond" %}{% set wanted = wanted + hadb.packages.bond %}{% endif %}
include:
  - hadb.package.hold
  - hadb.database.user
  - hadb.database.service

hadb packages are whole:
  hadb.packages_whole:
    - require:
      - file: hadb keeps packages from starting cluster and database

hadb packages are installed:
  pkg.installed:
    - pkgs: {{ wanted | json }}
    - install_recommends: False
    - require:
      - hadb: hadb packages are whole
      - sls: hadb.database.user
      - sls: hadb.database.service
