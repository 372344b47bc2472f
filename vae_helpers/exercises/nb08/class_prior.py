"""The means of a prior per class: in closed form, how far each cloud is from every one, and the nearest."""

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
import torch.nn.functional as F
from torch import Tensor


def _codes_and_labels(seed: int = 0) -> list[tuple]:
    """Codes whose classes are unequal in size; some classes are empty, once the last among them."""
    g = torch.Generator().manual_seed(82 + 1000 * seed)
    probes = []
    for n, d, k, empty in ((11, 3, 5, (1, 3)), (30, 4, 10, (2, 9))):
        present = torch.tensor([c for c in range(k) if c not in empty])
        more = present[torch.randint(1, len(present), (n - len(present),), generator=g)]
        y = torch.cat([present, more])[torch.randperm(n, generator=g)]
        probes.append((2 * torch.randn(n, d, generator=g) + y[:, None], y, k))
    return probes


def _class_means(mu: Tensor, y: Tensor, n_classes: int) -> Tensor:
    marks = F.one_hot(y, n_classes).to(mu)
    counts = marks.sum(dim=0)
    sums = marks.T @ mu
    return sums / counts.clamp(min=1)[:, None]


def _sums(mu: Tensor, y: Tensor, n_classes: int) -> Tensor:
    return F.one_hot(y, n_classes).to(mu).T @ mu


def _counts(y: Tensor, n_classes: int) -> Tensor:
    return F.one_hot(y, n_classes).sum(dim=0).float()[:, None]


CLASS_MEANS = Exercise(
    id="class-means",
    expects="one row per class, (n_classes, d): the mean of μ over the images of that class, 0 where there are none",
    reference=_class_means,
    probes=_codes_and_labels,
    words={"marks": "the one-hot labels", "counts": "the number of images in each class", "sums": "the sum of μ"},
    mistakes=(
        Mistake(
            lambda mu, y, k: _sums(mu, y, k) / _counts(y, k),
            "a class without images gets 0/0, which is NaN, and one NaN among the means spoils every loss after it. "
            "Give an empty class the mean 0.",
        ),
        Mistake(
            lambda mu, y, k: torch.stack([mu[y == c].mean(0) for c in y.unique()]),
            "an empty class has no row, and all rows after it move up: row k must belong to class k, whichever classes "
            "are there.",
        ),
        Mistake(_sums, "that is the sum of μ over each class: divide by the number of its images."),
        Mistake(
            lambda mu, y, k: _sums(mu, y, k) / len(mu),
            "divided by the number of all images: each mean is pulled to 0, those of rare classes the most. Divide by "
            "the number in the class.",
        ),
        Mistake(
            lambda mu, y, k: _sums(mu, y, k) / (len(mu) / k),
            "divided by n/K, as if all classes were equally frequent. Count the images of each.",
        ),
        Mistake(
            lambda mu, y, k: _sums(mu, y, k) / (_counts(y, k) + 1),
            "one is added to every count: no 0/0, but each mean is pulled towards 0. Only an empty class needs it.",
        ),
        Mistake(
            lambda mu, y, k: _class_means(mu, y + 1, k + 1)[:k],
            "row k holds the mean of class k − 1, and the last class is lost: classes are counted from 0.",
        ),
        Mistake(
            lambda mu, y, k: mu.mean(0).expand(k, -1),
            "every row is the mean of all images: look at the labels.",
        ),
        Mistake(
            lambda mu, y, k: torch.stack(
                [(mu[y == c].median(0).values if (y == c).any() else 0 * mu[0]) for c in range(k)]
            ),
            "that is the median. The KL is least, on average over the class, at the mean: it is a square.",
        ),
        Mistake(
            lambda mu, y, k: torch.where(_counts(y, k) > 0, _class_means(mu, y, k), mu.mean(0)),
            "an empty class gets the mean of all images. 0 is asked for: a prior N(0, I), as if there were no classes.",
        ),
    ),
)


def _clouds_and_means(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(5 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    return [(r(n, d), r(n, d) - 0.5, 2 * r(k, d)) for n, d, k in ((5, 3, 4), (6, 4, 10))]


def _terms(mu: Tensor, logvar: Tensor, means: Tensor) -> Tensor:
    """The terms of the KL, (batch, classes, d)."""
    gap = (mu[:, None] - means).square()
    return 0.5 * (gap + (logvar.exp() - logvar - 1)[:, None])


def _kl_to_every_class(mu: Tensor, logvar: Tensor, means: Tensor) -> Tensor:
    shift = (mu[:, None] - means).square()
    width = (logvar.exp() - logvar - 1)[:, None]
    return (0.5 * (shift + width)).sum(dim=2)


KL_TO_EVERY_CLASS = Exercise(
    id="kl-to-every-class",
    expects="one value per image and class, (batch, classes): row i, column k is D_KL(q(z|x_i) ‖ N(μ_k, I))",
    reference=_kl_to_every_class,
    probes=_clouds_and_means,
    mistakes=(
        Mistake(
            lambda m, v, c: _terms(m, v, c).sum(1),
            "you summed over the classes (dim 1). Sum over the latent dimensions, the last axis.",
        ),
        Mistake(
            lambda m, v, c: _terms(m, v, c).sum(2).T,
            "rows and columns are exchanged: argmin along dim 1 would choose an image. Images go down, classes across.",
        ),
        Mistake(
            lambda m, v, c: 2 * _terms(m, v, c).sum(2),
            "the ½ in front is missing: every cost is twice too large, a hidden β of 2.",
        ),
        Mistake(
            lambda m, v, c: _terms(m, v, c).mean(2),
            "you took the mean over the latent dimensions. Each dimension's information has to be paid for: sum.",
        ),
        Mistake(
            lambda m, v, c: _terms(m, v, 0 * c).sum(2),
            "the class means are missing: every column is the KL to N(0, I).",
        ),
        Mistake(
            lambda m, v, c: (_terms(m, v, -c)).sum(2),
            "μ and μ_k are added. What counts is their distance: μ − μ_k.",
        ),
        Mistake(
            lambda m, v, c: 0.5 * (m[:, None] - c).square().sum(2),
            "only the distance of the means is there. A cloud also pays for its width: + σ² − log σ² − 1.",
        ),
        Mistake(
            lambda m, v, c: _terms(m, v, c).sum(2) + 0.5 * m.shape[1],
            "the −1 in each dimension is missing: a cloud that *is* its class's prior must cost 0.",
        ),
        Mistake(
            lambda m, v, c: 0.5 * ((m[:, None] - c) ** 2 + (v**2 - (v**2).log() - 1)[:, None]).sum(2),
            "log σ² was used as σ. The network's output is a logarithm: σ² = exp(logvar).",
        ),
        Mistake(
            lambda m, v, c: 0.5 * ((m[:, None] - c).abs() + (v.exp() - v - 1)[:, None]).sum(2),
            "the distance is not squared: a Gaussian's cost grows with (μ − μ_k)².",
        ),
        Mistake(
            lambda m, v, c: -_terms(m, v, c).sum(2),
            "the sign is turned: the nearest class would look the dearest. A divergence is never negative.",
        ),
        Mistake(
            lambda m, v, c: _terms(m, v, c).sum(2) + 0.5 * (m.shape[1] - 1),
            "the −1 is counted once, and belongs to every dimension: a cloud that *is* its class's prior must cost 0.",
        ),
    ),
)


def _many_clouds(seed: int = 0) -> list[tuple]:
    """Enough clouds between the means that another rule names another class for some."""
    g = torch.Generator().manual_seed(83 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    return [(1.5 * r(n, d) + 0.3, 2 * r(n, d), 1.5 * r(k, d)) for n, d, k in ((60, 3, 7), (80, 5, 10))]


def _nearest_prior(mu: Tensor, logvar: Tensor, means: Tensor) -> Tensor:
    shift = (mu[:, None] - means).square()
    width = (logvar.exp() - logvar - 1)[:, None]
    kl = (0.5 * (shift + width)).sum(dim=2)
    return kl.argmin(dim=1)


def _table(mu: Tensor, logvar: Tensor, means: Tensor) -> Tensor:
    return _kl_to_every_class(mu, logvar, means)


NEAREST_PRIOR = Exercise(
    id="nearest-prior",
    expects="one whole number per image, (batch,): the class from whose prior its cloud has the least KL",
    reference=_nearest_prior,
    probes=_many_clouds,
    words={"kl": "the table of KLs", "shift": "(μ − μ_k)²", "width": "σ² − log σ² − 1"},
    mistakes=(
        Mistake(
            lambda m, v, c: _table(m, v, c).argmax(1),
            "that is the class whose prior is the *farthest*: the smallest KL names the class.",
        ),
        Mistake(
            lambda m, v, c: _table(m, v, c).amin(1),
            "that is the least KL itself, in nats. Which class has it was asked: argmin.",
        ),
        Mistake(
            lambda m, v, c: (m @ c.T).argmax(1),
            "the largest μ·μ_k is no least distance: a prior far out wins too often.",
        ),
        Mistake(
            lambda m, v, c: ((m[:, None] - c).square() / v.exp()[:, None]).sum(2).argmin(1),
            "the distance is divided by the cloud's own variance: that is the KL the other way round. In this one "
            "(μ − μ_k)² is divided by the prior's variance, which is 1.",
        ),
        Mistake(
            lambda m, v, c: _table(m, v, c).argmin(0),
            "the least is sought along the images (dim 0): that names the nearest *image* of each class. "
            "Each image needs a class: dim 1.",
        ),
    ),
)
