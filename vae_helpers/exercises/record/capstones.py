"""The capstone: a blank page, data of one's own, a VAE that ``diagnose_vae`` finds nothing in, one figure in nats."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from math import log, prod
from typing import Annotated

from vae_helpers.data import NAMES, find, to_float
from vae_helpers.data.files import read_split
from vae_helpers.exercises.diagnosis import diagnose_vae
from vae_helpers.exercises.diagnosis.calling import call_loss, for_a_copy, number_in
from vae_helpers.exercises.diagnosis.images import images_and_labels, share_of_twins
from vae_helpers.exercises.record.notes import keep
from vae_helpers.validation import objects, validated

import torch
from torch import Tensor, nn

NO_BETTER = ("no better than one picture", "collapse")
BATCH = 250


@dataclass(frozen=True)
class Capstone:
    """What was handed in, and what is still missing; shown at the end of a cell. nats: −ELBO per test image."""

    about: str
    nats: float
    levels: dict[str, float]
    missing: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing

    def __repr__(self) -> str:
        levels = ", ".join(f"{name} {value:.1f}" for name, value in self.levels.items())
        figure = f"{self.about}: {self.nats:.1f} nats per test image. Levels of a Bernoulli decoder: {levels}."
        lines = [f"✗ {one}" for one in self.missing] or ["✓ capstone: kept in your record."]
        return "\n".join(textwrap.fill(line, 88, subsequent_indent="  ") for line in [figure, *lines])


@validated
def capstone(
    model: nn.Module,
    loss: Annotated[Callable, objects.function],
    train_data: object,
    test_data: object,
    about: str,
) -> Capstone:
    """Hand in a VAE of your own, written on a blank page, on images of your own; what passes is kept in the record.

    loss(model, x) or (model, x, y): −ELBO in nats per image. train_data, test_data: as ``diagnose_vae`` takes them, in
    [0, 1] or bytes. about: what the images are and whose, in a sentence. Asked for: images that are not the course's,
    nothing found by ``diagnose_vae``, and a figure below that of one picture for everybody. TypeError or ValueError for
    what are no images.
    """
    with torch.device("cpu"):  # whatever torch.set_default_device was told
        return _handed_in(model, loss, train_data, test_data, about)


def _handed_in(model: nn.Module, loss: Callable, train_data: object, test_data: object, about: str) -> Capstone:
    x, _ = images_and_labels(train_data, "train_data")
    x_test, y_test = images_and_labels(test_data, "test_data")
    found = diagnose_vae(model, loss, train_data, test_data)
    missing = [str(finding) for finding in found.findings]
    missing += [str(question) for question in found.questions if question.kind in NO_BETTER]
    if len(about.split()) < 3:
        missing.append("Say in about what your images are and where they come from: a sentence.")
    if getattr(train_data, "name", "") in NAMES or _are_the_courses(x):
        missing.append("These are the course's images. Take your own: photographs, drawings, sounds as pictures.")
    nats, levels = _figure(model, loss, x_test, y_test), _levels(to_float(x), to_float(x_test))
    if not nats < levels["the mean image"]:
        missing.append("Its figure is not below that of the mean image, which no code is needed for: notebook 00.")
    handed_in = Capstone(about, nats, levels, tuple(missing))
    if handed_in.passed:
        keep({"capstone": {"about": about[:300], "nats": nats, "levels": levels}})
    return handed_in


def _figure(model: nn.Module, loss: Callable, x: Tensor, y: Tensor | None) -> float:
    """Mean of the loss over all test images, as ``evaluate`` would."""
    device = next((p.device for p in model.parameters()), x.device)
    was, called, total = model.training, for_a_copy(loss, model), 0.0
    model.eval()
    try:
        with torch.no_grad():
            for index in torch.arange(len(x)).split(BATCH):
                labels = None if y is None else y[index].to(device)
                value = number_in(call_loss(called, model, to_float(x[index]).to(device), labels))
                total += value.item() * len(index)
    finally:
        model.train(was)
    return total / len(x)


def _levels(x: Tensor, x_test: Tensor) -> dict[str, float]:
    """Nats per image: each pixel by a coin, the mean image, and a perfect copy of the greys."""
    x, x_test = x.flatten(1).double().cpu().clamp(0, 1), x_test.flatten(1).double().cpu().clamp(0, 1)
    mean = x.mean(0).clamp(1e-4, 1 - 1e-4)
    of_mean = -(x_test * mean.log() + (1 - x_test) * (1 - mean).log()).sum(1).mean()
    copy = -(torch.xlogy(x_test, x_test) + torch.xlogy(1 - x_test, 1 - x_test)).sum(1).mean()
    coin = prod(x.shape[1:]) * log(2)
    return {"a coin for each pixel": coin, "the mean image": of_mean.item(), "a perfect copy": copy.item()}


def _are_the_courses(x: Tensor) -> bool:
    """Whether they are MNIST's or Fashion-MNIST's, as far as these lie on this machine."""
    if tuple(x.flatten(1).shape[1:]) != (784,):
        return False
    own = to_float(x[:200]).reshape(-1, 1, 28, 28).cpu()
    for name in ("mnist", "fashion"):
        folder = find(name)
        if folder and share_of_twins(to_float(read_split(name, folder, "train")[0]), own) > 0.5:
            return True
    return False
