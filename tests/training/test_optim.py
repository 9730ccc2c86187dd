"""Optimisers, schedule and averages."""

import pytest
import torch
from torch import nn

from pocketrcnn.config import OptimConfig, replace
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.course.experiments import NETWORKS, pocket
from pocketrcnn.model.faster_rcnn import FasterRCNN
from pocketrcnn.training import optim
from pocketrcnn.training.state import State


@pytest.mark.parametrize("shape", [(8, 24), (24, 8), (32, 288)])
def test_orthogonal_brings_singular_values_near_1_and_keeps_directions(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    result = optim.orthogonal(matrix)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.5
    assert values.max() < 1.3
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    assert (result * (u @ v)).sum() > 0.95 * min(shape) * values.mean()


def test_orthogonal_lifts_the_smallest_singular_values_of_a_square_matrix() -> None:
    """Three steps do not bring the smallest ones of a square matrix to 1: they raise them by up to 3.4445^3 = 41."""
    torch.manual_seed(0)
    matrix = torch.randn(16, 16)
    before, after = (torch.linalg.svdvals(m) for m in (matrix / matrix.norm(), optim.orthogonal(matrix)))
    assert after.max() < 1.3
    assert after.min() > 15 * before.min()
    assert after.median() > 0.6


def test_orthogonal_of_nothing_is_nothing() -> None:
    assert torch.equal(optim.orthogonal(torch.zeros(3, 5)), torch.zeros(3, 5))


@pytest.mark.parametrize("shape", [(64, 800), (128, 288), (96, 64)])
def test_in_bfloat16_a_step_is_the_same_up_to_rounding(shape: tuple[int, int]) -> None:
    """Singular values as those of real gradients, from 1 to 0.003. Each entry of a product is rounded by 1 in 256."""
    torch.manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    gradient = (u * torch.logspace(0, -2.5, min(shape)) @ v).view(*shape, 1, 1)
    moves = []
    for products in (torch.float32, torch.bfloat16):
        weight = nn.Parameter(torch.ones(*shape, 1, 1))
        before = weight.detach() / weight.detach().norm() * shape[0] ** 0.5
        weight.grad = gradient.clone()
        muon = optim.Muon([weight], lr=0.1, momentum=0.6, products=products)
        muon.step()
        assert weight.dtype == muon.state[weight]["momentum"].dtype == torch.float32
        moves.append((weight.detach() - before).flatten(1))
    assert (moves[0] - moves[1]).norm() < 0.04 * moves[0].norm()
    values = [torch.linalg.svdvals(move) for move in moves]
    assert torch.allclose(*values, atol=0.03 * float(values[0].max()))


def test_muon_multiplies_in_the_precision_of_training() -> None:
    for precision, wanted in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        config = replace(pocket(NETWORKS["convnet"]), train__precision=precision, data__source="sample")
        muon = State.start(config, open_dataset(config.data, "train"), torch.device("cpu")).optimisers[0]
        assert isinstance(muon, optim.Muon)
        assert muon.products == wanted


def test_muon_finds_the_weights_of_a_linear_problem() -> None:
    torch.manual_seed(0)
    wanted = nn.init.orthogonal_(torch.empty(8, 8))
    weight = nn.Parameter(torch.randn(8, 8, 1, 1))
    muon = optim.Muon([weight], lr=0.1, momentum=0.6)
    x = torch.randn(256, 8)
    for i in range(200):
        optim.set_rates([muon], 1 - i / 200)
        loss = (x @ weight[:, :, 0, 0].T - x @ wanted.T).square().mean()
        loss.backward()
        muon.step()
        muon.zero_grad()
    assert loss.item() < 1e-3


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd", "muon"])
def test_every_parameter_is_trained_once(name: str, kind: str) -> None:
    model = FasterRCNN(NETWORKS[name])
    made = optim.build(model, OptimConfig(name=kind))  # type: ignore[arg-type]
    held = [id(p) for optimiser in made for group in optimiser.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("detector", ["conv.weight", "norm.weight", "norm.bias"]),
        ("resnet", ["first.0.weight", "first.1.weight", "first.1.bias"]),
        ("detector-mobilenet", []),
    ],
)
def test_whitened_filters_and_their_norm_are_not_trained(name: str, first: list[str]) -> None:
    model = FasterRCNN(pocket(NETWORKS[name]).model)
    held = [
        id(p)
        for optimiser in optim.build(model, OptimConfig(name="muon"))
        for g in optimiser.param_groups
        for p in g["params"]
    ]
    left = [name for name, p in model.named_parameters() if id(p) not in held]
    assert left == [f"backbone.blocks.conv1.{part}" for part in first]


def test_muon_leaves_the_widest_bank_to_adamw() -> None:
    model = FasterRCNN(NETWORKS["convnet"])
    filters, weights, _ = optim.split(model, rows=256)
    assert [len(p) for p in filters] == [32, 64, 128, 256]
    assert [tuple(p.shape) for p in weights] == [(512, 256, 3, 3), (10, 512)]


def test_muon_takes_the_filters_only() -> None:
    model = FasterRCNN(NETWORKS["detector-mobilenet"])
    filters, weights, vectors = optim.split(model, rows=256)
    assert all(p.ndim == 4 and p.shape[1] > 1 for p in filters)
    assert {p.ndim for p in vectors} == {1}
    named = {id(p): n for n, p in model.named_parameters()}
    assert {named[id(p)] for p in weights} == {
        *(f"backbone.blocks.conv{i}.depthwise.0.weight" for i in (1, 2, 3)),
        "rpn.objectness.weight",
        "rpn.box.weight",
        "head.classify.weight",
    }


def test_the_schedule_of_the_course_falls_exponentially_from_1e_3_to_1e_4() -> None:
    config = OptimConfig(lr=1e-3, final_lr=1e-4, schedule="exponential")
    rates = [config.lr * optim.schedule(config, i, 2000) for i in (0, 1000, 2000)]
    assert rates == pytest.approx([1e-3, 10**-3.5, 1e-4])


def test_the_linear_schedule_rises_and_falls() -> None:
    config = OptimConfig(lr=1.0, schedule="linear", warmup=0.1)
    rates = [optim.schedule(config, i, 100) for i in range(100)]
    peak = rates.index(max(rates))
    assert peak == 10
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.02
    assert rates[0] > 0


def test_the_average_follows_the_weights_and_forgets() -> None:
    model = nn.BatchNorm1d(1)
    average = optim.Average(model, fraction=0.1, iterations=100)
    with torch.no_grad():
        model.weight.fill_(5)
    for i in range(100):
        average.update(i)
    assert float(average.model.weight) == pytest.approx(5, abs=0.01)  # type: ignore[arg-type]
    with torch.no_grad():
        model.weight.fill_(6)
    average.update(100)
    assert float(average.model.weight) == pytest.approx(5.1, abs=0.02)  # type: ignore[arg-type]
    assert not any(p.requires_grad for p in average.model.parameters())
