"""The full state of a run in one file: written atomically, verified when read. Safetensors only, never a pickle."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..data.files import OUT, write_atomically
from ..data.json_text import decoded
from ..errors import UserError

Tensors = dict[str, Tensor]

KEY = "pocketrcnn"  # of our entry in the file's metadata


def save_tensors(path: Path, tensors: Tensors, metadata: dict[str, Any], another: str = OUT) -> None:
    """Write tensors with metadata (JSON) and a checksum over both. The same input, the same bytes."""
    tensors = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    text = json.dumps(metadata, sort_keys=True)
    content = json.dumps({"facts": text, "sha256": checksum(tensors, text)})
    # One key only: safetensors writes several in random order, and the same content would give other bytes.
    write_atomically(path, save(tensors, {KEY: content}), another)


def load_tensors(path: Path, remedy: str = "train again") -> tuple[Tensors, dict[str, Any]]:
    """Read what `save_tensors` wrote. Raises UserError for a file that is missing, damaged, or of another kind.

    `remedy`: what to do then where there is no copy of the file.
    """
    remedy = f"restore it from a copy, or {remedy}"
    if not path.is_file():
        raise UserError(f"{path} does not exist: {remedy}")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        entry = decoded(header[KEY])
        metadata, actual = decoded(entry["facts"]), checksum(tensors, entry["facts"])
        if not isinstance(metadata, dict):
            raise ValueError("its metadata are no object")
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        reason = (str(error).splitlines() or ["not readable"])[0]
        raise UserError(f"{path} is damaged or not one of pocketrcnn's files ({reason}): {remedy}") from error
    if actual != entry.get("sha256"):
        raise UserError(f"{path} is damaged (its checksum differs from its content): {remedy}")
    return tensors, metadata


def checksum(tensors: Tensors, text: str) -> str:
    """SHA-256 over names, shapes, types and values of the tensors, in order, and the text."""
    digest = hashlib.sha256(text.encode())
    for name, tensor in tensors.items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return digest.hexdigest()


def load_into(module: torch.nn.Module, tensors: Tensors, where: Path) -> None:
    """Put tensors into a network. Raises UserError when they belong to another one."""
    remedy = "restore the configuration it was trained with, or train again where another version made it"
    require_fit(module.state_dict(), tensors, where, remedy)
    module.load_state_dict(tensors)


def require_fit(expected: Tensors, tensors: Tensors, where: Path, remedy: str) -> None:
    """Raises UserError where tensors have other names or shapes than `expected`, with the first that does not fit."""
    wrong = sorted(set(expected) ^ set(tensors)) or [n for n in expected if expected[n].shape != tensors[n].shape]
    if wrong:
        raise UserError(f"{where} belongs to another network (`{wrong[0]}` does not fit): {remedy}")
