"""Distributions of codes, p(z): a density, ``log_prob``, and a sampler. A model takes one as ``model.prior = …``.

Its weights are then the model's: ``fit`` trains those that have ``requires_grad`` by a loss that asks ``model.prior``,
as ``losses.prior_loss`` does. ``fitted_to`` fits a prior to codes that are there already: to *drawn* ones, z ~ q(z|x),
for the means μ alone are too narrow.
"""

from math import log
from typing import Annotated

from vae_helpers.losses import gaussian_log_prob
from vae_helpers.models.conditional import Classes
from vae_helpers.models.networks import Codes, Unused
from vae_helpers.validation import Finite, Labels, PositiveInt, Seed, tensors, validated

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

PerCode = Float[Tensor, " batch"]
Generator = torch.Generator | None  # on the prior's device; None: torch's global random numbers


class StandardGaussian(nn.Module):
    """N(0, I), as a prior like any other; it has nothing to learn."""

    @validated
    def __init__(self, latent_dim: PositiveInt) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.mean = nn.Parameter(torch.zeros(latent_dim), requires_grad=False)

    @validated
    def log_prob(self, z: Codes, y: Unused = None) -> PerCode:
        """log p(z) per code, in nats."""
        return gaussian_log_prob(z, self.mean, torch.zeros_like(self.mean))

    @validated
    @torch.no_grad()
    def sample(self, n: PositiveInt, generator: Generator = None) -> Float[Tensor, " n {self.latent_dim}"]:
        """Codes drawn from it."""
        return torch.randn(n, self.latent_dim, generator=generator, device=self.mean.device)


class FullGaussian(nn.Module):
    """N(mean, L Lᵀ) with any covariance; ``scale_tril`` is L, lower triangular. It is fitted, not trained."""

    @validated
    def __init__(self, mean: Finite[Tensor, " d"], scale_tril: Finite[Tensor, " d d"]) -> None:
        super().__init__()
        self.latent_dim = len(mean)
        self.mean = nn.Parameter(mean, requires_grad=False)
        self.scale_tril = nn.Parameter(scale_tril.tril(), requires_grad=False)

    @classmethod
    @validated
    def fitted_to(cls, codes: Annotated[Finite[Tensor, " n d"], tensors.at_least_two]) -> "FullGaussian":
        """The Gaussian with the codes' mean and covariance; more codes than dimensions."""
        if len(codes) <= codes.shape[1]:
            raise ValueError(f"codes must be more than {codes.shape[1]}, to fit a covariance, got {len(codes)}.")
        return cls(codes.mean(0), torch.linalg.cholesky(torch.atleast_2d(torch.cov(codes.T))))

    @validated
    def log_prob(self, z: Codes, y: Unused = None) -> PerCode:
        """log p(z) per code, in nats."""
        return MultivariateNormal(self.mean, scale_tril=self.scale_tril, validate_args=False).log_prob(z)

    @validated
    @torch.no_grad()
    def sample(self, n: PositiveInt, generator: Generator = None) -> Float[Tensor, " n {self.latent_dim}"]:
        """Codes drawn from it: mean + L ε."""
        eps = torch.randn(n, self.latent_dim, generator=generator, device=self.mean.device)
        return self.mean + eps @ self.scale_tril.T


class Mixture(nn.Module):
    """A mixture of diagonal Gaussians, learnable: ``logits`` of the components' weights, ``means``, ``logvars``.

    It starts near N(0, I): means drawn from N(0, ½ I), variances ½.
    """

    @validated
    def __init__(self, n_components: PositiveInt, latent_dim: PositiveInt) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.logits = nn.Parameter(torch.zeros(n_components))
        self.means = nn.Parameter(torch.randn(n_components, latent_dim) * 0.5**0.5)
        self.logvars = nn.Parameter(torch.full((n_components, latent_dim), log(0.5)))

    @classmethod
    @validated
    def fitted_to(cls, codes: Finite[Tensor, " n d"], n_components: PositiveInt, seed: Seed = 0) -> "Mixture":
        """The mixture that EM finds for these codes, with scikit-learn; at least n_components of them."""
        with codes.device:
            prior = cls(n_components, codes.shape[1]).to(codes)
        for parameter, value in zip(prior.parameters(), _by_em(codes, n_components, seed), strict=True):
            parameter.data.copy_(value)
        return prior

    @validated
    def log_prob(self, z: Codes, y: Unused = None) -> PerCode:
        """log p(z) per code, in nats."""
        # log Σ_k π_k N(z; μ_k, diag σ_k²)
        log_each = gaussian_log_prob(z[:, None], self.means, self.logvars)
        return (self.logits.log_softmax(0) + log_each).logsumexp(dim=1)

    @validated
    @torch.no_grad()
    def sample(self, n: PositiveInt, generator: Generator = None) -> Float[Tensor, " n {self.latent_dim}"]:
        """Codes drawn from it: first the component, then a draw from that."""
        k = torch.multinomial(self.logits.softmax(0), n, replacement=True, generator=generator)
        eps = torch.randn(n, self.latent_dim, generator=generator, device=k.device)
        return self.means[k] + torch.exp(0.5 * self.logvars[k]) * eps


class FullMixture(nn.Module):
    """A mixture of Gaussians with any covariances, ``scale_trils`` their L, lower triangular. Fitted, not trained.

    ``logits`` (k,), ``means`` (k, d), ``scale_trils`` (k, d, d).
    """

    @validated
    def __init__(
        self, logits: Finite[Tensor, " k"], means: Finite[Tensor, " k d"], scale_trils: Finite[Tensor, " k d d"]
    ) -> None:
        super().__init__()
        self.latent_dim = means.shape[1]
        self.logits = nn.Parameter(logits, requires_grad=False)
        self.means = nn.Parameter(means, requires_grad=False)
        self.scale_trils = nn.Parameter(scale_trils.tril(), requires_grad=False)

    @classmethod
    @validated
    def fitted_to(cls, codes: Finite[Tensor, " n d"], n_components: PositiveInt, seed: Seed = 0) -> "FullMixture":
        """The mixture that EM finds for these codes, with scikit-learn; at least n_components of them."""
        logits, means, covariances = _by_em(codes, n_components, seed, "full")
        return cls(logits, means, torch.linalg.cholesky(covariances)).to(codes)

    @validated
    def log_prob(self, z: Codes, y: Unused = None) -> PerCode:
        """log p(z) per code, in nats."""
        # log Σ_k π_k N(z; μ_k, L_k L_kᵀ)
        each = MultivariateNormal(self.means, scale_tril=self.scale_trils, validate_args=False)
        return (self.logits.log_softmax(0) + each.log_prob(z[:, None])).logsumexp(dim=1)

    @validated
    @torch.no_grad()
    def sample(self, n: PositiveInt, generator: Generator = None) -> Float[Tensor, " n {self.latent_dim}"]:
        """Codes drawn from it: first the component, then μ_k + L_k ε."""
        k = torch.multinomial(self.logits.softmax(0), n, replacement=True, generator=generator)
        eps = torch.randn(n, self.latent_dim, 1, generator=generator, device=k.device)
        return self.means[k] + (self.scale_trils[k] @ eps).squeeze(2)


class ClassMixture(nn.Module):
    """p(z|y): a mixture of diagonal Gaussians for each class, learnable. It starts near N(0, I), as ``Mixture`` does.

    ``logits`` (n_classes, k), ``means`` and ``logvars`` (n_classes, k, latent_dim).
    """

    @validated
    def __init__(self, n_components: PositiveInt, latent_dim: PositiveInt, n_classes: PositiveInt = 10) -> None:
        super().__init__()
        self.latent_dim, self.n_classes = latent_dim, n_classes
        self.logits = nn.Parameter(torch.zeros(n_classes, n_components))
        self.means = nn.Parameter(torch.randn(n_classes, n_components, latent_dim) * 0.5**0.5)
        self.logvars = nn.Parameter(torch.full((n_classes, n_components, latent_dim), log(0.5)))

    @classmethod
    @validated
    def fitted_to(
        cls,
        codes: Finite[Tensor, " n d"],
        y: Labels[Tensor, " n"],
        n_components: PositiveInt,
        n_classes: PositiveInt = 10,
        seed: Seed = 0,
    ) -> "ClassMixture":
        """A mixture found by EM for the codes of each class, at least n_components of them; y: their labels."""
        with codes.device:
            prior = cls(n_components, codes.shape[1], n_classes).to(codes)
        for k in range(n_classes):
            found = _by_em(codes[y == k], n_components, seed, called=f"codes of class {k}")
            for parameter, value in zip(prior.parameters(), found, strict=True):
                parameter.data[k] = value.to(codes)
        return prior

    @validated
    def log_prob(self, z: Codes, y: Classes) -> PerCode:
        """log p(z|y) per code, in nats; y: the label of each."""
        # log Σ_k π_yk N(z; μ_yk, diag σ_yk²)
        log_each = gaussian_log_prob(z[:, None], self.means[y], self.logvars[y])
        return (self.logits.log_softmax(1)[y] + log_each).logsumexp(dim=1)

    @validated
    @torch.no_grad()
    def sample(self, y: Classes, generator: Generator = None) -> Float[Tensor, " batch {self.latent_dim}"]:
        """One code for each label, drawn from p(z|y)."""
        k = torch.multinomial(self.logits.softmax(1)[y], 1, generator=generator).squeeze(1)
        eps = torch.randn(len(y), self.latent_dim, generator=generator, device=y.device)
        return self.means[y, k] + torch.exp(0.5 * self.logvars[y, k]) * eps


def _by_em(
    codes: Tensor, k: int, seed: int, covariances: str = "diag", called: str = "codes"
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, means and covariances (log variances where they are diagonal) of k Gaussians fitted to codes."""
    from sklearn.mixture import GaussianMixture  # takes a second, and few need it
    from threadpoolctl import threadpool_limits

    if len(codes) < max(k, 2):
        raise ValueError(f"{called} must be at least {max(k, 2)}, for n_components = {k}, got {len(codes)}.")
    em = GaussianMixture(k, covariance_type=covariances, random_state=seed, max_iter=200)
    with threadpool_limits(1):  # products of few numbers: two threads take three times as long as one
        found = em.fit(codes.detach().cpu().numpy())
    spread = np.log(found.covariances_) if covariances == "diag" else found.covariances_
    return tuple(torch.from_numpy(a) for a in (np.log(found.weights_), found.means_, spread))
