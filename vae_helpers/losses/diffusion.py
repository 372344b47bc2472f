"""A VAE of T layers with a fixed encoder: z_t = α_t x + σ_t ε, with α² + σ² = 1 and a log-SNR falling from 8 to −8.

x: anything with one row per image, codes or pixels. t: one time per row, in [0, 1]; at 0 x is nearly clean, at 1 nearly
noise. ``denoise(z_t, t)`` gives x̂, its guess of x. Ho et al. 2020; Kingma et al. 2021, whose bounds these are.
"""

from collections.abc import Callable
from math import log, pi
from typing import Annotated

from vae_helpers.losses.loss import PerImage
from vae_helpers.validation import Device, PositiveInt, objects, validated

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

HIGHEST, FALL = 8.0, 16.0  # log α²/σ² at t = 0, and by how much it is lower at t = 1
VARIANCES = ("posterior", "beta")

Data = Float[Tensor, " batch d *rest"]
Times = Float[Tensor, " batch"]
Dial = Float[Tensor, " *n"] | float  # times of any shape, or a plain number
Denoise = Callable[[Tensor, Tensor], Tensor]
Variance = Annotated[str, objects.one_of(VARIANCES)]


@validated
def log_snr(t: Dial) -> Float[Tensor, " *n"]:
    """λ(t) = log α²/σ², the logarithm of the signal-to-noise ratio: a straight line from 8 down to −8."""
    return HIGHEST - FALL * (t if isinstance(t, Tensor) else torch.tensor(t, device="cpu"))


@validated
def alpha_and_sigma(t: Dial) -> tuple[Float[Tensor, " *n"], Float[Tensor, " *n"]]:
    """(α, σ) of z_t = α x + σ ε: how much signal, how much noise."""
    # α²/σ² = exp λ and α² + σ² = 1
    return log_snr(t).sigmoid().sqrt(), (-log_snr(t)).sigmoid().sqrt()


@validated
def noised(x: Data, t: Times, eps: Data) -> Data:
    """z_t = α_t x + σ_t ε, drawn from q(z_t|x) in one jump."""
    alpha, sigma = (beside(part, x) for part in alpha_and_sigma(t))
    return alpha * x + sigma * eps


@validated
def step_posterior(z_t: Data, x: Data, s: Times, t: Times) -> tuple[Data, Times]:
    """(mean, variance) of q(z_s|z_t, x), s < t: where z_t came from, if x is known. Ho et al. 2020, equations 6 and 7.

    With x̂ for x it is p(z_s|z_t).
    """
    (alpha_s, sigma_s), (alpha_t, sigma_t) = alpha_and_sigma(s), alpha_and_sigma(t)
    added = step_variance(s, t)
    from_z = alpha_t / alpha_s * (sigma_s / sigma_t).square()
    from_x = alpha_s * added / sigma_t.square()
    mean = beside(from_z, x) * z_t + beside(from_x, x) * x
    return mean, added * (sigma_s / sigma_t).square()


@validated
def step_variance(s: Times, t: Times) -> Times:
    """β = 1 − α_t²/α_s²: the variance of the noise that the step from z_s to z_t adds, s ≤ t."""
    return -torch.expm1(logsigmoid(log_snr(t)) - logsigmoid(log_snr(s)))


@validated
def step_kl(x: Data, x_hat: Data, s: Times, t: Times, variance: Variance = "posterior") -> PerImage:
    """D_KL(q(z_s|z_t, x) ‖ p(z_s|z_t)) in nats, where p guesses x̂; the same for every z_t that gave this x̂.

    variance: of p, that of q ("posterior") or the larger β of the step ("beta").
    """
    # ½ (SNR_s − SNR_t) Σ (x − x̂)²
    kl = 0.5 * (log_snr(s).exp() - log_snr(t).exp()) * _squares(x - x_hat)
    if variance == "posterior":
        return kl
    # variances in the ratio r: the squares count r times, and ½ (r − 1 − log r) more for each dimension
    log_r = logsigmoid(-log_snr(s)) - logsigmoid(-log_snr(t))
    return log_r.exp() * kl + 0.5 * x[0].numel() * (torch.expm1(log_r) - log_r)


@validated
def end_terms(denoise: Denoise, x: Data) -> tuple[PerImage, PerImage]:
    """What both ends of the chain add to a bound: −log p(x|z_0) at one draw of z_0, and D_KL(q(z_1|x) ‖ N(0, I)).

    p(x|z_0) is N(x̂, σ_0² I).
    """
    first, last = x.new_zeros(len(x)), x.new_ones(len(x))
    variance = alpha_and_sigma(first)[1].square()
    x_hat = denoise(noised(x, first, torch.randn_like(x)), first)
    reconstruction = 0.5 * (_squares(x - x_hat) / variance + x[0].numel() * (variance.log() + log(2 * pi)))
    alpha, sigma = alpha_and_sigma(last)
    kl = alpha.square() * _squares(x) + x[0].numel() * (sigma.square() - 2 * sigma.log() - 1)
    return reconstruction, 0.5 * kl


@validated
def discrete_bound(denoise: Denoise, x: Data, steps: PositiveInt, variance: Variance = "posterior") -> PerImage:
    """A bound on −log p(x) of ``steps`` steps, one draw of each z_t: both ends and all KLs, in nats per image."""
    bound = torch.stack(end_terms(denoise, x)).sum(dim=0)
    for i in range(steps):
        s, t = (x.new_full((len(x),), k / steps) for k in (i, i + 1))
        x_hat = denoise(noised(x, t, torch.randn_like(x)), t)
        bound = bound + step_kl(x, x_hat, s, t, variance)
    return bound


@validated
def stratified_times(n: PositiveInt, device: Device = "cpu") -> Float[Tensor, " {n}"]:
    """n times in [0, 1], one in each n-th of it, in random order: uniform, and steadier than n draws by themselves."""
    strata = torch.randperm(n, device=device)
    return (strata + torch.rand(n, device=device)) / n


@validated
def weighted_denoising(denoise: Denoise, x: Data, t: Times, eps: Data) -> PerImage:
    """½ |λ′| SNR(t) Σ (x − x̂)², which is 8 Σ (ε − ε̂)²: one draw of what infinitely many KLs add up to, in nats.

    Kingma et al. 2021, equation 17. Gradients pass.
    """
    x_hat = denoise(noised(x, t, eps), t)
    return 0.5 * FALL * log_snr(t).exp() * _squares(x - x_hat)


@validated
def continuous_bound(denoise: Denoise, x: Data, draws: PositiveInt = 1) -> PerImage:
    """A bound on −log p(x) of infinitely many steps, at ``draws`` times per image: both ends, and the weighted loss.

    Times are stratified, over each image's draws and over the batch: the error of its mean over n images is at most
    std / √n, and with several draws not much less.
    """
    bound = torch.stack(end_terms(denoise, x)).sum(dim=0)
    for k in range(draws):
        t = (k + stratified_times(len(x), x.device).to(x.dtype)) / draws
        bound = bound + weighted_denoising(denoise, x, t, torch.randn_like(x)) / draws
    return bound


def beside(per_row: Times, x: Data) -> Float[Tensor, " batch *ones"]:
    """One number per row, shaped so that it multiplies rows of x."""
    return per_row.view(-1, *[1] * (x.dim() - 1))


def _squares(difference: Data) -> PerImage:
    return difference.square().flatten(1).sum(dim=1)
