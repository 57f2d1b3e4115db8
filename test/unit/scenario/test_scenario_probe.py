"""What the probe sees on a node, from files like the kernel's."""

from __future__ import annotations

from pathlib import Path

from scenario import digest, probe

TRIE = """Main:
  +-- 10.20.0.0/24 2 0 2
     |-- 10.20.0.50
        /32 host LOCAL
     |-- 10.20.0.51
        /32 link UNICAST
     |-- 10.20.0.255
        /32 link BROADCAST
"""


def test_only_an_address_that_is_the_nodes_own_is_held() -> None:
    assert probe.addresses_held(["10.20.0.50", "10.20.0.51", "10.20.0.5"], TRIE) == ["10.20.0.50"]


def test_mount_is_found_by_its_whole_path() -> None:
    mounts = "/dev/dm-3 /dbmnt ext4 rw 0 0\n"
    assert probe.mounted("/dbmnt", mounts)
    assert not probe.mounted("/db", mounts)


def test_volume_is_found_by_its_name_in_device_mapper(tmp_path: Path) -> None:
    for number, name in enumerate(("mpatha", "db--vg-db--vol")):
        (tmp_path / f"dm-{number}/dm").mkdir(parents=True)
        (tmp_path / f"dm-{number}/dm/name").write_text(f"{name}\n")
    (tmp_path / "ubda").mkdir()
    assert probe.volume_active("db--vg-db--vol", str(tmp_path))
    assert not probe.volume_active("db--vg", str(tmp_path))


def process(proc: Path, pid: int, name: str, state: str = "S") -> None:
    (proc / str(pid)).mkdir(exist_ok=True)
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {state} 1 1\n")


def test_server_is_found_lost_and_found_again_under_another_number(tmp_path: Path) -> None:
    servers = probe.Servers(str(tmp_path))
    process(tmp_path, 7, "bash")
    assert not servers.running()
    process(tmp_path, 7, "mariadbd")
    assert servers.running()
    process(tmp_path, 7, "mariadbd", "Z")
    assert not servers.running()
    process(tmp_path, 9, "mysqld")
    assert servers.running()


def test_holes_and_zeros_do_not_count_and_contents_and_places_do(tmp_path: Path) -> None:
    def made(*writes: tuple[int, bytes]) -> str:
        path = tmp_path / "lun.img"
        path.unlink(missing_ok=True)
        with path.open("wb") as file:
            file.truncate(8 << 20)
            for position, data in writes:
                file.seek(position)
                file.write(data)
        return digest.sparse(path)

    empty = made()
    assert made((1 << 20, bytes(4096))) == empty
    assert made((1 << 20, b"x")) != empty
    assert made((1 << 20, b"x")) != made((2 << 20, b"x"))
    assert made((1 << 20, b"x")) == made((1 << 20, b"x"))
