# All packages of the stack. Scope: node. Safe to run again.
include:
  - hadb.package.hold
  - hadb.package.install
