"""Salt finds each loader file under the name that the file says."""

from __future__ import annotations

import pytest

from support import ROOT, load

FILES = [str(path.relative_to(ROOT)) for folder in ("_modules", "_states") for path in sorted(ROOT.glob(f"{folder}/*.py"))]


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_loaded_everywhere_under_its_virtual_name(path):
    module = load(path)
    assert module.__virtual__() == module.__virtualname__
