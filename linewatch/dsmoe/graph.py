"""One CUDA graph for the whole way of a batch, from pixels in pinned memory to detections in pinned memory.

Launching some hundred small kernels one by one costs the CPU more than the GPU needs to run them; a graph launches them
at once. It is recorded at one batch shape and must prove itself against the ordinary way before it may inspect.
"""

import torch
from torch import Tensor

from linewatch.dsmoe.fixed import Fixed, suppress_fixed, unpack
from linewatch.dsmoe.head import Raw, select
from linewatch.dsmoe.weights import LoadedModel

_WARM_UP = 3
_SAME_PX, _SAME_SCORE = 0.5, 0.01  # recorded and ordinary way may take other kernels, which differ in last digits


class Graph:
    """`LoadedModel.detect`, recorded. Its buffers are its own: one batch at a time."""

    def __init__(self, model: LoadedModel, batch: int, channels: int) -> None:
        """Record for `batch` pictures. Raises RuntimeError (torch's own) when something in it cannot be recorded."""
        side, device = model.card.input_size, model.device
        self._model = model
        with torch.inference_mode():
            self._pinned = torch.zeros(batch, channels, side, side, dtype=torch.uint8).pin_memory()
            self._pixels = torch.zeros_like(self._pinned, device=device)
            found = self._warm_up()
            self._found = Fixed(*(torch.empty_like(part, device="cpu").pin_memory() for part in found.tensors()))
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._raw, found = self._way()
                for there, here in zip(self._found.tensors(), found.tensors(), strict=True):
                    there.copy_(here, non_blocking=True)

    def detect(self, pictures: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """pictures: (B, 1 or 3, S, S) uint8 in host memory. Per picture as `LoadedModel.detect`, in host memory."""
        with torch.inference_mode():
            self._pinned.copy_(pictures)
            self._graph.replay()
            torch.cuda.current_stream(self._model.device).synchronize()
            return unpack(self._found, self._raw)

    def agrees(self) -> bool:
        """Whether noise gives the ordinary way's numbers at every place, and the ordinary choice among them."""
        noise = torch.randint(0, 256, self._pinned.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        self.detect(noise)
        with torch.inference_mode():
            ordinary = self._model.raw(noise.to(self._model.device))
            scores, wanted = self._raw.logits.sigmoid(), ordinary.logits.sigmoid()
            close = torch.allclose(scores, wanted, rtol=0, atol=_SAME_SCORE)
            near = torch.allclose(self._raw.boxes(), ordinary.boxes(), rtol=0, atol=_SAME_PX)
            chosen = unpack(self._found, self._raw, min_score=0.0)
            return close and near and all(map(_same, chosen, select(self._raw, min_score=0.0)))

    def _warm_up(self) -> Fixed:
        """Run on a stream of its own, as recording asks for: allocation and choice of kernels may not be recorded."""
        device = self._model.device
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            found = [self._way()[1] for _ in range(_WARM_UP)][-1]
        torch.cuda.current_stream(device).wait_stream(stream)
        return found

    def _way(self) -> tuple[Raw, Fixed]:
        self._pixels.copy_(self._pinned, non_blocking=True)
        raw = self._model.raw(self._pixels)
        return raw, suppress_fixed(raw)


def _same(first: tuple[Tensor, Tensor, Tensor], second: tuple[Tensor, Tensor, Tensor]) -> bool:
    return all(torch.equal(a.cpu(), b.cpu()) for a, b in zip(first, second, strict=True))
