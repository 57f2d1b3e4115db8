from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from hadblab import formula


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("hadb/init.sls", "_modules/hadb.py", "_utils/hadb_core/plan.py", "_utils/__pycache__/x.pyc", "docs/a.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def test_formula_is_packed_without_caches_and_other_files(checkout: Path):
    with tarfile.open(fileobj=io.BytesIO(formula.pack(checkout))) as archive:
        assert archive.getnames() == ["hadb/init.sls", "_modules/hadb.py", "_utils/hadb_core/plan.py"]
        assert {entry.uid for entry in archive} == {0}


def test_unchanged_tree_keeps_its_marks(checkout: Path):
    assert formula.fingerprints(checkout, checkout / "none") == formula.fingerprints(checkout, checkout / "none")


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("hadb/init.sls", {"formula"}),
        ("_modules/hadb.py", {"formula", "modules"}),
        ("docs/a.md", set()),
        ("pillar.sls", {"pillar"}),
    ],
)
def test_a_change_marks_what_it_touches(checkout: Path, path: str, changed: set[str]):
    before = formula.fingerprints(checkout, checkout / "pillar.sls")
    (checkout / path).write_text("something longer than before, whatever it was")
    after = formula.fingerprints(checkout, checkout / "pillar.sls")
    assert {key for key in before if before[key] != after[key]} == changed


def test_removed_file_is_a_change(checkout: Path):
    before = formula.fingerprints(checkout, checkout / "none")
    (checkout / "hadb/init.sls").unlink()
    assert formula.fingerprints(checkout, checkout / "none")["formula"] != before["formula"]
