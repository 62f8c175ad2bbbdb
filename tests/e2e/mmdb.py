#!/usr/bin/env python3
"""mmdb: writes a database of countries, as small as its networks, in MaxMind's DB format 2.0.

usage: mmdb.py FILE NETWORK=COUNTRY ...
       (=COUNTRY: as country.iso_code; =flat:COUNTRY: as a flat country_code)

https://maxmind.github.io/MaxMind-DB/ has the format: a binary tree over the bits of an
address, 16 zero bytes, the values that its leaves point to, and what the file says of
itself.  All addresses are of 128 bits; those of IPv4 lie under ::/96.
"""

import ipaddress
import struct
import sys

RECORD_BITS = 24
MAP, TEXT, U16, U32, U64, LIST = 7, 2, 5, 6, 9, 11


def field(kind, size):
    """The control byte, and what follows it of kinds from 8 on."""
    assert size < 29, "no value of these tests is longer"
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])


def number(kind, n):
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return field(kind, len(raw)) + raw


def encode(value):
    if isinstance(value, bytes):        # encoded already
        return value
    if isinstance(value, str):
        return field(TEXT, len(value)) + value.encode()
    if isinstance(value, list):
        return field(LIST, len(value)) + b"".join(map(encode, value))
    return field(MAP, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def bits_of(network):
    net = ipaddress.ip_network(network)
    length = net.prefixlen + (96 if net.version == 4 else 0)
    return f"{int(net.network_address):0128b}"[:length]


def plant(tree, bits, leaf):
    """tree: a list of nodes [left, right], each another node's number, a leaf (negative) or None."""
    node = 0
    for bit in map(int, bits[:-1]):
        if tree[node][bit] is None:
            tree.append([None, None])
            tree[node][bit] = len(tree) - 1
        node = tree[node][bit]
    tree[node][int(bits[-1])] = leaf


def record(value, nodes, offsets):
    """No answer is the number of nodes; a leaf's place counts from the tree's end, zeros and all."""
    n = nodes if value is None else nodes + 16 + offsets[-1 - value] if value < 0 else value
    return struct.pack(">I", n)[1:]


def database(countries):
    """countries: network -> code, none of them inside of another.  The file's bytes."""
    tree, data, offsets = [[None, None]], b"", []
    for network, code in countries.items():
        flat = code.startswith("flat:")
        offsets.append(len(data))
        data += encode({"country_code": code[5:]} if flat else {"country": {"iso_code": code}})
        plant(tree, bits_of(network), -len(offsets))
    about = {
        "binary_format_major_version": number(U16, 2), "binary_format_minor_version": number(U16, 0),
        "build_epoch": number(U64, 1772409600), "database_type": "Test-Country", "description": {"en": "countries of tests"},
        "ip_version": number(U16, 6), "languages": ["en"], "node_count": number(U32, len(tree)),
        "record_size": number(U16, RECORD_BITS),
    }
    nodes = b"".join(record(side, len(tree), offsets) for node in tree for side in node)
    return nodes + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(about)


def main():
    with open(sys.argv[1], "wb") as f:
        f.write(database(dict(word.split("=", 1) for word in sys.argv[2:])))


if __name__ == "__main__":
    main()
