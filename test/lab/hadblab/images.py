"""The lab's disk images: :func:`ensure` builds what is missing and says where everything is.

Also a command: ``python3 -m hadblab.images [--distro D] [--salt V] [--prune]``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hadblab import image_kernel, image_node, image_repo, image_salt
from hadblab.errors import LabError
from hadblab.image_cache import Artefact, Cache, digest
from hadblab.image_root import SUITES, bootstrap, packages
from hadblab.run import run

DISTROS = tuple(SUITES)
SALT = "3008.3"
# The machines around the database nodes are always of this distribution.
_AROUND = "debian13"
_CODE = Path(__file__).resolve().parent
_WORKERS = 3


@dataclass(frozen=True)
class Images:
    """What the lab boots.

    :param kernel: a program that is the nodes' kernel.
    :param base: read-only ext4 images by role (``node``, ``san``, ``master``).
    :param ssh_key: private key that root on every machine accepts.
    """

    kernel: Path
    base: dict[str, Path]
    ssh_key: Path


def home() -> Path:
    """Return the lab's directory: ``HADB_LAB_HOME``, or a fixed place outside the checkout."""
    return Path(os.environ.get("HADB_LAB_HOME") or "/var/tmp/hadb-lab")


def ensure(distro: str, salt: str, progress: Callable[[str], None]) -> Images:
    """Build the images that are missing and return where they all are.

    :param distro: the database nodes' distribution, one of :data:`DISTROS`.
    :param salt: Salt's version, as on PyPI.
    :param progress: called with one line per step, each with the seconds since the start.
    :raises LabError: an unknown distribution, or a build step that failed.
    """
    return _ensure(Cache(home() / "cache", progress), distro, salt)


def prune(distro: str, salt: str, progress: Callable[[str], None]) -> list[str]:
    """Build as :func:`ensure` does, then remove all cached artefacts that this did not need.

    :returns: the names of the artefacts removed.
    :raises LabError: as :func:`ensure`.
    """
    cache = Cache(home() / "cache", progress)
    _ensure(cache, distro, salt)
    return cache.prune()


def _ensure(cache: Cache, distro: str, salt: str) -> Images:
    if distro not in DISTROS:
        raise LabError(f"unknown distribution {distro!r}: choose one of {', '.join(DISTROS)}")
    pool = ThreadPoolExecutor(_WORKERS)
    try:
        return _Build(cache, pool, salt).images(distro)
    finally:
        # After a failure nothing new is begun; what runs is waited for, as it owns a lock.
        pool.shutdown(cancel_futures=True)


class _Build:
    """One set of images: which artefact is made from which, in parallel where they allow."""

    def __init__(self, cache: Cache, pool: ThreadPoolExecutor, salt: str) -> None:
        self._cache = cache
        self._pool = pool
        self._version = salt

    def images(self, distro: str) -> Images:
        """Start all independent builds, then put the images together one by one."""
        keys = self._keys()
        kernel = self._pool.submit(self._kernel)
        bases = {"node": self._pool.submit(self._base, distro, ("common", "node"))}
        salts = {d: self._pool.submit(self._salt, d) for d in dict.fromkeys([distro, _AROUND])}
        bases["around"] = self._pool.submit(self._base, _AROUND, ("common",))
        repository = self._repository(distro, bases["node"].result())

        def image(role: str, base: str, salt: Future[Path] | None, repo: Path | None) -> Path:
            archive = salt.result() / image_salt.ARCHIVE if salt else None
            parts = image_node.Parts(
                bases[base].result() / "root", kernel.result(), keys, archive, repo
            )
            made_from = map(str, (parts.base, parts.kernel, keys, archive, repo))
            sources = _sources("image_node", "image_disk", "image_repo", "image_root")
            key = digest(role, *made_from, image_node.inputs(role), sources)
            artefact = Artefact(f"{role}-{distro if role == 'node' else _AROUND}", key)
            return self._cache.get(artefact, lambda at: image_node.build(at, role, parts))

        # The array first: it alone does not wait for Salt.
        made = {
            "san": self._pool.submit(image, "san", "around", None, None),
            "node": self._pool.submit(image, "node", "node", salts[distro], repository),
            "master": self._pool.submit(image, "master", "around", salts[_AROUND], None),
        }
        return Images(
            kernel=kernel.result() / image_kernel.KERNEL,
            base={role: future.result() / "base.img" for role, future in made.items()},
            ssh_key=keys / "id_ed25519",
        )

    def _keys(self) -> Path:
        def build(target: Path) -> None:
            for name, comment in (("id_ed25519", "hadb-lab"), ("ssh_host_ed25519_key", "root@lab")):
                argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment]
                run([*argv, "-f", target / name])

        return self._cache.get(Artefact("keys", digest("keys")), build)

    def _kernel(self) -> Path:
        artefact = Artefact("kernel", digest(str(self._cache.home), _sources("image_kernel")))
        final = self._cache.home / artefact.directory
        return self._cache.get(artefact, lambda target: image_kernel.build(target, final))

    def _base(self, distro: str, lists: tuple[str, ...]) -> Path:
        wanted = packages(*lists)
        name = f"base-{lists[-1]}-{distro}"
        artefact = Artefact(name, digest(distro, *wanted, _sources("image_root")))
        return self._cache.get(artefact, lambda at: bootstrap(at / "root", distro, wanted))

    def _salt(self, distro: str) -> Path:
        built_in = image_salt.builder(distro, self._version)
        inputs = (built_in, self._version, *packages("builder"), _sources("image_salt", "image_root"))
        artefact = Artefact(f"salt-{self._version}-{built_in}", digest(*inputs))
        return self._cache.get(artefact, lambda at: image_salt.build(at, built_in, self._version))

    def _repository(self, distro: str, base: Path) -> Path:
        wanted = packages("repo", f"repo-{distro}")
        artefact = Artefact(f"repo-{distro}", digest(str(base), *wanted, _sources("image_repo")))
        return self._cache.get(artefact, lambda at: image_repo.build(at, base / "root", distro))


def _sources(*modules: str) -> str:
    """Return the hash of build code: an artefact made by other code is another artefact."""
    return digest(*((_CODE / f"{module}.py").read_bytes() for module in modules))


def main() -> int:
    """Build from the command line and print where the images are."""
    parser = argparse.ArgumentParser(prog="hadblab.images", description=__doc__.splitlines()[0])
    parser.add_argument("--distro", choices=DISTROS, default=DISTROS[0])
    parser.add_argument("--salt", default=SALT, metavar="VERSION")
    parser.add_argument("--prune", action="store_true", help="remove what this build did not use")
    chosen = parser.parse_args()

    def progress(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        if chosen.prune:
            for name in prune(chosen.distro, chosen.salt, progress):
                print(f"removed {name}")
        images = ensure(chosen.distro, chosen.salt, progress)
    except LabError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"kernel  {images.kernel}")
    for role, path in images.base.items():
        print(f"{role:7} {path}")
    print(f"ssh key {images.ssh_key}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
