"""The blank node's own apt repository: what the formula may install, with no way out."""

from __future__ import annotations

from pathlib import Path

from hadblab.image_root import enter, packages
from hadblab.run import run

PLACE = "srv/apt"


def build(target: Path, base: Path, distro: str) -> None:
    """Download the repository's packages, as apt resolves them on the node, into ``target``.

    :param base: the root directory of the node image; only its download cache is used.
    :raises LabError: a package is unknown or cannot be installed together with the others.
    """
    wanted = packages("repo", f"repo-{distro}")
    apt = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "--download-only"]
    enter(base, [*apt, *wanted])
    for package in sorted((base / "var/cache/apt/archives").glob("*.deb")):
        package.rename(target / package.name)
    index(target)


def index(repository: Path) -> None:
    """Write ``Packages`` for the packages in a flat repository.

    :raises LabError: ``apt-ftparchive`` failed.
    """
    listing = run(["apt-ftparchive", "packages", "."], cwd=repository).stdout
    (repository / "Packages").write_text(listing)


def use_only(root: Path) -> None:
    """Make the repository at ``/srv/apt`` the only one that apt in ``root`` knows of.

    :raises LabError: apt cannot read the repository.
    """
    apt = root / "etc/apt"
    (apt / "sources.list").unlink(missing_ok=True)
    for listed in [*apt.glob("sources.list.d/*"), *(root / "var/lib/apt/lists").glob("*_*")]:
        listed.unlink()
    (root / PLACE).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list.d/hadb-lab.list").write_text(f"deb [trusted=yes] file:/{PLACE} ./\n")
    enter(root, ["apt-get", "update", "-qq"])
