"""One exported file for all tests that need one, and copies of it with something changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.checksum import with_checksum
from pocketrcnn.custom.onnx.export import onnx_file
from pocketrcnn.custom.onnx.runtime import KEY


@cache
def content_of_run(run: Path) -> bytes:
    """The ONNX file of a run, made once."""
    return onnx_file(Detector.load(run, "cpu"))


def exported(run: Path, folder: Path) -> Path:
    """The same as a file, in a folder whose name is neither ASCII nor without spaces."""
    path = folder / "ёжик 日本" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(content_of_run(run))
    return path


def with_metadata(path: Path, folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A copy of an exported file whose metadata are `change` of those it had, with its checksum."""
    model = onnx.load(path)
    entry, _ = model.metadata_props
    entry.value = json.dumps(change(json.loads(entry.value)))
    del model.metadata_props[1:]
    (folder / "changed.onnx").write_bytes(with_checksum(model.SerializeToString()))
    return folder / "changed.onnx"


def made_by_hand(
    path: Path,
    *,
    boxes: Any = (1, 2, 3, 4),
    scores: Any = 0.5,
    labels: Any = 0,
    side: Any = 8,
    pixels: Any = 8,
    names: tuple[str, ...] = ("boxes", "scores", "labels"),
    **metadata: Any,
) -> Path:
    """A file that looks like ours, for one image of `pixels`, and says that there is always this one detection."""
    shapes = {"boxes": (1, 1, 4), "scores": (1, 1), "labels": (1, 1)}
    given = {"boxes": np.float32(boxes), "scores": np.float32(scores), "labels": np.int64(labels)}
    kinds = {"boxes": onnx.TensorProto.FLOAT, "scores": onnx.TensorProto.FLOAT, "labels": onnx.TensorProto.INT64}
    values = {name: np.broadcast_to(given[name], shapes[name]) for name in shapes}
    image = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.UINT8, ["batch", pixels, pixels, 3])
    outputs = [
        onnx.helper.make_tensor_value_info(new, kinds[old], ["batch", *shapes[old][1:]])
        for old, new in zip(shapes, names, strict=False)
    ]
    constants = [onnx.numpy_helper.from_array(values[o].copy(), n) for o, n in zip(shapes, names, strict=False)]
    graph = onnx.helper.make_graph([], "made", [image], outputs, constants)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    whole = {"schema": 1, "version": "0.1.0", "classes": ["cat", "dog"], "threshold": 0.1, "side": side} | metadata
    model.metadata_props.add(key=KEY, value=json.dumps(whole))
    path.write_bytes(with_checksum(model.SerializeToString()))
    return path


def endless(path: Path) -> Path:
    """A file that `made_by_hand` wrote, whose boxes come from a loop that never ends."""
    model = onnx.load(path)
    next(one for one in model.graph.initializer if one.name == "boxes").name = "start"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "on"))
    kinds: dict[str, Any] = {"count": (onnx.TensorProto.INT64, ()), "going": (onnx.TensorProto.BOOL, ())}
    kinds["x"] = (onnx.TensorProto.FLOAT, (1, 1, 4))
    inputs = [onnx.helper.make_tensor_value_info(name, *kind) for name, kind in kinds.items()]
    outputs = [onnx.helper.make_tensor_value_info(f"{name}2", *kinds[name]) for name in ("going", "x")]
    nodes = [onnx.helper.make_node("Identity", [name], [f"{name}2"]) for name in ("going", "x")]
    body = onnx.helper.make_graph(nodes, "body", inputs, outputs)
    model.graph.node.append(onnx.helper.make_node("Loop", ["", "on", "start"], ["boxes"], body=body))
    del model.metadata_props[1:]  # the checksum
    path.write_bytes(with_checksum(model.SerializeToString()))
    return path


def builtin_exported(folder: Path) -> Path:
    """The detector of nuclei inside the package as an exported file: made in seconds, and it finds something."""
    (folder / "model.onnx").write_bytes(onnx_file(Detector.load("nuclei", "cpu")))
    return folder / "model.onnx"
