# Refuses to go on with a pillar that cannot be right; names all faults at once. Scope: node. Changes nothing.
hadb pillar is valid:
  hadb.pillar_valid:
    - failhard: True
