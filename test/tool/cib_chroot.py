"""The real Pacemaker tools of each supported Debian release, run in its chroot.

With ``CIB_file`` set, the CIB tools and crmsh work on a file and need no daemon, so whole
CIBs can be judged by the tools that will run on the servers, two releases side by side.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_FILES = Path(__file__).resolve().parents[2] / "hadb/files"
# Where hadb.pacemaker.agents and hadb.fencing.agent install them; a test of the SLS files holds them to that.
_AGENTS = {
    "usr/lib/hadb/agent.sh": "agents/agent.sh",
    "usr/sbin/fence_hadb": "fence_hadb",
    **{f"usr/lib/ocf/resource.d/hadb/{name}": f"agents/{name}" for name in ("lvm", "filesystem", "address", "server")},
}

# A layer over the chroot, which is kept for others; what is written goes to memory.
_LAYERED = (
    'mount -t tmpfs none /mnt && mkdir /mnt/up /mnt/work /mnt/root && '
    'mount -t overlay overlay -o "lowerdir=$LAYER:$0,upperdir=/mnt/up,workdir=/mnt/work" /mnt/root && '
    'exec sh -c "$ENTER" /mnt/root "$@"'
)
# A mount namespace that ends with the command: /tmp is shared, so that file names mean the same inside.
_ENTER = 'mount --bind /tmp "$0/tmp" && mount --bind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'


def agents_layer(directory: Path) -> Path:
    """Return ``directory`` with hadb's agents of this checkout in it, to be laid over a chroot."""
    for place, source in _AGENTS.items():
        path = directory / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_FILES / source, path)
        path.chmod(0o755)
    return directory


def run_all(root: Path, cib: Path | None = None, layer: Path | None = None) -> Any:
    """Return a stand-in for Salt's ``cmd.run_all`` that runs the command inside ``root``.

    :param cib: the file that stands for the live CIB; below ``/tmp``.
    :param layer: a directory whose files are there as well.
    """

    def run(
        argv: Sequence[str], stdin: str | None = None, env: Mapping[str, str] | None = None,
        timeout: float | None = 60, **_salt: Any,
    ) -> dict[str, Any]:  # fmt: skip
        inside = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **(env or {})}
        if cib is not None:
            inside["CIB_file"] = str(cib)
        enter = _ENTER
        if layer is not None:
            enter, inside["ENTER"], inside["LAYER"] = _LAYERED, _ENTER, str(layer)
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", enter, str(root), *argv],
            input=stdin or "", capture_output=True, text=True, env=inside, timeout=timeout,
        )  # fmt: skip
        return {"retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    return run
