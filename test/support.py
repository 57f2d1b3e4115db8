"""Load a loader file (``_modules``, ``_states``, ``_runners``) with the dunders that Salt would give it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def load(
    path: str,
    *,
    salt: dict[str, Any] | None = None,
    opts: dict[str, Any] | None = None,
    pillar: dict[str, Any] | None = None,
    grains: dict[str, Any] | None = None,
) -> ModuleType:
    """Return the module at ``path`` (relative to the checkout) with its dunders set.

    salt, opts, pillar, grains
        Become ``__salt__``, ``__opts__`` (``test`` is False unless given), ``__pillar__``, ``__grains__``.
    """
    spec = importlib.util.spec_from_file_location(Path(path).stem + "_under_test", ROOT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    module.__dict__.update(
        __salt__=salt or {},
        __opts__={"test": False, **(opts or {})},
        __pillar__=pillar or {},
        __grains__=grains or {},
        __context__={},
    )
    spec.loader.exec_module(module)
    return module
