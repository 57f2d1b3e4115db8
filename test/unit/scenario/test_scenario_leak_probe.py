"""The search of a machine, run as it is run there: a program that gets the secrets on standard input."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scenario import canaries, leak_probe

SECRET = "lab-only-secret"
CANARIES = canaries.told([canaries.password("bmc", SECRET)])


def searched(tmp_path: Path, **more: Any) -> dict[str, Any]:
    asked = {"canaries": CANARIES, "roots": [str(tmp_path)], "skip": [], "commands": {}, "look": [], **more}
    program = [sys.executable, "-c", Path(leak_probe.__file__).read_text()]
    done = subprocess.run(program, input=json.dumps(asked), capture_output=True, text=True, check=True)
    assert SECRET not in done.stdout + done.stderr
    told = json.loads(done.stdout)
    # A sandbox may keep even root from some processes' environment; a node does not.
    return {**told, "unread": [what for what in told["unread"] if "of process" not in what]}


def places(told: dict[str, Any]) -> list[str]:
    return sorted(Path(hit["where"]).name for hit in told["hits"] if hit["access"])


def test_a_planted_secret_is_found_in_files_of_every_kind_and_nowhere_else(tmp_path: Path) -> None:
    line = f"user=hadb password={SECRET}\n".encode()
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/plain").write_bytes(line)
    (tmp_path / "binary").write_bytes(bytes(range(256)) + line)
    (tmp_path / "pe-input-1.bz2").write_bytes(bz2.compress(line))
    (tmp_path / "log.1.gz").write_bytes(gzip.compress(line))
    (tmp_path / "log.2.xz").write_bytes(lzma.compress(line))
    (tmp_path / "clean").write_bytes(b"user=hadb password=(hidden)\n")
    (tmp_path / "skipped").write_bytes(line)
    (tmp_path / "link").symlink_to(tmp_path / "skipped")
    told = searched(tmp_path, skip=[str(tmp_path / "skipped")])
    assert places(told) == ["binary", "log.1.gz", "log.2.xz", "pe-input-1.bz2", "plain"]
    assert all(hit["names"] == ["bmc"] for hit in told["hits"])
    assert (told["files"], told["unread"]) == (6, [])


def test_a_secret_is_found_wherever_two_reads_cut_it(tmp_path: Path) -> None:
    for cut in range(len(SECRET) + 1):
        (tmp_path / f"cut-{cut:02}").write_bytes(b"." * (leak_probe.CHUNK - cut) + SECRET.encode() + b"." * 100)
    assert len(places(searched(tmp_path))) == len(SECRET) + 1


def test_a_stream_that_comes_in_drops_is_read_as_one() -> None:
    drops = io.BytesIO(b"x" * 50 + SECRET.encode() + b"y" * 50)
    assert leak_probe.Needles(CANARIES).stream(lambda _size: drops.read(3)) == ({"bmc"}, 100 + len(SECRET))


def test_mode_and_owner_of_a_file_and_of_a_directory_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(SECRET)
    (tmp_path / "file").chmod(0o640)
    tmp_path.chmod(0o700)
    told = searched(tmp_path, look=[str(tmp_path), str(tmp_path / "missing")])
    mine = leak_probe.access_of((tmp_path / "file").stat())
    assert [hit["access"] for hit in told["hits"] if hit["access"]] == [mine]
    assert mine[0] == 0o640
    assert told["access"] == {str(tmp_path): [0o700, *mine[1:]]}


def test_what_a_command_prints_is_searched_on_both_its_outputs(tmp_path: Path) -> None:
    # The secret is not in its words, which would be found among the processes.
    script = "printf 'lab-only-'; printf secret{}"
    told = searched(tmp_path, roots=[], commands={
        "out": ["sh", "-c", script.format("")], "err": ["sh", "-c", f"({script.format('')}) >&2"], "clean": ["echo", "lab-only"],
    })  # fmt: skip
    assert [hit["where"] for hit in told["hits"]] == ["out", "err"]
    assert told["unread"] == []


@pytest.mark.parametrize(("ending", "module"), [("bz2", bz2), ("gz", gzip), ("xz", lzma)])
def test_a_packed_file_that_a_power_cut_has_torn_is_searched_up_to_there(tmp_path: Path, ending: str, module: Any) -> None:
    # What is packed badly: the secret's part is complete long before the end.
    packed = module.compress(SECRET.encode() + random.Random(1).randbytes(3 << 20))
    (tmp_path / f"torn.{ending}").write_bytes(packed[:-100])
    (tmp_path / f"nothing.{ending}").write_bytes(module.compress(b"x" * 1000)[:-8])
    (tmp_path / f"empty.{ending}").write_bytes(b"")
    told = searched(tmp_path)
    assert (places(told), told["unread"]) == ([f"torn.{ending}"], [])


def test_what_cannot_be_searched_is_told(tmp_path: Path) -> None:
    (tmp_path / "none.bz2").write_bytes(b"not packed either")
    (tmp_path / "none.gz").write_bytes(b"not packed at all")
    told = searched(tmp_path, commands={"fails": ["false"], "missing": ["/no/such/program"]})
    assert len(told["unread"]) == 4
    for what in ("none.bz2", "none.gz", "fails: exit status 1", "missing: No such file"):
        assert any(what in one for one in told["unread"]), told["unread"]


def test_a_root_that_is_a_file_or_not_there_is_fine(tmp_path: Path) -> None:
    (tmp_path / "one").write_text(SECRET)
    told = searched(tmp_path, roots=[str(tmp_path / "one"), str(tmp_path / "none")])
    assert (places(told), told["unread"]) == (["one"], [])


@pytest.mark.parametrize("where", ["cmdline", "environ"])
def test_a_process_that_tells_a_secret_is_found_by_its_name(tmp_path: Path, where: str) -> None:
    argv = ["sleep", "60"] if where == "environ" else ["sh", "-c", f"sleep 60; : {SECRET}"]
    with subprocess.Popen(argv, env={"PATH": "/usr/bin:/bin", **({"KEY": SECRET} if where == "environ" else {})}) as process:
        try:
            told = searched(tmp_path)
        finally:
            process.kill()
    assert f"{where} of process {argv[0]}" in [hit["where"] for hit in told["hits"]]
