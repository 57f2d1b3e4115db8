# What: the ipmitool that fence agents call (fence_ipmilan's ipmitool_path); keeps passwords off command lines.
# Scope: node. Safe to re-run at any time.
hadb ipmitool wrapper of the fence agents is installed:
  file.managed:
    - name: /usr/lib/hadb/ipmitool
    - source: salt://hadb/files/ipmitool
    - user: root
    - group: root
    - mode: '0755'
    - makedirs: True
    - dir_mode: '0755'
