"""Make and enter Debian root directories without leaving a mount or a process behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from hadblab.run import run

IMAGE = Path(__file__).resolve().parent.parent / "image"
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
SUITES = {"debian13": "trixie", "debian12": "bookworm"}

# Everything runs in a mount and process namespace of its own that dies with this
# process: an interrupted build can leave neither a bind mount nor a daemon.
ISOLATED = (
    "setpriv", "--pdeathsig", "KILL",
    "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
)  # fmt: skip
BUILD_SECONDS = 1800


def packages(*names: str) -> list[str]:
    """Return the packages of the lists ``image/packages/NAME.txt``, without comments.

    :raises OSError: a list does not exist.
    """
    found: list[str] = []
    for name in names:
        for line in (IMAGE / "packages" / f"{name}.txt").read_text().splitlines():
            found += line.partition("#")[0].split()
    return found


def bootstrap(root: Path, distro: str, include: Iterable[str]) -> None:
    """Install a minimal Debian with the packages ``include`` into the directory ``root``.

    The package lists are kept, so that ``apt-get`` can be used in it at once.

    :param distro: a key of :data:`SUITES`.
    :raises LabError: a package could not be fetched or installed.
    """
    suite = SUITES[distro]
    run(
        [
            *ISOLATED, "mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase",
            "--skip=cleanup/apt/lists", f"--include={','.join(include)}",
            "--dpkgopt=force-unsafe-io",
            # Locale data and manuals would be a third of the files in an image.
            "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
            "--dpkgopt=path-exclude=/usr/share/info/*", "--aptopt=Acquire::Languages none",
            suite, str(root),
            f"deb {MIRROR} {suite} main", f"deb {MIRROR} {suite}-updates main",
            f"deb {SECURITY} {suite}-security main",
        ],
        timeout=BUILD_SECONDS,
    )  # fmt: skip


def enter(root: Path, argv: Sequence[str | Path]) -> str:
    """Run a command inside ``root`` (chroot, private mounts, host network) and return its output.

    The host's CA bundle is visible at its usual place for as long as the command runs.

    :raises LabError: the command failed.
    """
    return run([*ISOLATED, IMAGE / "enter", root, *argv], timeout=BUILD_SECONDS).stdout


def install(root: Path, names: Sequence[str]) -> None:
    """Install packages without their recommendations into ``root``.

    :raises LabError: ``apt-get`` failed.
    """
    enter(root, ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *names])
