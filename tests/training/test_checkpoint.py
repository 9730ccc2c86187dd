"""Files of tensors: whole or not there, verified when read, the same bytes for the same content.

Covers `training/files.py`.
"""

from pathlib import Path

import pytest
import torch
from disks import full
from torch import nn

from pocketrcnn.data import files
from pocketrcnn.data.files import write_atomically
from pocketrcnn.errors import UserError
from pocketrcnn.training.checkpoint import load_into, load_tensors, save_tensors

TENSORS = {
    "b": torch.arange(6.0).view(2, 3),
    "a": torch.tensor([1, 2]),
    "empty": torch.zeros(0, 3),
    "scalar": torch.tensor(1.5),
}
METADATA = {"iteration": 3, "log": [{"loss": 0.1}]}


def test_round_trip(tmp_path: Path) -> None:
    save_tensors(tmp_path / "x.safetensors", TENSORS, METADATA)
    tensors, metadata = load_tensors(tmp_path / "x.safetensors")
    assert metadata == METADATA
    assert set(tensors) == set(TENSORS)
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    save_tensors(tmp_path / "1", TENSORS, METADATA)
    save_tensors(tmp_path / "2", dict(reversed(TENSORS.items())), dict(reversed(METADATA.items())))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_tensors(path, TENSORS, METADATA)
    good = path.read_bytes()
    for place in range(0, len(good), 7):
        path.write_bytes(good[:place] + bytes([good[place] ^ 16]) + good[place + 1 :])
        try:
            tensors, metadata = load_tensors(path)
        except UserError as error:
            message = str(error)
        else:  # blanks that pad the header carry no meaning
            assert metadata == METADATA
            assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
            continue
        assert str(path) in message
        assert "\n" not in message


@pytest.mark.parametrize("size", [0, 5, 100, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.safetensors"
    save_tensors(path, TENSORS, METADATA)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match=r"x\.safetensors is damaged.*restore it from a copy, or train again"):
        load_tensors(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.safetensors does not exist"):
        load_tensors(tmp_path / "gone.safetensors")


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"a": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="not one of pocketrcnn's files"):
        load_tensors(path)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(UserError, match=r"belongs to another network .*: restore the configuration .*, or train again"):
        load_into(nn.Linear(2, 3), nn.Linear(2, 4).state_dict(), Path("w"))
    with pytest.raises(UserError, match="belongs to another network"):
        load_into(nn.Linear(2, 3), nn.Linear(2, 3, bias=False).state_dict(), Path("w"))


def test_no_space_leaves_the_file_before_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"before")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(UserError, match=r"x cannot be written \(No space left on device\): free some space"):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
