# Tells what this node still lacks until it is part of the cluster. Scope: node. Changes nothing.
hadb node is described:
  hadb.node_reported: []
