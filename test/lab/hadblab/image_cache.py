"""Build artefacts once: a directory per artefact, named by the hash of what it is made from."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

Progress = Callable[[str], None]

_PARTIAL = ".partial"
_LOCK = ".lock"


def digest(*parts: str | bytes) -> str:
    """Return a hexadecimal SHA-256 over ``parts``, each told apart from its neighbours."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(b"%d:" % len(data))
        total.update(data)
    return total.hexdigest()


def digest_files(*roots: Path) -> str:
    """Return one hash over files and directory trees: names, contents, links and x-bits.

    :raises OSError: a root does not exist or cannot be read.
    """
    parts: list[str | bytes] = []
    for root in roots:
        for path in [root, *sorted(root.rglob("*"))]:
            parts.append(f"{path.relative_to(root.parent)}")
            if path.is_symlink():
                parts.append(f"link {path.readlink()}")
            elif path.is_file():
                parts.append("x" if path.stat().st_mode & 0o100 else "-")
                parts.append(path.read_bytes())
    return digest(*parts)


@dataclass(frozen=True)
class Artefact:
    """One thing that can be built: its readable name and the hash of all its inputs."""

    name: str
    key: str

    @property
    def directory(self) -> str:
        """The artefact's directory name inside the cache."""
        return f"{self.name}-{self.key}"


@dataclass
class Cache:
    """The directory that holds finished artefacts, safe for several builders at once.

    :param home: the cache directory; made when it is missing.
    :param progress: told when a build starts and how long it took.
    """

    home: Path
    progress: Progress
    used: set[str] = field(default_factory=set)
    _started: float = field(default_factory=time.monotonic)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def get(self, artefact: Artefact, build: Callable[[Path], None]) -> Path:
        """Return the artefact's directory, building it first when it is not there.

        :param build: fills the empty directory it is given; nothing of it is kept
            when it raises or this process dies.
        :raises LabError: whatever ``build`` raises.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with self._guard:
            self.used.add(artefact.directory)
        final = self.home / artefact.directory
        if final.is_dir():
            return final
        waits = partial(self._say, f"{artefact.name}: another builder is making it")
        with locked(self.home / f"{artefact.name}{_LOCK}", waits):
            if not final.is_dir():
                self._build(artefact.name, final, build)
        return final

    def _build(self, name: str, final: Path, build: Callable[[Path], None]) -> None:
        """Fill a directory and make it final at once; the caller holds the artefact's lock."""
        unfinished = self.home / f"{name}{_PARTIAL}"
        # Left by a builder that was killed: the lock proves that nobody is in it.
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        begun = time.monotonic()
        self._say(f"{name}: building")
        try:
            build(unfinished)
            unfinished.rename(final)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        self._say(f"{name}: built in {time.monotonic() - begun:.0f} s")

    def prune(self) -> list[str]:
        """Remove finished artefacts that nothing asked for since this cache was opened.

        :returns: the names of the directories removed.
        """
        removed = []
        for path in sorted(self.home.iterdir()):
            if not path.is_dir() or path.name in self.used or path.name.endswith(_PARTIAL):
                continue
            shutil.rmtree(path)
            removed.append(path.name)
        return removed

    def _say(self, message: str) -> None:
        self.progress(f"[{time.monotonic() - self._started:5.0f} s] {message}")


@contextmanager
def locked(path: Path, waits: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; when somebody else has it, call ``waits`` and wait."""
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
