"""`pocketrcnn export`: a trained detector as one ONNX file, from uint8 pixels to final boxes, checked when written.

The network is exported as it is. Two of its operators are translated: `pocketrcnn::nms` becomes NonMaxSuppression, and
the weighted sums of cells that crop a region become a gather and a sum.
Legend: B images, M detections an image, K boxes, S the side of the input in pixels.
"""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...data.files import require_writable, write_atomically
from ...data.images.pixels import Pixels
from ...errors import UserError
from ...model.roi import TAPS
from ...terminal import say
from ...version import __version__
from ..detector import Detector
from .checksum import with_checksum
from .parity import Whole, verify
from .run_file import hash_of
from .runtime import CHECKSUM, INPUT, KEY, NAME, OUTPUTS, SCHEMA, TILED

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
OPSET = 18  # of ONNX, in onnxruntime since 1.14
BOOL = 9  # ONNX's number of the type

InputsOf = Callable[[int], tuple[Pixels, str]]


def export(folder: Path, inputs_of: InputsOf, out: Path | None = None) -> Path:
    """Write the detector of a finished run as an ONNX file, RUN/model.onnx if `out` is None; returns its path.

    Raises UserError as `verified` does, and for a path that cannot be written.
    """
    detector = exportable(folder)
    path = writable(out or folder / NAME, ".onnx", "by which exported files are known")
    content = verified(detector, inputs_of, folder)
    write_atomically(path, content)
    say(f"{path}: {len(content) / 1e6:.1f} MB; images uint8 [batch,{detector.side},{detector.side},3]")
    return path


def exportable(folder: Path) -> Detector:
    """The detector of a finished run. Raises UserError for another folder, and when a package is missing."""
    require_packages()
    return Detector.load(folder, "cpu")


def writable(path: Path, ending: str, why: str) -> Path:
    """The path of a file that can be made. Raises UserError where it cannot be, or has another ending."""
    if path.suffix.lower() != ending:
        raise UserError(f"--out {path}: use a name that ends in {ending}, {why}")
    if path.is_dir() or not path.parent.is_dir():
        raise UserError(f"{path} cannot be written: name a file in a folder that exists with --out")
    require_writable(path.parent)
    return path


def verified(detector: Detector, inputs_of: InputsOf, folder: Path) -> bytes:
    """The detector of a run as the content of an ONNX file, whose detections were compared with torch's.

    inputs_of: the images for that, from the side S of the input: uint8 [B,S,S,3], and what they are, in words. Raises
    UserError when the detections differ.
    """
    content = onnx_file(detector)
    inputs, words = inputs_of(detector.side)
    agreement = verify(content, Whole(detector), inputs, f"the ONNX file of {folder}")
    say(f"verified on {len(inputs)} {words}: {agreement}")
    return content


def require_packages() -> None:
    """Raises UserError when a package for ONNX files is missing."""
    for name in PACKAGES:
        try:
            import_module(name)
        except ImportError as error:
            remedy = "`pip install '.[export]'` in a clone of the project, then try again"
            raise UserError(f"{name} is not installed: {remedy}") from error


def onnx_file(detector: Detector) -> bytes:
    """The detector as the content of an ONNX file, with the metadata that `runtime` needs, and a checksum."""
    example = torch.zeros(2, detector.side, detector.side, 3, dtype=torch.uint8)
    overlap = detector.overlap
    schema = TILED if overlap else SCHEMA
    metadata = {"schema": schema, "version": __version__, "classes": detector.classes, "side": detector.side}
    model = onnx_model(Whole(detector), (example,), [INPUT], OUTPUTS)
    metadata |= {"threshold": detector.threshold, "checksum": CHECKSUM, "pages": detector.pages}
    metadata |= {"tiles": {"overlap": overlap}} if overlap else {}
    metadata |= {"weights": hash_of(Path(detector.where))}
    model.metadata_props.add(key=KEY, value=json.dumps(metadata))
    return with_checksum(model.SerializeToString())


def onnx_model(module: nn.Module, examples: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """A module as an `onnx.ModelProto` for any number of images, which is the first dimension of every input."""
    batch = torch.export.Dim("batch")
    table: dict[Callable[..., Any], Callable[..., Any]] = {
        torch.ops.pocketrcnn.nms.default: onnx_nms,
        torch.ops.aten.embedding_bag.padding_idx: onnx_crop,
        torch.ops.aten._embedding_bag_forward_only.default: onnx_crop,
    }
    with quiet(), torch.no_grad():
        program = torch.export.export(module.eval(), examples, dynamic_shapes=tuple({0: batch} for _ in examples))
        made = torch.onnx.export(
            program,
            opset_version=OPSET,
            custom_translation_table=table,
            input_names=inputs,
            output_names=outputs,
            verbose=False,
        )
    assert made is not None, "only the older exporter returns nothing"
    forget_shapes(program)
    return cleaned(made.model_proto)


def forget_shapes(program: torch.export.ExportedProgram) -> None:
    """Empty what torch remembers of the shapes in a program, over 1 MB: it keeps that as long as the process lives."""
    for node in program.graph.nodes:
        shapes = getattr(getattr(node.meta.get("val"), "fake_mode", None), "shape_env", None)
        getattr(shapes, "fake_tensor_cache", {}).clear()


def onnx_nms(boxes: Any, valid: Any, iou_threshold: float) -> Any:
    """`boxes.nms` in ONNX's operators: boxes [B,K,4] that lie best first, valid [B,K] -> kept bool [B,K].

    NonMaxSuppression wants scores (here ranks, K for the first box, 0 for what is not valid) and returns rows of
    (image, class, box). It would flip inverted boxes, which have no area here: they get none.
    """
    from onnxscript import opset18

    op: Any = opset18  # its types know tensors alone
    count = boxes.shape[1]
    ranks = op.Constant(value_floats=[float(rank) for rank in range(count, 0, -1)])
    scores = op.Unsqueeze(op.Where(valid, ranks, op.Constant(value_float=0.0)), op.Constant(value_ints=[1]))  # [B,1,K]
    low, high = op.Split(boxes, axis=-1, num_outputs=2)
    upright = op.Concat(low, op.Max(low, high), axis=-1)
    limits = op.Constant(value_int=count), op.Constant(value_float=iou_threshold), op.Constant(value_float=0.5)
    rows = op.NonMaxSuppression(upright, scores, *limits)  # [kept,3]
    indices = op.Gather(rows, op.Constant(value_ints=[0, 2]), axis=1)  # [kept,2]
    yes = op.Expand(op.Cast(op.Constant(value_int=1), to=BOOL), op.Shape(indices, end=1))
    return op.ScatterND(op.And(valid, op.Not(valid)), indices, yes)  # into False everywhere


def onnx_crop(table: Any, cells: Any, _start: Any, _scale: Any, _mode: Any, _sparse: Any, weights: Any, *_: Any) -> Any:
    """The sums of `roi.transformer_pool` in ONNX's operators: those of the exporter go bag by bag.

    table [cells,C], cells int64 and weights float [n*TAPS] -> [n,C], and three more results that are not used.
    """
    from onnxscript import opset18

    op: Any = opset18
    shape, last = op.Constant(value_ints=[-1, TAPS]), op.Constant(value_ints=[-1])
    rows = op.Gather(table, op.Reshape(cells, shape), axis=0)  # [n,TAPS,C]
    weighted = op.Mul(rows, op.Unsqueeze(op.Reshape(weights, shape), last))
    return op.ReduceSum(weighted, op.Constant(value_ints=[1]), keepdims=0), cells, cells, cells


def cleaned(model: Any) -> Any:
    """The model without what the exporter adds for its developers: lines of source code, paths of this machine."""
    graph = model.graph
    model.producer_name, model.producer_version, graph.name = "pocketrcnn", __version__, "detector"
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *model.functions):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.value_info[:]  # shapes in between, which every reader finds out by itself
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Without the messages of the exporter for its developers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)
