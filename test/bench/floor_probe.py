"""What runs on the active node, in maintenance mode: the database's own work, without a cluster around it.

Sent to the node as ``python3 -c THIS SETTINGS``; settings are ``{pid_file, socket, repeat, busy}``. Prints
``{stop: [...], start: [...], recovery: [...]}`` in seconds. The server is started with the words that it ran with.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time

LIMIT = 120
POLL = 0.005


def until(condition, what):
    """Wait until so; end the program when that takes too long."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what}: not within {LIMIT} s")
        time.sleep(POLL)


def greets(path):
    """Return whether a server sends its greeting on the socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(path)
            return len(connection.recv(5)) == 5
        except OSError:
            return False


class Server:
    """The running server, whoever started it."""

    def __init__(self, settings):
        self.settings = settings
        with open(settings["pid_file"]) as file:  # noqa: PTH123 - as in scenario/probe.py
            self.pid = int(file.read())
        with open(f"/proc/{self.pid}/cmdline") as file:  # noqa: PTH123
            self.argv = file.read().rstrip("\0").split("\0")
        self.process = None

    def gone(self):
        """Return whether it has ended; a child of ours is collected."""
        if self.process:
            return self.process.poll() is not None
        return not os.path.exists(f"/proc/{self.pid}")  # noqa: PTH110

    def end(self, number):
        """Send a signal and return the seconds until the process is gone."""
        began = time.monotonic()
        os.kill(self.pid, number)
        until(self.gone, "end of the server")
        return time.monotonic() - began

    def start(self):
        """Start it and return the seconds until a query is answered."""
        began = time.monotonic()
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self.argv, cwd="/", stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        self.pid = self.process.pid
        until(lambda: greets(self.settings["socket"]), "greeting of the server")
        query = ["mariadb", "--no-defaults", "--socket=" + self.settings["socket"], "-e", "SELECT 1"]
        subprocess.run(query, stdout=quiet, check=True)
        return time.monotonic() - began


def main():
    """Stop, start, kill, start, as often as asked for."""
    settings = json.loads(sys.argv[1])
    server = Server(settings)
    found = {"stop": [], "start": [], "recovery": []}
    for _ in range(settings["repeat"]):
        found["stop"].append(server.end(signal.SIGTERM))
        found["start"].append(server.start())
        # A client outside writes again, so that there is something to recover.
        time.sleep(settings["busy"])
        server.end(signal.SIGKILL)
        found["recovery"].append(server.start())
        time.sleep(settings["busy"])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
