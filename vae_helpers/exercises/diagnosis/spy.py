"""Looking into somebody else's loss: a copy of its model whose ``encode`` and ``decode`` answer what we tell them.

With the decoder's answer held still, whatever moves the loss is its KL; with the encoder's held still, its
reconstruction. And what ``decode`` was given tells how z was drawn.
"""

import inspect
from collections.abc import Callable, Iterable

from vae_helpers.data import to_float
from vae_helpers.models import copy_of

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

AnyTensor = Shaped[Tensor, "..."]  # other people's: of any shape

N_PROBED = 1000  # images that a probe runs over
N_COMPARED = 60_000  # images of a loader that are looked at
ENOUGH_ENTRIES = 200  # of z, below which its moments say too little


class ProbeError(Exception):
    """A probe could not be made; the message says why, in a sentence for the learner."""


class Spy:
    """A copy of a model, in eval mode, that remembers its codes and can be told what to answer.

    posterior: (mu, logvar) that ``encode`` is to return. answer: what ``decode`` is to return for one image, or a
    function of z. None: the model's own. codes, outputs: what ``decode`` was given, and what the model made of it, in
    the last call of ``value``; encoded, output: what the model answered by itself, at first.
    """

    def __init__(self, model: nn.Module, images: tuple[AnyTensor, AnyTensor | None]) -> None:
        self.images = images
        self.model = copy_of(model).eval()
        self._encode, self._decode = self.model.encode, self.model.decode
        # in the instance's own dict: found before a method of the class, and before a submodule of that name
        self.model.__dict__["encode"], self.model.__dict__["decode"] = self._answer_encode, self._answer_decode
        self.posterior, self.answer = None, None
        self.codes, self.outputs, self.encoded, self.output = [], [], None, None

    def value(self, loss: Callable) -> float:
        """The total of loss(model, x[, y]) on the images, with the noise of one seed."""
        self.codes, self.outputs = [], []
        torch.manual_seed(0)
        return total_of(call_loss(loss, self.model, *self.images))

    def tell(self, posterior: tuple[AnyTensor, AnyTensor] | None, answer: object = None) -> None:
        """Fix what encode and decode answer in the calls that follow; None: what the model says."""
        self.posterior, self.answer = posterior, answer

    def _answer_encode(self, *args: object, **kwargs: object) -> object:
        if self.posterior is not None and len(args) and len(args[0]) == len(self.posterior[0]):
            return self.posterior
        self.encoded = _a_pair(self._encode(*args, **kwargs))
        return self.encoded

    def _answer_decode(self, z: AnyTensor, *args: object, **kwargs: object) -> object:
        self.codes.append(z)
        if isinstance(self.answer, Tensor):
            return self.answer.expand(len(z), *self.answer.shape)
        if self.answer is not None:
            return self.answer(z)
        self.outputs.append(self._decode(z, *args, **kwargs))
        self.output = self.outputs[0] if self.output is None else self.output
        return self.outputs[-1]


def _a_pair(encoded: object) -> tuple[AnyTensor, AnyTensor]:
    if not (isinstance(encoded, (tuple, list)) and len(encoded) == 2 and all(isinstance(t, Tensor) for t in encoded)):
        kind = f"{len(encoded)} things" if isinstance(encoded, (tuple, list)) else f"a {type(encoded).__name__}"
        raise ProbeError(f"encode returned {kind}. It should return two tensors, (mu, logvar), each (batch, d).")
    mu, logvar = encoded
    if mu.shape != logvar.shape or mu.ndim != 2:
        shapes = f"{tuple(mu.shape)} and {tuple(logvar.shape)}"
        raise ProbeError(f"encode returned the shapes {shapes}: mu and logvar should both be (batch, d).")
    if not (mu.isfinite().all() and logvar.isfinite().all()):
        raise ProbeError(
            "encode returned NaN or infinity. Look at the weights (did training blow up? lower the learning rate, "
            "clamp logvar) and at the images (do they hold NaN?)."
        )
    return mu, logvar


def call_loss(loss: Callable, model: nn.Module, x: AnyTensor, y: AnyTensor | None) -> object:
    """loss(model, x, y), or loss(model, x) where it takes no labels or there are none."""
    try:
        signature = inspect.signature(loss)
        signature.bind(model, x, y)
    except TypeError:
        return loss(model, x)
    except ValueError:  # no signature to be had
        return loss(model, x) if y is None else loss(model, x, y)
    if y is None:
        try:
            signature.bind(model, x)
        except TypeError:
            return loss(model, x, None)
        return loss(model, x)
    return loss(model, x, y)


def total_of(result: object) -> float:
    """The number that a loss returned: its ``total``, the first of a tuple, a dict's "loss"; values are averaged."""
    if hasattr(result, "total"):
        result = result.total
    elif isinstance(result, dict):
        result = result.get("loss", result.get("total"))
    elif isinstance(result, (tuple, list)):
        result = result[0] if result else None
    try:
        number = torch.as_tensor(result, dtype=torch.float64).mean().item()
    except (TypeError, ValueError, RuntimeError):
        kind = type(result).__name__
        raise ProbeError(
            f"The loss returned a {kind}. It should return a Loss, a number, or a tuple with it in front."
        ) from None
    if number != number or abs(number) == float("inf"):
        raise ProbeError(
            f"The loss is {number}. Look for the log of zero, a division by zero, the exp of a large logvar (clamp it)."
        )
    return number


def images_and_labels(data: object, name: str) -> tuple[AnyTensor, AnyTensor | None]:
    """Images and, if there are any, labels: of a tensor, a pair (x, y), or a loader of batches."""
    if isinstance(data, (tuple, list)) and len(data) == 2 and all(isinstance(t, Tensor) for t in data):
        x, y = data
    elif isinstance(data, Tensor):
        x, y = data, None
    elif isinstance(data, Iterable):
        x, y = _collected(data)
    else:
        x, y = None, None
    if not isinstance(x, Tensor) or x.ndim < 2 or len(x) == 0:
        got = f"a tensor {tuple(x.shape)}" if isinstance(x, Tensor) else f"a {type(data).__name__}"
        raise TypeError(f"{name} must be a tensor of images (n, …), a pair (x, y), or a loader of batches, got {got}.")
    return x, y


def _collected(loader: Iterable) -> tuple[AnyTensor | None, AnyTensor | None]:
    xs, ys, n = [], [], 0
    for batch in loader:
        x, y = (*batch, None)[:2] if isinstance(batch, (tuple, list)) else (batch, None)
        if not isinstance(x, Tensor):
            return None, None
        xs.append(x)
        ys += [y] if isinstance(y, Tensor) else []
        n += len(x)
        if n >= N_COMPARED:
            break
    return (torch.cat(xs) if xs else None), (torch.cat(ys) if xs and len(ys) == len(xs) else None)


def some_images(x: AnyTensor, y: AnyTensor | None, device: torch.device) -> tuple[AnyTensor, AnyTensor | None]:
    """N_PROBED images as floats, and their labels, on the device; fewer are repeated."""
    index = torch.arange(N_PROBED, device=x.device) % len(x)
    return to_float(x[index]).to(device), None if y is None else y.to(x.device)[index].to(device)
