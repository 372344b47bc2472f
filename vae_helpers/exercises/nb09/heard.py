"""A VAE that listens: its encoder answers what it is told, its decoder remembers the codes that it was given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vae_helpers.exercises.engine.draws import LOGVAR, MU, draw_findings
from vae_helpers.exercises.engine.probes import NotAttemptedError
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.losses import kl_to_standard_normal
from vae_helpers.models import VAE

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional

Images = Float[Tensor, "batch 1 28 28"]
Codes = Float[Tensor, "batch d"]
Anything = Shaped[Tensor, "..."]  # a learner may hand over what is no image, no code
Program = Callable[[nn.Module, Tensor], object]


class ListeningVAE(VAE):
    """``encode`` answers the (μ, log σ²) it was made with; ``codes`` and ``answers`` hold what passed ``decode``."""

    def __init__(self, mu: Codes, logvar: Codes) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(4)
            super().__init__(mu.shape[1], hidden=(6,))
        self.requires_grad_(False)
        self.told, self.codes, self.answers = (mu, logvar), [], []

    def encode(self, x: Anything) -> tuple[Codes, Codes]:
        """What it was told, whatever the images."""
        return self.told

    def decode(self, z: Anything, y: object = None) -> Anything:
        """The picture of z, both remembered."""
        self.codes.append(z)
        self.answers.append(3 * self.decoder(z).unflatten(-1, (1, 28, 28)))
        return self.answers[-1]


@dataclass(frozen=True)
class Heard:
    """One call of a program: what it returned, its images and posteriors, and the decoder's last answer."""

    result: object
    x: Images
    mu: Codes
    logvar: Codes
    x_logits: Anything | None


def hear(program: Program, n: int, d: int, seed: int) -> Heard:
    """Call program(model, x) on n images and a listening model of d dimensions. Raises NotAttemptedError."""
    g = torch.Generator().manual_seed(900 + 1000 * seed + n)
    x = torch.rand(n, 1, 28, 28, generator=g)
    mu, logvar = torch.randn(2, n, d, generator=g).unbind()
    mu, logvar = (1.2 * mu + 0.3).requires_grad_(), (logvar - 0.6).requires_grad_()
    model = ListeningVAE(mu, logvar)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        result = program(model, x)
    if result is None or result is Ellipsis:
        raise NotAttemptedError
    return Heard(result, x, mu, logvar, model.answers[-1] if model.answers else None)


NOT_DECODED = Finding(Relation("not decoded", "z"), "nothing is decoded: call model.decode on the z that you drew")


def noise_findings(program: Program, seed: int) -> list[Finding]:
    """What is wrong with the codes that a program decodes, as draws from N(μ, σ²)."""
    model = ListeningVAE(MU[None], LOGVAR[None])

    def draw(mu: Codes, logvar: Codes) -> Codes:
        """The code that is decoded for these posteriors."""
        model.told, model.codes, model.answers = (mu, logvar), [], []
        program(model, torch.full((len(mu), 1, 28, 28), 0.5))
        return model.codes[-1]

    return draw_findings(draw, seed)


def _bce(x_logits: Tensor, x: Images) -> Float[Tensor, " batch"]:
    return functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none").flatten(1).sum(dim=1)


Part = tuple[Callable[[Tensor, Tensor], Tensor], str]
RECONSTRUCTIONS: Mapping[str, Part] = {  # of (x_logits, x), per image
    "right": (_bce, ""),
    "sigmoid twice": (
        lambda o, x: _bce(o.sigmoid(), x),
        "the reconstruction takes two sigmoids, the loss's own and another: no pixel can be called paper",
    ),
    "mean over pixels": (
        lambda o, x: _bce(o, x) / 784,
        "the reconstruction is a mean over the pixels, beside a KL that is a sum: a hidden β of 784",
    ),
    "squared error": (
        lambda o, x: (o.sigmoid() - x).square().flatten(1).sum(1),
        "the reconstruction is a squared error: for pixels that are Bernoulli it is the cross-entropy",
    ),
    "squared error of logits": (
        lambda o, x: (o - x).square().flatten(1).sum(1),
        "the reconstruction compares logits with pixels, by a squared error: it is the cross-entropy that takes logits",
    ),
    "no sigmoid": (
        lambda o, x: -(x * o.clamp(min=1e-9).log() + (1 - x) * (1 - o).clamp(min=1e-9).log()).flatten(1).sum(1),
        "logits are read as probabilities: a sigmoid is missing, or _with_logits",
    ),
    "sign": (lambda o, x: -_bce(o, x), "the reconstruction has its sign turned: that is log p(x∣z), to be maximised"),
    "missing": (lambda o, x: 0 * _bce(o, x), "the reconstruction is missing"),
}
KLS: Mapping[str, Part] = {  # of (μ, log σ²), per image
    "right": (kl_to_standard_normal, ""),
    "swapped": (lambda m, v: kl_to_standard_normal(v, m), "μ and log σ² are exchanged in the KL, and not in z"),
    "sign": (lambda m, v: -kl_to_standard_normal(m, v), "the KL has its sign turned: the loss pays for it"),
    "½ missing": (lambda m, v: 2 * kl_to_standard_normal(m, v), "the KL has lost its ½: that is β = 2"),
    "½ twice": (lambda m, v: kl_to_standard_normal(m, v) / 2, "the KL has one ½ too many: that is β = ½"),
    "mean": (lambda m, v: kl_to_standard_normal(m, v) / m.shape[1], "the KL is a mean over the dimensions: sum them"),
    "σ for σ²": (
        lambda m, v: 0.5 * (m**2 + (v / 2).exp() - v - 1).sum(1),
        "the KL has σ where σ² belongs: σ² is exp(logvar) itself",
    ),
    "σ² squared": (lambda m, v: kl_to_standard_normal(m, 2 * v), "the KL squares σ² once more: it is exp(logvar)"),
    "no −1": (lambda m, v: kl_to_standard_normal(m, v) + m.shape[1] / 2, "the KL has lost its −1: it isn't 0 at p"),
    "reversed": (
        lambda m, v: 0.5 * ((m**2 + 1) / v.exp() + v - 1).sum(1),
        "the KL is that of the prior from q: the arguments of kl_divergence are exchanged, q comes first",
    ),
    "missing": (lambda m, v: 0 * m.sum(1), "the KL is missing"),
}  # fmt: skip
