"""What can go wrong, one class per meaning.

States catch :class:`HadbError` by class, never by text. Every error keeps what it
knows as fields, so that a report can be built from them; ``str(error)`` is one
readable sentence.
"""

from __future__ import annotations

from collections.abc import Sequence


class HadbError(Exception):
    """Base of all errors that hadb raises on purpose."""


class CommandFailed(HadbError):
    """A command ran and its exit code was not one of the expected ones.

    argv
        The command as a list. Secrets never are in it (they travel by stdin or file).
    code
        Its exit code.
    out, err
        What it printed, shortened to the last 2000 characters in the message.
    """

    def __init__(self, argv: Sequence[str], code: int, out: str = "", err: str = "") -> None:
        self.argv, self.code, self.out, self.err = tuple(argv), code, out, err
        said = (err.strip() or out.strip() or "it printed nothing")[-2000:]
        super().__init__(f"`{' '.join(self.argv)}` ended with exit code {code}: {said}")


class Unreadable(HadbError):
    """A tool's output could not be understood, so nothing is known (never: nothing is there).

    tool
        The program, with its version where known.
    line
        The line that was not understood, or ``""``.
    """

    def __init__(self, tool: str, why: str, line: str = "") -> None:
        self.tool, self.why, self.line = tool, why, line
        super().__init__(f"cannot read the output of {tool}: {why}" + (f" (line: {line!r})" if line else ""))

    def of(self, version: str) -> Unreadable:
        """Return the same error with the tool's version in its name, for who asked the tool knows it.

        version
            As the tool prints it, ``"Pacemaker 3.0.0"``; ``""`` leaves the error as it is.
        """
        return Unreadable(f"{self.tool} ({version})", self.why, self.line) if version else self


class Refused(HadbError):
    """hadb could do what was asked but will not, because it could cost data or the service.

    reason
        What was found.
    remedy
        What a human can do about it.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.reason, self.remedy = reason, remedy
        super().__init__(reason + (f". What to do: {remedy}" if remedy else ""))


class NotReady(Refused):
    """What was asked for cannot be done *now*: something else, which a whole run does before, has to come first."""


class NotProven(HadbError):
    """Something was done, and the proof that it holds failed.

    done
        What was done.
    found
        What the proof found, and how things are now.
    remedy
        What a human can do about it.
    """

    def __init__(self, done: str, found: str, remedy: str) -> None:
        self.done, self.found, self.remedy = done, found, remedy
        super().__init__(f"{done}, but it does not hold: {found}. What to do: {remedy}")


class Invalid(HadbError):
    """Input that cannot be right; carries *all* faults that were found.

    faults
        Sentences, each naming the pillar path, what is wrong and what to do.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))
