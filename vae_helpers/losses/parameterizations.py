"""One guess in four forms: a network that says where the clean x is says as well what noise, score and velocity are.

z_t = α x + σ ε, known; so each of x̂, ε̂, the score −ε̂/σ and v̂ = α ε̂ − σ x̂ gives the others (Salimans & Ho 2022).
Here with x̂ in the middle, as ``losses.diffusion`` asks for it. z_t: one row per image; t: one time per row.
"""

from vae_helpers.losses.diffusion import Data, Times, alpha_and_sigma, beside
from vae_helpers.validation import validated


@validated
def x_from_eps(z_t: Data, eps: Data, t: Times) -> Data:
    """x̂ = (z_t − σ ε̂) / α."""
    alpha, sigma = (beside(part, z_t) for part in alpha_and_sigma(t))
    return (z_t - sigma * eps) / alpha


@validated
def x_from_score(z_t: Data, score: Data, t: Times) -> Data:
    """x̂ = (z_t + σ² score) / α: Tweedie's formula, turned round."""
    alpha, sigma = (beside(part, z_t) for part in alpha_and_sigma(t))
    return (z_t + sigma.square() * score) / alpha


@validated
def x_from_v(z_t: Data, v: Data, t: Times) -> Data:
    """x̂ = α z_t − σ v̂."""
    alpha, sigma = (beside(part, z_t) for part in alpha_and_sigma(t))
    return alpha * z_t - sigma * v


@validated
def eps_from_x(z_t: Data, x_hat: Data, t: Times) -> Data:
    """ε̂ = (z_t − α x̂) / σ."""
    alpha, sigma = (beside(part, z_t) for part in alpha_and_sigma(t))
    return (z_t - alpha * x_hat) / sigma


@validated
def score_from_x(z_t: Data, x_hat: Data, t: Times) -> Data:
    """∇ log p(z_t) ≈ (α x̂ − z_t) / σ², which is −ε̂/σ (Tweedie)."""
    alpha, sigma = (beside(part, z_t) for part in alpha_and_sigma(t))
    return (alpha * x_hat - z_t) / sigma.square()


@validated
def v_from_x(z_t: Data, x_hat: Data, t: Times) -> Data:
    """v̂ = α ε̂ − σ x̂."""
    alpha, sigma = (beside(part, z_t) for part in alpha_and_sigma(t))
    return alpha * eps_from_x(z_t, x_hat, t) - sigma * x_hat
