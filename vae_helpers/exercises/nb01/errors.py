"""How far an image is from another: the autoencoder's loss, a Gaussian likelihood, and the copier's two distances."""

from math import log, pi

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, run
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.engine.verdict import judge

import torch
from jaxtyping import Float
from torch import Tensor

Batch = Float[Tensor, " batch 1 28 28"]


class _Small:
    """An autoencoder of three numbers, by weights that are given."""

    def __init__(self, seed: int) -> None:
        g = torch.Generator().manual_seed(seed)
        self.__name__ = "an autoencoder of three numbers"
        self.weights = (0.1 * torch.randn(784, 3, generator=g)).requires_grad_()

    def encode(self, x: Batch) -> Float[Tensor, " batch 3"]:
        """Images → codes."""
        return x.flatten(1) @ self.weights

    def generate(self, z: Float[Tensor, " batch 3"]) -> Batch:
        """Codes → x̂ in [0, 1]."""
        return (z @ self.weights.T).sigmoid().unflatten(1, (1, 28, 28))


def _models_and_images(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(5 + 1000 * seed)
    return [(_Small(k + 100 * seed), torch.rand(n, 1, 28, 28, generator=g)) for k, n in enumerate((5, 4, 3))]


def _autoencoder_loss(model: object, x: Tensor) -> Tensor:
    x_hat = model.generate(model.encode(x))
    errors = (x_hat - x).square().flatten(1).sum(dim=1)
    return errors.mean()


_VALUES = Exercise(
    id="autoencoder-loss",
    expects="one number, a tensor: the squared error, summed over each image's pixels, averaged over the images",
    reference=_autoencoder_loss,
    words={"x_hat": "x̂", "errors": "the sum for each image"},
    probes=_models_and_images,
    mistakes=(
        Mistake(
            lambda model, x: _autoencoder_loss(model, x) / 784,
            "that is the mean over the pixels as well: 784 times too small. With one part in the loss, Adam would "
            "hardly notice; beside a second part (notebook 05) it would weigh next to nothing.",
        ),
        Mistake(
            lambda model, x: _autoencoder_loss(model, x) * len(x),
            "that is the sum over the batch: it doubles when the batch does. Average over the images.",
        ),
        Mistake(
            lambda model, x: (model.generate(model.encode(x)) - x).flatten(1).norm(dim=1).mean(),
            "a root is taken of each image's sum: that is a distance, and the loss is its square.",
        ),
    ),
)


def _findings_of_loss(answer: Answer, seed: int) -> list[Finding]:
    """Its values, as any answer's; then whether a gradient comes back from it."""
    values = run(_VALUES, answer, seed)
    verdict = judge(_VALUES, values, seed, lambda: run(_VALUES, answer, seed + 1))
    if verdict.status == "wrong" and not values[0].isfinite().all():
        raise NotFiniteError
    if verdict.status == "wrong" and values[0].shape:
        raise WrongShapeError(tuple(values[0].shape))
    if not verdict.passed:
        says = verdict.message.removeprefix(f"{_VALUES.id}: ")
        return [Finding(verdict.relation or Relation("unexplained"), says)]
    if getattr(answer(*_models_and_images(seed)[0]), "requires_grad", False):
        return []
    says = "the number is right, but it is cut off from the weights (item, detach, no_grad): backward can't go back"
    return [Finding(Relation("no gradient", "result"), says)]


AUTOENCODER_LOSS = Exercise(
    id=_VALUES.id, expects=_VALUES.expects, reference=_autoencoder_loss, probes=_models_and_images,
    findings=_findings_of_loss,
)  # fmt: skip


def _pairs_of_images(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1 + 1000 * seed)
    return [
        (torch.rand(n, 1, 28, 28, generator=g), torch.rand(n, 1, 28, 28, generator=g), s)
        for n, s in ((5, 0.3), (4, 2.0), (3, 0.02))  # the last so narrow that the density underflows
    ]


def _squares(x_hat: Tensor, x: Tensor) -> Tensor:
    return ((x - x_hat) ** 2).flatten(1).sum(dim=1)


def _gaussian_nll(x_hat: Tensor, x: Tensor, sigma_x: float) -> Tensor:
    squares = (x - x_hat).square() / (2 * sigma_x**2)
    normaliser = 0.5 * log(2 * pi * sigma_x**2)
    return (squares + normaliser).flatten(1).sum(dim=1)


GAUSSIAN_NLL = Exercise(
    id="gaussian-nll",
    expects="one value per image, (batch,), in nats: summed over the 784 pixels",
    reference=_gaussian_nll,
    probes=_pairs_of_images,
    mistakes=(
        Mistake(
            lambda a, b, s: _squares(a, b) / s**2 + 392 * log(2 * pi * s**2),
            "the ½ in front of the square is missing: every error weighs twice as much, as if σ² were halved.",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s**2),
            "the normaliser ½ log 2πσ² is missing: without it a larger σ always looks better, up to infinity.",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s**2) + 0.5 * log(2 * pi * s**2),
            "the normaliser was added once, but each of the 784 pixels has one: add it before you sum.",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s**2) + 784 * log(2 * pi * s**2),
            "the ½ in front of the logarithm is missing: log √(2πσ²) is ½ log 2πσ².",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s**2) - 392 * log(2 * pi * s**2),
            "the sign of the normaliser is wrong: in the *negative* log-likelihood it is added.",
        ),
        Mistake(
            lambda a, b, s: _gaussian_nll(a, b, s) / 784,
            "that is the mean over pixels. The log-likelihood of an image is the sum over its pixels.",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s) + 392 * log(2 * pi * s),
            "σ was used where σ² belongs, so that your Gaussian has the variance σ.",
        ),
        Mistake(
            lambda a, b, s: -_gaussian_nll(a, b, s),
            "that is the log-likelihood itself: minimised, it makes every image as unlikely as can be. "
            "The loss is its negative.",
        ),
        Mistake(
            lambda a, b, s: _gaussian_nll(a, b, s).mean(),
            "that is the mean over the batch. Here one value per image is asked for.",
        ),
    ),
)


def _cases_of_noise(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(9 + 1000 * seed)
    cases = []
    for n in (5, 4, 3):
        clean, noise, weights = (torch.randn(n, 1, 28, 28, generator=g) for _ in range(3))
        clean = clean.sigmoid()
        cases.append((lambda x, w=weights: 0.9 * x + 0.4 * w, (clean + 0.3 * noise).clamp(0, 1), clean))
    return cases


def _copier_distances(rebuild: Answer, x_noisy: Tensor, x: Tensor) -> Tensor:
    x_hat = rebuild(x_noisy).clamp(0, 1)
    to_input = (x_hat - x_noisy).square().mean()
    to_clean = (x_hat - x).square().mean()
    noise = (x_noisy - x).square().mean()
    return torch.stack([noise, to_input, to_clean])


COPIER = Exercise(
    id="copier",
    expects="three mean squares per pixel, (3,): of the noise, of x̂ from the noisy input, of x̂ from the clean image",
    reference=_copier_distances,
    words={"x_hat": "x̂", "to_input": "the distance to the input", "to_clean": "the distance to the clean image"},
    probes=_cases_of_noise,
    mistakes=(
        Mistake(
            lambda rebuild, x_noisy, x: _three(x_noisy, x, rebuild(x).clamp(0, 1), rebuild(x).clamp(0, 1)),
            "the clean image goes in, and the network sees no noise: rebuild x_noisy.",
        ),
        Mistake(
            lambda rebuild, x_noisy, x: _three(x_noisy, x, rebuild(x_noisy), rebuild(x_noisy)),
            "x̂ is not cut off at 0 and 1: a linear network's output leaves that range, where no pixel can be.",
        ),
        Mistake(
            lambda rebuild, x_noisy, x: _three(x_noisy, x, rebuild(x_noisy).clamp(0, 1), rebuild(x).clamp(0, 1)),
            "each distance has an output of its own: rebuild the noisy input once, and compare that one output twice.",
        ),
        Mistake(
            lambda rebuild, x_noisy, x: _three(x_noisy, x, rebuild(x_noisy).clamp(0, 1), x_noisy),
            "the last number is the noise once more: what the network made of it, x̂, belongs there.",
        ),
    ),
)


def _three(x_noisy: Tensor, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The three mean squares, of two outputs."""
    return torch.stack([(a - b).square().mean() for a, b in ((x_noisy, x), (first, x_noisy), (second, x))])
