"""Networks: ``encode`` and ``decode`` are each model's own; ``embed`` (x → z) and ``generate`` (z → x̂) serve all.

Images are (batch, 1, 28, 28) in [0, 1], codes (batch, latent_dim), decoder outputs logits (batch, 1, 28, 28).
``Autoencoder`` is written out in notebook 01, ``WideAutoencoder`` in 02, ``LinearVAE`` in 04, ``VAE`` in 05: a test
compares the definitions. What a VAE's outputs mean is its likelihood's affair.
"""

import copy
import functools
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from vae_helpers import checks, plain, takes
from vae_helpers.data import mean_image
from vae_helpers.likelihoods import LIKELIHOODS


def _two_sizes(function: Callable) -> Callable:
    @functools.wraps(function)
    def checked(*sizes: int, **kwargs: object) -> nn.Sequential:
        if len(sizes) < 2:
            raise ValueError(f"sizes must be at least two, the first layer's inputs and outputs, got {sizes}.")
        return function(*sizes, **kwargs)

    return checked


@takes.arguments(sizes=plain.positive_int, activation=plain.function)
@_two_sizes
def mlp(*sizes: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between them, none after the last."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """Deterministic autoencoder 784-hidden-latent_dim-hidden-784, smooth activation, sigmoid output.

    Hinton & Salakhutdinov 2006. Raises TypeError or ValueError for sizes that are not positive whole numbers.
    """

    @takes.sizes
    def __init__(self, latent_dim: int, hidden: tuple[int, ...] = (512, 256)) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = mlp(784, *hidden, latent_dim, activation=nn.SiLU)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784, activation=nn.SiLU)

    @takes.images
    def encode(self, x: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) → codes z (batch, latent_dim)."""
        return self.encoder(x.flatten(1))

    @takes.codes
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (batch, latent_dim) → x_logits (batch, 1, 28, 28), before the sigmoid."""
        return self.decoder(z).unflatten(1, (1, 28, 28))

    def embed(self, x: Tensor) -> Tensor:
        """Images → codes, deterministic: the same as ``encode``."""
        return self.encode(x)

    def generate(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes → images x̂ (batch, 1, 28, 28) in [0, 1]."""
        return self.decode(z, y).sigmoid()


class WideAutoencoder(Autoencoder):
    """One hidden layer 784-latent_dim-784, its smooth activation the code; sigmoid output. Wide: latent_dim > 784.

    Vincent et al. 2008, section 2.3, without tied weights. Whether it copies or denoises is up to the loss. Raises
    TypeError or ValueError for a size that is not a positive whole number.
    """

    @takes.sizes
    def __init__(self, latent_dim: int = 1024) -> None:
        super().__init__(latent_dim, hidden=())
        self.encoder.append(nn.SiLU())


class VAE(nn.Module):
    """Variational autoencoder 784-hidden-(μ, log σ²)-hidden-784; ``likelihood`` names what its pixels are.

    Kingma & Welling 2014, appendix C. Raises TypeError or ValueError for sizes that are not positive whole numbers, and
    for an unknown likelihood.
    """

    @takes.sizes
    @takes.one_of(likelihood=LIKELIHOODS)
    def __init__(self, latent_dim: int, hidden: tuple[int, ...] = (400,), likelihood: str = "bernoulli") -> None:
        super().__init__()
        self.latent_dim, self.likelihood = latent_dim, LIKELIHOODS[likelihood]()
        self.encoder = mlp(784, *hidden, 2 * latent_dim)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784 * self.likelihood.outputs_per_pixel)

    @takes.images
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (batch, 1, 28, 28) → (mu, logvar) of q(z|x), each (batch, latent_dim); logvar kept in [−30, 20]."""
        mu, logvar = self.encoder(x.flatten(1)).chunk(2, dim=1)
        return mu, logvar.clamp(-30, 20)

    @takes.codes
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (batch, latent_dim) → x_logits (n, 1, 28, 28), before the sigmoid; 2 planes with a σ_x per pixel."""
        return self.decoder(z).unflatten(1, (-1, 28, 28))

    def embed(self, x: Tensor) -> Tensor:
        """Images → posterior means μ (batch, latent_dim): deterministic."""
        return self.encode(x)[0]

    def generate(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes → images x̂ (batch, 1, 28, 28) in [0, 1]: the mean of p(x|z), not a draw from it."""
        return self.likelihood.mean(self.decode(z, y))


class LinearVAE(nn.Module):
    """Linear VAE 784-(μ, log σ²)-784 with Gaussian pixels: log σ² one per dimension, and a learned variance σ_x².

    Its optimum is probabilistic PCA (``ppca``): Lucas et al. 2019. ``decode`` gives x̂ itself, not logits.
    The decoder's bias stands for the mean image: set it before training. The clouds start narrow, log σ² = −4.
    Raises TypeError or ValueError for a size that is not a positive whole number.
    """

    @takes.sizes
    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = nn.Linear(784, latent_dim, bias=False)
        self.decoder = nn.Linear(latent_dim, 784)
        self.logvar = nn.Parameter(torch.full((latent_dim,), -4.0))
        self.logvar_x = nn.Parameter(torch.zeros(()))

    @takes.images
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (batch, 1, 28, 28) → (mu, logvar) of q(z|x), each (batch, latent_dim); logvar the same for all x."""
        mu = self.encoder(x.flatten(1) - self.decoder.bias)
        return mu, self.logvar.expand_as(mu)

    @takes.codes
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (batch, latent_dim) → x̂ (batch, 1, 28, 28), the mean of p(x|z); it may leave [0, 1]."""
        return self.decoder(z).unflatten(1, (1, 28, 28))

    def embed(self, x: Tensor) -> Tensor:
        """Images → posterior means μ (batch, latent_dim): deterministic."""
        return self.encode(x)[0]

    def generate(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes → images x̂ (batch, 1, 28, 28), clamped to [0, 1]."""
        return self.decode(z, y).clamp(0, 1)


@takes.arguments(model=plain.model_with("decoder"), x=checks.images)
@torch.no_grad()
def start_at_mean(model: nn.Module, x: Tensor) -> None:
    """Set the decoder's last bias to logit(mean image of x), so that an untrained model already draws the mean image.

    x: images (n, 1, 28, 28). The mean is kept in [0.001, 0.999], so that the logit stays finite. Outputs beyond the
    first 784 (a σ_x per pixel) keep their bias.
    """
    last = list(model.decoder.modules())[-1]
    if not isinstance(last, nn.Linear) or last.bias is None:
        raise TypeError(f"The decoder of model must end in a Linear layer with a bias, got {last}.")
    bias = last.bias[:784]
    bias.copy_(torch.logit(mean_image(x).flatten().clamp(1e-3, 1 - 1e-3)).to(bias))


@takes.arguments(model=plain.module)
def n_parameters(model: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@takes.arguments(model=plain.module)
def device_of(model: nn.Module) -> torch.device:
    """Where a model's weights lie. Raises ValueError for a model that has none."""
    first = next(model.parameters(), None)
    if first is None:
        raise ValueError(f"model must have weights, and {type(model).__name__} has none.")
    return first.device


@takes.arguments(model=plain.module)
def copy_of(model: nn.Module) -> nn.Module:
    """A copy of a model. Tensors that it keeps of its last pass are cut from their graph, which can't be copied."""
    kept = [t for part in model.modules() for t in _tensors_in(list(vars(part).values())) if not t.is_leaf]
    return copy.deepcopy(model, {id(t): t.detach().clone() for t in kept})


def _tensors_in(values: list | tuple) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors_in(value)
