"""The one way in which hadb's execution modules run a command.

The caller hands in Salt's ``cmd.run_all``, so this file needs no Salt: an argv list, never
a shell, the C locale, secrets only by stdin, and a table of exit codes that are answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hadb_core.errors import CommandFailed, Unreadable

RunAll = Callable[..., Mapping[str, Any]]

LOCALE = {"LC_ALL": "C", "LANG": "C"}


class Result(NamedTuple):
    """What a command answered: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def run(
    run_all: RunAll,
    argv: Sequence[str],
    *,
    stdin: str | None = None,
    answers: Collection[int] = (0,),
    env: Mapping[str, str] | None = None,
    timeout: float | None = 120,
    hide: Collection[str] = (),
) -> Result:
    """Run one command and return what it answered.

    run_all
        ``__salt__["cmd.run_all"]`` of the calling module.
    argv
        The command as a list. Never put a secret into it.
    stdin
        Text for its standard input; the place for secrets.
    answers
        Exit codes that are an answer (``crm_diff``: 0 equal, 1 different). Any other raises.
    env
        Environment variables on top of the C locale.
    timeout
        Seconds until the command is killed; ``None`` waits for ever.
    hide
        Secrets that the command was given and might repeat; an error shows ``(hidden)`` in their place.

    Raises :class:`~hadb_core.errors.CommandFailed` for any other exit code, also when the
    program does not exist.
    """
    done = run_all(
        list(argv),
        stdin=stdin,
        env={**LOCALE, **(env or {})},
        timeout=timeout,
        python_shell=False,
        ignore_retcode=True,
        output_loglevel="quiet",
    )
    result = Result(int(done["retcode"]), str(done.get("stdout", "")), str(done.get("stderr", "")))
    if result.code not in answers:
        raise CommandFailed(argv, result.code, _without(result.out, hide), _without(result.err, hide))
    return result


def _without(text: str, secrets: Collection[str]) -> str:
    # The longest first: one secret may be part of another.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "(hidden)")
    return text


# How programs tell their version, in the first line that they print.
_VERSION_OF = {"lvm": ("lvm", "version"), "ipmitool": ("ipmitool", "-V"), "dumpe2fs": ("dumpe2fs", "-V")} | {
    name: (name, "--version") for name in ("wipefs", "partx", "blkid", "udevadm")
}


@contextlib.contextmanager
def naming_version(run_all: RunAll) -> Iterator[None]:
    """Let an :class:`~hadb_core.errors.Unreadable` that passes name the version of the program, where it can be asked.

    run_all
        As for :func:`run`.
    """
    try:
        yield
    except Unreadable as error:
        argv = _VERSION_OF.get(error.tool.partition(" ")[0])
        if argv is None or error.tool.endswith(")"):  # nothing to ask, or asked already
            raise
        try:
            said = run(run_all, argv)
        except CommandFailed:
            raise error from None
        raise error.of((said.out.strip() or said.err.strip()).partition("\n")[0]) from error
