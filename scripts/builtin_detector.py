"""Put a run into the package as a detector that can be used by its name: `python scripts/builtin_detector.py NAME RUN`.

Writes `src/pocketrcnn/custom/detectors/NAME.safetensors`, the weights of the run without the path of its data, and
NAME.json: command, machine and figures, as `pocketrcnn eval RUN` found them on the test images.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from pocketrcnn.config import replace
from pocketrcnn.custom.builtin import FOLDER, weights_of
from pocketrcnn.data.files import write_atomically
from pocketrcnn.training import config_file
from pocketrcnn.training.checkpoint import load_tensors, save_tensors
from pocketrcnn.training.run import WEIGHTS, encode, open_finished, parse

OVERLAP = 64  # pixels of tiles in images larger than the input: twice the largest nuclei
FIGURES = ("AP50", "AP", "AP75", "AR")


def main(name: str, folder: Path) -> None:
    """Write both files."""
    run = open_finished(folder, "cpu")
    tensors, metadata = load_tensors(folder / WEIGHTS)
    config = config_file.from_dict(metadata["config"], WEIGHTS)
    config = replace(config, data=dataclasses.replace(config.data, source=name, tile_overlap=OVERLAP))
    save_tensors(weights_of(name), tensors, metadata | {"config": config_file.saved(config)})
    write_atomically(
        FOLDER / f"{name}.json", encode(facts(name, run.environment(), parse(folder / "evaluation-test.json")))
    )


def facts(name: str, environment: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any]:
    """How a run was made, and how good it is."""
    words = environment["command"].split()
    words = [name if i == 2 else word for i, word in enumerate(words) if "--out" not in words[max(0, i - 1) : i + 1]]
    used, hardware = evaluation["used"], environment["hardware"]
    return {
        "command": " ".join(words),
        "split": evaluation["split"],
        "images": evaluation["counts"]["images"],
        "objects": evaluation["counts"]["objects"],
        "overall": {figure: round(evaluation["overall"][figure], 3) for figure in FIGURES},
        "used": {figure: round(used[figure], 3) for figure in ("threshold", "precision", "recall")},
        "machine": {key: hardware[key] for key in ("processor", "threads", "precision")},
        "versions": {key: environment["versions"][key] for key in ("pocketrcnn", "torch", "python")},
    }


if __name__ == "__main__":
    name, folder = sys.argv[1:]
    main(name, Path(folder))
    print(json.dumps(json.loads((FOLDER / f"{name}.json").read_text()), indent=1))
