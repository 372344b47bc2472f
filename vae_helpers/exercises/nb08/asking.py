"""What is asked of a conditional model, and what comes: a row per class, agreement, variance within a class."""

from collections.abc import Callable

from vae_helpers.exercises.engine import Answer, Exercise, Mistake

import torch
import torch.nn.functional as F
from torch import Tensor


def _draw(z: Tensor, y: Tensor) -> Tensor:
    """Stands for a decoder: tiny images (n, 1, 2, 3) from which z and y can be read again."""
    if not isinstance(y, Tensor) or y.dtype != torch.int64 or y.shape != z.shape[:1]:
        got = f"{y.dtype} {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        raise TypeError(f"y must be int64 labels ({len(z)},), one for each code, got {got}.")
    pattern = torch.linspace(0.5, 2, 6).view(1, 1, 2, 3)
    weights = torch.arange(1, z.shape[1] + 1).to(z)
    return (z @ weights).view(-1, 1, 1, 1) * pattern + 10 * y.view(-1, 1, 1, 1)


def _style_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(6 + 1000 * seed)
    return [(_draw, torch.randn(n, d, generator=g)) for n, d in ((5, 3), (3, 4))]


def _of(arrange_z: Callable[[Tensor], Tensor], arrange_y: Callable[[int], Tensor]) -> Answer:
    return lambda generate, style: generate(arrange_z(style), arrange_y(len(style)))


def _class_by_class(n: int) -> Tensor:
    return torch.arange(10).repeat_interleave(n)


def _class_after_class(n: int) -> Tensor:
    return torch.arange(10).repeat(n)


def _row_per_class(generate: Answer, style: Tensor) -> Tensor:
    labels = torch.arange(10).repeat_interleave(len(style))
    return generate(style.repeat(10, 1), labels)


ROW_PER_CLASS = Exercise(
    id="row-per-class",
    expects="10·n images, class by class: first all n styles as a 0, then the same n styles as a 1, and so on",
    reference=_row_per_class,
    probes=_style_probes,
    mistakes=(
        Mistake(
            _of(lambda s: s.repeat_interleave(10, 0), _class_after_class),
            "that is a row per *style*: the first style in all classes comes first. "
            "Repeat the styles as a block, and each label n times.",
        ),
        Mistake(
            _of(lambda s: s.repeat_interleave(10, 0), _class_by_class),
            "styles and labels both change slowly, so that no class sees all styles: repeat the block of styles "
            "ten times with .repeat(10, 1).",
        ),
        Mistake(
            _of(lambda s: s.repeat(10, 1), _class_after_class),
            "styles and labels both change fast, and the rows mix classes. Each label must stay for n images: "
            "repeat_interleave(n).",
        ),
        Mistake(
            _of(lambda s: torch.randn(10 * len(s), s.shape[1]), _class_by_class),
            "you drew new styles for every class. Use the n styles that were handed in, the same in every row.",
            (_of(lambda s: torch.cat([torch.randn_like(s) for _ in range(10)]), _class_by_class),),
        ),
        Mistake(
            _of(lambda s: s[:1].repeat(10 * len(s), 1), _class_by_class),
            "each class shows the first style n times. All n styles belong into each row.",
        ),
        Mistake(
            _of(lambda s: torch.zeros(10 * len(s), s.shape[1]), _class_by_class),
            "the style is 0 everywhere: one image per class, n times over. Use the styles that were handed in.",
        ),
        Mistake(
            _of(lambda s: s.repeat(10, 1), lambda n: _class_by_class(n) + 1),
            "the labels run from 1 to 10. Classes are counted from 0, and no class 10 exists.",
        ),
        Mistake(
            _of(lambda s: s.repeat(9, 1), lambda n: torch.arange(9).repeat_interleave(n)),
            "class 9 is missing, and the picture has one row too few: torch.arange(9) ends at 8. Use torch.arange(10).",
        ),
        Mistake(
            _of(lambda s: s, lambda n: torch.arange(n)),
            "each style has only one class, and only n images come out. Every style belongs into every class.",
        ),
        Mistake(
            _of(lambda s: s.repeat(9, 1), lambda n: torch.arange(1, 10).repeat_interleave(n)),
            "class 0 is missing, and the picture has one row too few: classes are counted from 0.",
        ),
    ),
)


class _Judge:
    """Names a class by fixed weights, right for about two images in three."""

    def __init__(self, n_classes: int, seed: int) -> None:
        g = torch.Generator().manual_seed(seed)
        self.__name__ = "a judge"
        self.patterns = torch.rand(n_classes, 784, generator=g)

    def __call__(self, images: Tensor) -> Tensor:
        return (images.flatten(1) - 0.5) @ (self.patterns - 0.5).T / 10


def _judged(seed: int = 0) -> list[tuple]:
    """Images that lie near a pattern of their class or of another one; two or more of each class, in unequal number."""
    g = torch.Generator().manual_seed(84 + 1000 * seed)
    probes = []
    for n, k in ((14, 4), (29, 10)):
        judge = _Judge(k, 7 * k + seed)
        asked = torch.cat([torch.arange(2 * k) % k, torch.randint(0, k - 1, (n - 2 * k,), generator=g)]).sort().values
        drawn = torch.where(torch.rand(n, generator=g) < 0.3, (asked + 1) % k, asked)
        spread = (0.2 + 0.6 * torch.rand(k, generator=g))[asked, None]
        images = (1 - spread) * judge.patterns[drawn] + spread * torch.rand(n, 784, generator=g)
        probes.append((judge, images.view(n, 1, 28, 28), asked))
    return probes


def _agreement_and_variance(judge: Answer, images: Tensor, asked: Tensor) -> Tensor:
    scores = judge(images)
    named = scores.argmax(dim=1)
    agreement = (named == asked).float().mean()
    marks = F.one_hot(asked, 10).to(images)
    counts = marks.sum(dim=0)
    flat = images.flatten(1)
    means = (marks.T @ flat) / counts.clamp(min=1)[:, None]
    squares = (flat - means[asked]).square()
    of_class = (marks.T @ squares) / (counts - 1).clamp(min=1)[:, None]
    variance = of_class.sum(dim=1).sum() / (counts > 0).sum()
    return torch.stack([agreement, variance])


def _divided_by_n(judge: Answer, images: Tensor, asked: Tensor) -> Tensor:
    """As var() does with correction=0."""
    variances = [images[asked == k].var(dim=0, correction=0).sum() for k in asked.unique()]
    return torch.stack([_share(judge, images, asked), torch.stack(variances).mean()])


def _share(judge: Answer, images: Tensor, asked: Tensor) -> Tensor:
    return (judge(images).argmax(1) == asked).float().mean()


def _within(images: Tensor, groups: Tensor, c: int, reduce: Callable[[Tensor], Tensor] = torch.sum) -> Tensor:
    return torch.stack([reduce(images[groups == k].var(dim=0, correction=c)) for k in groups.unique()]).mean()


def _sums_of(values: Tensor, groups: Tensor) -> Tensor:
    return torch.stack([values[groups == k].sum() for k in groups.unique()])


def _two(share: Callable[..., Tensor], variance: Callable[..., Tensor]) -> Answer:
    return lambda judge, images, asked: torch.stack([share(judge, images, asked), variance(judge, images, asked)])


def _spreads(c: int) -> tuple[Mistake, ...]:
    """Wrong second numbers; c: the correction of var()."""
    return (
        Mistake(
            _two(_share, lambda judge, x, y: x.var(0, correction=c).sum()),
            "the variance is taken over all images at once: what differs between classes counts too, and a model with "
            "one picture per class would look varied. Take each class by itself.",
        ),
        Mistake(
            _two(_share, lambda judge, x, y: _within(x, judge(x).argmax(1), c)),
            "the variance is taken within the classes that the judge *names*: a model that mixes up classes would hide "
            "it. Group by what was asked.",
        ),
        Mistake(
            _two(_share, lambda judge, x, y: _within(x, y, c, torch.mean)),
            "the variance is a mean over the pixels: 784 times too small. Sum over the pixels.",
        ),
        Mistake(
            _two(_share, lambda judge, x, y: _within(x, y, c, lambda v: v.sqrt().sum())),
            "the second number adds standard deviations. Variances add up over pixels, their roots don't.",
        ),
        Mistake(
            _two(_share, lambda judge, x, y: x.flatten(1).var(1, correction=c).mul(784).mean()),
            "that is the variance *between the pixels of one image*. It is the images of a class that should vary, "
            "pixel by pixel: dim 0.",
            (_two(_share, lambda judge, x, y: _sums_of(x.flatten(1).var(1, correction=c), y).mean()),),
        ),
        Mistake(
            _two(_share, lambda judge, x, y: _within(x, y, c) * len(y.unique())),
            "the variances of the classes are added up: average them over the classes.",
        ),
    )


def _shares(c: int) -> tuple[Mistake, ...]:
    """Wrong first numbers, beside a variance of the correction c."""
    plain_variance = lambda judge, x, y: _within(x, y, c)  # noqa: E731
    return (
        Mistake(
            _two(lambda judge, x, y: _share(judge, x, y) * 100, plain_variance),
            "the agreement is in per cent: a share between 0 and 1 is asked for.",
        ),
        Mistake(
            _two(lambda judge, x, y: _share(judge, x, y) * len(y), plain_variance),
            "the agreement is the number of images, not their share: divide by how many were asked for.",
        ),
        Mistake(
            _two(lambda judge, x, y: 1 - _share(judge, x, y), plain_variance),
            "the first number is the share that *disagrees*. The share of right ones is asked for.",
        ),
        Mistake(
            _two(lambda judge, x, y: judge(x).softmax(1).gather(1, y[:, None]).mean(), plain_variance),
            "the first number is how sure the judge is of the asked class, on average: count instead in how many "
            "images that class has the largest score.",
        ),
    )


def _of_ten(c: int) -> tuple[Mistake, ...]:
    """Ten classes counted, whichever occur."""
    return (
        Mistake(
            _two(
                _share,
                lambda judge, x, y: torch.stack([x[y == k].var(0, correction=c).sum() for k in range(10)]).mean(),
            ),
            "a class of which there are no images has no variance: var() of no rows is NaN, and spoils the mean. Go "
            "over asked.unique(), the classes that occur.",
        ),
        Mistake(
            _two(_share, lambda judge, x, y: _within(x, y, c) * len(y.unique()) / 10),
            "the variance is divided by ten, whichever classes occur: one without images would count as one without "
            "variety. Average over those that occur.",
        ),
    )


AGREEMENT_AND_VARIANCE = Exercise(
    id="agreement-and-variance",
    expects="two numbers, (2,): the share of images that the judge gives their asked class, and the variance within a "
    "class, summed over pixels, averaged over the classes",
    reference=_agreement_and_variance,
    also=(lambda *probe: _divided_by_n(*probe),),
    probes=_judged,
    words={"scores": "the judge's scores", "named": "the class that the judge names", "agreement": "the agreement"},
    mistakes=tuple(
        Mistake(by_n.answer, by_n.message, (by_n_minus_1.answer, *by_n.alike, *by_n_minus_1.alike))
        for by_n, by_n_minus_1 in zip(*(_spreads(c) + _shares(c) + _of_ten(c) for c in (0, 1)), strict=True)
    ),
)
