from __future__ import annotations

from pathlib import Path

import pytest

from hadblab import cli
from hadblab.passthrough import VERBS


@pytest.fixture(autouse=True)
def no_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HADB_LAB_HOME", str(tmp_path)[:60])
    monkeypatch.setenv("HADB_LAB", "none")


def call(*words: str) -> int | str | None:
    try:
        return cli.main(list(words))
    except SystemExit as exit_:
        return exit_.code


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text


@pytest.mark.parametrize(
    "words",
    [[], ["fly"], ["up", "--colour", "red"], ["up", "--distro", "slackware"], ["power", "db1", "explode"],
     ["down", "now"], ["exec"], ["run"], ["salt"], ["cut"], ["--loud"], ["cut", "hb1", "--loss", "100"],
     ["cut", "hb1", "--loss", "5", "--longer", "1000"], ["cut", "hb1", "--longer", "some"], ["cut", "mgmt", "--announces", "nova"],
     ["bmc"], ["bmc", "db1", "--power-off-seconds", "-1"]],
)  # fmt: skip
def test_wrong_words_are_one_line_and_status_2(words: list[str], capsys: pytest.CaptureFixture[str]):
    assert call(*words) == 2
    one_line(capsys)


@pytest.mark.parametrize("words", [["status"], ["freeze", "db1"], ["snapshot", "s"], ["put", "/etc/hosts", "db1:/x"]])
def test_lab_that_is_not_up_is_one_line_and_an_error(words: list[str], capsys: pytest.CaptureFixture[str]):
    assert call(*words) in (1, 2)
    assert "not up" in one_line(capsys)


@pytest.mark.parametrize("verb", [*VERBS, "up", "down", "status", "cut", "bmc", "restore", "logs", "get"])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]):
    assert call(verb, "--help") == 0
    assert verb in capsys.readouterr().out


def test_restore_of_an_unknown_snapshot_names_those_that_there_are(capsys: pytest.CaptureFixture[str]):
    assert call("restore", "nothing") == 2
    assert "there are: none" in one_line(capsys)


def test_lab_name_that_could_not_be_a_namespace_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HADB_LAB", "no/good")
    assert call("status") == 1
    assert "HADB_LAB" in one_line(capsys)
