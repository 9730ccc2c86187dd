"""Training in phases: parts that do not learn stay as they are to the bit, and an interrupted run is the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from runs_in_seconds import CPU, interrupt_after, sample_sets, small, train_on_sample
from torch import Tensor

from pocketrcnn.config import PARTS, Config, PhaseConfig, TrainConfig, replace
from pocketrcnn.course.experiments import ALTERNATING, PREDICTED_LATER
from pocketrcnn.errors import UserError
from pocketrcnn.training import optim, phases
from pocketrcnn.training.checkpoint import load_tensors
from pocketrcnn.training.loop import Trainer
from pocketrcnn.training.signals import Interrupted

pytestmark = pytest.mark.slow

FOUR = tuple((("backbone", "rpn"), ("backbone", "head"), ("rpn",), ("head",)))


def trainer(given: tuple[PhaseConfig, ...], experiment: str = "F2", recipe: str = "pocket", **changes: Any) -> Trainer:
    config = small(experiment, recipe, train__iterations=8, **changes)
    config = replace(config, train__phases=given)
    return Trainer(config, *sample_sets(config.data), CPU)


def weights(one: Trainer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in one.state.model.state_dict().items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Parts of the network of which any weight or statistic is another one."""
    return {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "muon"])
def test_parts_that_do_not_learn_stay_as_they_are_to_the_bit(name: str) -> None:
    """Neither momentum from before, nor weight decay, nor BatchNorm moves them."""
    one = trainer(ALTERNATING, optim__name=name, optim__weight_decay=0.1, optim__bias_decay=0.1)
    for step, parts in enumerate(FOUR):
        before = weights(one)
        one.train([2 * step, 2 * step + 1])
        assert changed(before, weights(one)) == set(parts)
    assert one.state.phase == 3


def test_an_evaluation_on_the_way_does_not_wake_a_part(tmp_path: Path) -> None:
    """Without averaged weights the network itself is evaluated, and goes back to training mode."""
    config = small("F2", "course", train__iterations=8, train__evaluations=8, train__phases=ALTERNATING)
    whole = train_on_sample(tmp_path / "run", config).load_model()[0].state_dict()
    one = trainer(ALTERNATING, recipe="course")
    one.train(range(8))
    assert changed(whole, weights(one)) == set()


def test_no_backward_goes_through_a_part_that_does_not_learn() -> None:
    one = trainer((PhaseConfig(trained=("rpn",)),), model__backbone__whiten=False)
    one.train([0])
    model = one.state.model
    batch = one.batch(1)
    assert not model.backbone(model.normalise(batch.images)).requires_grad
    assert not model(batch.images, batch).logits.requires_grad
    assert all(parameter.requires_grad for parameter in model.rpn.parameters())


def test_whitened_filters_and_their_norm_never_learn() -> None:
    """And nothing in front of the second convolution needs a gradient, in any phase."""
    one = trainer(PREDICTED_LATER)
    first = one.state.model.backbone.blocks.conv1
    before = [parameter.clone() for parameter in first.parameters()]
    seen: list[bool] = []
    first.register_forward_hook(lambda _, __, x: seen.append(x.requires_grad))
    one.train(range(8))
    assert all(torch.equal(now, old) for now, old in zip(first.parameters(), before, strict=True))
    assert seen == [False] * 8
    assert one.state.model.backbone.blocks.conv1.norm.num_batches_tracked == 8, "its statistics are those of the data"


def test_one_phase_of_the_whole_network_is_no_phase() -> None:
    alone, one = trainer(()), trainer((PhaseConfig(),))
    for run in (alone, one):
        run.train(range(3))
    assert changed(weights(alone), weights(one)) == set()
    assert alone.state.means.plain() == one.state.means.plain()


def test_all_losses_are_measured_and_those_of_the_trained_parts_add_up() -> None:
    one = trainer((PhaseConfig(trained=("backbone", "head")),), "F2")
    one.train([0])
    means = one.state.means.result()
    assert {"loss_objectness", "loss_box", "loss_classification"} <= set(means)
    assert means["loss_total"] == pytest.approx(one.config.loss.classification * means["loss_classification"])


@pytest.mark.parametrize(("kind", "regions"), [("truth", 1), ("predicted", 1), ("jittered", 1), ("sampled", 5)])
def test_a_phase_says_which_box_is_cropped(kind: Any, regions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = trainer((PhaseConfig(0.5), PhaseConfig(0.5, train_box=kind)), model__roi__sample=5)
    seen = []
    targets = one.state.model.targets
    monkeypatch.setattr(one.state.model, "targets", lambda p, b: seen.append((p, b)) or targets(p, b))
    one.train([3, 4])
    (first, batch), (then, later) = seen
    assert not torch.equal(first.regions, batch.boxes), "as the recipe has it: with noise"
    assert then.regions.shape == (10, regions, 4)
    assert torch.equal(then.regions, later.boxes) == (kind == "truth")
    assert (then.regions is then.proposals) == (kind == "predicted")


def test_frozen_proposals_are_those_of_the_network_as_the_phase_began(monkeypatch: pytest.MonkeyPatch) -> None:
    one = trainer(ALTERNATING)
    one.train([0, 1])
    model, seen = one.state.model, []
    before = weights(one)
    targets = model.targets
    monkeypatch.setattr(model, "targets", lambda p, b: seen.append((p, b)) or targets(p, b))
    one.train([2, 3])
    frozen = one.state.frozen
    assert frozen is not None
    assert changed(before, frozen.state_dict()) == set()
    assert changed(before, weights(one)) == {"backbone", "head"}
    for prediction, batch in seen:
        assert torch.equal(prediction.regions, frozen.training_proposals(batch.images)[0])
        assert not torch.equal(prediction.regions, prediction.proposals), "its features are others already"
    one.train([4])
    assert one.state.frozen is None, "the phase is over"


def rates(phase_list: tuple[PhaseConfig, ...], planned: int = 8) -> list[float]:
    """The factor on the learning rate in each iteration."""
    one = trainer(phase_list, optim__warmup=0.0)
    one.state.planned = planned
    factors = []
    for i in range(planned):
        _, *place = phases.enter(one.state, one.config.train, i)
        factors.append(optim.schedule(one.config.optim, *place))
    return factors


def test_the_schedule_begins_anew_where_a_phase_says_so() -> None:
    whole = [1 - i / 8 for i in range(8)]
    assert rates(PREDICTED_LATER) == whole
    assert rates(ALTERNATING) == [1.0, 0.5] * 4
    assert rates((PhaseConfig(0.5), PhaseConfig(0.5, restart=True))) == [*whole[:4], 1.0, 0.75, 0.5, 0.25]


def test_borders_are_fractions_of_the_iterations_and_the_last_is_the_end() -> None:
    thirds = (PhaseConfig(0.333), PhaseConfig(0.333), PhaseConfig(0.333))
    assert phases.borders(thirds, 3000) == [999, 1998, 3000]
    assert phases.borders(ALTERNATING, 2) == [0, 1, 2, 2]
    assert phases.borders((PhaseConfig(),), 7) == [7]


def test_a_phase_never_goes_back() -> None:
    """As many iterations as minutes allow: the plan changes on the way."""
    one = trainer(ALTERNATING)
    state, settings = one.state, one.config.train

    def entered(iteration: int, planned: int) -> tuple[int, int, int, int]:
        state.planned = planned
        return (*phases.enter(state, settings, iteration)[1:], state.phase, state.phase_began)

    assert entered(0, 40) == (0, 10, 0, 0)
    assert entered(12, 40) == (0, 8, 1, 12), "an evaluation shortened the plan before; it began late"
    assert entered(13, 80) == (1, 28, 1, 12), "longer: the phase goes on, the first one stays over"
    assert entered(14, 16) == (0, 2, 3, 14), "shorter: a phase that would be over is left out"
    assert entered(15, 100) == (1, 86, 3, 14)


@pytest.mark.parametrize(
    ("recipe", "precision"), [("pocket", "bfloat16"), ("pocket", "float32"), ("course", "float32")]
)
def test_a_run_interrupted_after_every_iteration_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, precision: str
) -> None:
    """Inside each of the four phases, and between two of them."""
    config = small("F2", recipe, train__iterations=8, train__phases=ALTERNATING, train__precision=precision)
    saved = same_bytes(tmp_path, monkeypatch, config)
    assert [metadata["phase"] for _, metadata in saved] == [0, 0, 1, 1, 2, 2, 3]
    frozen = ["frozen.head.classify.bias" in tensors for tensors, _ in saved]
    assert frozen == [False, False, True, True, False, False, False]


def test_phases_with_averaged_weights_and_sampled_regions_are_resumed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = (PhaseConfig(0.5, train_box="truth"), PhaseConfig(0.5, ("backbone", "head"), "sampled", "frozen"))
    saved = same_bytes(tmp_path, monkeypatch, small("F4", optim__average=0.2, train__phases=given))
    assert [metadata["phase_began"] for _, metadata in saved] == [0, 0, 0, 3, 3]


def same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch, config: Config) -> list[tuple[dict[str, Tensor], Any]]:
    """A run left alone and one interrupted after every iteration end in the same bytes; the checkpoints of that one."""
    whole, saved = train_on_sample(folder / "whole", config), []
    for stop in range(1, config.train.iterations):
        with monkeypatch.context() as patch:
            interrupt_after(patch, stop)
            with pytest.raises(Interrupted):
                train_on_sample(folder / "parts", config)
        saved.append(load_tensors(folder / "parts" / "checkpoint.safetensors"))
    parts = train_on_sample(folder / "parts", config)
    for name in ("weights.safetensors", "log.jsonl"):
        assert (parts.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    return saved


@pytest.mark.parametrize(
    ("experiment", "phase", "message"),
    [
        ("R2", {"trained": ("head",)}, "train.phases: the network has no head: take it out of `trained`"),
        ("B1", {"trained": ("backbone", "rpn")}, "train.phases: the network has no rpn: take it out of `trained`"),
        ("R2", {"train_box": "truth"}, "train.phases: no head crops boxes: leave out `train_box`"),
        ("B1", {"train_box": "predicted", "proposals": "frozen"}, "train.phases: frozen proposals need an rpn and"),
        ("F2", {"train_box": "truth", "proposals": "frozen"}, "train.phases: frozen proposals need an rpn and"),
        ("F2", {"proposals": "frozen"}, "train.phases: frozen proposals need an rpn and `train_box: predicted`"),
    ],
)
def test_what_the_network_cannot_do_is_refused(experiment: str, phase: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        small(experiment, train__phases=(PhaseConfig(**phase),))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_noise_without_size_is_refused() -> None:
    with pytest.raises(UserError, match=r"needs noise: set model\.roi\.jitter"):
        small("F2", "course", train__phases=(PhaseConfig(train_box="jittered"),))


@pytest.mark.parametrize("experiment", ["B1", "R2"])
def test_all_parts_are_those_that_there_are(experiment: str) -> None:
    one = trainer((PhaseConfig(0.5), PhaseConfig(0.5, restart=True)), experiment)
    before = weights(one)
    one.train([0, 4])
    assert changed(before, weights(one)) == {"backbone", "head" if experiment == "B1" else "rpn"}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PhaseConfig(0.0), "train.phases: a fraction is 0.0: use more than 0, at most 1"),
        (lambda: PhaseConfig(1.5), "train.phases: a fraction is 1.5: use more than 0, at most 1"),
        (lambda: PhaseConfig(trained=()), "train.phases: a phase trains []: add rpn or head, which have the losses"),
        (
            lambda: PhaseConfig(trained=("backbone",)),
            "train.phases: a phase trains ['backbone']: add rpn or head, which have the losses",
        ),
        (lambda: TrainConfig(phases=(PhaseConfig(0.5),)), "train.phases: the fractions sum to 0.5: make it 1"),
    ],
)
def test_impossible_phases_are_refused(build: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        build()
    assert str(caught.value) == message


def test_fractions_may_be_rounded() -> None:
    assert len(TrainConfig(phases=(PhaseConfig(0.333),) * 3).phases) == 3
    assert set(PARTS) == {part for phase in ALTERNATING for part in phase.trained}
