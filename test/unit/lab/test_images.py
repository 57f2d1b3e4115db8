from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hadblab import image_disk, image_kernel, image_node, image_root, image_salt, images
from hadblab.errors import LabError
from hadblab.image_cache import Artefact, Cache, digest, digest_files
from hadblab.run import run


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", progress=lambda line: None)


def write(target: Path) -> None:
    (target / "made").write_text("content")


def test_artefact_is_built_once_and_found_after_that(cache: Cache):
    first = cache.get(Artefact("thing", "1"), write)
    second = cache.get(Artefact("thing", "1"), lambda target: pytest.fail("built twice"))
    assert first == second
    assert (first / "made").read_text() == "content"


def test_failed_build_leaves_nothing_and_is_tried_again(cache: Cache):
    def fail(target: Path) -> None:
        write(target)
        raise LabError("no network")

    with pytest.raises(LabError, match="no network"):
        cache.get(Artefact("thing", "1"), fail)
    assert not [path for path in cache.home.iterdir() if path.is_dir()]
    assert (cache.get(Artefact("thing", "1"), write) / "made").exists()


def test_remains_of_a_killed_builder_are_not_built_upon(cache: Cache):
    remains = cache.home / "thing.partial"
    remains.mkdir(parents=True)
    (remains / "half").write_text("")
    made = cache.get(Artefact("thing", "1"), write)
    assert [path.name for path in made.iterdir()] == ["made"]


def test_two_builders_of_one_artefact_do_the_work_once(tmp_path: Path):
    built = []
    begun = threading.Event()
    go_on = threading.Event()

    def slow(target: Path) -> None:
        begun.set()
        go_on.wait(5)
        built.append(target)

    def build() -> None:
        Cache(tmp_path, progress=lambda line: None).get(Artefact("thing", "1"), slow)

    first = threading.Thread(target=build)
    first.start()
    begun.wait(5)
    second = threading.Thread(target=build)
    second.start()
    go_on.set()
    first.join(5)
    second.join(5)
    assert len(built) == 1


def test_prune_keeps_what_was_asked_for_and_what_is_being_built(cache: Cache):
    cache.get(Artefact("thing", "old"), write)
    fresh = Cache(cache.home, progress=lambda line: None)
    fresh.get(Artefact("thing", "new"), write)
    (cache.home / "other.partial").mkdir()
    assert fresh.prune() == ["thing-old"]
    assert {path.name for path in cache.home.iterdir() if path.is_dir()} == {"thing-new", "other.partial"}


def test_progress_tells_each_build_with_its_time(tmp_path: Path):
    lines: list[str] = []
    Cache(tmp_path, lines.append).get(Artefact("thing", "1"), write)
    assert [line.partition("] ")[2] for line in lines] == ["thing: building", "thing: built in 0 s"]


def test_digest_tells_neighbouring_parts_apart():
    assert digest("ab", "c") != digest("a", "bc")


@pytest.mark.parametrize("change", ["content", "mode", "name", "link"])
def test_every_change_of_an_input_file_changes_the_digest(tmp_path: Path, change: str):
    tree = tmp_path / "tree"
    tree.mkdir()
    script = tree / "script"
    script.write_text("one")
    (tree / "link").symlink_to("/dev/null")
    before = digest_files(tree)
    if change == "content":
        script.write_text("two")
    elif change == "mode":
        script.chmod(0o755)
    elif change == "name":
        script.rename(tree / "other")
    else:
        (tree / "link").unlink()
        (tree / "link").symlink_to("/dev/zero")
    assert digest_files(tree) != before


def test_blank_node_has_nothing_that_the_formula_installs():
    blank = set(image_root.packages("common", "node"))
    for distro in images.DISTROS:
        offered = set(image_root.packages("repo", f"repo-{distro}"))
        assert not blank & offered
        assert {"pacemaker", "corosync", "crmsh", "mariadb-server", "lvm2", "multipath-tools"} <= offered


def test_package_lists_name_no_package_twice():
    for listed in (image_root.IMAGE / "packages").glob("*.txt"):
        names = image_root.packages(listed.stem)
        assert len(names) == len(set(names)), listed.name


def test_overlay_copies_links_and_execute_bits(tmp_path: Path):
    image_disk.overlay(tmp_path, "common")
    assert (tmp_path / "usr/lib/hadb-lab/seed").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "etc/fstab").stat().st_mode & 0o777 == 0o644
    generator = tmp_path / "etc/systemd/system-generators/systemd-getty-generator"
    assert generator.readlink() == Path("/dev/null")


def test_later_overlay_replaces_a_link_by_its_own_file(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "outside").write_text("untouched")
    (tmp_path / "etc/fstab").symlink_to(tmp_path / "outside")
    image_disk.overlay(tmp_path, "common")
    assert (tmp_path / "outside").read_text() == "untouched"
    assert not (tmp_path / "etc/fstab").is_symlink()


def test_kernel_release_is_the_name_of_its_modules(tmp_path: Path):
    (tmp_path / "modules/7.2.7").mkdir(parents=True)
    assert image_kernel.release(tmp_path) == "7.2.7"
    (tmp_path / "modules/6.1").mkdir()
    with pytest.raises(LabError, match="expected one kernel release"):
        image_kernel.release(tmp_path)


def test_each_kind_of_machine_has_a_size_and_units():
    assert set(image_node.SIZES) == set(image_node.ENABLED) == {"node", "san", "master"}


def test_unknown_distribution_is_refused_before_anything_is_built(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("HADB_LAB_HOME", str(tmp_path))
    with pytest.raises(LabError, match="unknown distribution 'debian11'"):
        images.ensure("debian11", images.SALT, lambda line: None)
    assert not list(tmp_path.iterdir())


def test_failed_command_says_itself_its_status_and_its_last_words():
    with pytest.raises(LabError) as caught:
        run(["sh", "-c", "echo one >&2; echo two >&2; exit 3"])
    assert str(caught.value).endswith("exit status 3: one | two")
    assert "\n" not in str(caught.value)


def test_command_that_is_not_there_and_one_that_hangs_are_lab_errors():
    with pytest.raises(LabError, match="No such file"):
        run(["/nonexistent/program"])
    with pytest.raises(LabError, match="no end after"):
        run(["sleep", "60"], timeout=0.1)


def test_command_gets_its_input_and_added_environment():
    assert run(["cat"], input="text").stdout == "text"
    assert run(["sh", "-c", 'echo "$HADB:$PATH"'], env={"HADB": "1"}).stdout.startswith("1:/")
    assert run(["cat"]).stdout == ""


def test_unchecked_command_returns_its_status():
    assert run(["sh", "-c", "exit 7"], check=False).returncode == 7


def test_old_salt_is_built_with_the_python_that_it_can_run_on():
    assert {image_salt.builder(distro, "3006.24") for distro in images.DISTROS} == {"debian12"}
    assert [image_salt.builder(distro, images.SALT) for distro in images.DISTROS] == list(images.DISTROS)
