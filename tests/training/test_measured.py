"""What was measured once is known to every later call on this machine, and to no other machine."""

from pathlib import Path

import pytest

from pocketrcnn.training import measured
from pocketrcnn.training.measured import remember, remembered


def test_what_is_kept_is_known_by_its_name(empty_cache: Path) -> None:
    assert remembered("gain") is None
    remember("gain", 1.75)
    remember("workers", 2)
    remember("gain", 1.5)
    assert (remembered("gain"), remembered("workers"), remembered("other")) == (1.5, 2, None)
    assert [path.name for path in empty_cache.iterdir()] == ["machine.json"]


def test_another_machine_has_its_own_values(monkeypatch: pytest.MonkeyPatch) -> None:
    remember("gain", 1.75)
    with monkeypatch.context() as patch:
        patch.setattr(measured, "processor", lambda: "another processor")
        assert remembered("gain") is None
        remember("gain", 0.5)
    assert remembered("gain") == 1.75


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b'{"a": 1}', b"null"])
def test_a_damaged_file_holds_nothing_and_is_replaced(empty_cache: Path, content: bytes) -> None:
    (empty_cache / "machine.json").write_bytes(content)
    assert remembered("gain") is None
    remember("gain", 1.75)
    assert remembered("gain") == 1.75


def test_a_cache_that_cannot_be_written_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POCKETRCNN_DATA", str(tmp_path / "file"))
    remember("gain", 1.75)
    assert remembered("gain") is None
