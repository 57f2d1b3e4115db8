"""What a seed is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file: its text and permissions, or, as a link, where it points."""

    text: str
    mode: int = 0o644
    link: bool = False


Files = dict[str, File]
