"""What an image costs under any prior: both logarithms of the KL at the z that is decoded."""

from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.losses import bernoulli_nll, kl_to_standard_normal
from vae_helpers.models import VAE

import torch
from jaxtyping import Float
from torch import Tensor, nn


class SmallPrior(nn.Module):
    """A Gaussian off the origin, with weights to learn: what a check hands out as ``model.prior``."""

    def __init__(self, d: int, g: torch.Generator) -> None:
        super().__init__()
        self.mean, self.logvar = nn.Parameter(torch.randn(d, generator=g)), nn.Parameter(torch.randn(d, generator=g))

    def log_prob(self, z: Float[Tensor, "... d"]) -> Float[Tensor, "..."]:
        """log p(z) per code, in nats."""
        squares = (z - self.mean).square() / self.logvar.exp()
        return -0.5 * (squares + self.logvar + log(2 * pi)).sum(dim=-1)


def _models(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1031 + 1000 * seed)
    probes = []
    for n, d in ((5, 3), (6, 4)):
        with torch.random.fork_rng(devices=[]):  # its first weights are drawn, and replaced
            model = VAE(d, hidden=(6,)).requires_grad_(False)
        for weight in model.parameters():
            weight.copy_(0.2 * torch.randn(weight.shape, generator=g))
        model.prior = SmallPrior(d, g).requires_grad_(False)
        probes.append((model, torch.rand(n, 1, 28, 28, generator=g), torch.randn(n, d, generator=g)))
    return probes


def _any_prior(model: nn.Module, x: Tensor, eps: Tensor) -> Tensor:
    cloud = model.encode(x)
    mu = cloud[0]
    logvar = cloud[1]
    z = mu + (0.5 * logvar).exp() * eps
    nll = bernoulli_nll(model.decode(z), x)
    log_q = -0.5 * (eps.square() + logvar + log(2 * pi)).sum(dim=1)
    log_p = model.prior.log_prob(z)
    return torch.stack([nll, log_q - log_p], dim=1)


def _parts(model: nn.Module, x: Tensor, eps: Tensor) -> tuple[Tensor, ...]:
    mu, logvar = model.encode(x)
    z = mu + (logvar / 2).exp() * eps
    log_q = -0.5 * (eps.square() + logvar + log(2 * pi)).sum(1)
    return mu, logvar, z, bernoulli_nll(model.decode(z), x), log_q


def _with_kl(kl_of: object) -> object:
    """An answer whose first column is right, and the second what kl_of(model, mu, logvar, z, log_q, eps) says."""

    def answer(model: nn.Module, x: Tensor, eps: Tensor) -> Tensor:
        """Both columns, (batch, 2)."""
        mu, logvar, z, nll, log_q = _parts(model, x, eps)
        return torch.stack([nll, kl_of(model, mu, logvar, z, log_q, eps)], dim=1)

    return answer


def _standard(z: Tensor) -> Tensor:
    return -0.5 * (z.square() + log(2 * pi)).sum(1)


def _drawn_anew(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + (logvar / 2).exp() * torch.randn_like(mu)


def _decoded_at_mu(model: nn.Module, x: Tensor, eps: Tensor) -> Tensor:
    mu, _, z, _, log_q = _parts(model, x, eps)
    return torch.stack([bernoulli_nll(model.decode(mu), x), log_q - model.prior.log_prob(z)], dim=1)


ANY_PRIOR = Exercise(
    id="any-prior",
    expects="two columns, (batch, 2), in nats per image: −log p(x∣z), and log q(z∣x) − log p(z) at the same z",
    reference=_any_prior,
    probes=_models,
    graded=("model",),
    words={"mu": "μ", "logvar": "log σ²", "nll": "−log p(x∣z)", "log_q": "log q(z∣x)", "log_p": "log p(z)"},
    mistakes=(
        Mistake(
            _with_kl(lambda model, mu, v, z, q, eps: kl_to_standard_normal(mu, v)),
            "the KL is still the one to N(0, I): whatever prior the model has learned, it is not asked.",
        ),
        Mistake(
            _with_kl(lambda model, mu, v, z, q, eps: q - model.prior.log_prob(mu)),
            "log p is taken at μ and log q at z: two different places. Both at the z that is decoded.",
        ),
        Mistake(
            _with_kl(lambda model, mu, v, z, q, eps: q - model.prior.log_prob(mu + (0.5 * v).exp() * eps.flip(0))),
            "log p is taken at another z than log q: on average right, and with far more noise in it. Both at the z "
            "that is decoded.",
        ),
        Mistake(
            _with_kl(lambda model, mu, v, z, q, eps: model.prior.log_prob(z) - q),
            "the sign of the second column is turned: −ELBO *adds* log q − log p, and this would pay for codes that "
            "the prior has never heard of.",
        ),
        Mistake(
            _with_kl(lambda model, mu, v, z, q, eps: -model.prior.log_prob(z)),
            "log q(z|x) is missing: without it the cheapest cloud is a point.",
        ),
        Mistake(
            _decoded_at_mu,
            "μ is decoded, while the KL is taken at z: the images look better, and the sum is no bound.",
        ),
        Mistake(
            lambda model, x, eps: _any_prior(model, x, eps).flip(1),
            "the two columns have changed places: the reconstruction stands first.",
        ),
        Mistake(
            _with_kl(lambda model, mu, v, z, q, eps: q - model.prior.log_prob(_drawn_anew(mu, v))),
            "log p is taken at a z that is drawn anew: on average right, and with far more noise in it. Both at the z "
            "that is decoded.",
        ),
        Mistake(
            _with_kl(lambda model, mu, v, z, q, eps: _standard(z) - model.prior.log_prob(z)),
            "log q is that of N(0, I) at z, the old prior's, one density for all images. q(z|x) is the image's own "
            "cloud, N(μ, σ²): how far lies z from μ, in σ?",
        ),
        Mistake(
            _with_kl(lambda model, mu, v, z, q, eps: _standard(eps) - model.prior.log_prob(z)),
            "log σ² is missing from log q: that is the density of ε. A cloud that is squeezed by σ is denser by 1/σ; "
            "without it, clouds shrink to points for nothing.",
        ),
    ),
)
