"""What runs on a node and times one command there: how long, and what it started.

Sent to the node as ``python3 -c THIS SETTINGS``; settings are ``{argv, hook}``. Prints ``{seconds, exit, out, error,
processes, programs}``: ``processes`` is by how much the kernel's count of new processes and threads grew meanwhile,
``programs`` is which programs the command's Python started, with ``hook`` set. The hook is an audit hook (PEP 578) that
every Python below the command gets by PYTHONPATH; it sees what no shim on the PATH would see, and slows no timed run,
since those do without it.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
import time

HOOK = '''
import os, sys
_out = os.open(os.environ["HADB_BENCH_STARTED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
os.write(_out, b"(hook)\\n")
def _hook(event, args):
    if event == "subprocess.Popen":
        words = list(args[1]) if isinstance(args[1], (list, tuple)) else [args[1]]
        names = [args[0] or words[0]]
        if len(words) > 2 and words[1] == "-c":
            # What a shell is to run first is what was meant.
            names += words[2].split()[:1]
    elif event in ("os.posix_spawn", "os.exec"):
        names = [args[0]]
    elif event == "os.system":
        names = ["sh", *os.fsdecode(args[0]).split()[:1]]
    else:
        return
    for name in names:
        os.write(_out, os.fsencode(os.path.basename(os.fsdecode(name))) + b"\\n")
sys.addaudithook(_hook)
'''


def forks():
    """Return how many processes and threads were ever started here."""
    with open("/proc/stat") as file:  # noqa: PTH123 - as in scenario/probe.py
        return next(int(line.split()[1]) for line in file if line.startswith("processes "))


def main():
    """Run the command and print what was seen."""
    settings = json.loads(sys.argv[1])
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory() as directory:
        started = directory + "/started"
        if settings["hook"]:
            with open(directory + "/sitecustomize.py", "w") as file:  # noqa: PTH123
                file.write(HOOK)
            environment.update(PYTHONPATH=directory, HADB_BENCH_STARTED=started, PYTHONDONTWRITEBYTECODE="1")
        before, began = forks(), time.monotonic()
        done = subprocess.run(settings["argv"], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)  # noqa: PLW1510
        seconds, after = time.monotonic() - began, forks()
        programs = collections.Counter()
        if settings["hook"]:
            with open(started) as file:  # noqa: PTH123
                programs.update(file.read().split("\n")[:-1])
            programs.pop("(hook)")
    # The command itself is one of them.
    print(json.dumps({"seconds": seconds, "exit": done.returncode, "out": done.stdout, "error": done.stderr[-2000:],
                      "processes": after - before - 1, "programs": programs}))  # fmt: skip


if __name__ == "__main__":
    main()
