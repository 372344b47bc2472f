"""What the codes cost under two layers, bottom-up: z₁'s term sampled, z₂'s in closed form."""

from collections.abc import Callable
from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.losses import kl_diagonal, kl_to_standard_normal

import torch
from torch import Tensor


class SmallNet:
    """Codes (n, k) → (mu, logvar) of a Gaussian, (n, m) each: a bend, then a plane."""

    def __init__(self, k: int, m: int, g: torch.Generator) -> None:
        self.a, self.b = torch.randn(2, k, m, generator=g)

    def __call__(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """(mu, logvar), both different for every code."""
        return torch.sin(codes) @ self.a, 0.5 * torch.tanh(codes @ self.b)


def _layers(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1021 + 1000 * seed)
    probes = []
    for n, d, upper in ((5, 3, 2), (6, 4, 3)):
        mu, logvar, eps = torch.randn(3, n, d, generator=g)
        z_1 = mu + (0.5 * logvar).exp() * eps
        eps_2 = torch.randn(n, upper, generator=g)
        probes.append((mu, logvar, z_1, SmallNet(d, upper, g), SmallNet(upper, d, g), eps_2))
    return probes


def _two_layer_kl(
    mu: Tensor, logvar: Tensor, z_1: Tensor, encode_2: Callable, decode_2: Callable, eps_2: Tensor
) -> Tensor:
    cloud = encode_2(z_1)
    mu_2 = cloud[0]
    logvar_2 = cloud[1]
    z_2 = mu_2 + (0.5 * logvar_2).exp() * eps_2
    expected = decode_2(z_2)
    mean = expected[0]
    spread = expected[1]
    log_q = -0.5 * ((z_1 - mu).square() / logvar.exp() + logvar + log(2 * pi)).sum(dim=1)
    log_p = -0.5 * ((z_1 - mean).square() / spread.exp() + spread + log(2 * pi)).sum(dim=1)
    kl_2 = 0.5 * (mu_2.square() + logvar_2.exp() - logvar_2 - 1).sum(dim=1)
    return log_q - log_p + kl_2


def _log_normal(z: Tensor, m: Tensor, v: Tensor) -> Tensor:
    return -0.5 * ((z - m).square() / v.exp() + v + log(2 * pi)).sum(1)


def _draw(m: Tensor, v: Tensor, eps: Tensor) -> Tensor:
    return m + (0.5 * v).exp() * eps


def _of_upper(z_1: Tensor, encode_2: Callable) -> Tensor:
    return kl_to_standard_normal(*encode_2(z_1))


def _above(z_1: Tensor, encode_2: Callable, decode_2: Callable, eps_2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log p(z₁|z₂) and the KL of z₂, and z₂ itself."""
    m, v = encode_2(z_1)
    z_2 = _draw(m, v, eps_2)
    return _log_normal(z_1, *decode_2(z_2)), kl_to_standard_normal(m, v), z_2


def _at_the_mean(mu: Tensor, logvar: Tensor, z: Tensor, e: Callable, d: Callable, eps: Tensor) -> Tensor:
    log_p, kl_2, _ = _above(mu, e, d, eps)
    return _log_normal(mu, mu, logvar) - log_p + kl_2


TWO_LAYER_KL = Exercise(
    id="two-layer-kl",
    expects="one value per image, (n,): log q(z₁|x) − log p(z₁|z₂), plus the KL of q(z₂|z₁) from N(0, I), in nats",
    reference=_two_layer_kl,
    probes=_layers,
    graded=("z_1",),
    words={
        "mu_2": "μ₂",
        "logvar_2": "log σ₂²",
        "z_2": "z₂",
        "mean": "the mean of p(z₁|z₂)",
        "spread": "the log variance of p(z₁|z₂)",
        "log_q": "log q(z₁|x)",
        "log_p": "log p(z₁|z₂)",
        "kl_2": "the KL of z₂",
    },
    mistakes=(
        Mistake(
            lambda mu, v, z, e, d, eps: kl_diagonal(mu, v, *d(_above(z, e, d, eps)[2])) + kl_to_standard_normal(*e(z)),
            "the closed KL averages over *every* z₁ of the cloud, under a z₂ that was drawn from this one. They belong "
            "together: take both logs at this z₁. As it stands it is a bound, but a loose one: that of a z₂ drawn for "
            "another z₁, and dearer by what the two tell of each other.",
        ),
        Mistake(
            lambda mu, v, z, e, d, eps: _log_normal(z, mu, v) - _above(z, e, d, eps)[0],
            "z₂ is free: its own KL from N(0, I) is missing. A second layer that costs nothing would promise anything.",
        ),
        Mistake(
            lambda mu, v, z, e, d, eps: -_above(z, e, d, eps)[0] + _above(z, e, d, eps)[1],
            "log q(z₁|x) is missing: this is the bound on −log p(z₁), not yet what z₁ costs beside its cloud.",
        ),
        Mistake(
            _at_the_mean,
            "z₁ is replaced by μ: the second layer must be asked about codes as they are drawn.",
        ),
        Mistake(
            lambda mu, v, z, e, d, eps: (
                _log_normal(z, mu, v) + 0.5 * (z.square() + log(2 * pi)).sum(1) + kl_to_standard_normal(*e(z))
            ),
            "z₁ is still charged against N(0, I): its prior is p(z₁|z₂) now, what the second layer decodes.",
        ),
        Mistake(
            lambda mu, v, z, e, d, eps: (
                _log_normal(z, mu, v) - _log_normal(z, *d(e(z)[0])) + kl_to_standard_normal(*e(z))
            ),
            "z₂ = μ₂: nothing is drawn in the second layer, which reads too well, and is no bound.",
        ),
        Mistake(
            lambda mu, v, z, e, d, eps: (
                _log_normal(z, mu, v) - _log_normal(z, *d(_draw(*e(mu), eps))) + _of_upper(mu, e)
            ),
            "the second layer encodes μ, and not z₁: q(z₂|z₁) must be told the code that was drawn, as p(z₁|z₂) is.",
        ),
    ),
)
