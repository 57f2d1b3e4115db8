"""The execution module: what it runs, what it makes of the answers, and that it never takes silence for an answer."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from joined_module import corosync

from hadb_core import corosync_conf
from hadb_core.errors import CommandFailed, Invalid, Refused, Unreadable

FIXTURES = Path(__file__).parent / "fixtures"
RUNNING = ["pgrep", "-x", "corosync"]
CMAP = ["corosync-cmapctl", "-m"]
QUORUM = ["corosync-quorumtool", "-s"]
TEST = ["corosync", "-t", "-c"]


class Tools:
    """A queue of expected commands with their answers."""

    def __init__(self) -> None:
        self.expected: list[tuple[list[str], dict[str, Any]]] = []
        self.judged: list[str] = []

    def expect(self, argv: list[str], out: str = "", code: int = 0, err: str = "") -> Tools:
        self.expected.append((argv, {"retcode": code, "stdout": out, "stderr": err}))
        return self

    def run_all(self, argv: Sequence[str], **_: Any) -> dict[str, Any]:
        assert self.expected, f"unexpected: {argv}"
        wanted, answer = self.expected.pop(0)
        assert list(argv[: len(wanted)]) == wanted
        if argv[:2] == ["corosync", "-t"]:
            self.judged.append(Path(argv[3]).read_text())
        return answer


@pytest.fixture(params=["3.1.7", "3.1.9", "3.1.10"])
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def tools() -> Iterator[Tools]:
    queue = Tools()
    yield queue
    assert queue.expected == []


@pytest.fixture
def module(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The module on a node that has Corosync and a file that ``file`` writes."""
    loaded = corosync(tools.run_all)
    path = tmp_path / "corosync.conf"
    loaded.file = path
    monkeypatch.setattr(loaded.corosync.configuration, "__defaults__", (str(path),))
    return loaded


def told(version: str, name: str) -> str:
    return (FIXTURES / version / name).read_text()


def expect_maps(tools: Tools, version: str, case: str = "healthy") -> None:
    tools.expect([*CMAP, "icmap"], out=told(version, f"{case}.icmap"))
    tools.expect([*CMAP, "stats"], out=told(version, f"{case}.stats"))


def test_a_blank_node_runs_nothing_and_has_nothing_pending(module: SimpleNamespace) -> None:
    module.corosync_daemon.salt.utils.path.which = lambda name: None
    assert module.pending() == {"running": False, "file": None, "impact": "none", "changes": {}}
    assert module.membership() == module.status() == {"running": False}
    assert module.validate("totem {\n version: 2\n}\n") == []


def test_a_running_corosync_without_a_file_is_not_taken_for_settled(module: SimpleNamespace, tools: Tools) -> None:
    tools.expect(RUNNING)
    with pytest.raises(Unreadable, match="corosync.conf"):
        module.pending()


def test_the_status_asks_once_and_names_the_version(module: SimpleNamespace, tools: Tools, version: str) -> None:
    tools.expect(RUNNING)
    expect_maps(tools, version)
    tools.expect(QUORUM, out=told(version, "healthy.quorum"))
    tools.expect(["corosync", "-v"], out=f"Corosync Cluster Engine, version '{version}'\nCopyright (c)")
    found = module.status()
    assert (found["version"], found["members"]) == (version, ["db1", "db2"])


@pytest.mark.parametrize(("code", "quorate"), [(0, True), (2, False)])
def test_the_membership_takes_quorum_from_the_exit_code(
    module: SimpleNamespace, tools: Tools, version: str, code: int, quorate: bool
) -> None:
    tools.expect(RUNNING).expect(QUORUM, code=code)
    expect_maps(tools, version)
    assert module.membership()["quorate"] is quorate


def test_a_corosync_that_does_not_answer_is_an_error_and_not_stopped(module: SimpleNamespace, tools: Tools) -> None:
    tools.expect(RUNNING).expect(QUORUM, code=1, err="Cannot initialize QUORUM service")
    with pytest.raises(CommandFailed, match="Cannot initialize") as error:
        module.membership()
    assert (error.value.code, error.value.argv) == (1, ("corosync-quorumtool", "-s"))


def test_an_unreadable_answer_names_tool_version_and_line(module: SimpleNamespace, tools: Tools) -> None:
    tools.expect(RUNNING).expect(QUORUM).expect([*CMAP, "icmap"], out="totem.token = 3000")
    tools.expect(["corosync", "-v"], out="Corosync Cluster Engine, version '3.1.9'")
    with pytest.raises(Unreadable) as error:
        module.membership()
    assert (error.value.tool, error.value.line) == ("corosync-cmapctl (Corosync 3.1.9)", "totem.token = 3000")


def test_what_a_reload_would_change_is_pending(module: SimpleNamespace, tools: Tools, version: str) -> None:
    module.file.write_text(told(version, "pair.conf").replace("token: 3000", "token: 5000"))
    tools.expect(RUNNING).expect([*CMAP, "icmap"], out=told(version, "healthy.icmap"))
    found = module.pending()
    assert found["changes"] == {"totem.token": {"old": "3000", "new": "5000"}}
    assert (found["running"], found["impact"], len(found["file"])) == (True, "reload", 64)


def test_a_reload_checks_the_file_first(module: SimpleNamespace, tools: Tools, version: str) -> None:
    module.file.write_text(told(version, "pair.conf").replace("token: 3000", "token: 5000"))
    tools.expect(RUNNING).expect([*CMAP, "icmap"], out=told(version, "healthy.icmap"))
    tools.expect(TEST).expect(["corosync-cfgtool", "-R"])
    module.reload()
    assert "token: 5000" in tools.judged[0]


def test_what_only_a_restart_can_do_is_not_reloaded(module: SimpleNamespace, tools: Tools, version: str) -> None:
    module.file.write_text(told(version, "pair.conf").replace("mcastport: 5405", "mcastport: 6000"))
    tools.expect(RUNNING).expect([*CMAP, "icmap"], out=told(version, "healthy.icmap"))
    with pytest.raises(Refused, match=r"interface\[0\].mcastport.*stop pacemaker and corosync on both nodes"):
        module.reload()


def test_a_stopped_corosync_is_not_reloaded(module: SimpleNamespace, tools: Tools) -> None:
    tools.expect(RUNNING, code=1)
    with pytest.raises(Refused, match="does not run on this node"):
        module.reload()


def test_a_file_goes_through_plain_data_and_back(module: SimpleNamespace, version: str) -> None:
    module.file.write_text(told(version, "debian.conf"))
    items = module.parse()
    assert [item["section"] for item in items if "section" in item][:2] == ["totem", "logging"]
    assert any(item.get("comment", "").startswith("#") for item in items)
    assert module.parse(module.render(items)) == items


@pytest.mark.parametrize(
    "items",
    [
        "totem",
        [{"section": "totem"}],
        [{"key": "a", "value": "b", "items": []}],
        [{"section": "totem", "items": [{"key": "a:b", "value": "c"}]}],
        [{"key": "a", "value": "b\nc: d"}],
        [{"comment": "no hash"}],
        [{"comment": "# one\ntotem {"}],
        [{"section": "a {", "items": []}],
        [{"key": "", "value": "x"}],
        [7],
    ],
)
def test_data_that_a_file_cannot_hold_is_refused(module: SimpleNamespace, items: Any) -> None:
    with pytest.raises(Invalid):
        module.render(items)


def test_a_difference_tells_what_it_takes(module: SimpleNamespace, version: str) -> None:
    text = told(version, "pair.conf")
    module.file.write_text(text)
    assert module.diff(text) == {"impact": "none", "changes": {}, "layout": False}
    assert module.diff("# words\n" + text)["layout"] is True
    found = module.diff(text.replace("token: 3000", "token: 5000").replace("mcastport: 5406", "mcastport: 6000"))
    assert found["impact"] == "restart"
    assert {path: change["impact"] for path, change in found["changes"].items()} == {
        "totem.token": "reload", "totem.interface[1].mcastport": "restart",
    }  # fmt: skip


def test_everything_that_is_wrong_is_told_at_once(module: SimpleNamespace, tools: Tools) -> None:
    tools.expect(TEST, code=8, err="parse error in config: token")
    text = "totem {\n tokn: 1\n token: soon\n token: 5\n}\nnodelist {\n node {\n  name: a\n }\n node {\n  name: a\n }\n}\n"
    found = module.validate(text)
    for words in ("totem.tokn: Corosync does not know", "totem.token: is given 2 times", "node[a]: there are 2", "corosync -t: parse error"):
        assert any(words in fault for fault in found), words
    assert len(found) == 4


def test_a_file_that_cannot_be_read_has_one_fault_with_its_line(module: SimpleNamespace) -> None:
    assert module.validate("totem {\n just words\n}\n") == [
        "cannot read the output of corosync.conf: neither section, key nor comment (line: ' just words')"
    ]


@pytest.mark.parametrize("ask", ["parse", "diff"])
def test_a_file_that_is_not_there_is_not_an_empty_one(module: SimpleNamespace, ask: str) -> None:
    with pytest.raises(Unreadable, match="there is no such file"):
        getattr(module, ask)(*(["totem {\n}\n"] if ask == "diff" else []))
    assert "there is no such file" in module.validate()[0]


def test_a_file_is_judged_and_then_replaced_whole(module: SimpleNamespace, tools: Tools, version: str, tmp_path: Path) -> None:
    tools.expect(TEST)
    path = tmp_path / "etc/corosync.conf"
    module.write_configuration(told(version, "pair.conf"), str(path))
    assert path.read_text() == told(version, "pair.conf")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [item.name for item in path.parent.iterdir()] == ["corosync.conf"], "a temporary file was left behind"


def test_a_file_that_corosync_refuses_is_not_written(module: SimpleNamespace, tools: Tools, version: str, tmp_path: Path) -> None:
    tools.expect(TEST, code=8, err="parse error")
    with pytest.raises(CommandFailed):
        module.write_configuration(told(version, "pair.conf"), str(tmp_path / "new.conf"))
    assert not (tmp_path / "new.conf").exists()


def test_a_write_that_fails_half_way_leaves_the_old_file(
    module: SimpleNamespace, tools: Tools, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handle: int) -> None:
        raise OSError("no space left on device")

    path = tmp_path / "etc/corosync.conf"
    path.parent.mkdir()
    path.write_text("old")
    monkeypatch.setattr(module.corosync.os, "fsync", fail)
    tools.expect(TEST)
    with pytest.raises(OSError, match="no space"):
        module.write_configuration(told(version, "pair.conf"), str(path))
    assert [(item.name, item.read_text()) for item in path.parent.iterdir()] == [("corosync.conf", "old")]


def test_an_unknown_key_is_refused_before_corosync_is_asked(module: SimpleNamespace, version: str) -> None:
    with pytest.raises(Refused, match="quorum.two_nod: Corosync does not know"):
        module.check(told(version, "pair.conf").replace("two_node", "two_nod"))


def test_a_missing_tool_is_an_error_of_its_own(module: SimpleNamespace) -> None:
    module.corosync_daemon.salt.utils.path.which = lambda name: None
    with pytest.raises(CommandFailed, match="corosync-cmapctl is not installed"):
        module.corosync_daemon._cmap("icmap")


def test_the_file_of_a_node_without_corosync_is_judged_by_the_table_alone(module: SimpleNamespace, tmp_path: Path) -> None:
    module.corosync_daemon.salt.utils.path.which = lambda name: None
    module.write_configuration(corosync_conf.render(corosync_conf.parse("totem {\n version: 2\n}\n")), str(tmp_path / "x"))
    assert (tmp_path / "x").exists()
