# The one tool that the preflight needs on a blank node, to ask the other node's BMC. Scope: node. Starts nothing.
{%- from "hadb/map.jinja" import hadb with context %}
hadb can ask BMCs:
  pkg.installed:
    - pkgs: {{ hadb.packages.base | json }}
    - install_recommends: False
