"""What best moves q: the spread that a straight decoder asks for, and the gradient of the ELBO from draws."""

from collections.abc import Callable
from dataclasses import dataclass

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, result_of

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.distributions import Normal


def _ellipse(z: Tensor) -> Tensor:
    return torch.stack([2 * torch.sin(1.1 * z), -0.7 * torch.cos(1.1 * z), 0.5 * z], dim=-1)


def _line(z: Tensor) -> Tensor:
    return torch.stack([0.8 * z - 1, -0.3 * z], dim=-1)


def _places(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(34 + seed)
    mu = torch.randn(3, generator=g, dtype=torch.float64)
    return [(_ellipse, mu[0], 0.4), (_line, mu[1], 1.3), (_ellipse, mu[2], 0.9)]


def _best_sigma(decode: object, mu: Tensor, sigma_x: float) -> Tensor:
    w = (decode(mu + 0.001) - decode(mu - 0.001)) / 0.002
    pull = w.square().sum() / sigma_x**2
    precision = pull + 1
    variance = 1 / precision
    return variance.sqrt()


def _pull(decode: Callable, mu: Tensor) -> Tensor:
    return ((decode(mu + 0.001) - decode(mu - 0.001)) / 0.002).square().sum()


BEST_SIGMA = Exercise(
    id="best-sigma",
    expects="one number, the best spread σ of q at μ: 1/σ² = 1 + ‖w‖²/σ_x², w the slope of decode at μ",
    reference=_best_sigma,
    probes=_places,
    tolerance=1e-3,
    words={"w": "the slope w", "pull": "‖w‖²/σ_x²", "precision": "1 + ‖w‖²/σ_x²", "variance": "σ²"},
    mistakes=(
        Mistake(
            lambda f, m, s: (_pull(f, m) / s**2) ** -0.5,
            "the prior's 1 is missing: where the decoder is flat, w = 0, σ would be infinite and not the prior's 1.",
        ),
        Mistake(
            lambda f, m, s: 1 / (1 + _pull(f, m) / s**2),
            "that is the variance σ². The spread σ is asked for: take the root.",
        ),
        Mistake(
            lambda f, m, s: (1 + _pull(f, m) / s) ** -0.5,
            "σ_x stands where σ_x² belongs: a Gaussian's exponent holds the variance of the pixels.",
        ),
        Mistake(
            lambda f, m, s: (1 + f(m).square().sum() / s**2) ** -0.5,
            "f(μ) itself stands for its slope: what counts is how far x̂ moves when z moves, not where it lies.",
        ),
        Mistake(
            lambda f, m, s: (1 + 4 * _pull(f, m) / s**2) ** -0.5,
            "the slope is twice too steep: the two points lie 0.002 apart, and you divide by half of it.",
        ),
        Mistake(
            lambda f, m, s: (1 + 0.002**2 * _pull(f, m) / s**2) ** -0.5,
            "the difference of two points isn't divided by their distance: so small a slope leaves q as wide as the "
            "prior.",
        ),
    ),
)


@dataclass(frozen=True)
class _Hill:
    """A log joint density of z whose mean slope under q can be told from its slope at the mean."""

    centre: float
    width: float
    wave: float

    def __call__(self, z: Tensor) -> Tensor:
        return -0.5 * ((z - self.centre) / self.width) ** 2 + self.wave * torch.cos(2 * z)


def _hills(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(35 + seed)
    a, b = (torch.rand(2, generator=g) / 2).tolist()
    return [(_Hill(3 + a, 0.8, 1.0), 0.5, 0.4, 40_000), (_Hill(-2 - b, 1.3, 0.4), 1.5 + a, 0.7, 30_000)]


def _gradient_of(answer: Answer, probe: tuple) -> Float64[Tensor, " 2"]:
    found = result_of(answer, probe)
    if found.shape != (2,):
        raise WrongShapeError(tuple(found.shape))
    return found


def _ring_gradient(log_joint: Callable, mu: float, sigma: float, n_draws: int) -> Tensor:
    mu = torch.tensor(mu, requires_grad=True)
    sigma = torch.tensor(sigma, requires_grad=True)
    eps = torch.randn(n_draws)
    z = mu + sigma * eps
    log_q = Normal(mu, sigma).log_prob(z)
    elbo = (log_joint(z) - log_q).mean()
    elbo.backward()
    return torch.stack([mu.grad, sigma.grad])


def _by(draw: Callable, value: Callable) -> Answer:
    """The gradient of ``value`` of draws: what a learner gets who draws or averages otherwise."""

    def answer(log_joint: Callable, mu: float, sigma: float, n_draws: int) -> Tensor:
        """The two gradients."""
        knobs = torch.tensor([mu, sigma], requires_grad=True)
        z = draw(*knobs, torch.randn(n_draws))
        value(log_joint(z), Normal(*knobs).log_prob(z)).backward()
        return knobs.grad

    return answer


def _moved(mu: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
    return mu + sigma * eps


def _elbo(log_joint: Tensor, log_q: Tensor) -> Tensor:
    return (log_joint - log_q).mean()


RING_GRADIENT = Exercise(
    id="ring-gradient",
    expects="two numbers, (2,): the gradient of the ELBO in μ and in σ, from n_draws draws of q = N(μ, σ²)",
    reference=_ring_gradient,
    probes=_hills,
    measure=_gradient_of,
    labels=("the gradient in μ", "the gradient in σ"),
    tolerance=0.06,
    mistakes=(
        Mistake(
            _by(lambda mu, sigma, eps: (mu + sigma * eps).detach(), _elbo),
            "both gradients are 0 up to chance: z still comes from sample (or detach, torch.normal), and log p(x, z) "
            "never learns of μ. Compute z from μ, σ and an ε.",
        ),
        Mistake(
            _by(_moved, lambda j, q: j.mean()),
            "log q is dropped: the gradient in σ lacks its + 1/σ, and q would shrink to a point.",
        ),
        Mistake(
            _by(_moved, lambda j, q: (j + q).mean()),
            "log q is added: its gradient in σ has the wrong sign, so that q shrinks twice as fast. Subtract it.",
        ),
        Mistake(
            _by(_moved, lambda j, q: -_elbo(j, q)),
            "the sign is turned: that is the gradient of −ELBO, a loss. Climbing along it, the bound falls.",
        ),
        Mistake(
            _by(_moved, lambda j, q: (j - q).sum()),
            "that is the gradient of a *sum* over the draws: it grows with their number. An average is a mean.",
        ),
        Mistake(
            _by(lambda mu, sigma, eps: mu + sigma**2 * eps, _elbo),
            "σ² multiplies ε: these z have the spread σ², but log q is that of σ. A spread multiplies, not a variance.",
        ),
        Mistake(
            _by(lambda mu, sigma, eps: (mu + eps) * sigma, _elbo),
            "σ multiplies μ as well: a bracket stands in the wrong place, and the draws lie about σμ.",
        ),
        Mistake(
            _by(lambda mu, sigma, eps: mu + sigma * torch.rand_like(eps), _elbo),
            "ε comes from rand, uniform on [0, 1]: every z lies above μ. Use randn, the Gaussian.",
        ),
        Mistake(
            _by(lambda mu, sigma, eps: mu + sigma + eps, _elbo),
            "σ is added, where it should multiply ε: the draws are shifted, and their spread is 1 whatever σ is.",
        ),
        Mistake(
            _by(lambda mu, sigma, eps: mu + sigma.sqrt() * eps, _elbo),
            "√σ multiplies ε: sigma is the spread already, not the variance, and log q is that of σ.",
        ),
        Mistake(
            _by(lambda mu, sigma, eps: mu + sigma * (torch.rand_like(eps) - 0.5), _elbo),
            "ε is uniform, if centred: its spread is 0.29 and it has no tails. Use randn, the Gaussian.",
        ),
        Mistake(
            lambda *probe: _ring_gradient(*probe).flip(0),
            "the two gradients are exchanged: first the one in μ, then the one in σ.",
        ),
        Mistake(
            lambda *probe: _ring_gradient(*probe) * torch.tensor([1.0, probe[2]]),
            "the second number is the gradient in log σ, σ times that in σ: the tensor that asks for it must be σ.",
        ),
        Mistake(
            _by(lambda mu, sigma, eps: mu + sigma.detach() * eps, lambda j, q: j.mean() - q.detach().mean()),
            "the gradient reaches μ and not σ: σ is detached somewhere, and q could never change its width.",
        ),
    ),
)
