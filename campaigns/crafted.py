"""Files of weights and ONNX files that somebody has made to do harm, some with the right checksum."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper

from pocketrcnn.custom.onnx.checksum import DIGITS, START, with_checksum
from pocketrcnn.custom.onnx.runtime import KEY
from pocketrcnn.training.checkpoint import load_tensors, save_tensors

from . import mutations

Header = dict[str, Any]


def own_header(_: bytes, random: Random) -> bytes:
    """A file of safetensors whose header says what is not there, or is no header."""
    shape = random.choice(([2, 2], [0], [], [-1], [2**40], [2**63], [1.5], ["a"], None, [10**9, 10**9], [1] * 5_000))
    kind = random.choice(("F32", "F64", "BF16", "BOOL", "I64", "F8_E4M3", "X", "", None, 7))
    offsets = random.choice(([0, 16], [16, 0], [0, 2**40], [-1, 15], [0, 0], [8, 24], [0], [], None, "x", [0, 2**64]))
    facts = random.choice(mutations.VALUES)
    entries: dict[str, Any] = {
        random.choice(("conv1.weight", "", "a" * 10_000, "__metadata__", "\x1b[31m")): {
            "dtype": kind,
            "shape": shape,
            "data_offsets": offsets,
        },
        "other": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    }
    if random.random() < 0.7:
        about = {"facts": facts, "sha256": "0" * 64}
        entries["__metadata__"] = random.choice(({KEY: json.dumps(about)}, {KEY: facts}, {KEY: 5}, {}, None, [KEY]))
    header = json.dumps(entries).encode()
    length = random.choice((len(header), len(header), len(header), 0, 8, 2**31, 2**63, 2**64 - 1, len(header) - 1))
    return struct.pack("<Q", length) + header + bytes(random.choice((16, 0, 15, 17, 40)))


def own_facts(content: bytes, random: Random, place: Path) -> bytes:
    """A file of weights with the right checksum over other metadata or tensors. place: a file to write it to."""
    place.write_bytes(content)
    tensors, facts = load_tensors(place)
    if random.random() < 0.6:
        changed = json.loads("null")
        for _ in range(random.choice((1, 1, 3))):
            try:
                changed = json.loads(mutations.json_value(json.dumps(facts).encode(), random))
            except (ValueError, RecursionError):
                continue
        facts = changed
    else:
        tensors = other_tensors(tensors, random)
    try:
        save_tensors(place, tensors, facts)
    except (ValueError, RecursionError, RuntimeError):  # what cannot be written
        return content[: len(content) // 2]
    return place.read_bytes()


def other_tensors(tensors: dict[str, torch.Tensor], random: Random) -> dict[str, torch.Tensor]:
    """Tensors of which one has other values, shape, type or name."""
    name = random.choice(sorted(tensors))
    one = tensors.pop(name)
    value = random.choice((float("nan"), float("inf"), -1e38, 0.0, 1e-42))
    changed = random.choice(
        (
            lambda: torch.full_like(one, value) if one.is_floating_point() else one,
            one.flatten,
            lambda: one.to(torch.float64),
            lambda: one.to(torch.bool),
            lambda: torch.zeros(0),
            lambda: one[None],
        )
    )()
    return tensors | {random.choice((name, name, name, "other", "")): changed}


def unsigned(content: bytes) -> bytes:
    """An exported file without its checksum."""
    return content[: -DIGITS - len(START)] if content[:-DIGITS].endswith(START) else content


def changed_onnx(content: bytes, random: Random) -> bytes:
    """An exported file with damage and the right checksum."""
    return with_checksum(mutations.mutated(unsigned(content), ".onnx", random))


def other_facts(content: bytes, random: Random) -> bytes:
    """An exported file that says something else of itself."""
    model = onnx.load_from_string(unsigned(content))
    for entry in model.metadata_props:
        if entry.key == KEY:
            value = mutations.json_value(entry.value.encode(), random)
            entry.value = value.decode("utf-8", "replace")
    return with_checksum(model.SerializeToString())


def other_graph(content: bytes, random: Random) -> bytes:
    """An exported file whose graph has lost a part, or has other inputs, outputs or numbers."""
    model = onnx.load_from_string(unsigned(content))
    graph = model.graph
    parts: list[Callable[[], Any]] = [
        *(partial(lose, field, random) for field in (graph.node, graph.initializer, graph.output, graph.input)),
        lambda: setattr(random.choice(graph.output), "name", random.choice(("boxes", "scores", "labels", "x", ""))),
        lambda: setattr(random.choice(graph.node), "op_type", random.choice(("Loop", "Scan", "If", "Exp", "Nothing"))),
        lambda: setattr(random.choice(graph.node), "domain", "elsewhere"),
        lambda: setattr(graph.initializer[0], "data_location", TensorProto.EXTERNAL),
        lambda: graph.initializer[0].external_data.add(key="location", value="../../etc/passwd"),
        lambda: setattr(model, "ir_version", random.choice((0, -1, 99, 2**60))),
        lambda: setattr(model.opset_import[0], "version", random.choice((0, 1, 99, 2**60))),
        lambda: random.choice(graph.initializer).dims.append(random.choice((0, -1, 1, 2**40))),
        lambda: graph.node.append(random.choice(graph.node)),
    ]
    for _ in range(random.choice((1, 1, 2))):
        try:
            random.choice(parts)()
        except (IndexError, ValueError):
            continue
    return with_checksum(model.SerializeToString())


def lose(field: Any, random: Random) -> None:
    """One item of a list is missing, if there is one."""
    if len(field):
        del field[random.randrange(len(field))]


def made_by_hand(_: bytes, random: Random) -> bytes:
    """A file of our form that gives the same detections for every image, possible ones or not."""
    side = random.choice((8, 48, 16_384, 0, -5, 10**8))
    most = random.choice((1, 1, 3, 0))
    numbers = (0.5, 7.0, -1.0, float("nan"), float("inf"), 1e38, 0.0)
    labels = (0, 1, 2, -1, -2, 10**6, -(2**63))
    kinds = {"boxes": (TensorProto.FLOAT, 4), "scores": (TensorProto.FLOAT, 0), "labels": (TensorProto.INT64, 0)}
    outputs, constants = [], []
    for name, (kind, last) in kinds.items():
        shape = [1, most] + [last] * (last > 0)
        if random.random() < 0.1:
            shape = random.choice(([1], [1, most, 5], [2, most], [most]))
        count = 1
        for length in shape:
            count *= length
        pool = labels if name == "labels" else numbers
        constants.append(helper.make_tensor(name, kind, shape, [random.choice(pool) for _ in range(count)]))
        outputs.append(helper.make_tensor_value_info(name, kind, ["batch", *shape[1:]]))
    image = helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", side, side, 3])
    model = helper.make_model(
        helper.make_graph([], "made", [image], outputs, constants),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    facts = {"schema": 1, "version": "0.1.0", "classes": ["cat", "dog"], "threshold": 0.1, "side": side}
    model.metadata_props.add(key=KEY, value=json.dumps(facts))
    return with_checksum(model.SerializeToString())


ONNX = (changed_onnx, other_facts, other_graph, made_by_hand)
