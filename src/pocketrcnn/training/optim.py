"""Optimisers, the schedule of the learning rate, and averaged weights."""

import copy
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from ..config import OptimConfig

# Coefficients of the quintic whose repetition drives singular values towards 1 (Jordan et al. 2024, "Muon").
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 3  # of 5 in the original: the same accuracy here, measured, for less work
EPSILON = 1e-7


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made orthogonal before it is added: all directions of a filter bank learn equally fast.

    For filter banks [O,I,K,K], read as matrices of one row a filter. After Jordan et al. 2024; the step has
    the weight's norm as its unit (`lr` is a relative change), so that one rate fits layers of all shapes.
    `products`: the number format of the matrix products; what is kept of a weight stays in the weight's own.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float, products: torch.dtype = torch.float32
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})
        self.products = products

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of all weights that have a gradient. closure: as torch has it, unused."""
        assert closure is None, "the training loop computes the gradients"
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self.update(weight, group["lr"], group["momentum"])

    def update(self, weight: Tensor, lr: float, momentum: float) -> None:
        """Nesterov momentum, orthogonalised, in units of the norm of weight [O,I,K,K]: it moves by the fraction lr."""
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].lerp_(weight.grad, 1 - momentum)
        direction = torch.lerp(weight.grad, state["momentum"], momentum)  # type: ignore[arg-type]
        rows = direction.permute(0, 2, 3, 1)  # [O,K,K,I]: how channels_last lies in memory, so that nothing is copied
        direction = orthogonal(rows.flatten(1).to(self.products)).view(rows.shape).permute(0, 3, 1, 2)
        weight.mul_(len(weight) ** 0.5 / weight.norm().clamp(min=EPSILON))
        tall = max(1.0, len(weight) / weight[0].numel()) ** 0.5  # more filters than inputs: the same change for each
        weight.sub_(direction, alpha=lr * tall)


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with its singular values brought near 1: [m,n] -> [m,n].

    Steps X <- (a + b A + c A^2) X with A = X X^T. All of it but the last product happens on the small m x m
    matrices, which commute with each other: for a filter bank of 512 x 2304 that is 40 % less work.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    a, b, c = NEWTON_SCHULZ
    gram = matrix @ matrix.T  # [m,m]
    norm = gram.diagonal().float().sum().sqrt().clamp(min=EPSILON)  # of the matrix, without another pass over it
    gram = gram / norm.square()
    product: Tensor | None = None
    for step in range(NEWTON_SCHULZ_STEPS):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor if product is None else factor @ product
        if step < NEWTON_SCHULZ_STEPS - 1:
            gram = factor @ gram @ factor
    assert product is not None, "at least one step"
    return (product / norm) @ matrix


def build(model: nn.Module, config: OptimConfig, products: torch.dtype = torch.float32) -> list[torch.optim.Optimizer]:
    """The optimisers of a network: one, or with `muon` two (filters; everything else by AdamW). `products`: of Muon."""
    filters, weights, shifts = split(model, config.filter_rows if config.name == "muon" else 0)
    groups = [
        {"params": weights, "lr": config.lr, "weight_decay": config.weight_decay},
        {"params": shifts, "lr": config.lr * config.bias_lr, "weight_decay": config.bias_decay},
    ]
    if config.name == "sgd":
        sgd = torch.optim.SGD(groups, momentum=config.momentum, nesterov=True, fused=True)
        for weight in (*weights, *shifts):  # torch fails where some weights have momentum and others do not,
            sgd.state[weight]["momentum_buffer"] = torch.zeros_like(weight)  # as when a part begins to learn later
        return [sgd]
    if config.name == "adam":
        return [torch.optim.Adam(groups, fused=True)]
    rest: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, betas=config.betas, fused=True)]
    return [Muon(filters, config.filter_lr, config.momentum, products), *rest] if filters else rest


def split(model: nn.Module, rows: int) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Trained parameters by treatment: filters [O,I,K,K] of at most `rows` rows for Muon (dense convolutions), other
    weights, vectors (norm, bias).
    """
    filters, weights, vectors = list[Tensor](), list[Tensor](), list[Tensor]()
    for module in model.modules():
        dense = isinstance(module, nn.Conv2d) and module.groups == 1 and module.bias is None
        for parameter in module.parameters(recurse=False):
            kind = filters if dense and len(parameter) <= rows else vectors if parameter.ndim == 1 else weights
            if parameter.requires_grad:
                kind.append(parameter)
    return filters, weights, vectors


def schedule(config: OptimConfig, iteration: int, iterations: int) -> float:
    """The factor on every learning rate in iteration 0..iterations-1: warm-up, then linear or exponential decay."""
    done, end = iteration / iterations, config.final_lr / config.lr
    if done < config.warmup:
        return (iteration + 1) / (config.warmup * iterations + 1)
    if config.schedule == "exponential":
        return float(end**done)
    left = (1 - done) / (1 - config.warmup)
    return end + (1 - end) * left


def set_rates(optimisers: list[torch.optim.Optimizer], factor: float) -> None:
    """Set the rate of every group to its full rate times `factor`."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group.setdefault("full_lr", group["lr"]) * factor


class Average:
    """An exponential moving average of a network's weights and BatchNorm statistics, for evaluation.

    `fraction`: the length of the memory, of the run; early on, the memory is a ninth of the past.
    """

    def __init__(self, model: nn.Module, fraction: float, iterations: int) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.memory = max(1.0, fraction * iterations)
        self.averaged, self.current = (
            [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
            for network in (self.model, model)
        )

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Add the weights after iteration 0.. to the average."""
        weight = max(1 / self.memory, 9 / (iteration + 10))
        torch._foreach_lerp_(self.averaged, self.current, weight)
