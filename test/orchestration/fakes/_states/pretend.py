"""A step of the formula that touches nothing but a folder of the test."""

import time
from pathlib import Path


def done(name):
    """Do what the test wants of this step on this node: succeed, fail, or take its time; log when it ran."""
    place, step = Path(__opts__["hadb_pretend"]), f"{__opts__['id']} {name}"
    if (place / "fail" / step).exists():
        return {"name": name, "result": False, "changes": {}, "comment": "it was told to fail"}
    marker = place / "done" / step
    if marker.exists():
        return {"name": name, "result": True, "changes": {}, "comment": "was done before"}
    changes = {name: {"old": None, "new": "done"}}
    if __opts__["test"]:
        return {"name": name, "result": None, "changes": changes, "comment": "would be done"}
    began = time.time()
    time.sleep(float((place / "seconds").read_text()))
    with (place / "log").open("a") as log:
        log.write(f"{began} {time.time()} {step}\n")
    marker.touch()
    return {"name": name, "result": True, "changes": changes, "comment": "done"}
