"""Commands in the order in which they are expected, with the answers of real tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

QUERY = ["cibadmin", "--query"]
MON = ["crm_mon", "--one-shot", "--output-as=xml"]


class Commands:
    """A queue of expected commands: an unexpected one, or one that is left over, fails the test."""

    def __init__(self) -> None:
        self.expected: list[tuple[Sequence[str], dict[str, Any]]] = []
        self.inputs: list[str | None] = []
        self.files: list[tuple[str, int]] = []

    def expect(self, argv: Sequence[str], out: str = "", code: int = 0, err: str = "") -> Commands:
        """Expect a command that begins with ``argv``, and answer it."""
        self.expected.append((argv, {"retcode": code, "stdout": out, "stderr": err}))
        return self

    def expect_status(self, real: Callable[[str], str], mon: str = "running", cib: str = "running") -> Commands:
        """Expect the two questions of ``pacemaker.status``."""
        return self.expect(QUERY, out=real(f"cib-{cib}")).expect(MON, out=real(f"crm_mon-{mon}"))

    def run_all(self, argv: Sequence[str], stdin: str | None = None, **_: Any) -> dict[str, Any]:
        """Answer a command as Salt's ``cmd.run_all`` would."""
        assert self.expected, f"unexpected: {argv}"
        wanted, answer = self.expected.pop(0)
        assert argv[: len(wanted)] == wanted
        self.inputs.append(stdin)
        paths = [Path(word) for word in argv if word.endswith(".xml")]
        self.files += [(path.read_text(), path.stat().st_mode & 0o777) for path in paths]
        return answer
