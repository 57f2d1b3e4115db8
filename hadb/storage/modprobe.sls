# The line of hadb:storage:modprobe_alias, such as the seed's `alias scsi_hostadapter ahci`; off by default, no agent
# of today looks for it. Scope: node. Safe to run again.
{%- from "hadb/map.jinja" import hadb with context %}
hadb modprobe alias for the Filesystem agent is as asked for:
{%- if hadb.storage.modprobe_alias %}
  file.managed:
    - name: /etc/modprobe.d/hadb.conf
    - contents: {{ hadb.storage.modprobe_alias | json }}
    - mode: '0644'
{%- else %}
  file.absent:
    - name: /etc/modprobe.d/hadb.conf
{%- endif %}
