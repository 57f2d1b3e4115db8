"""Announces an IPv4 address as this machine's own: ``announce.py CARD ADDRESS``, sent to a node as ``python3 -c THIS``."""

import socket
import sys


def frame(hardware, address):
    """Return the Ethernet frame of a gratuitous ARP request, to everybody.

    hardware
        The sender's hardware address, 6 bytes.
    address
        The IPv4 address, as text.
    """
    number = socket.inet_aton(address)
    # Ethernet, IPv4, lengths of both addresses, "who has"; then sender and target, who are the same.
    question = bytes.fromhex("0001080006040001")
    return b"\xff" * 6 + hardware + b"\x08\x06" + question + hardware + number + bytes(6) + number


def main(card, address):
    """Send one announcement."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((card, 0x0806))
        wire.send(frame(wire.getsockname()[4], address))


if __name__ == "__main__":
    main(*sys.argv[1:])
