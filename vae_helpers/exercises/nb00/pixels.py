"""The mean image, independent pixels, and their nats per image."""

from math import log

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, result_of

import torch
from torch import Tensor


def _bytes(n: int, seed: int) -> Tensor:
    return torch.randint(
        0, 256, (n, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(n + 1000 * seed)
    )


def _mean_image(x: Tensor) -> Tensor:
    return (x.float() / 255).mean(dim=0)


MEAN_IMAGE = Exercise(
    id="mean-image",
    expects="a float tensor (1, 28, 28) in [0, 1], the mean over images",
    reference=_mean_image,
    probes=lambda seed=0: [(_bytes(5, seed),), (_bytes(7, seed),)],
    mistakes=(
        Mistake(
            lambda x: x.float().mean(dim=0),
            "these are still values up to 255. Divide by 255: a probability has to lie in [0, 1].",
        ),
        Mistake(
            lambda x: (x.float() / 256).mean(dim=0),
            "divided by 256, so that all is 255/256 of what it should be. The largest byte is 255: full ink is 1.",
        ),
        Mistake(
            lambda x: (x.float() / 255).mean(),
            "that is one number, the mean over images and pixels. Average over the images only: dim=0.",
        ),
        Mistake(
            lambda x: (x.float() / 255).mean(dim=(1, 2, 3)),
            "that is one number per image, its mean brightness. Average over the images, dim=0, and keep the pixels.",
        ),
        Mistake(
            lambda x: x.sum(dim=0, dtype=torch.uint8).float() / 255 / len(x),
            "the sum overflowed: uint8 wraps round at 256. Convert to float before you add.",
        ),
        Mistake(
            lambda x: (x // 255).float().mean(dim=0),
            "// divides without remainder, so that every grey below 255 became 0. Convert to float, then divide by /.",
        ),
        Mistake(
            lambda x: (x.float() / 255).sum(dim=0),
            "that is the sum over images, not their mean: its values grow with the number of images.",
        ),
        Mistake(
            lambda x: (x.float() / 255).mean(dim=0, keepdim=True),
            "the numbers are right, but the shape is (1, 1, 28, 28): keepdim keeps a batch of one. Drop it.",
        ),
    ),
)


def _draw(p: Tensor, n: int) -> Tensor:
    return (torch.rand(n, *p.shape) < p).float()


def _moments_of_draws(answer: Answer, probe: tuple) -> Tensor:
    draws = result_of(answer, probe)
    if draws.shape != (probe[1], *probe[0].shape):
        raise WrongShapeError(tuple(draws.shape))
    spread = draws.std(dim=0).mean()
    rest = draws - draws.mean(0)
    beside, below = (rest[..., :-1] * rest[..., 1:]).mean(), (rest[..., :-1, :] * rest[..., 1:, :]).mean()
    is_binary = ((draws == 0) | (draws == 1)).double().mean()
    overall = torch.stack([spread, beside, below, is_binary])
    return torch.cat([draws.mean(dim=(0, 1, 3)), overall])


INDEPENDENT_PIXELS = Exercise(
    id="independent-pixels",
    expects="a float tensor (n, 1, 28, 28) of zeros and ones",
    reference=_draw,
    probes=lambda seed=0: [(torch.linspace(0.1, 0.9 - 0.01 * (seed % 20), 28)[:, None].expand(1, 28, 28), 1000)],
    measure=_moments_of_draws,
    floats=True,
    labels=(
        *(f"the mean of row {k}" for k in range(28)),
        "the spread over images",
        "what neighbours in a row share",
        "what neighbours in a column share",
        "the share of zeros and ones",
    ),
    tolerance=0.04,
    mistakes=(
        Mistake(
            lambda p, n: (torch.rand(n, *p.shape) > p).float(),
            "ink and paper are swapped: with rand > p a pixel is 1 with probability 1 − p. Use rand < p.",
        ),
        Mistake(
            lambda p, n: (torch.randn(n, *p.shape) < p).float(),
            "that is randn, a Gaussian. Only a *uniform* number from rand is below p with probability p.",
        ),
        Mistake(
            lambda p, n: (p > 0.5).float().expand(n, *p.shape),
            "nothing is drawn: each pixel is rounded, so that all n images are the same.",
        ),
        Mistake(
            lambda p, n: p.expand(n, *p.shape),
            "that is the mean image n times. Draw each pixel: 1 with probability p, else 0.",
        ),
        Mistake(
            lambda p, n: (torch.rand(p.shape) < p).float().expand(n, *p.shape),
            "one image was drawn and repeated n times. Draw new random numbers for each: torch.rand(n, 1, 28, 28).",
        ),
        Mistake(
            lambda p, n: (torch.rand(n, *p.shape) < p.sigmoid()).float(),
            "p was taken for a logit: sigmoid(p) is at least ½, and every image is half ink. p is a probability.",
        ),
        Mistake(
            lambda p, n: (torch.rand(n, *p.shape) < p**2).float(),
            "ink is as rare as p²: two coins have to agree. One random number for each pixel is enough.",
        ),
        Mistake(
            lambda p, n: (torch.rand(n, *p.shape[:-1], 1) < p).float(),
            "one random number serves a whole row, so that its pixels are no longer independent. Draw one for each.",
        ),
        Mistake(
            lambda p, n: (torch.rand(n, 1, 1, 1) < p).float(),
            "one random number serves a whole image, so that its pixels depend on each other. Draw one per pixel.",
        ),
    ),
)


def _score(p: Tensor, x: Tensor) -> Tensor:
    return -(x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(dim=1).mean()


def _score_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1000 * seed)
    p = 0.1 + 0.6 * torch.rand(1, 28, 28, generator=g)
    x = torch.rand(8, 1, 28, 28, generator=g)
    return [(p, 0.96 * x[:5].round() + 0.02), (p, x[5:])]  # nearly black and white; grey


def _nats_per_image(p: Tensor, x: Tensor) -> Tensor:
    ink = x * p.log()
    paper = (1 - x) * (1 - p).log()
    return (-(ink + paper)).flatten(1).sum(dim=1).mean()


NATS_PER_IMAGE = Exercise(
    id="nats-per-image",
    expects="one number: the negative log-likelihood summed over pixels, averaged over images",
    reference=_nats_per_image,
    probes=_score_probes,
    mistakes=(
        Mistake(
            lambda p, x: -(x * p.log() + (1 - x) * (1 - p).log()).mean(),
            "that is the mean over pixels, 784 times too small. Sum over the pixels of an image, "
            "then average over images.",
        ),
        Mistake(
            lambda p, x: _score(p, x) * len(x),
            "that is the sum over all images: it grows with their number. Average over images.",
        ),
        Mistake(
            lambda p, x: -_score(p, x),
            "the sign is missing: this is the log-likelihood, a negative number. The cost is its negative.",
        ),
        Mistake(
            lambda p, x: -(x * p.log()).flatten(1).sum(dim=1).mean(),
            "only ink is counted. Paper counts as well: add (1 − x) log(1 − p).",
        ),
        Mistake(
            lambda p, x: _score(p, x) / log(2),
            "these are bits (log₂). The course counts in nats: use the natural logarithm, torch.log.",
        ),
        Mistake(
            lambda p, x: -(x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(dim=1),
            "that is one value per image. Average over images: .mean() at the end.",
        ),
    ),
)
