"""Campaigns: trials are a function of seed and number, failures are counted and kept; the short form of every row."""

import subprocess
import sys
from pathlib import Path

import pytest

from campaigns.__main__ import main
from campaigns.campaign import Broken, Campaign, Trial, run
from campaigns.rows import ROWS

ROOT = Path(__file__).parents[2]


def drawing(one: Trial) -> None:
    number = one.random.randrange(1000)
    (one.folder / "drawn").write_text(str(number), encoding="utf-8")
    one.counts["even"] += number % 2 == 0
    if number % 2:
        raise Broken(f"{number} is odd")


def test_trials_are_a_function_of_seed_and_number(tmp_path: Path) -> None:
    campaign = Campaign(long=100, short=20, trial=drawing)
    one, again, other = (run(campaign, "K1", 20, seed, keep=tmp_path) for seed in (0, 0, 1))
    assert one.failures == again.failures != other.failures
    number, message = one.failures[0]
    alone = run(campaign, "K1", 1, 0, keep=tmp_path, first=number)
    assert alone.failures == ((number, message),)


def test_failures_are_counted_and_kept(tmp_path: Path) -> None:
    outcome = run(Campaign(100, 20, drawing), "K1", 20, 0, keep=tmp_path)
    assert len(outcome.failures) + outcome.counts["even"] == 20
    number, message = outcome.failures[0]
    kept = tmp_path / f"K1-0-{number}"
    assert f"{(kept / 'drawn').read_text(encoding='utf-8')} is odd" in message
    assert f"python -m campaigns K1 --seed 0 --first {number} --trials 1" in (kept / "FAILURE.txt").read_text()
    assert f"20 trials, {len(outcome.failures)} failures" in str(outcome)


def test_after_ctrl_c_the_trials_until_then_count(tmp_path: Path) -> None:
    def interrupted(one: Trial) -> None:
        if one.number == 7:
            raise KeyboardInterrupt

    assert run(Campaign(100, 20, interrupted), "K1", 20, 0, keep=tmp_path).trials == 7


def test_an_unknown_row_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["Q9"])
    assert "K1" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS)
def test_short_forms_have_no_failures(row: str, tmp_path: Path) -> None:
    """As it is typed: trials are forked, which threads of other tests in this process would not survive."""
    words = [sys.executable, "-m", "campaigns", row, "--short", "--keep", str(tmp_path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " 0 failures" in ended.stdout
