"""``hadb_write``: what a power cut left of an installation is finished, in an order that works."""

from __future__ import annotations

from typing import Any

import pytest

from support import load

_APT = "apt-get --yes --no-install-recommends"


@pytest.mark.parametrize("broken", [True, False])
def test_an_interrupted_installation_is_finished(broken: bool) -> None:
    ran: list[list[str]] = []

    def run_all(argv: list[str], **_: Any) -> dict[str, Any]:
        ran.append(argv)
        answers = {
            "dpkg-query": (0, "lvm2 reinstreq\nbash ok\n" if broken else "bash ok\n"),
            f"{_APT} update": (100, "no mirror answers, the old lists have to do"),
        }
        code, out = next((answer for words, answer in answers.items() if " ".join(argv).startswith(words)), (0, ""))
        return {"retcode": code, "stdout": out, "stderr": ""}

    load("_modules/hadb_write.py", salt={"cmd.run_all": run_all}).finish_installation()
    done = [" ".join(word for word in argv if not word.startswith("--force-conf")) for argv in ran]
    wanted = ["dpkg --configure -a", done[1]]
    wanted += ["dpkg --remove --force-remove-reinstreq --force-depends lvm2"] if broken else []
    wanted += [f"{_APT} update", f"{_APT} --fix-broken install"]
    wanted += [f"{_APT} install lvm2"] if broken else []
    assert done == [*wanted, "dpkg --configure -a"]
