"""ocf:hadb:filesystem on an ext4 image of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_chroot import (
    AGENTS,
    CONFIGURED,
    GENERIC,
    NOT_RUNNING,
    SUCCESS,
    Agents,
    Space,
    alive,
    environment,
    kill,
    loop_device,
    wait_until,
)


class Mounted(Agents):
    """An ext4 image on a loop device, with a mount namespace in which the agent mounts it."""

    def __init__(self, directory: Path) -> None:
        self.device = loop_device(directory / "image", 2**24)
        subprocess.run(["mkfs.ext4", "-q", self.device], check=True)
        super().__init__("trixie", directory, Space("--mount"))
        self.environment["HADB_AGENT_LIB"] = str(AGENTS / "agent.sh")
        self.mount_point = directory / "dbmnt"
        self.parameters = {"device": self.device, "directory": str(self.mount_point), "fstype": "ext4"}

    # The agent runs on this machine: a chroot would hide what the agent mounts from the next action.
    def run(self, argv: Any, env: Any = None) -> subprocess.CompletedProcess[str]:
        assert self.space
        return subprocess.run(
            [*self.space.enter, *argv],
            env={**self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def act(self, agent: str, action: str, parameters: Any, **meta: Any) -> subprocess.CompletedProcess[str]:
        return self.run([str(AGENTS / agent), action], environment(agent, parameters, **meta))

    def does(self, action: str, **meta: int) -> int:
        return self.act("filesystem", action, self.parameters, **meta).returncode

    def inside(self, *argv: str) -> subprocess.Popen[bytes]:
        """Begin a command in the namespace."""
        assert self.space
        return subprocess.Popen([*self.space.enter, *argv], stdin=subprocess.DEVNULL)


@pytest.fixture
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mounted]:
    made = Mounted(tmp_path_factory.mktemp("mounted"))
    yield made
    assert made.space
    made.space.close()
    subprocess.run(["losetup", "--detach", made.device], check=True)


@pytest.fixture(params=("bookworm", "trixie"))
def agents(request: pytest.FixtureRequest, tmp_path: Path) -> Agents:
    return Agents(request.param, tmp_path)


def test_a_filesystem_is_mounted_watched_and_unmounted(mounted: Mounted) -> None:
    assert mounted.does("monitor", interval=0) == NOT_RUNNING
    assert mounted.does("stop") == SUCCESS
    assert mounted.does("start") == mounted.does("start") == SUCCESS
    assert mounted.does("monitor") == mounted.does("monitor", depth=20) == SUCCESS
    assert mounted.said() == ""
    assert mounted.does("stop") == mounted.does("stop") == SUCCESS
    assert mounted.does("monitor") == NOT_RUNNING


def test_ocf_tester_passes_filesystem(mounted: Mounted, agents: Agents) -> None:
    tested = agents.tested("filesystem", mounted.parameters)
    assert tested.returncode == 0, tested.stdout


def test_a_filesystem_without_its_device_is_no_error_of_a_probe(mounted: Mounted) -> None:
    mounted.parameters["device"] = "/dev/vg-db/data"
    assert mounted.does("monitor", interval=0) == NOT_RUNNING
    assert mounted.does("stop") == SUCCESS
    assert mounted.does("start", timeout=1000) == GENERIC


def test_a_read_only_filesystem_fails_at_every_depth(mounted: Mounted) -> None:
    assert mounted.does("start") == SUCCESS
    mounted.run(["mount", "-o", "remount,ro", str(mounted.mount_point)])
    assert mounted.does("monitor") == GENERIC
    mounted.parameters["options"] = "noatime,ro"
    assert mounted.does("monitor") == mounted.does("monitor", depth=20) == SUCCESS
    assert mounted.does("stop") == SUCCESS


@pytest.mark.parametrize("flag", ["emergency_ro", "shutdown"])
def test_a_filesystem_that_the_kernel_shut_down_fails(mounted: Mounted, flag: str) -> None:
    """As Linux 6.15 and later show it: still rw."""
    (mounted.directory / "mounts").write_text(
        f"{mounted.device} {mounted.mount_point} ext4 rw,{flag},relatime 0 0\n"
    )
    mounted.environment["HADB_MOUNTS"] = str(mounted.directory / "mounts")
    assert mounted.does("monitor") == GENERIC


def test_a_stop_without_a_device_touches_no_other_filesystem(mounted: Mounted) -> None:
    """Neither the volume, once inactive, nor /dev/root, which many kernels call their root, exists by its name."""
    other = mounted.directory / "other"
    other.mkdir()
    mounted.run(["mount", "-t", "tmpfs", "tmpfs", str(other)])
    user = mounted.inside("sh", "-c", f"cd {other}; exec sleep 1000")
    (mounted.directory / "mounts").write_text(f"/dev/root / ext4 rw 0 0\n/dev/gone {other} ext4 rw 0 0\n")
    mounted.environment["HADB_MOUNTS"] = str(mounted.directory / "mounts")
    mounted.parameters["device"] = "/dev/db-vg/db-vol"
    assert mounted.does("stop") == SUCCESS
    assert mounted.does("monitor") == NOT_RUNNING
    assert str(other) in mounted.run(["cat", "/proc/mounts"]).stdout
    assert user.poll() is None
    kill(user.pid, signal.SIGKILL)
    user.wait()


def test_on_its_own_directory_a_device_that_the_kernel_lost_is_the_volume(mounted: Mounted) -> None:
    (mounted.directory / "mounts").write_text(f"/dev/mapper/db--vg-db--vol {mounted.mount_point} ext4 rw 0 0\n")
    mounted.environment["HADB_MOUNTS"] = str(mounted.directory / "mounts")
    mounted.parameters["device"] = "/dev/db-vg/db-vol"
    assert mounted.does("monitor") == SUCCESS


def test_a_full_filesystem_is_no_failure(mounted: Mounted) -> None:
    assert mounted.does("start") == SUCCESS
    full = mounted.run(["dd", "if=/dev/zero", f"of={mounted.mount_point}/filler", "bs=4096"])
    assert "No space left" in full.stderr
    assert mounted.does("monitor", depth=20) == SUCCESS


def test_a_write_that_fails_or_never_ends_is_seen(mounted: Mounted) -> None:
    assert mounted.does("start") == SUCCESS
    mounted.fake("dd", "#!/bin/sh\necho 'dd: error: Input/output error' >&2\nexit 1\n")
    assert mounted.does("monitor", depth=20) == GENERIC
    mounted.fake("dd", f"#!/bin/sh\necho $$ >{mounted.directory}/dd\nexec sleep 1000\n")
    hung = mounted.act("filesystem", "monitor", mounted.parameters, depth=20, timeout=2000)
    assert hung.returncode == GENERIC and "takes longer than 1 s" in hung.stderr
    wait_until(lambda: not alive(int(mounted.said("dd"))))


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
def test_processes_in_the_filesystem_do_not_hold_up_its_stop(mounted: Mounted, trap: str) -> None:
    assert mounted.does("start") == SUCCESS
    command = f"{trap}cd {mounted.mount_point}; exec sleep 1000"
    held_open = f"{trap}exec 7>{mounted.mount_point}/open; exec sleep 1000"
    users = [mounted.inside("sh", "-c", script) for script in (command, held_open)]
    wait_until(lambda: all(Path(f"/proc/{user.pid}/comm").read_text() == "sleep\n" for user in users))
    bystander = mounted.inside("sleep", "1000")
    assert mounted.does("stop") == SUCCESS
    assert [user.wait() for user in users] == [-(signal.SIGKILL if trap else signal.SIGTERM)] * 2
    assert bystander.poll() is None
    kill(bystander.pid, signal.SIGKILL)
    bystander.wait()


def test_what_the_kernel_holds_is_never_unmounted_lazily(mounted: Mounted) -> None:
    assert mounted.does("start") == SUCCESS
    inner = mounted.mount_point / "inner"
    mounted.run(["truncate", "--size=1M", str(inner)])
    loop = mounted.run(["losetup", "--find", "--show", str(inner)]).stdout.strip()
    try:
        assert mounted.does("stop", timeout=4000) == GENERIC
        assert mounted.does("monitor") == SUCCESS
    finally:
        mounted.run(["losetup", "--detach", loop])
    wait_until(lambda: mounted.does("stop") == SUCCESS)


def test_a_device_mounted_elsewhere_is_refused_and_freed_by_a_stop(mounted: Mounted) -> None:
    elsewhere = mounted.directory / "elsewhere"
    elsewhere.mkdir()
    mounted.run(["mount", mounted.device, str(elsewhere)])
    assert mounted.does("start") == GENERIC
    assert mounted.does("stop") == SUCCESS
    assert mounted.device not in mounted.run(["cat", "/proc/mounts"]).stdout


def test_another_filesystem_on_the_mount_point_is_left_alone(mounted: Mounted) -> None:
    mounted.mount_point.mkdir()
    mounted.run(["mount", "-t", "tmpfs", "tmpfs", str(mounted.mount_point)])
    assert mounted.does("monitor", interval=0) == NOT_RUNNING
    assert mounted.does("start") == GENERIC
    assert mounted.does("stop") == SUCCESS
    assert f"tmpfs {mounted.mount_point} " in mounted.run(["cat", "/proc/mounts"]).stdout


def test_a_mount_point_that_is_a_symbolic_link_is_refused(mounted: Mounted) -> None:
    (mounted.directory / "real").mkdir()
    mounted.mount_point.symlink_to("real")
    assert mounted.does("start") == CONFIGURED
    assert mounted.device not in mounted.run(["cat", "/proc/mounts"]).stdout
