"""The code that nodes run compiles and imports on every supported Python that this machine has."""

from __future__ import annotations

import pytest
from pythons import VERSIONS, check, find


@pytest.mark.parametrize("version", VERSIONS)
def test_code_compiles_and_imports(version):
    python = find(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    assert check(python).startswith(f"{version}:")
