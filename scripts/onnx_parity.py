"""Does the ONNX file of a run find what torch finds, and how fast is each? Prints JSON.

    python scripts/onnx_parity.py RUN DATA --images 200

The run is exported afresh. DATA: annotated images in any format, all splits together. Every detection counts, down to
the lowest score that the network gives out. Images one at a time, both programs in turn, with the threads that torch
has (OMP_NUM_THREADS=1 for one).
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.onnx.export import onnx_file
from pocketrcnn.custom.onnx.parity import BOX, SCORE, Whole, compare, readable
from pocketrcnn.data.formats import read
from pocketrcnn.training.device import keep_memory
from pocketrcnn.training.machine import versions
from pocketrcnn.training.measured import processor


def main() -> None:
    """Export, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    keep_memory()  # as `predict` does
    detector = Detector.load(options.run, "cpu")
    paths = [example.path for example in read(options.data).examples][: options.images]
    frames = np.stack(list(readable(paths, detector.side)))
    content = onnx_file(detector)
    agreement = compare(content, Whole(detector), frames, str(options.run))
    result = {
        "images": len(frames),
        "side": detector.side,
        "file_mb": round(len(content) / 1e6, 2),
        "detections": agreement.total,
        "same": agreement.same,
        "tolerance": {"box_px": BOX, "score": SCORE},
        "largest_difference": {"box_px": float(agreement.box), "score": float(agreement.score)},
        "milliseconds_an_image": dict(zip(("onnxruntime", "torch"), agreement.milliseconds, strict=True)),
        "threads": torch.get_num_threads(),
        "processor": processor(),
        "versions": versions(),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
