"""Accounts in nats: a conditional model as a mixture over its classes, and the cost of the pixels that are hidden."""

from math import log

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
import torch.nn.functional as F
from torch import Tensor


def _tables(seed: int = 0) -> list[tuple]:
    """log p(x|y = k) of images (rows) under classes (columns): of small ones and of real ones, where exp is 0."""
    g = torch.Generator().manual_seed(85 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    labels = lambda n, k: torch.randint(0, k, (n,), generator=g)  # noqa: E731
    return [(2 * r(n, k) - low, labels(n, k)) for n, k, low in ((7, 4, 5.0), (6, 10, 150.0))]


def _mixture_nll(log_p: Tensor, y: Tensor) -> Tensor:
    n_classes = log_p.shape[1]
    cnll = -log_p.gather(1, y[:, None])[:, 0]
    told = cnll + log(n_classes)
    mixture = log(n_classes) - log_p.logsumexp(dim=1)
    return torch.stack([told, mixture], dim=1)


def _told(log_p: Tensor, y: Tensor, times: float = 1.0) -> Tensor:
    return times * log(log_p.shape[1]) - log_p[torch.arange(len(y)), y]


def _mixed(log_p: Tensor, times: float = 1.0) -> Tensor:
    return times * log(log_p.shape[1]) - log_p.logsumexp(1)


MIXTURE_NLL = Exercise(
    id="mixture-nll",
    expects="two columns, (batch, 2), in nats: CNLL + log K of the true class, and the NLL of the mixture of all K",
    reference=_mixture_nll,
    probes=_tables,
    words={"n_classes": "K", "cnll": "the CNLL", "told": "CNLL + log K", "mixture": "the mixture's NLL"},
    mistakes=(
        Mistake(
            lambda t, y: torch.stack([_told(t, y, 0), _mixed(t)], 1),
            "ln K is missing in the first column: the label was told for nothing, and a conditional model looks 2.30 "
            "nats better than it is.",
        ),
        Mistake(
            lambda t, y: torch.stack([_told(t, y), _mixed(t, 0)], 1),
            "ln K is missing in the second column: the mixture is a *mean* over the classes, 1/K of their sum.",
        ),
        Mistake(
            lambda t, y: torch.stack([_told(t, y, 2), _mixed(t)], 1),
            "ln K stands twice in the first column: the label is paid for once.",
        ),
        Mistake(
            lambda t, y: torch.stack([_told(t, y), _mixed(t, 2)], 1),
            "ln K stands twice in the second column: once, for the mean over the classes.",
        ),
        Mistake(
            lambda t, y: torch.stack([_told(t, y), -t.mean(1)], 1),
            "the logs are averaged. p(x) is the mean of the *densities*: the class that fits counts, the others don't.",
        ),
        Mistake(
            lambda t, y: torch.stack([_told(t, y, log(len(t)) / log(t.shape[1])), _mixed(t)], 1),
            "ln of the number of *images* stands in the first column: K is the number of classes.",
        ),
        Mistake(
            lambda t, y: torch.stack([_told(t, y), _mixed(t, log(len(t)) / log(t.shape[1]))], 1),
            "ln of the number of *images* stands in the second column: K is the number of classes.",
        ),
        Mistake(
            lambda t, y: torch.stack([_told(t, y, log(10) / log(t.shape[1])), _mixed(t, log(10) / log(t.shape[1]))], 1),
            "ln 10 stands where ln K belongs: K is the number of columns, and not always ten.",
        ),
        Mistake(
            lambda t, y: torch.stack([_told(t, y, -1), -_mixed(t)], 1),
            "in the first column ln K is subtracted: naming the class costs, so it is added. The second is log p of "
            "the mixture: its NLL is minus that.",
        ),
    ),
)


def _outputs_and_images(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(86 + 1000 * seed)
    probes = []
    for n, rows, columns in ((5, slice(14, 28), slice(0, 14)), (4, slice(0, 9), slice(3, 28))):
        seen = torch.zeros(1, 28, 28)
        seen[:, rows, columns] = 1
        probes.append((2 * torch.randn(n, 1, 28, 28, generator=g), torch.rand(n, 1, 28, 28, generator=g), seen))
    return probes


def _hidden_nll(x_logits: Tensor, x: Tensor, seen: Tensor) -> Tensor:
    pixels = F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    hidden = 1 - seen
    return (pixels * hidden).flatten(1).sum(dim=1)


def _pixels(x_logits: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")


HIDDEN_NLL = Exercise(
    id="hidden-nll",
    expects="one value per image, (batch,), in nats: the Bernoulli NLL summed over the hidden pixels",
    reference=_hidden_nll,
    probes=_outputs_and_images,
    words={"pixels": "the cost of each pixel", "hidden": "the hidden pixels"},
    mistakes=(
        Mistake(
            lambda a, x, seen: _pixels(a * (1 - seen), x * (1 - seen)).flatten(1).sum(1),
            "the logits are set to 0 where pixels are seen: that means p = ½, which costs log 2 for each of "
            "them. Take the cost of every pixel first, then drop those that are seen.",
        ),
        Mistake(
            lambda a, x, seen: _pixels(a, x * (1 - seen)).flatten(1).sum(1),
            "the image is blackened where it is seen, and counted there all the same: the model would learn to paint "
            "that part black.",
        ),
        Mistake(
            lambda a, x, seen: (_pixels(a, x) * (1 - seen)).flatten(1).sum(1) / (1 - seen).sum(),
            "that is a mean over the hidden pixels: beside a KL that is summed, a hidden β of several hundred. Sum.",
        ),
    ),
)
