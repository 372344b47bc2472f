"""Exercises of notebook 08: the label joined to both inputs, the KL to every class's prior, a row per class."""

from collections.abc import Callable

from vae_helpers.exercises.engine import Answer, Exercise, Mistake

import torch
import torch.nn.functional as F
from torch import Tensor


def _joining_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(3 + 1000 * seed)
    sizes = ((5, 784, 3), (4, 784, 7))
    return [
        (torch.rand(n, p, generator=g), torch.randn(n, d, generator=g), torch.randint(0, 10, (n,), generator=g))
        for n, p, d in sizes
    ]


def _joined(encoder_label: Answer, decoder_label: Answer) -> Answer:
    """The answer that puts one kind of label beside x and another beside z."""
    return lambda x, z, y: torch.cat([x, encoder_label(y), z, decoder_label(y)], dim=1)


def _one_hot(y: Tensor) -> Tensor:
    return F.one_hot(y, 10).float()


def _nothing(y: Tensor) -> Tensor:
    return torch.zeros(len(y), 0)


def _number(y: Tensor) -> Tensor:
    return y[:, None].float()


def _cramped(y: Tensor) -> Tensor:
    return F.one_hot(y, int(y.max()) + 1).float()


def _join_label(x: Tensor, z: Tensor, y: Tensor) -> Tensor:
    label = F.one_hot(y, 10).float()
    return torch.cat([x, label, z, label], dim=1)


JOIN_LABEL = Exercise(
    id="join-label",
    expects="one row per image, (batch, 784 + 10 + d + 10): x, its one-hot label, z, the one-hot label again",
    reference=_join_label,
    probes=_joining_probes,
    mistakes=(
        Mistake(
            _joined(_number, _number),
            "the label went in as one number. Then an 8 is eight times a 1 and lies between 7 and 9: an order that "
            "classes don't have. F.one_hot(y, 10) gives each class an input of its own.",
        ),
        Mistake(
            _joined(_one_hot, _nothing),
            "the decoder doesn't get the label. Then it must read the class from z, and nobody can ask it for a 7.",
        ),
        Mistake(
            _joined(_nothing, _one_hot),
            "the encoder doesn't get the label. The model still runs, but q(z|x) must serve without knowing y; "
            "the bound wants q(z|x, y).",
        ),
        Mistake(
            _joined(_nothing, _nothing),
            "no label anywhere: that is a VAE without condition, which nobody can ask for a 7.",
        ),
        Mistake(
            lambda x, z, y: torch.cat([torch.cat([x, z], 1), torch.cat([_one_hot(y), _one_hot(y)], 1)], dim=1),
            "the parts stand in another order: x and z side by side, then the labels. The encoder's input is "
            "x and label, the decoder's z and label.",
        ),
        Mistake(
            lambda x, z, y: torch.cat([_one_hot(y), x, _one_hot(y), z], dim=1),
            "the labels stand in front of x and z. No harm to a network, but here they come behind.",
        ),
        Mistake(
            _joined(_cramped, _cramped),
            "one_hot without the number of classes: its width is the largest label *in this batch* plus one. "
            "A batch without a 9 would get another width: F.one_hot(y, 10).",
        ),
        Mistake(
            _joined(lambda y: 1 - _one_hot(y), lambda y: 1 - _one_hot(y)),
            "ones and zeros are exchanged: each label marks all classes but its own.",
        ),
        Mistake(
            _joined(lambda y: _one_hot(y).roll(1, 1), lambda y: _one_hot(y).roll(1, 1)),
            "each label stands one column too far: class 0 belongs into column 0.",
        ),
    ),
)


def _class_probes(seed: int = 0) -> list[tuple]:
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
    probes=_class_probes,
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
    ),
)


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
    ),
)

EXERCISES = (JOIN_LABEL, KL_TO_EVERY_CLASS, ROW_PER_CLASS)
