"""Where a scenario leaves what it has to say."""

from __future__ import annotations

from pathlib import Path

from scenario.results import place, set_aside


def test_what_is_set_aside_makes_room_and_replaces_what_was_set_aside_before(tmp_path: Path) -> None:
    for text in ("first", "second"):
        directory = place("active frozen", tmp_path)
        directory.mkdir()
        (directory / "timeline.txt").write_text(text, encoding="utf-8")
        set_aside("active frozen", tmp_path)
        assert not directory.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["active-frozen-unknown"]
    assert (tmp_path / "active-frozen-unknown/timeline.txt").read_text(encoding="utf-8") == "second"
