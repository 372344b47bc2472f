"""A blind round: your own VAE and loss, with one of the known mistakes in them that you are to find by its symptoms."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from vae_helpers.data.devices import new_tensors_on
from vae_helpers.exercises.diagnosis.calling import call_loss, fresh, total_of
from vae_helpers.exercises.diagnosis.images import AnyTensor, Images, images_and_labels, some_of
from vae_helpers.exercises.diagnosis.interface import OF_LOGVAR, Reading
from vae_helpers.exercises.diagnosis.places import Program, find_places, first_tensor, intercept
from vae_helpers.exercises.diagnosis.planted import MISTAKES, evidence_of, line_of
from vae_helpers.exercises.diagnosis.spy import Spy
from vae_helpers.models import copy_of
from vae_helpers.validation import PositiveInt, objects, validated

import torch
from torch import Tensor, nn

BATCH, RATE = 100, 2e-3
OF_Z = ("no noise", "σ² used as σ", "uniform noise", "z scrambled")
OF_ENCODER = ("same head", "KL swapped", "target")
OF_COURSE = ("sign of the loss", "learning rate", "encoder left out")


@dataclass
class Mistaken:
    """A loss with mistakes in it, which stand around a model's two halves while it runs."""

    loss: Callable
    encode: str
    decode: str
    reading: Reading
    scale: str
    hidden: tuple[str, ...]
    seen: tuple = field(default=(), repr=False)

    def __call__(self, model: nn.Module, x: AnyTensor, y: AnyTensor | None = None) -> AnyTensor:
        """The total, with its mistakes."""
        if "labels" in self.hidden and y is not None:
            y = y.roll(1, 0)
        if "target" in self.hidden:
            x = x.flip(-1)
        with _between(model, self.encode, self._encoded), _between(model, self.decode, self._decoded):
            total = total_of(call_loss(self.loss, model, x, y))
        return -total if "sign of the loss" in self.hidden else total

    def _encoded(self, original: Callable, args: tuple, kwargs: dict) -> object:
        if "target" in self.hidden:
            x = first_tensor(args, kwargs)
            args = tuple(x.flip(-1) if a is x else a for a in args)
        answer = original(*args, **kwargs)
        mu, second = self.reading.take(answer)
        self.seen = mu, second
        if "same head" in self.hidden:
            second = self.seen[1].detach() * 0 + mu
            self.seen = mu, second
            return self.reading.put(answer, mu, second, mu)
        return self.reading.put(answer, second, mu, mu) if "KL swapped" in self.hidden else answer

    def _decoded(self, original: Callable, args: tuple, kwargs: dict) -> object:
        z, (mu, second) = first_tensor(args, kwargs), self.seen
        sigma = OF_LOGVAR["σ"](second) if self.scale == "log σ²" else OF_LOGVAR["σ"](2 * second)
        new = z
        if "KL swapped" in self.hidden:
            new = mu + sigma * torch.randn_like(mu)
        if z.shape == mu.shape:
            of_z = {
                "no noise": lambda: mu,
                "σ² used as σ": lambda: mu + sigma * (new - mu),
                "uniform noise": lambda: mu + sigma * torch.rand_like(mu),
                "z scrambled": lambda: new.roll(1, 0),
            }
            new = next((make() for kind, make in of_z.items() if kind in self.hidden), new)
        return original(*(new if a is z else a for a in args), **{k: new if a is z else a for k, a in kwargs.items()})


@contextmanager
def _between(model: nn.Module, name: str, through: Callable) -> Iterator[None]:
    """Stand between a model and one of its halves, for a while."""
    path, _, last = name.rpartition(".")
    parent = model.get_submodule(path)
    target = getattr(parent, last)
    holder, key = (target, "forward") if isinstance(target, nn.Module) else (parent, last)
    before = holder.__dict__.get(key)
    intercept(model, name, through)
    try:
        yield
    finally:
        holder.__dict__.pop(key)
        if before is not None:
            holder.__dict__[key] = before


@dataclass
class BlindRound:
    """A trained model and its loss with hidden mistakes: plot, measure, then ``name`` what you suspect.

    model: trained, on the CPU. loss: loss(model, x, y), with the mistakes in it. losses: of the training steps.
    """

    model: nn.Module
    loss: Callable
    losses: list[float]
    _hidden: tuple[str, ...]
    tries: int = 0

    def __repr__(self) -> str:
        kinds = "\n".join(f"- “{kind}”: {mistake.says}" for kind, mistake in MISTAKES.items())
        return (
            f"{len(self._hidden)} of these may be in it:\n{kinds}\nThe loss went from {self.losses[0]:.4g} to "
            f"{self.losses[-1]:.4g} in {len(self.losses)} steps. Look at .model and .loss,\n"
            "then .name(“…”, evidence=“… a number …”, line=“…”)."
        )

    def name(self, *suspected: Annotated[str, objects.one_of(MISTAKES)], evidence: str, line: str) -> str:
        """The verdict on what you suspect, with what you measured and the line of code that you expect there.

        evidence: a sentence with the number that tells; line: as code. ValueError where one of them is missing, and for
        a mistake that isn't among those of the list.
        """
        for kind in suspected:
            objects.one_of(MISTAKES)(kind, "suspected")
        evidence, line = evidence_of(evidence), line_of(line)
        self.tries += 1
        right = [kind for kind in suspected if kind in self._hidden]
        if set(suspected) != set(self._hidden):
            return f"✗ {len(right)} of your {len(suspected)} is right, of {len(self._hidden)}. Which number would tell?"
        found = "; ".join(f"{m.says}, as in {m.line}. What tells: {m.tells}" for m in map(MISTAKES.get, self._hidden))
        return f"✓ Right, at try {self.tries}: {found}. You said: {line}, because: {evidence}"

    def give_up(self) -> str:
        """What it was."""
        return "It was: " + "; ".join(f"“{kind}”: {MISTAKES[kind].says}" for kind in self._hidden) + "."


@validated
def blind_round(
    model: nn.Module,
    loss: Callable,
    train_data: object,
    level: Annotated[int, objects.one_of((1, 2))] = 1,
    seed: int | None = None,
    steps: PositiveInt = 200,
) -> BlindRound:
    """Your own VAE and loss with one of the known mistakes in it, two at level 2; trained for seconds, on the CPU.

    model, loss, train_data: as for ``diagnose_vae``, which finds the two halves in the same way; yours stay as they
    are. seed: for a round that can be played again. Raises ProbeError, saying why, where the halves can't be found.
    """
    draw = random.Random(seed)
    with new_tensors_on("cpu"), torch.random.fork_rng(devices=[]):
        images = images_and_labels(train_data, "train_data")
        torch.manual_seed(draw.randrange(2**31))
        program = Program(copy_of(model).to("cpu"), fresh(loss))
        few = some_of(images, 9, "cpu")
        find_places(program, few)
        spy = Spy(program, few)
        hidden = _drawn(_possible(spy), level, draw)
        mistaken = Mistaken(program.loss, program.encode[0], program.decode, spy.reading, spy.scale, hidden)
        return _trained(program.model, mistaken, images, spy, steps)


def _possible(spy: Spy) -> list[str]:
    """The mistakes that can be put into a program."""
    kinds = list(OF_COURSE)
    if spy.reading.form == "pair" and spy.scale.startswith("log") and len(spy.program.encode) == 1:
        kinds += [k for k in OF_Z + OF_ENCODER if not (spy.reading.drawn and k in (*OF_Z, "KL swapped"))]
    given = [a for args, kwargs in spy.own.decoded for a in (*args, *kwargs.values()) if isinstance(a, Tensor)]
    return kinds + ["labels"] * (spy.images[1] is not None and len(given) > 1)


def _drawn(kinds: list[str], level: int, draw: random.Random) -> tuple[str, ...]:
    """So many mistakes, no two of one place."""
    groups = [*(set(g) for g in (OF_Z, OF_ENCODER, OF_COURSE)), {"labels"}]
    open_groups = [[k for k in kinds if k in g] for g in groups]
    chosen = draw.sample([g for g in open_groups if g], min(level, sum(map(bool, open_groups))))
    return tuple(draw.choice(g) for g in chosen)


def _trained(model: nn.Module, loss: Mistaken, images: Images, spy: Spy, steps: int) -> BlindRound:
    """The program trained for some steps, Adam, batches of 100."""
    left_out = _of_encoder(spy) if "encoder left out" in loss.hidden else set()
    learned = [p for name, p in model.named_parameters() if name not in left_out]
    optimizer = torch.optim.Adam(learned, lr=RATE * (100 if "learning rate" in loss.hidden else 1))
    x, y = some_of(images, min(len(images[0]), 10_000), "cpu")
    losses = []
    model.train()
    for _ in range(steps):
        index = torch.randint(len(x), (BATCH,))
        total = loss(model, x[index], None if y is None else y[index])
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    loss.seen = ()
    return BlindRound(model.eval(), loss, losses, loss.hidden)


def _of_encoder(spy: Spy) -> set[str]:
    """The names of the parameters that μ and log σ² depend on."""
    args, kwargs = spy.own.inputs[0]
    answer = spy.encoder(*args, **kwargs)
    mu, second = spy.reading.take(answer if len(spy.program.encode) == 1 else (answer, spy.second(*args, **kwargs)))
    (mu.sum() + second.sum()).backward()
    return {name for name, p in spy.model.named_parameters() if p.grad is not None}
