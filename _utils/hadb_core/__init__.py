"""The pure core of hadb: parse, model, validate, plan.

Nothing in this package imports Salt, spawns a process, opens a file or looks at
the clock; everything is a function from values to values. The execution modules
in ``_modules`` read and act, the states in ``_states`` compare and report.
"""

VERSION = "0.1.0"
