"""A masterless minion and a master in this process: real loader, real renderer, nothing of the machine is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import salt._logging.impl
import salt.client
import salt.config
import salt.loader
import salt.runner
import yaml

ROOT = Path(__file__).resolve().parents[2]


# Salt buffers its log until a console handler is set up, and writes it at exit to a stream that pytest has closed.
salt._logging.impl.shutdown_temp_handler()


def paths(home: Path) -> dict[str, Any]:
    """Return the options that keep everything which Salt writes below ``home``."""
    return {
        "root_dir": str(home),
        "cachedir": str(home / "cache"),
        "extension_modules": str(home / "cache/extmods"),
        "pki_dir": str(home / "pki"),
        "sock_dir": str(home / "sock"),
        "log_file": str(home / "log"),
        "file_roots": {"base": [str(ROOT)]},
        # Without this every file of the checkout, .git too, is walked at each sync.
        "file_ignore_glob": [".git/*", "test/*", "build/*", "docs/*"],
        "pillar_roots": {"base": [str(home / "pillar")]},
        # It makes MySQLdb another name of PyMySQL, for the whole process and so for every test after it.
        "disable_modules": ["mysql"],
    }


class Minion:
    """Salt functions as a node with the given pillar would run them."""

    # In one process the pillar of the caller that was made last leaks into those before it.
    _last: Minion | None = None

    def __init__(self, home: Path, pillar: dict[str, Any]) -> None:
        (home / "pillar").mkdir(parents=True)
        (home / "pillar/top.sls").write_text("base: {'*': [site]}\n")
        (home / "pillar/site.sls").write_text(yaml.safe_dump(pillar))
        opts = salt.config.minion_config(None)
        opts.update(paths(home), id="db1", file_client="local")
        self._opts = opts
        self._renew()
        self.synced = self.cmd("saltutil.sync_all")
        # A loader made before the sync finds the new functions, but does not list them.
        self._renew()

    def _renew(self) -> None:
        self._caller, Minion._last = salt.client.Caller(mopts=self._opts), self

    @property
    def functions(self) -> Any:
        """The execution functions, as the loader found them."""
        return self._caller.sminion.functions

    @property
    def states(self) -> Any:
        """The state functions, as the loader found them."""
        sminion = self._caller.sminion
        return salt.loader.states(sminion.opts, sminion.functions, sminion.utils, sminion.serializers)

    def cmd(self, function: str, *args: Any, **kwargs: Any) -> Any:
        """Return what an execution function returns, as plain data."""
        if Minion._last is not self:
            self._renew()
        return json.loads(json.dumps(self._caller.cmd(function, *args, **kwargs)))


@pytest.fixture(scope="session")
def minion(tmp_path_factory):
    """A factory of minions by pillar; a second call with the same pillar gets the first minion."""
    made: dict[str, Minion] = {}

    def make(pillar: dict[str, Any]) -> Minion:
        key = json.dumps(pillar, sort_keys=True)
        if key not in made:
            made[key] = Minion(tmp_path_factory.mktemp("minion"), pillar)
        return made[key]

    return make


class Master:
    """A master that has synced, without a process of its own."""

    def __init__(self, home: Path) -> None:
        self.opts = salt.config.master_config(None)
        self.opts.update(paths(home), id="master", conf_file=str(home / "master"), file_client="local")
        (home / "cache/proc").mkdir(parents=True)
        self.synced = salt.runner.RunnerClient(self.opts).cmd("saltutil.sync_all", print_event=False)

    @property
    def runners(self) -> Any:
        """The runner functions, as the loader found them."""
        return salt.loader.runner(self.opts)


@pytest.fixture(scope="session")
def master(tmp_path_factory):
    """A master with what `salt-run saltutil.sync_all` gave it."""
    return Master(tmp_path_factory.mktemp("master"))
