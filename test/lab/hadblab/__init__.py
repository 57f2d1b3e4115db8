"""The lab: real Linux kernels as processes, with shared storage, BMCs and Salt."""
