"""ipmitool is called without a password on its command line, and its silence is never taken for an answer."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hadb_core.errors import CommandFailed, Refused, Unreadable
from support import load

PASSWORD = "never-on-argv"
PILLAR = {
    "hadb": {"nodes": {"db1": {"bmc": {"address": "10.20.0.101", "username": "hadb", "password": PASSWORD}}}}
}
DOCUMENT = {
    "nodes": {"db1": {"bmc": {"address": "10.20.0.101", "username": "hadb", "password": "(hidden)"}}},
    "fencing": {"cipher": 17, "privlvl": "operator"},
}


class Bmc:
    """Answers ipmitool's command lines and looks at the password file at that moment."""

    def __init__(self, answer: Callable[[list[str], str], tuple[int, str]]) -> None:
        self.answer, self.files = answer, []

    def run_all(self, argv: list[str], **_how: Any) -> dict[str, Any]:
        assert not any(PASSWORD in word for word in argv)
        assert "-P" not in argv
        file = Path(argv[argv.index("-f") + 1])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        self.files.append(file)
        code, out = self.answer(argv, file.read_text())
        return {"retcode": code, "stdout": out, "stderr": ""}


def module(
    answer: Callable[[list[str], str], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> tuple[ModuleType, Bmc]:
    bmc = Bmc(answer)
    loaded = load(
        "_modules/ipmitool.py",
        salt={"cmd.run_all": bmc.run_all, "hadb.document": lambda: DOCUMENT},
        pillar=PILLAR,
    )
    monkeypatch.setattr(loaded.salt.utils.path, "which", lambda name: f"/usr/bin/{name}")
    return loaded, bmc


def on(argv: list[str], _password: str) -> tuple[int, str]:
    return 0, "Chassis Power is on\n"


def test_the_login_is_the_pillars_and_the_password_file_is_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(argv: list[str], password: str) -> tuple[int, str]:
        assert password == f"{PASSWORD}\n"
        assert argv[argv.index("-C") + 1] == "17"
        assert argv[argv.index("-L") + 1] == "OPERATOR"
        assert argv[argv.index("-U") + 1] == "hadb"
        return on(argv, password)

    ipmitool, bmc = module(answer, monkeypatch)
    assert ipmitool.power_status("10.20.0.101") == "on"
    assert not any(file.exists() for file in bmc.files)


def test_an_address_that_the_pillar_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ipmitool, _ = module(on, monkeypatch)
    with pytest.raises(Refused, match=r"10\.20\.0\.109"):
        ipmitool.power_status("10.20.0.109")


def test_an_unknown_power_action_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ipmitool, bmc = module(on, monkeypatch)
    with pytest.raises(Refused):
        ipmitool.power("10.20.0.101", "explode")
    assert not bmc.files


def test_a_missing_program_is_an_error_and_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ipmitool, _ = module(on, monkeypatch)
    monkeypatch.setattr(ipmitool.salt.utils.path, "which", lambda name: None)
    with pytest.raises(CommandFailed, match="not installed"):
        ipmitool.power_status("10.20.0.101")


FIXTURES = Path(__file__).parent / "fixtures/ipmitool-1.8.19"
READS: list[tuple[str, tuple[Any, ...], str, str]] = [
    ("chassis_status", (), "chassis status", "chassis-status.txt"), ("mc_info", (), "mc info", "mc-info.txt"),
    ("lan", (2,), "lan print 2", "mc-info.txt"), ("sel", (), "sel list", "power-on.txt"),
    ("users", (3,), "-c user list 3", "user-list.txt"), ("identity", (), "mc guid", "mc-guid.txt"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "args", "words", "answer"), READS)
def test_each_question_is_asked_in_ipmitools_words(
    monkeypatch: pytest.MonkeyPatch, function: str, args: tuple[Any, ...], words: str, answer: str
) -> None:
    asked = []

    def said(argv: list[str], _password: str) -> tuple[int, str]:
        asked.append(" ".join(argv[argv.index("-R") + 2 :]))
        return 0, (FIXTURES / answer).read_text()

    ipmitool, _ = module(said, monkeypatch)
    assert getattr(ipmitool, function)("10.20.0.101", *args)
    assert asked == [words]


@pytest.mark.parametrize("own", ["01020304-0506-0708-090a-0b0c0d0e0f10\n", None])
def test_a_bmc_is_proven_to_be_this_machines_or_not_known(monkeypatch: pytest.MonkeyPatch, own: str | None) -> None:
    ipmitool, _ = module(lambda argv, pw: (0, (FIXTURES / "mc-guid.txt").read_text()), monkeypatch)

    class Dmi:
        def __init__(self, *words: str) -> None:
            self.path = Path(*words)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.path, name)

        def read_text(self, encoding: str) -> str:
            if own is None:
                raise FileNotFoundError
            return own

    monkeypatch.setattr(ipmitool, "Path", Dmi)
    assert ipmitool.identity("10.20.0.101")["is_own"] == ("same" if own else "unknown")


def test_power_is_switched_in_the_words_of_the_bmc(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    ipmitool, _ = module(lambda argv, pw: (asked.append(argv[-3:]), (0, ""))[1], monkeypatch)
    for action in ("on", "off", "cycle"):
        ipmitool.power("10.20.0.101", action)
    assert asked == [["chassis", "power", action] for action in ("on", "off", "cycle")]


def test_an_answer_that_cannot_be_read_names_ipmitools_version(monkeypatch: pytest.MonkeyPatch) -> None:
    ipmitool, bmc = module(lambda argv, pw: (0, "Chassis Power is unknown\n"), monkeypatch)
    run_all = bmc.run_all

    def with_version(argv: list[str], **how: Any) -> dict[str, Any]:
        version = {"retcode": 0, "stdout": "ipmitool version 1.8.19\n", "stderr": ""}
        return version if argv == ["ipmitool", "-V"] else run_all(argv, **how)

    ipmitool.__salt__["cmd.run_all"] = with_version
    with pytest.raises(Unreadable, match=r"\(ipmitool version 1\.8\.19\).*is unknown"):
        ipmitool.power_status("10.20.0.101")


KEY = "hadb:nodes:db1:bmc:password"


@pytest.fixture
def fencing(tmp_path: Path) -> tuple[Any, Path]:
    exec_module = load("_modules/bmcpasswords.py", pillar=PILLAR)
    names = ("passwords", "make_directory", "write_password", "remove_password")
    functions = {f"bmcpasswords.{name}": getattr(exec_module, name) for name in names}

    def state(*, test: bool = False, bmcs: dict[str, str] | None = None) -> dict[str, Any]:
        loaded = load("_states/ipmitool.py", salt=functions, opts={"test": test})
        return loaded.passwords_present(str(tmp_path / "bmc"), {"10.20.0.101": KEY} if bmcs is None else bmcs)

    return state, tmp_path / "bmc"


def test_the_password_files_are_for_root_only_and_made_once(fencing: tuple[Any, Path]) -> None:
    state, directory = fencing
    predicted = state(test=True)
    assert predicted["result"] is None
    assert not directory.exists()
    done = state()
    assert (done["result"], done["changes"]) == (True, predicted["changes"])
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    file = directory / "10.20.0.101"
    assert (stat.S_IMODE(file.stat().st_mode), file.read_text()) == (0o600, f"{PASSWORD}\n")
    assert [path.name for path in directory.iterdir()] == ["10.20.0.101"]
    assert state()["changes"] == {}


def test_no_result_shows_a_password(fencing: tuple[Any, Path]) -> None:
    state, directory = fencing
    first = state()
    (directory / "10.20.0.101").write_text("the-old-one\n")
    second = state()
    assert second["changes"]
    for ret in (first, second, state(test=True)):
        assert PASSWORD not in str(ret)
        assert "the-old-one" not in str(ret)


@pytest.mark.parametrize("path", ["", "10.20.0.101"])
def test_a_file_that_others_can_read_is_made_private_again(fencing: tuple[Any, Path], path: str) -> None:
    state, directory = fencing
    state()
    (directory / path).chmod(0o755)
    assert list(state()["changes"]) == [str(directory / path)]
    assert state()["changes"] == {}


def test_the_password_of_a_bmc_that_left_is_removed(fencing: tuple[Any, Path]) -> None:
    state, directory = fencing
    state()
    assert state(bmcs={})["result"] is True
    assert list(directory.iterdir()) == []


def test_a_pillar_without_the_password_fails_by_its_key(fencing: tuple[Any, Path]) -> None:
    state, _ = fencing
    ret = state(bmcs={"10.20.0.102": "hadb:nodes:db2:bmc:password"})
    assert ret["result"] is False
    assert "hadb:nodes:db2:bmc:password" in ret["comment"]


def test_without_its_directory_every_password_is_absent(tmp_path: Path) -> None:
    files = load("_modules/bmcpasswords.py", pillar=PILLAR)
    assert files.passwords({"10.20.0.101": KEY}, str(tmp_path / "none")) == {".": None, "10.20.0.101": None}


def test_a_bmc_without_a_file_is_absent(tmp_path: Path) -> None:
    files = load("_modules/bmcpasswords.py", pillar=PILLAR)
    files.make_directory(str(tmp_path / "bmc"))
    assert files.passwords({"10.20.0.101": KEY}, str(tmp_path / "bmc"))["10.20.0.101"] is None
