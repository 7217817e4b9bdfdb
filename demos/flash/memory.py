"""How much memory a computation takes at its worst, beyond what is there when it starts."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Ledger(TorchDispatchMode):
    """Adds up the storages of all living tensors that operations inside it returned."""

    def __init__(self, known: list[torch.Tensor]) -> None:
        super().__init__()
        self._known = {tensor.untyped_storage().data_ptr() for tensor in known}
        self._seen: list[weakref.ref[torch.Tensor]] = []
        self.peak_bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        new = (leaf for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor))
        self._seen.extend(weakref.ref(tensor) for tensor in new)
        self.peak_bytes = max(self.peak_bytes, self._living_bytes())
        return out

    def _living_bytes(self) -> int:
        self._seen = [ref for ref in self._seen if ref() is not None]
        storages = [tensor.untyped_storage() for ref in self._seen if (tensor := ref()) is not None]
        sizes = {storage.data_ptr(): storage.nbytes() for storage in storages}
        return sum(size for place, size in sizes.items() if place not in self._known)


def peak_bytes(compute: Callable[[], object], inputs: list[torch.Tensor]) -> int:
    """Most bytes that `compute` held at one time beyond `inputs`.

    On CUDA the allocator is asked; elsewhere the tensors that PyTorch's operations return are
    added up, which leaves out what an operation keeps to itself while it runs.
    """
    if inputs[0].device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        compute()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with Ledger(inputs) as ledger:
        compute()
    return ledger.peak_bytes
