"""What Salt's own loader makes of the modules after a real sync: all there, none hidden, nothing accepted by mistake, documented."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
import salt

from documents import load

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"modules": "_modules", "states": "_states", "runners": "_runners"}
LAB = "test/lab/pillar.sls"


def public_functions(folder):
    """Yield ``module.function`` for every public function in the loader files of a folder."""
    for path in sorted(ROOT.glob(f"{folder}/*.py")):
        text = path.read_text()
        # A module may have two files: then the second one's name is longer than the name that Salt knows both by.
        module = next(iter(re.findall(r"""^__virtualname__ = ["'](\w+)["']""", text, re.MULTILINE)), path.stem)
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{module}.{node.name}"


EVERY = [(kind, name) for kind, folder in KINDS.items() for name in public_functions(folder)]


@pytest.fixture(scope="session")
def loaded(minion, master):
    """``{kind: the loader's functions}``."""
    node = minion(load(LAB))
    return {"modules": node.functions, "states": node.states, "runners": master.runners}


def parameters(function):
    """Return the parameters that a caller may name."""
    return list(inspect.signature(function).parameters.values())


def test_a_sync_hands_out_every_file(minion, master):
    for kind, folder in KINDS.items():
        synced = (master if kind == "runners" else minion(load(LAB))).synced[kind]
        assert sorted(synced) == sorted(f"{kind}.{path.stem}" for path in ROOT.glob(f"{folder}/*.py"))


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_function_loads(loaded, kind, name):
    assert name in loaded[kind]


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_file_hides_one_of_salts(kind):
    core = {path.stem for path in (Path(salt.__file__).parent / kind).iterdir()}
    assert core & {path.stem for path in ROOT.glob(f"{KINDS[kind]}/*.py")} == set()


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_name_in_use_hides_one_of_salts(kind):
    """Core modules may take another name than their file's (``__virtualname__``)."""
    taken = set()
    for path in (Path(salt.__file__).parent / kind).rglob("*.py"):
        taken |= set(re.findall(r"""^__virtualname__ = ["'](\w+)["']""", path.read_text(), re.MULTILINE))
    assert taken & {path.stem for path in ROOT.glob(f"{KINDS[kind]}/*.py")} == set()


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_function_accepts_no_unknown_argument(loaded, kind, name):
    for one in parameters(loaded[kind][name]):
        assert one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL), f"{one} swallows a misspelt argument"


def test_unknown_arguments_fail_for_real(minion, master):
    node = minion(load(LAB))
    with pytest.raises(Exception, match="bogus"):
        node.cmd("hadb.version", bogus=1)
    with pytest.raises(Exception, match="bogus"):
        node.cmd("state.single", "hadb.pillar_valid", "pillar", bogus=1)
    with pytest.raises(Exception, match="bogus"):
        master.runners["hadb.status"](bogus=1)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_function_is_documented_like_a_manual_page(loaded, kind, name):
    text = inspect.cleandoc(loaded[kind][name].__doc__ or "")
    first = text.split("\n\n")[0].split("\n")[0]
    assert len(first.split()) >= 3, "no description"
    # An argument stands on a line of its own, alone or with others, and what it means stands indented below.
    told = {word for line in re.findall(r"^([a-z_]+(?:, [a-z_]+)*)\n    \S", text, re.MULTILINE) for word in line.split(", ")}
    # What a state's `name` means is often only that: its name.
    wanted = {one.name for one in parameters(loaded[kind][name])} - ({"name"} if kind == "states" else set())
    assert wanted - told == set(), "arguments without a word"
    assert told - wanted - {"name"} == set(), "arguments that do not exist"
    if kind == "states":
        assert re.search(rf"^\.\. code-block:: yaml\n(\n|    .*\n?)*.*{re.escape(name)}:", text, re.MULTILINE), "no example"
    else:
        example = re.search(r"^CLI Example:\n\n\.\. code-block:: bash\n\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
        assert example, "no CLI Example"
        assert name in example.group(1), "the example is not of this function"
        assert re.match(r"salt-run " if kind == "runners" else r"salt(-call)? ", example.group(1).strip())


@pytest.mark.parametrize("module", sorted({name.split(".")[0] for kind, name in EVERY if kind == "modules"}))
def test_sys_doc_shows_every_function(minion, module):
    shown = minion(load(LAB)).cmd("sys.doc", module)
    wanted = {name for kind, name in EVERY if kind == "modules" and name.startswith(f"{module}.")}
    assert {name for name, text in shown.items() if text} >= wanted
