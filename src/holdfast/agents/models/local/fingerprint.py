"""Notice when loading an adapter changes the weights of its base."""

import torch

from holdfast.core.errors import ModelError

_COLUMNS = 64  # sums of a tensor: by column, so that numbers that change places are noticed too


class WeightsFingerprint:
    """Sums over the bytes of a model's weights, as fast as memory is read; a change of any number changes them."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._weights = dict((*model.named_parameters(), *model.named_buffers()))
        self._sums = {name: _sums(weight) for name, weight in self._weights.items()}

    def require_unchanged(self, who: str, base: str) -> None:
        """Make sure that the weights have the bytes that they had.

        Raises:
            ModelError: they have not; the model must be loaded again.
        """
        for name, weight in self._weights.items():
            if not torch.equal(_sums(weight), self._sums[name]):
                raise ModelError(f"{who} changes the base {base} itself (its {name}), and so every other candidate")


@torch.no_grad()
def _sums(weight: torch.Tensor) -> torch.Tensor:
    data = weight.detach().contiguous().reshape(-1).view(torch.uint8)
    if data.storage_offset() % 8:  # a part of a larger tensor, which cannot be seen as words
        data = data.clone()
    whole = data.numel() // (8 * _COLUMNS) * 8 * _COLUMNS
    words = data[:whole].view(torch.int64).view(-1, _COLUMNS).sum(0)
    return torch.cat([words, data[whole:].to(torch.int64)])
