"""What a VAE's decoder says about an image, p(x|z): its negative log, its mean, and a draw from it.

A likelihood reads the decoder's *outputs*, one or two planes per image (``outputs_per_pixel``), and gives images.
``Bernoulli`` is written out in notebook 05, the Gaussians in 06: a test compares the definitions.
"""

from math import log, pi

from vae_helpers.losses import bernoulli_nll, gaussian_nll
from vae_helpers.validation import NoisyPixelsInAStep, PixelsInAStep, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn

OnePlane = Float[Tensor, " batch 1 28 28"]
TwoPlanes = Float[Tensor, " batch 2 28 28"]  # a mean and a width per pixel
Clean = PixelsInAStep[Tensor, " batch 1 28 28"]  # in [0, 1]
Drawn = NoisyPixelsInAStep[Tensor, " batch 1 28 28"]  # a Gaussian's draws may leave it
PerImage = Float[Tensor, " batch"]


class Bernoulli(nn.Module):
    """Pixels are coins: the outputs are logits. On grey x the negative log is an expected one (``bernoulli_nll``)."""

    outputs_per_pixel = 1

    @validated
    def nll(self, x_logits: OnePlane, x: Clean) -> PerImage:
        """−log p(x|z) per image, in nats."""
        return bernoulli_nll(x_logits, x)

    @validated
    def mean(self, x_logits: OnePlane) -> OnePlane:
        """x̂, the probabilities of ink."""
        return x_logits.sigmoid()

    @validated
    def draw(self, x_logits: OnePlane) -> OnePlane:
        """One image of 0s and 1s per row of outputs, from torch's global random numbers."""
        return torch.bernoulli(self.mean(x_logits))


class ContinuousBernoulli(nn.Module):
    """A density on [0, 1] of the Bernoulli's form, normalised: C(λ) λˣ (1 − λ)¹⁻ˣ, the outputs the logits l of λ.

    Loaiza-Ganem & Cunningham 2019. C = l / tanh(l/2); where |l| < 0.02, l = 0.02 is taken, for the limits are 0/0.
    """

    outputs_per_pixel = 1

    @validated
    def nll(self, x_logits: OnePlane, x: Clean) -> PerImage:
        """−log p(x|z) per image, in nats; negative where the density exceeds 1."""
        logit = x_logits.float().abs().clamp(min=0.02)
        # −Σ (log Bernoulli + log C)
        log_c = logit.log() - torch.tanh(logit / 2).log()
        return bernoulli_nll(x_logits, x) - log_c.flatten(1).sum(dim=1)

    @validated
    def mean(self, x_logits: OnePlane) -> OnePlane:
        """x̂, the mean of the density, nearer to ½ than λ is."""
        logit = x_logits.float().abs().clamp(min=0.02)
        # λ/(2λ − 1) − 1/l
        mean = logit.sigmoid() / torch.tanh(logit / 2) - 1 / logit
        return torch.where(x_logits < 0, 1 - mean, mean)

    @validated
    def draw(self, x_logits: OnePlane) -> OnePlane:
        """One grey image per row of outputs, from torch's global random numbers."""
        logit = x_logits.float().abs().clamp(min=0.02)
        # F⁻¹(u) = log(1 + u (e⁻ˡ − 1)) / −l, for the density that falls; mirrored for the one that rises
        falls = torch.log1p(torch.rand_like(logit) * torch.expm1(-logit)) / -logit
        return torch.where(x_logits < 0, falls, 1 - falls)


class Gaussian(nn.Module):
    """Grey values with mean sigmoid(outputs) and one σ_x for all pixels and images: a weight, log σ_x², learned.

    For a fixed σ_x, set ``logvar_x`` and switch its ``requires_grad`` off.
    """

    outputs_per_pixel = 1

    def __init__(self) -> None:
        super().__init__()
        self.logvar_x = nn.Parameter(torch.tensor(-3.0))

    @validated
    def nll(self, outputs: OnePlane, x: Drawn) -> PerImage:
        """−log p(x|z) per image, in nats; negative where the density exceeds 1."""
        return gaussian_nll(self.mean(outputs), x, self.logvar_x)

    @validated
    def mean(self, outputs: OnePlane) -> OnePlane:
        """x̂ in [0, 1]."""
        return outputs.sigmoid()

    @validated
    def draw(self, outputs: OnePlane) -> OnePlane:
        """One image per row of outputs, from torch's global random numbers; its values may leave [0, 1]."""
        mean = self.mean(outputs)
        return mean + torch.exp(0.5 * self.logvar_x) * torch.randn_like(mean)


class GaussianPerPixel(nn.Module):
    """Grey values with a mean and a σ_x per pixel, both from the decoder; σ_x is kept at ``least_sigma_x`` or above.

    Kingma & Welling 2014, appendix C.2. Without a least σ_x the density has no upper bound: a pixel that is 0 in every
    image is worth more, the smaller its σ_x.
    """

    outputs_per_pixel = 2
    least_sigma_x = 0.05

    @validated
    def parameters_of(self, outputs: TwoPlanes) -> tuple[OnePlane, OnePlane]:
        """(x_hat, logvar_x), one of each per pixel."""
        x_hat, logvar_x = outputs.chunk(2, dim=1)
        return x_hat.sigmoid(), logvar_x.clamp(2 * log(self.least_sigma_x), 4)

    @validated
    def nll(self, outputs: TwoPlanes, x: Drawn) -> PerImage:
        """−log p(x|z) per image, in nats; negative where the density exceeds 1."""
        x_hat, logvar_x = self.parameters_of(outputs)
        # ½ Σ ((x − x̂)² / σ_x² + log 2πσ_x²)
        terms = (x - x_hat).square() / logvar_x.exp() + logvar_x + log(2 * pi)
        return 0.5 * terms.flatten(1).sum(dim=1)

    @validated
    def mean(self, outputs: TwoPlanes) -> OnePlane:
        """x̂ in [0, 1]."""
        return self.parameters_of(outputs)[0]

    @validated
    def draw(self, outputs: TwoPlanes) -> OnePlane:
        """One image per row of outputs, from torch's global random numbers; its values may leave [0, 1]."""
        x_hat, logvar_x = self.parameters_of(outputs)
        return x_hat + torch.exp(0.5 * logvar_x) * torch.randn_like(x_hat)


LIKELIHOODS = {
    "bernoulli": Bernoulli,
    "continuous_bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "gaussian_per_pixel": GaussianPerPixel,
}
