"""Looking into somebody else's loss: a copy of its model whose two halves answer what they are told.

With the decoder's answer held still, whatever moves the loss is its KL; with the encoder's held still, its
reconstruction. What the decoder was given tells how z was drawn; and gradients tell all of it entry by entry.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from vae_helpers.exercises.diagnosis.calling import BrokenError, ProbeError, total_of
from vae_helpers.exercises.diagnosis.images import AnyTensor, Images
from vae_helpers.exercises.diagnosis.interface import (
    OF_LOGVAR,
    TO_LOGVAR,
    Reading,
    fields_of,
    picture_in,
    reading_of,
    with_picture,
)
from vae_helpers.exercises.diagnosis.places import Program, first_tensor, held_still, intercept
from vae_helpers.models import copy_of

import torch

NOT_FINITE = (
    "encode returned NaN or infinity. Look at the weights (did training blow up? lower the learning rate, "
    "clamp logvar) and at the images (do they hold NaN?)."
)


@dataclass
class Call:
    """One call of the loss: what it returned, what the two halves were given, and what they answered."""

    posterior: tuple[AnyTensor, AnyTensor] | None = None
    answer: AnyTensor | None = None
    really: bool = False
    result: object = None
    total: AnyTensor | None = None
    inputs: list = field(default_factory=list)  # (args, kwargs) of the encoder
    encoded: list = field(default_factory=list)  # its answers, one of each layer where two are named
    codes: list = field(default_factory=list)
    decoded: list = field(default_factory=list)  # (args, kwargs) of the decoder
    outputs: list = field(default_factory=list)  # its own answers
    leaves: list = field(default_factory=list)  # pictures that were put in their place

    def gradients(self, of: tuple[AnyTensor, ...]) -> list[AnyTensor]:
        """The gradient of the total in these tensors; zeros where there is none."""
        if not self.total.requires_grad:
            return [torch.zeros_like(t) for t in of]
        found = torch.autograd.grad(self.total, of, retain_graph=True, allow_unused=True)
        return [torch.zeros_like(t) if g is None else g for g, t in zip(found, of, strict=True)]


class Spy:
    """A copy of a model, normalisation and dropout held still, that remembers, and answers what it is told.

    own: the call in which nothing was told. mu, logvar: the encoder's own answer. picture: the decoder's.
    """

    def __init__(
        self, program: Program, images: Images, training: bool = True, *, double: bool = False, still: bool = True
    ) -> None:
        self.program, self.dtype = program, torch.float64 if double else torch.float32
        self.images = (images[0].to(self.dtype), images[1])
        self.model = copy_of(program.model).to(self.dtype).train(training)
        if still:
            held_still(self.model)
        for role, name in enumerate(program.encode):
            original = intercept(self.model, name, lambda *call, role=role: self._encode(role, *call))
            self.encoder = original if role == 0 else self.encoder
            self.second = original
        self.decoder = intercept(self.model, program.decode, self._decode)
        self.reading, self.n, self._call = None, len(images[0]), Call()
        self.own = self._own_call()
        if not self.own.encoded or not self.own.codes:
            raise ProbeError("the loss's parts: it doesn't call encode and decode of the model that it is handed.")
        self.reading = self._read()
        self.mu, self.logvar = self.posterior_of(self.own.encoded)
        self.pixels = self.images[0][0].numel()
        self.picture = self.picture_of(self.own.outputs[0])

    def _own_call(self) -> Call:
        try:
            with torch.no_grad():
                return self.call()
        except BrokenError:
            tensors = [t for a in self._call.encoded for _, _, t in fields_of(a) if isinstance(t, torch.Tensor)]
            if all(t.isfinite().all() for t in tensors):
                raise
        raise BrokenError(NOT_FINITE)

    def _read(self) -> Reading:
        if len(self.program.encode) == 2:
            return Reading(tuple, lambda a, mu, s, z: (mu, s), form="two layers")
        reading = reading_of(self.own.encoded[0], self.n, self.own.codes[0])
        return reading.turned() if self.program.turned else reading

    @property
    def scale(self) -> str:
        """What the encoder's second answer is: log σ², log σ, σ, or σ²."""
        return self.reading.scale or self.program.scale

    def posterior_of(self, encoded: list) -> tuple[AnyTensor, AnyTensor]:
        """(μ, log σ²) in an encoder's answer."""
        mu, second = self.reading.take(encoded[:2] if len(self.program.encode) == 2 else encoded[0])
        if not (mu.isfinite().all() and second.isfinite().all()):
            raise BrokenError(NOT_FINITE)
        if mu.shape != second.shape:
            raise BrokenError(f"encode returned the shapes {tuple(mu.shape)} and {tuple(second.shape)}: unlike.")
        return mu.detach(), TO_LOGVAR[self.scale](second.detach())

    def call(
        self,
        posterior: tuple[AnyTensor, AnyTensor] | None = None,
        answer: AnyTensor | None = None,
        *,
        images: Images | None = None,
        seed: int = 0,
        really: bool = False,
    ) -> Call:
        """One call of the loss. posterior: (μ, log σ²) to answer; answer: one picture, or one for each image.

        None: what the model says itself. really: run the encoder, though its answer is replaced.
        """
        self._call = Call(posterior, answer, really)
        torch.manual_seed(seed)
        with default_type(self.dtype):
            self._call.result = self.program.returns(self.model, images or self.images)
            self._call.total = total_of(self._call.result)
        return self._call

    def _encode(self, role: int, original: Callable, args: tuple, kwargs: dict) -> object:
        x, call = first_tensor(args, kwargs), self._call
        told = call.posterior is not None and x is not None and len(x) == self.n
        if not told or call.really:
            answer = original(*args, **kwargs)
        if role == 0:
            call.inputs.append((args, kwargs))
        if not told:
            call.encoded.append(answer)
            return answer
        mu, logvar = call.posterior
        if len(self.program.encode) == 2:
            return (mu, OF_LOGVAR[self.scale](logvar))[role]
        z = mu + (logvar / 2).exp() * torch.randn_like(mu) if self.reading.drawn else mu
        return self.reading.put(self.own.encoded[0], mu, OF_LOGVAR[self.scale](logvar), z)

    def _decode(self, original: Callable, args: tuple, kwargs: dict) -> object:
        call, z = self._call, first_tensor(args, kwargs)
        call.codes.append(z)
        call.decoded.append((args, kwargs))
        if call.answer is None:
            call.outputs.append(original(*args, **kwargs))
            return call.outputs[-1]
        leaf = call.answer
        if leaf.ndim == self.picture.ndim - self.lead:
            leaf = leaf.expand(*z.shape[: self.lead], *leaf.shape)
        leaf = leaf.detach().clone().requires_grad_()
        call.leaves.append(leaf)
        return with_picture(self.own.outputs[0], leaf, self.pixels)

    @property
    def lead(self) -> int:
        """How many axes of a code come before its own."""
        return max(1, self.own.codes[0].ndim - self.mu.ndim + 1)

    def picture_of(self, answer: object) -> AnyTensor:
        """The tensor in a decoder's answer that stands for the picture."""
        picture = picture_in(answer, self.pixels)
        if picture is None:
            raise ProbeError("the reconstruction: decode returns no tensor.")
        return picture

    @property
    def fixed(self) -> bool:
        """Whether the encoder says one log σ² for everything."""
        return bool((self.logvar == self.logvar.flatten()[0]).all())

    def one_picture(self) -> AnyTensor:
        """One picture of the decoder's shape: the mean of its own."""
        return self.picture.detach().flatten(0, self.lead - 1).mean(0)


def draws_in(codes: list, mu: AnyTensor) -> tuple[AnyTensor, bool] | None:
    """The codes as (draws, images, d), labels beside them cut off, and whether draws come before images."""
    d, found, first = mu.flatten(1).shape[1], [], True
    for z in codes:
        joined = z.shape[-1] > mu.shape[-1] and mu.ndim == 2  # with a label
        parts = (z[..., :d], z[..., -d:]) if joined else (z,)
        if any(part.numel() % mu.numel() for part in parts) or not parts[0].numel():
            return None
        shapes = [(part.reshape(-1, len(mu), d), True) for part in parts]
        shapes += [(part.reshape(len(mu), -1, d).transpose(0, 1), False) for part in parts]
        best, first = min(shapes, key=lambda s: (s[0] - mu.flatten(1)).detach().abs().mean().item())
        found.append(best)
    return (torch.cat(found), first) if found else None


@contextmanager
def default_type(dtype: torch.dtype) -> Iterator[None]:
    """New tensors of this type, for a while."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
