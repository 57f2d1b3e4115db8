"""The code that nodes run compiles and imports on the Pythons of the Debian releases, as those ship them."""

from __future__ import annotations

import pytest
from chroots import chroot
from pythons import check, find


@pytest.mark.parametrize(("suite", "version"), [("bookworm", "3.11"), ("trixie", "3.13"), ("sid", "3.14")])
def test_code_compiles_and_imports(suite, version):
    assert (chroot(suite) / f"usr/bin/python{version}").exists(), "Debian has moved on; so should this test"
    python = find(version)
    assert python
    assert check(python).startswith(f"{version}:")
