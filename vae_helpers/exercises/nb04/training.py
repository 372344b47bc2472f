"""Exercises of notebook 04 on what is trained: a clamp that hides nothing, and the loss of a linear VAE."""

from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.losses import gaussian_nll, kl_to_standard_normal
from vae_helpers.models import LinearVAE

import torch
from torch import Tensor, nn


def _raw_outputs(seed: int = 0) -> list[tuple]:
    """Rows of moderate log σ², of far too small and of far too large ones, each with only one kind of trouble."""
    g = torch.Generator().manual_seed(47 + 1000 * seed)
    probes = []
    for n, d in ((6, 3), (7, 4)):
        mu, raw, eps, x = torch.randn(4, n, d, generator=g)
        raw[0], raw[1] = raw[0] - 45, raw[1] - 33
        raw[2], raw[3] = raw[2].abs() + 20.5, raw[3].abs() + 22
        probes.append((mu, raw, eps, x))
    return probes


def _loss_of_a_cloud(mu: Tensor, raw: Tensor, eps: Tensor, x: Tensor) -> Tensor:
    logvar = raw.clamp(-30, 20)
    z = mu + (0.5 * logvar).exp() * eps
    kl = (0.5 * (mu.square() + logvar.exp() - logvar - 1)).sum(dim=1)
    squares = (x - z).square().sum(dim=1)
    return 0.5 * squares + kl


def _two_widths(mu: Tensor, of_z: Tensor, of_kl: Tensor, eps: Tensor, x: Tensor) -> Tensor:
    z = mu + (0.5 * of_z).exp() * eps
    return 0.5 * (x - z).square().sum(1) + kl_to_standard_normal(mu, of_kl)


CLAMPED = Exercise(
    id="clamp",
    expects="one value per image, (batch,): ½ ‖x − z‖² + KL",
    reference=_loss_of_a_cloud,
    probes=_raw_outputs,
    words={"logvar": "log σ²", "squares": "‖x − z‖²", "kl": "the KL"},
    mistakes=(
        Mistake(
            lambda m, raw, eps, x: _two_widths(m, raw.clamp(-30, 20), raw, eps, x),
            "only z is clamped: the KL charges for a cloud that z was not drawn from, and one large output still makes "
            "the loss infinite.",
        ),
        Mistake(
            lambda m, raw, eps, x: _two_widths(m, raw, raw.clamp(-30, 20), eps, x),
            "only the KL is clamped: z is drawn from a cloud wider than the one that is paid for, and may be infinite.",
        ),
        Mistake(
            lambda m, raw, eps, x: _two_widths(m, raw, raw, eps, x),
            "nothing is clamped: one output above 88 and the loss is infinite, the next step's weights NaN.",
        ),
        Mistake(
            lambda m, raw, eps, x: _two_widths(m, raw.clamp(max=20), raw.clamp(max=20), eps, x),
            "the lower limit does not hold everywhere: below −30 the KL still grows with the raw output. "
            "One clamped log σ² serves both, z and KL.",
        ),
        Mistake(
            lambda m, raw, eps, x: _two_widths(m, raw.clamp(min=-30), raw.clamp(min=-30), eps, x),
            "the upper limit is missing, and that is the side where exp overflows. clamp(-30, 20) sets both.",
        ),
        Mistake(
            lambda m, raw, eps, x: _two_widths(m, raw.clamp(-20, 30), raw.clamp(-20, 30), eps, x),
            "the two limits are exchanged: exp(30) is a variance of 10 million million. clamp takes the lower one "
            "first, -30, then the upper, 20.",
        ),
    ),
)


def _models_and_images(seed: int = 0) -> list[tuple]:
    """Linear VAEs off their start: every parameter matters, and a wrong pixel variance shows."""
    g = torch.Generator().manual_seed(57 + 1000 * seed)
    probes = []
    for n, d in ((5, 3), (6, 4)):
        with torch.random.fork_rng(devices=[]):  # its first weights are drawn, and replaced
            model = LinearVAE(d).requires_grad_(False)
        model.encoder.weight.copy_(0.1 * torch.randn(d, 784, generator=g))
        model.decoder.weight.copy_(0.1 * torch.randn(784, d, generator=g))
        model.decoder.bias.copy_(0.3 * torch.rand(784, generator=g))
        model.logvar.copy_(torch.randn(d, generator=g))
        model.logvar_x.fill_(0.7 - 0.2 * d)
        probes.append((model, torch.rand(n, 1, 28, 28, generator=g), torch.randn(n, d, generator=g)))
    return probes


def _linear_vae(model: nn.Module, x: Tensor, eps: Tensor) -> Tensor:
    flat = x.flatten(1)
    mu = model.encoder(flat - model.decoder.bias)
    z = mu + (0.5 * model.logvar).exp() * eps
    squares = (flat - model.decoder(z)).square().sum(dim=1)
    reconstruction = 0.5 * (squares / model.logvar_x.exp() + 784 * (log(2 * pi) + model.logvar_x))
    kl = (0.5 * (mu.square() + model.logvar.exp() - model.logvar - 1)).sum(dim=1)
    return torch.stack([reconstruction, kl], dim=1)


def _of_parts(model: nn.Module, x: Tensor, mu: Tensor, z: Tensor) -> Tensor:
    """Both columns as the package computes them, from any μ and z."""
    x_hat = model.decoder(z).unflatten(1, (1, 28, 28))
    return torch.stack([gaussian_nll(x_hat, x, model.logvar_x), _kl(model, mu)], dim=1)


def _kl(model: nn.Module, mu: Tensor) -> Tensor:
    return kl_to_standard_normal(mu, model.logvar.expand_as(mu))


def _drawn(model: nn.Module, mu: Tensor, eps: Tensor) -> Tensor:
    return mu + (model.logvar / 2).exp() * eps


LINEAR_VAE = Exercise(
    id="linear-vae",
    expects="two columns, (batch, 2), in nats per image: −log p(x∣z), and the KL from N(0, I)",
    reference=_linear_vae,
    probes=_models_and_images,
    graded=("model",),
    words={
        "flat": "x",
        "mu": "μ",
        "z": "z",
        "squares": "‖x − x̂‖²",
        "reconstruction": "the reconstruction",
        "kl": "the KL",
    },
    mistakes=(
        Mistake(
            lambda model, x, eps: _of_parts(model, x, mu := model.encoder(x.flatten(1)), _drawn(model, mu, eps)),
            "the encoder sees x, and not x minus the decoder's bias: the mean image is coded too, and every μ is off "
            "by the same vector.",
        ),
        Mistake(
            lambda model, x, eps: _of_parts(model, x, mu := model.encode(x)[0], mu),
            "μ is decoded, not z: without noise in the code the reconstruction looks better, and is no ELBO's.",
        ),
        Mistake(
            lambda model, x, eps: _of_parts(model, x, mu := model.encode(x)[0], mu + model.logvar.exp() * eps),
            "exp(log σ²) is σ², and ε must be multiplied by σ. Take its root: exp(½ log σ²).",
        ),
        Mistake(
            lambda model, x, eps: (
                _of_parts(model, x, mu := model.encode(x)[0], _drawn(model, mu, eps))
                - torch.tensor([[392 * log(2 * pi) + 392 * model.logvar_x.item(), 0.0]])
            ),
            "the constant 392 log 2πσ_x² is missing: σ_x is learned here, and without it nothing stops its growth.",
        ),
        Mistake(
            lambda model, x, eps: _of_parts(model, x, mu := model.encode(x)[0], _drawn(model, mu, eps)).flip(1),
            "the two columns have changed places: the reconstruction stands first, then the KL.",
        ),
        Mistake(
            lambda model, x, eps: _linear_vae(model, x, eps) / torch.tensor([784.0, 1.0]),
            "the reconstruction is a mean over pixels, the KL a sum: 784 times too little is asked of the pixels, a "
            "hidden β. Sum over the pixels.",
        ),
        Mistake(
            lambda model, x, eps: _of_parts(
                model,
                x + model.decoder.bias.view(1, 1, 28, 28),
                mu := model.encode(x)[0],
                _drawn(model, mu, eps),
            ),
            "x̂ lacks the decoder's bias: W z alone lies around 0, and the mean image is paid for as an error.",
        ),
        Mistake(
            lambda model, x, eps: _of_parts(
                model,
                x - model.decoder.bias.view(1, 1, 28, 28),
                mu := model.encode(x)[0],
                _drawn(model, mu, eps),
            ),
            "the decoder's bias counts twice: decoder(z) is W z + b already, and stands beside x as it is.",
        ),
    ),
)

EXERCISES = (CLAMPED, LINEAR_VAE)
