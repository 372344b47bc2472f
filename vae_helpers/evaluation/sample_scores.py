"""One row of figures for a set of samples: FD50, judge-FD, recall, and how sure the judge is. None suffices alone.

FD50 is met by a Gaussian fitted to the pixels, certainty by one image per class, recall by noise around it: read them
beside each other, and beside ``training_images``, ``decoded_codes`` and ``pixel_gaussian``.
"""

from typing import Annotated, NamedTuple

from vae_helpers.data import Dataset, in_float64, to_float
from vae_helpers.evaluation.batchwise import in_batches
from vae_helpers.evaluation.samples import frechet_distance
from vae_helpers.losses import cloud_of, mean_and_covariance, reparameterize
from vae_helpers.training.randomness import own_random_state
from vae_helpers.validation import Condition, Finite, FinitePixels, Positive, PositiveInt, Seed, has, tensors, validated

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

Images = FinitePixels[Tensor, " n 1 28 28"]
JudgeLike = Annotated[nn.Module, has("features", "head")]
COMPONENTS, SURE, FOR_RECALL, NEAREST = 50, 0.9, 4000, 5


class SampleScores(NamedTuple):
    """The figures of one set of samples: Fréchet distances in PCA and in the judge's features, and two shares."""

    fd50: float
    judge_fd: float
    recall: float
    sure: float

    def __str__(self) -> str:
        distances = f"FD50 {self.fd50:6.2f}   judge-FD {self.judge_fd:6.1f}"
        return f"{distances}   recall {self.recall:.2f}   sure {self.sure:.3f}"


@Condition
def _two_rows(value: list, name: str) -> None:
    if len(value) < 2 or not all(isinstance(row, SampleScores) for row in value):
        raise ValueError(f"{name} must be at least two SampleScores, of as many sets of samples.")


@validated
def mean_and_spread(rows: Annotated[list[SampleScores], _two_rows]) -> tuple[SampleScores, SampleScores]:
    """The mean of each figure over several sets of samples, two at least, and its standard deviation."""
    table = torch.tensor(rows, dtype=torch.float64, device="cpu")
    return SampleScores(*table.mean(0).tolist()), SampleScores(*table.std(0).tolist())


class SampleScorer:
    """Scores samples against a data set's test images, drawn at random where not all are used.

    The test images of MNIST are ordered: its first half is another set than its second (FD50 4.7 between them).
    ``pca`` and ``judge`` give features of images; the first are 50 coordinates fitted to the training images.
    ``judge.features(x)`` are what ``judge.head`` makes its scores of.
    """

    @validated
    def __init__(self, judge: JudgeLike, dataset: Dataset, seed: Seed = 0) -> None:
        self.judge, self.dataset, self.seed = judge, dataset, seed
        mean, covariance = mean_and_covariance(dataset.x)
        leading = torch.linalg.eigh(covariance).eigenvectors[:, -COMPONENTS:]
        self.mean, self.components = (t.to(dataset.x.device, torch.float32) for t in (mean, leading))
        self.of_test = self._features(dataset.x_test)

    def _features(self, images: Images) -> dict[str, Float[Tensor, " n _"]]:
        # the judge makes 37,000 numbers of an image on its way to 128: few at once, so that memory stays small
        return {"pca": in_batches(self.pca, images), "judge": in_batches(self.judge.features, images, 250)}

    @validated
    def pca(self, images: Images) -> Float[Tensor, " n k"]:
        """Images → their coordinates along the 50 leading principal components of the training images."""
        return (to_float(images).flatten(1) - self.mean) @ self.components

    @validated
    @torch.no_grad()
    def score(self, images: Images) -> SampleScores:
        """The row of figures of a set of images; of more than 128, for a covariance in the judge's features.

        Fréchet distances shrink with the number of images: compare sets of one size, best that of the test set.
        """
        of_images = self._features(images)
        fd50, judge_fd = (frechet_distance(of_images[name], self.of_test[name]) for name in ("pca", "judge"))
        some, of_test = (_some(t, FOR_RECALL, self.seed) for t in (of_images["pca"], self.of_test["pca"]))
        return SampleScores(fd50, judge_fd, recall(some, of_test), _share_sure(self.judge.head(of_images["judge"])))


@validated
def recall(
    samples: Annotated[Finite[Tensor, " n d"], tensors.at_least_two],
    reference: Finite[Tensor, " m d"],
    nearest: PositiveInt = NEAREST,
) -> float:
    """Share of reference features that lie within reach of a sample: no farther than its ``nearest``-th neighbour.

    Neighbours are other samples. Kynkäänniemi et al. 2019, equation 2. What a sampler never draws is missed by it.
    """
    if nearest >= len(samples):
        raise ValueError(f"nearest must be below {len(samples)}, the number of samples, got {nearest}.")
    # topk and not kthvalue, which would copy all distances, and number them
    nearby = [torch.cdist(part, samples).topk(nearest + 1, largest=False).values for part in samples.split(500)]
    reach = torch.cat(nearby).amax(dim=1)
    within = [(torch.cdist(part, samples) <= reach).any(dim=1) for part in reference.split(500)]
    return in_float64(torch.cat(within)).mean().item()


@validated
def sure(judge: nn.Module, images: Images, least: Positive = SURE) -> float:
    """Share of images of which the judge gives one class a probability of ``least`` or more."""
    return _share_sure(in_batches(judge, images, 250), least)


def _share_sure(scores: Float[Tensor, " n k"], least: float = SURE) -> float:
    return in_float64(scores.softmax(dim=1).amax(dim=1) >= least).mean().item()


@validated
def training_images(dataset: Dataset, n: PositiveInt, seed: Seed = 0) -> Shaped[Tensor, " n 1 28 28"]:
    """``n`` training images drawn at random, without repetition: the line that no sampler need pass."""
    return _some(dataset.x, n, seed)


@validated
@torch.no_grad()
def decoded_codes(
    model: Annotated[nn.Module, has("encode", "generate")], dataset: Dataset, n: PositiveInt, seed: Seed = 0
) -> Float[Tensor, " n 1 28 28"]:
    """What a model decodes from codes drawn from q(z|x) of ``n`` training images: the samples of a perfect prior."""
    x, y = (_some(t, n, seed) for t in (dataset.x, dataset.y))
    with own_random_state(seed):
        drawn = torch.empty_like(x, dtype=torch.float32)
        for part, a, b in zip(drawn.split(2000), x.split(2000), y.split(2000), strict=True):
            part.copy_(model.generate(reparameterize(*cloud_of(model, to_float(a), b)), b))
    return drawn


@validated
def pixel_gaussian(dataset: Dataset, n: PositiveInt, seed: Seed = 0) -> Float[Tensor, " n 1 28 28"]:
    """``n`` draws from the one Gaussian with the training images' mean and covariance; they leave [0, 1]."""
    mean, covariance = mean_and_covariance(dataset.x)
    variances, vectors = torch.linalg.eigh(covariance)
    random = torch.Generator(mean.device).manual_seed(seed)
    to_pixels = vectors * variances.clamp(min=0).sqrt()
    drawn = torch.empty(n, 784, dtype=torch.float32, device=dataset.x.device)
    for part in drawn.split(1000):  # in float64, and so in parts
        eps = torch.randn(len(part), 784, generator=random, dtype=mean.dtype, device=mean.device)
        part.copy_(mean + eps @ to_pixels.T)
    return drawn.view(-1, 1, 28, 28)


def _some(t: Tensor, n: int, seed: int) -> Tensor:
    """n rows at random, all in a new order where there are no more."""
    order = torch.randperm(len(t), generator=torch.Generator().manual_seed(seed), device="cpu")
    return t[order[:n].to(t.device)]
