#!/usr/bin/env python3
"""Reads an ONNX file without any package, and holds it to what every reader expects of one.

    onnx_read.py NET.onnx     prints its inputs, outputs, operators, weights and metadata; exit 1 with the first thing that is wrong

Names are made once and before they are read, weights have as many bytes as their shape says, attributes the type that they say, and nothing is left over.
"""
import math
import struct
import sys

SIZES = {1: 4, 2: 1, 6: 4, 7: 8}                       # bytes of a float32, uint8, int32, int64
TYPES = {1: "f32", 2: "u8", 6: "i32", 7: "i64"}


def fields(data):
    """(number, value) of a message: an int, 4 bytes, or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value if value < 1 << 63 else value - (1 << 64)

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            assert key & 7 in (2, 5), f"a field of kind {key & 7}"
            n = 4 if key & 7 == 5 else varint()
            assert at + n <= len(data), "a field that is longer than its message"
            yield key >> 3, data[at:at + n]
            at += n


def message(data):
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def text(m, number): return m[number][0].decode()


def tensor(data):
    m = message(data)
    dims, kind, name = m.get(1, []), m[2][0], text(m, 8)
    assert set(m) <= {1, 2, 8, 9}, f"{name}: fields {set(m)}"
    assert len(m[9][0]) == SIZES[kind] * math.prod(dims), f"{name}: {len(m[9][0])} bytes for {dims}"
    return name, f"{TYPES[kind]} {dims}", m[9][0]


def port(data):
    m = message(data)
    kind = message(message(m[2][0])[1][0])
    axes = [message(d) for d in message(kind[2][0])[1]]
    return text(m, 1), f"{TYPES[kind[1][0]]} [{', '.join(str(a[1][0]) if 1 in a else text(a, 2) for a in axes)}]"


def attribute(data):
    m = message(data)
    kind = m[20][0]
    own = {1: 2, 2: 3, 3: 4, 7: 8}[kind]               # the field that the type says
    assert set(m) <= {1, own, 20} and (own in m or kind == 7), f"attribute {text(m, 1)}: fields {set(m)}"
    value = m.get(own, [])
    return text(m, 1), struct.unpack("<f", value[0])[0] if kind == 1 else value[0] if kind == 2 else value[0].decode() if kind == 3 else value


def main():
    with open(sys.argv[1], "rb") as file:
        model = message(file.read())
    assert model[1] == [9], f"IR version {model[1]}"
    assert [message(o) for o in model[8]] == [{2: [20]}], "the opset is not 20"
    graph = message(model[7][0])
    assert text(model, 2) == "spnc" and text(graph, 2)
    known, used = set(), set()

    def make(name):
        assert name and name not in known, f"'{name}' is made twice, or has no name"
        known.add(name)

    for data in graph.get(11, []):
        name, kind = port(data)
        make(name)
        print("in", name, kind)
    for data in graph.get(5, []):
        name, kind, _ = tensor(data)
        make(name)
        if "." in name and ":" not in name and "[" not in name:
            print("weight", name, kind)
    for data in graph[1]:
        node = message(data)
        assert set(node) <= {1, 2, 3, 4, 5}, f"a node with fields {set(node)}"
        for name in (n.decode() for n in node.get(1, [])):
            assert not name or name in known, f"{text(node, 4)} reads '{name}', which is not there yet"
            used.add(name)
        for name in (n.decode() for n in node[2]):
            if name:
                make(name)
        attributes = [attribute(a) for a in node.get(5, [])]
        assert len({k for k, _ in attributes}) == len(attributes)
        print("node", text(node, 4), *(f"{k}={v}" for k, v in attributes))
    for data in graph[12]:
        name, kind = port(data)
        assert name in known, f"the output '{name}' is not made"
        used.add(name)
        print("out", name, kind)
    idle = [n for n in (tensor(d)[0] for d in graph.get(5, [])) if n not in used]
    assert not idle, f"nobody reads {idle}"
    for data in model[14]:
        entry = message(data)
        print("metadata", text(entry, 1), repr(text(entry, 2)))


try:
    main()
except (AssertionError, IndexError, KeyError, UnicodeDecodeError) as e:
    sys.exit(f"onnx_read: {sys.argv[1]}: {type(e).__name__}: {e}")
