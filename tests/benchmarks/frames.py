"""Kernel-side milliseconds from a moved control to the new picture, for every widget of the course."""

import base64
import contextlib
import io
import time
from collections.abc import Callable, Iterator
from statistics import median

from vae_helpers import data, widgets
from vae_helpers.losses import Loss
from vae_helpers.models import VAE, Autoencoder, ConditionalVAE

import torch
from torch.distributions import Normal

FRAMES = 200


def log_joint(z: torch.Tensor) -> torch.Tensor:
    """A latent z on the line that bends, and one x."""
    return Normal(0.0, 1.0).log_prob(z) + Normal(z.sin(), 0.3).log_prob(torch.tensor(0.5))


def controls() -> Iterator[tuple[str, object, str, Callable[[float], object]]]:
    """Each widget, what of it is moved, and the value for a number t from −1 to 1. Networks untrained: as quick."""
    images = data.load_glyphs(n=100, n_test=1)
    codes = torch.randn(500, 2)
    labels = torch.arange(500) % 10
    sliders = widgets.latent_sliders(VAE(20))
    yield "latent_sliders, d = 20", sliders.sliders[3], "value", lambda t: t
    plane = widgets.latent_plane(VAE(2), codes, labels)
    pad, name = (plane.pad, "z") if plane.pad is not None else (plane.sliders[0], "value")
    yield "latent_plane", pad, name, (lambda t: [t, -t]) if plane.pad is not None else (lambda t: t)
    way = widgets.interpolation(VAE(20), images.x, pair=(0, 1))
    yield "interpolation", way.t, "value", lambda t: (t + 1) / 2
    noise = widgets.noise_explorer({"one": Autoencoder(10), "another": Autoencoder(10)}, images.x[:50], "Gaussian", 0.5)
    yield "noise_explorer, two models", noise.amount, "value", lambda t: (t + 1) / 2
    sheet = widgets.drawing_pad({"one": Autoencoder(10), "another": Autoencoder(100)}, images.x[:1])
    pixels = [base64.b64encode(image.numpy().tobytes()).decode() for image in images.x]
    yield "drawing_pad, two models", sheet.pad, "pixels", lambda t: pixels[round((t + 1) * 1000) % len(pixels)]
    price = widgets.kl_explorer(mu=1.0, logvar=-1.0)
    yield "kl_explorer", price.mu, "value", lambda t: 2 * t
    bound = widgets.elbo_explorer(log_joint, mu=0.3, sigma=0.5)
    yield "elbo_explorer", bound.mu, "value", lambda t: t
    both = widgets.forward_reverse_kl(log_joint, mu=0.5, sigma=1.0)
    yield "forward_reverse_kl", both.mu, "value", lambda t: t
    asked = widgets.class_explorer(ConditionalVAE(2), label=7)
    yield "class_explorer", asked.sliders[0], "value", lambda t: t
    betas = (0.5, 1, 2, 4)
    trade = widgets.beta_explorer({b: VAE(10) for b in betas}, {b: Loss(90.0, 20.0) for b in betas}, images.x[:10])
    yield "beta_explorer", trade.slider, "value", lambda t: betas[round((t + 1) * 1000) % 4]


def rows() -> list[str]:
    """Each control moved 200 times."""
    told = ["| widget | median | slowest of 200 |", "|---|---|---|"]
    for title, control, name, value in controls():
        spent = []
        with contextlib.redirect_stdout(io.StringIO()):  # outside a kernel, clearing an output prints escapes
            for k in range(FRAMES):
                wanted = value(2 * k / (FRAMES - 1) - 1)
                start = time.perf_counter()
                setattr(control, name, wanted)
                spent.append(1e3 * (time.perf_counter() - start))
        told.append(f"| {title} | {median(spent):.1f} ms | {max(spent):.1f} ms |")
    return told
