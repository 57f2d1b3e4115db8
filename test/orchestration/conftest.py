"""A real master and two real minions on loopback, on which hadb's steps have no effect outside a folder of the test.

Real: `hadb/orch`, its Jinja, the states that run on the master, the runner, the sync, `hadb.document`, `hadb.version`,
targeting, queueing and Salt itself. Pretended: the SLS files that are applied to nodes, facts, and Corosync's key.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import facts
import pytest
import salt._logging.impl
import salt.version
import yaml

from documents import load

# Salt buffers its log until a console handler is set up, and writes it at exit to a stream that pytest has closed.
salt._logging.impl.shutdown_temp_handler()

ROOT = Path(__file__).resolve().parents[2]
FAKES = Path(__file__).resolve().parent / "fakes"
NODES = ("db1", "db2")
# What hadb.orch applies to nodes.
STEPS = ("hadb.package.bmc", "hadb", "hadb.cluster", "hadb.storage.partitions", "hadb.cluster.start", "hadb.cluster.cib")
# Seconds; a busy machine takes long to answer, and a minion that is down is waited for as long.
ANSWER = 15
RUN_SECONDS = 240


class Site:
    """The master, its minions and the folder in which they pretend."""

    nodes, steps = NODES, STEPS

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.pretend = scratch, scratch / "pretend"
        self.formula()
        self.master: Any = None
        self.minions: dict[str, Any] = {}

    def formula(self) -> None:
        """Copy the formula, with the pretended parts in place of the real ones."""
        roots = self.scratch / "roots"
        ignore = shutil.ignore_patterns("__pycache__")
        for folder in ("_modules", "_states", "_utils", "_runners", "hadb"):
            shutil.copytree(ROOT / folder, roots / folder, ignore=ignore)
        shutil.copytree(FAKES, roots, ignore=ignore, dirs_exist_ok=True)
        for module in (roots / "_modules").glob("corosync*.py"):
            shutil.copy(FAKES / "_modules/corosync.py", module)
        with (roots / "_modules/hadb.py").open("a") as module:
            module.write((roots / "facts.part").read_text())
        states = roots / "_states/hadb.py"
        text, times = re.subn(r"(?m)^_ANSWER = \d+", f"_ANSWER = {ANSWER}", states.read_text())
        assert times == 1
        states.write_text(text)
        for sls in STEPS:
            file = roots / sls.replace(".", "/")
            file = file / "init.sls" if file.is_dir() else file.with_suffix(".sls")
            assert file.exists(), sls
            file.write_text(yaml.safe_dump({f"{sls} is pretended": {"pretend.done": [{"name": sls}]}}))
        (roots / "top.sls").write_text("base: {}\n")
        pillar = self.scratch / "pillar"
        pillar.mkdir()
        (pillar / "top.sls").write_text("base: {'*': [hadb]}\n")
        (pillar / "hadb.sls").write_text(yaml.safe_dump(load("test/lab/pillar.sls")))

    def reset(self) -> None:
        """Make both nodes blank again."""
        shutil.rmtree(self.pretend, ignore_errors=True)
        for folder in ("done", "fail", "keys"):
            (self.pretend / folder).mkdir(parents=True)
        (self.pretend / "log").touch()
        (self.pretend / "seconds").write_text("0")
        self.tell("blank", {node: self.facts(node, built=False) for node in NODES})
        self.tell("built", {node: self.facts(node, built=True) for node in NODES})

    @staticmethod
    def facts(node: str, built: bool) -> dict[str, Any]:
        """Return every topic of a blank node, or of one in a cluster where all is well."""
        down = {"running": False, "cluster": {}, "nodes": {}, "resources": {}, "holds": []}
        system, volume = facts.system(node), facts.volume(exists=built)
        if built and node == "db1":
            volume |= {"active": True, "mounted_at": ["/dbmnt"]}
            system["interfaces"]["vec0"] += ["10.20.0.50/24", "10.20.0.51/24"]
        return {
            "system": system,
            "luns": [facts.lun()],
            "bmc": facts.BMC,
            "cipher_zero": {"refused": True},
            "volume": volume,
            "corosync": facts.corosync(node, running=built),
            "cluster": facts.cluster() if built else down,
            "reservations": {},
            "clients": [{"account": "nova", "address": "10.20.0.50", "ok": built, "error": "refused"}],
        }

    def tell(self, when: str, known: dict[str, Any]) -> None:
        """Set the facts of both nodes, for ``blank`` or ``built``."""
        (self.pretend / f"{when}.json").write_text(json.dumps(known))

    def fail(self, node: str, step: str) -> None:
        """Make a step fail on one node."""
        (self.pretend / "fail" / f"{node} {step}").touch()

    def log(self) -> list[tuple[float, float, str, str]]:
        """Return what ran: from, to, node, step."""
        rows = [line.split(" ") for line in (self.pretend / "log").read_text().splitlines()]
        return [(float(row[0]), float(row[1]), row[2], row[3]) for row in rows]

    def ran(self) -> list[str]:
        """Return the steps that ran, each once, in their order."""
        return list(dict.fromkeys(step for *_, step in self.log()))

    def run(self, *words: str, seconds: int = RUN_SECONDS) -> Any:
        """Run `salt-run` and return its result: `returncode`, `data`, `stdout`."""
        return self.master.salt_run_cli(timeout=seconds).run(*words)

    def orchestrate(self, *words: str, seconds: int = RUN_SECONDS) -> tuple[int, dict[str, dict[str, Any]]]:
        """Run hadb.orch; return the exit code and the states by their ids."""
        done = self.run("state.orchestrate", "hadb.orch", *words, seconds=seconds)
        return done.returncode, states(done.data)


def states(data: Any) -> dict[str, dict[str, Any]]:
    """Return an orchestration's states by their ids."""
    (result,) = data["data"].values()
    assert isinstance(result, dict), result
    return {one["__id__"]: one for one in result.values()}


@pytest.fixture(scope="session")
def scratch(tmp_path_factory) -> Path:
    # Short: the paths of Salt's sockets must fit into 107 bytes.
    return tmp_path_factory.mktemp("o")


@pytest.fixture(scope="session")
def salt_factories_config(scratch) -> dict[str, Any]:
    return {"root_dir": scratch / "salt", "start_timeout": 180, "log_server_level": "error"}


@pytest.fixture(scope="session")
def running(scratch, salt_factories) -> Iterator[Site]:
    site = Site(scratch)
    common = {"hadb_pretend": str(site.pretend), "file_ignore_glob": ["*.pyc"], "log_level_logfile": "error"}
    site.master = salt_factories.salt_master_daemon(
        "master",
        overrides={**common, "interface": "127.0.0.1", "auto_accept": True, "worker_threads": 4, "timeout": ANSWER,
                   "gather_job_timeout": ANSWER, "file_roots": {"base": [str(site.scratch / "roots")]},
                   "pillar_roots": {"base": [str(site.scratch / "pillar")]}},
    )  # fmt: skip
    site.reset()
    with contextlib.ExitStack() as stack:
        stack.enter_context(site.master.started())
        for node in NODES:
            site.minions[node] = site.master.salt_minion_daemon(node, overrides={**common, "state_events": True})
            stack.enter_context(site.minions[node].started())
        synced = site.run("saltutil.sync_all")
        assert synced.returncode == 0, synced
        yield site


@pytest.fixture
def site(running) -> Site:
    """The site with two blank nodes."""
    running.reset()
    return running


def pytest_report_header() -> str:
    return f"Salt {salt.version.__version__}"
