"""A second device on the processor: its tensors do not mix with those of the processor, and waiting for it is counted.

It calls itself `meta`, which torch knows everywhere. What is computed there is computed by the processor.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map_only

from pocketrcnn.model import boxes, kernels

THERE = torch.device("meta")
CPU = torch.device("cpu")
MADE = (torch.tensor, torch.as_tensor)  # torch makes these without asking a mode
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "unique", "repeat_interleave"}
"""Operators for whose result a program waits: a number, or a shape."""


class There(Tensor):
    """A tensor on the second device."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> There:
        settings = {"strides": inner.stride(), "storage_offset": inner.storage_offset(), "dtype": inner.dtype}
        made: There = Tensor._make_wrapper_subclass(cls, inner.shape, device=THERE, **settings)  # type: ignore[attr-defined]
        made.inner = inner
        return made

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"There({self.inner})"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{function} outside of the block of the second device")


class Made(TorchFunctionMode):
    """Tensors from lists, which are made on the processor and moved; and lists of them."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function in MADE and "device" in kwargs:
            device = kwargs.pop("device")
            return function(*args, **kwargs).to(device)
        if function is Tensor.tolist:
            return args[0].cpu().tolist()
        return function(*args, **kwargs)


class SecondDevice(TorchDispatchMode):
    """As long as this block lasts there is a second device. `waits`: how often a program waited, by operator."""

    def __init__(self) -> None:
        super().__init__()
        self.made, self.waits = Made(), Counter[str]()

    def __enter__(self) -> SecondDevice:
        forget()
        self.made.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.made.__exit__(*error)
        forget()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function is torch.ops.pocketrcnn.nms.default:
            with self:
                return boxes._nms(*args)
        given = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Tensor)]
        there = any(isinstance(one, There) for one in given)
        to = kwargs.get("device")
        moved = function in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
        if there and not moved:
            left = [tuple(one.shape) for one in given if one.ndim and not isinstance(one, There)]
            assert not left, f"{function} of tensors on two devices: of shapes {left} on the processor"
        if there:
            self.count(function, args, to)
        if to is not None:
            kwargs["device"] = CPU
        inside, named = tree_map_only(There, lambda one: one.inner, (args, kwargs))
        found = function(*inside, **named)
        if to == THERE or (there and to is None):
            wrapped = tree_map_only(Tensor, There, found)
            return return_and_correct_aliasing(function, args, kwargs, wrapped) if there else wrapped
        return found

    def count(self, function: Any, args: Any, to: torch.device | None) -> None:
        """Whether a program waits for the result of an operator."""
        name = function.overloadpacket.__name__
        masks = name == "index" and any(one is not None and one.dtype == torch.bool for one in args[1])
        if name in WAITING or masks or to == CPU:
            self.waits[f"{name} of a mask" if masks else "to the processor" if to == CPU else name] += 1


def forget() -> None:
    """What functions have kept for a device of that name."""
    for function in vars(kernels).values():
        getattr(function, "cache_clear", lambda: None)()
