"""docs/pillar.md says what the schema says."""

from __future__ import annotations

import subprocess
import sys

from documents import ROOT


def test_pillar_doc_is_up_to_date():
    made = subprocess.run([sys.executable, ROOT / "tools/pillar_doc.py"], capture_output=True, text=True, check=True).stdout
    assert made == (ROOT / "docs/pillar.md").read_text(), "run: python tools/pillar_doc.py > docs/pillar.md"
