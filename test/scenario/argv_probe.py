"""What runs on a node and looks whether a secret is ever on a command line while programs run that use it.

Sent to the node as ``python3 -c THIS``; standard input is ``{"secrets": {name: secret}, "calls": [[word, ...], ...]}``,
since a command line is the last place for them. Prints what it saw as a JSON list of sentences.
"""

import json
import os
import subprocess
import sys
import threading


def look(secrets, proc="/proc"):
    """Return a sentence for each process that has a secret among its words at this moment."""
    found = set()
    for pid in os.listdir(proc):  # noqa: PTH208 - cheaper than pathlib, on the node
        if not pid.isdigit():
            continue
        try:
            with open(f"{proc}/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - as above
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            # It has ended meanwhile.
            continue
        found |= {f"{name} is on the command line of {words[0]}" for name, secret in secrets.items()
                  if any(secret in word for word in words)}  # fmt: skip
    return found


def watch(secrets, calls, proc="/proc"):
    """Return what is seen while the programs run one after the other, and raise CalledProcessError when one fails."""
    found, ended, failed = set(), threading.Event(), []

    def run():
        try:
            for call in calls:
                subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)
        except (subprocess.SubprocessError, OSError) as error:
            failed.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    while not ended.is_set():
        found |= look(secrets, proc)
    thread.join()
    if failed:
        raise failed[0]
    return sorted(found)


if __name__ == "__main__":
    print(json.dumps(watch(**json.load(sys.stdin))))
