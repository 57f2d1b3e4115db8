#!/usr/bin/python3 -SE
"""Stands in for sg_persist: an array of one LUN with the rules of SPC-4 for persistent reservations, in a file of JSON.

``FAKE_ARRAY`` is the directory of the state, ``FAKE_HOST`` who asks; each device's name is one path, so host and path are a nexus.
``unready-PATH`` makes the next command over a path end with 2 (not ready) though it takes effect, ``dead-PATH`` all with 15, and
``flat`` refuses --param-aptpl with 5 (illegal request). Exit statuses are those of sg_persist(8).
"""

# pathlib would be half of its time.
# ruff: noqa: PTH110, PTH123, PTH105, PTH108

import json
import os
import sys

CONFLICT, NOT_READY, ILLEGAL, TRANSPORT = 24, 2, 5, 15


def main(words):
    """Carry out one command; return its exit status."""
    home, path = os.environ["FAKE_ARRAY"], words[-1].rpartition("/")[2]
    with open(f"{home}/calls", "a") as log:
        log.write(" ".join(words) + "\n")
    options = dict(word.lstrip("-").partition("=")[::2] for word in words[:-1])
    if os.path.exists(f"{home}/dead-{path}"):
        print("transport error")
        return TRANSPORT
    with open(f"{home}/state") as file:
        state = json.load(file)
    if "in" in options:
        print(told(state, options))
        return 0
    if "param-aptpl" in options and os.path.exists(f"{home}/flat"):
        print("Illegal request")
        return ILLEGAL
    code = changed(state, options, f"{os.environ['FAKE_HOST']} {path}")
    with open(f"{home}/state.new", "w") as file:
        json.dump(state, file)
    os.replace(f"{home}/state.new", f"{home}/state")
    if os.path.exists(f"{home}/unready-{path}"):
        os.unlink(f"{home}/unready-{path}")
        print("device not ready")
        return NOT_READY
    if code:
        print("reservation conflict")
    return code


def told(state, options):
    """Return the answer to a question, as sg3_utils 1.46 and 1.48 print it."""
    keys, generation = state["keys"], f"  PR generation=0x{state['generation']:x}, "
    if "read-keys" in options:
        if not keys:
            return generation + "there are NO registered reservation keys"
        return "\n".join([f"{generation}{len(keys)} registered reservation keys follow:", *(f"    {key}" for key in keys.values())])
    if not state["holder"]:
        return generation + "there is NO reservation held"
    kind = {5: "Write Exclusive, registrants only", 6: "Exclusive Access, registrants only"}[state["type"]]
    return f"{generation}Reservation follows:\n    Key={keys[state['holder']]}\n    scope: LU_SCOPE,  type: {kind}"


def changed(state, options, nexus):
    """Carry out an order; return 0 or the conflict."""
    keys, own, new = state["keys"], options.get("param-rk"), options.get("param-sark")
    if "register-ignore" in options or "register" in options:
        if "register" in options and keys.get(nexus, "0") != (own or "0"):
            return CONFLICT
        state["generation"] += 1
        if new == "0":
            keys.pop(nexus, None)
            if state["holder"] == nexus:
                state["holder"] = None
        else:
            keys[nexus] = new
        return 0
    if own is None or keys.get(nexus) != own:
        return CONFLICT
    if "preempt-abort" in options:
        state["generation"] += 1
        held = state["holder"] and keys[state["holder"]]
        for other in [other for other, key in keys.items() if key == new and other != nexus]:
            del keys[other]
        if held == new:
            state.update(holder=nexus, type=int(options["prout-type"]))
        return 0
    if "reserve" in options:
        if state["holder"] not in (None, nexus):
            return CONFLICT
        state.update(holder=nexus, type=int(options["prout-type"]))
        return 0
    raise SystemExit(f"fake_array: what is {options}?")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
