"""What the bench sends to the nodes, run here."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from bench import floor_probe, timing_probe


def timed(argv: list[str], *, hook: bool) -> dict[str, object]:
    program = Path(timing_probe.__file__).read_text(encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", program, json.dumps({"argv": argv, "hook": hook})],
                          capture_output=True, text=True, check=True)  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


STARTS = "import os, subprocess; subprocess.run(['true']); subprocess.run('exit 0', shell=True); os.system(':'); print('said')"


def test_every_program_that_python_starts_is_counted() -> None:
    found = timed([sys.executable, "-c", STARTS], hook=True)
    assert found["programs"] == {"true": 1, "sh": 2, "exit": 1, ":": 1}
    assert (found["exit"], found["out"]) == (0, "said\n")


def test_timed_run_is_done_without_the_hook_and_counts_at_least_its_processes() -> None:
    found = timed([sys.executable, "-c", STARTS], hook=False)
    assert found["programs"] == {}
    assert isinstance(found["processes"], int) and found["processes"] >= 3


def test_failure_of_the_command_is_told() -> None:
    found = timed([sys.executable, "-c", "import sys; sys.exit('no')"], hook=False)
    assert (found["exit"], found["error"]) == (1, "no\n")


def test_command_whose_python_took_no_hook_is_an_error_not_a_zero() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        timed(["true"], hook=True)


@pytest.mark.parametrize(("sent", "greeted"), [(b"\x4a\x00\x00\x00\x0a11.8", True), (b"", False)])
def test_server_answers_once_it_greets(sent: bytes, greeted: bool, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    assert not floor_probe.greets(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            connection.sendall(sent)
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        assert floor_probe.greets(path) is greeted
        thread.join()


SERVER = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); print('up', flush=True); time.sleep(60)"


def test_server_is_ended_and_waited_for(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline()
    (tmp_path / "pid").write_text(f"{process.pid}\n")
    server = floor_probe.Server({"pid_file": str(tmp_path / "pid"), "socket": str(tmp_path / "s")})
    assert server.argv[1:] == ["-c", SERVER]
    server.process = process
    assert server.end(15) >= 0
    assert server.gone() and process.returncode == 0
    process.stdout.close()
