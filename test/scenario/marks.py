"""Which tests can be run in the lab that there is."""

from __future__ import annotations

import pytest

from scenario.lab import Lab, keep
from scenario.session import CONVERGED

needs_blank = pytest.mark.skipif(
    keep() and (Lab().run.snapshots / CONVERGED).is_dir(), reason="HADB_SCENARIO_KEEP=1: starts from the kept cluster"
)
