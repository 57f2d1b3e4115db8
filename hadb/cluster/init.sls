# The once-only steps on the volume. Scope: once; applied to both nodes by hadb.orch, carried out only by the one
# whose duty it is (the bootstrap node; later the node on which the database runs). Safe to run again.
{%- set duty = salt["hadb.duty"]() %}
{%- if duty.here %}
include:
  - hadb.pillar
  - hadb.cluster.partition
  - hadb.cluster.volume
  - hadb.cluster.filesystem
  - hadb.cluster.instance
  - hadb.cluster.accounts
  - hadb.cluster.release
{%- else %}
hadb once-only steps are not the duty of this node:
  test.nop:
    - name: {{ duty.reason | json }}
{%- endif %}
