"""The code that nodes run compiles and imports on the Pythons of the Debian releases, as those ship them."""

from __future__ import annotations

import pytest
from chroots import chroot
from pythons import check, inside


@pytest.mark.parametrize(("suite", "version"), [("bookworm", "3.11"), ("trixie", "3.13"), ("sid", "3.14")])
def test_code_compiles_and_imports(suite, version):
    root = chroot(suite)
    assert (root / f"usr/bin/python{version}").exists(), "Debian has moved on; so should this test"
    assert check(inside(root, version)).startswith(f"{version}:")
