"""What runs on one database node and sends datagrams at the other one's Corosync: altered ones, and genuine ones once more.

Sent to the node as ``python3 -c THIS`` with a JSON document on standard input:
``{links: [{device, source, target, port}], node, kinds, seed, listen, hold, count, rate}``: the own end of each cable and the
other one's, the own node id in Corosync, which of :data:`KINDS` to send, how many seconds to listen and then to wait, how many
datagrams and how many a second. Prints ``{captured, sent: {kind: count}, failed, seconds}``. Needs root. Writes nothing, and
reads nothing but what is on the cables: it does not know the key.
"""

import json
import random
import select
import socket
import struct
import sys
import time

# noise: nothing but chance. clear: as knet would send it without encryption. The others are made from genuine ones: a bit
# flipped, cut short, something added, two halves joined, and as they were: once more, and sent back to whom they came from.
FORGED = ("noise", "clear", "flipped", "cut", "grown", "joined")
KINDS = (*FORGED, "replay", "reflect")
# Bytes that fit into one Ethernet frame behind the headers of IPv4 and UDP.
MOST = 1472
_ETH_P_ALL = 3
_UDP = 17
# knet's header (libknet/onwire.h): version, type, node id, two bytes of nothing; then a type's own fields.
_HEADER = struct.Struct(">BBHxx")
_DATA, _PING, _PONG, _PMTUD, _PMTUD_REPLY = 0x00, 0x81, 0x82, 0x83, 0x84
# Datagrams between two looks at the clock.
_BURST = 20


def parse(packet):
    """Return (source, source port, target, target port, payload) of a UDP datagram in an IPv4 packet, or None."""
    if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != _UDP:
        return None
    start = (packet[0] & 15) * 4
    source_port, target_port, length = struct.unpack_from(">HHH", packet, start)
    payload = packet[start + 8 : start + length]
    return socket.inet_ntoa(packet[12:16]), source_port, socket.inet_ntoa(packet[16:20]), target_port, payload


def build(source, source_port, target, target_port, payload):
    """Return an IPv4 packet with a UDP datagram; the kernel adds IP's checksum, and UDP has none, which IPv4 allows."""
    udp = struct.pack(">HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    return struct.pack(">BBHHHBBH8s", 0x45, 0, 20 + len(udp), 0, 0, 64, _UDP, 0, ends) + udp


def clear(chance, node, link):
    """Return what knet would send without encryption: a ping or its answer, a probe of the path, or data for Corosync."""
    kind = chance.choice((_DATA, _PING, _PONG, _PMTUD, _PMTUD_REPLY))
    head = _HEADER.pack(1, kind, node)
    if kind == _DATA:
        fields = struct.pack(">HBBBBBb", chance.randrange(1 << 16), 0, 0, 1, 1, 1, 0)
    elif kind in (_PING, _PONG):
        fields = struct.pack(">B16sHB", link, chance.randbytes(16), chance.randrange(1 << 16), 1)
    else:
        fields = struct.pack(">BH", link, chance.randrange(1 << 16))
    return head + fields + chance.randbytes(chance.randrange(200))


def payload(kind, chance, node, link, genuine):
    """Return the contents of one forged datagram of a kind.

    genuine
        Contents of datagrams that were overheard; at least one.
    """
    if kind == "noise":
        return chance.randbytes(chance.randrange(MOST + 1))
    if kind == "clear":
        return clear(chance, node, link)
    one = chance.choice(genuine)
    if kind == "flipped":
        place = chance.randrange(len(one))
        return one[:place] + bytes([one[place] ^ 1 << chance.randrange(8)]) + one[place + 1 :]
    if kind == "cut":
        return one[: chance.randrange(len(one))]
    if kind == "grown":
        return one[: MOST - 64] + chance.randbytes(1 + chance.randrange(64))
    other = chance.choice(genuine)
    return (one[: 1 + len(one) // 2] + other[len(other) // 2 :])[:MOST]


def listen(links, seconds):
    """Return, for each link, the contents of all datagrams between the two Corosyncs: (sent from here, come from there)."""
    sockets = []
    for link in links:
        heard = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        heard.bind((link["device"], _ETH_P_ALL))
        sockets.append(heard)
    sent, come = [[] for _ in links], [[] for _ in links]
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for ready in select.select(sockets, [], [], left)[0]:
            number = sockets.index(ready)
            found = parse(ready.recv(1 << 16))
            if found and found[3] == links[number]["port"] and found[4]:
                (sent if found[2] == links[number]["target"] else come)[number].append(found[4])
    for heard in sockets:
        heard.close()
    return sent, come


def datagrams(asked, sent, come):
    """Yield (kind, packet), as many as asked for; with the same seed and the same genuine ones the same."""
    chance = random.Random(asked["seed"])
    for _ in range(asked["count"]):
        kind = chance.choice(asked["kinds"])
        number = chance.randrange(len(asked["links"]))
        link = asked["links"][number]
        source, port = link["source"], link["port"]
        if kind == "replay":
            contents = chance.choice(sent[number])
        elif kind == "reflect":
            contents = chance.choice(come[number])
        else:
            contents = payload(kind, chance, asked["node"], number, sent[number] + come[number])
            if chance.random() < 0.25:
                # A stranger on the same cable.
                source, port = source.rpartition(".")[0] + ".200", chance.randrange(1024, 1 << 16)
        yield kind, build(source, port, link["target"], link["port"], contents)


def main():
    """Listen, then send."""
    asked = json.load(sys.stdin)
    sent, come = listen(asked["links"], asked["listen"])
    if not all(sent) or not all(come):
        sys.exit(f"nothing was overheard on a cable: {[len(one) for one in sent]} sent, {[len(one) for one in come]} come")
    time.sleep(asked["hold"])
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    told, failed, began = dict.fromkeys(asked["kinds"], 0), 0, time.monotonic()
    for position, (kind, packet) in enumerate(datagrams(asked, sent, come)):
        if position % _BURST == 0:
            time.sleep(max(0.0, began + position / asked["rate"] - time.monotonic()))
        try:
            raw.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
            told[kind] += 1
        except OSError:
            failed += 1
    captured = sum(map(len, sent)) + sum(map(len, come))
    json.dump({"captured": captured, "sent": told, "failed": failed, "seconds": time.monotonic() - began}, sys.stdout)


if __name__ == "__main__":
    main()
