"""The networks of the course, from image to image: the autoencoder, the denoising one, the VAE, and its two kinds that
take a label. Each function paints one drawing on a panel of the given size.
"""

import math

from vae_helpers.plotting import BLUE, ORANGE, RED

from language import (
    GREEN,
    IMAGE,
    INK,
    LINE,
    PALE,
    TYPE,
    UNDER,
    arrow,
    box,
    centres,
    chain,
    disc,
    image,
    label,
    trapezoid,
)
from matplotlib.axes import Axes

HALF = IMAGE / 2
VAE_ROW = centres(100, 30, 120, 40, 92, 44, 148, 32, 120, 56, 52, 30, 100)
LIFT = 320  # the height at which a VAE's parts stand


def compared(axes: Axes, y: float, columns: tuple[float, float], term: str, width: float, depth: float) -> None:
    """x and x̂, and an arrow from each to the term of the loss that compares them."""
    middle = sum(columns) / 2
    box(axes, (middle, depth), width, 48, term, edge=RED)
    for x, name, blur, side in zip(columns, ("$x$", r"$\hat{x}$"), (1, 3), (-1, 1), strict=True):
        image(axes, (x, y), blur)
        label(axes, (x, y + HALF + 22), name, TYPE + 4)
        label(axes, (x, y - UNDER), "784")
        arrow(axes, (x, y - UNDER - 14), (x, depth), (middle + side * width / 2, depth), colour=RED)


def autoencoder(axes: Axes) -> None:
    """Picture → encoder → code → decoder → picture."""
    y = 222
    x, encoder, z, decoder, x_hat = centres(100, 55, 190, 55, 76, 55, 190, 55, 100)
    compared(axes, y, (x, x_hat), "squared error or cross-entropy", 470, depth=48)
    trapezoid(axes, (encoder, y), 190, 184, 92, "encoder", BLUE)
    box(axes, (z, y), 76, 76, "$z$", face=PALE)
    trapezoid(axes, (decoder, y), 190, 92, 184, "decoder", ORANGE)
    chain(axes, y, x + HALF, encoder - 95, encoder + 95, z - 38, z + 38, decoder - 95, decoder + 95, x_hat - HALF)
    for at, shape in ((encoder, "512 → 256"), (z, "$d$"), (decoder, "256 → 512")):
        label(axes, (at, y - UNDER), shape)


def denoising_autoencoder(axes: Axes) -> None:
    """Picture → spoiled picture → encoder → wide code → decoder → picture, compared with the clean one."""
    y = 222
    x, spoil, x_noisy, encoder, z, decoder, x_hat = centres(100, 40, 92, 40, 100, 40, 130, 40, 76, 40, 130, 40, 100)
    compared(axes, y, (x, x_hat), "squared error or cross-entropy, to the clean image", 660, depth=48)
    box(axes, (spoil, y), 92, 54, "spoil", dash="--")
    image(axes, (x_noisy, y), 1, holes=0.5)
    label(axes, (x_noisy, y + HALF + 22), r"$\tilde{x}$", TYPE + 4)
    trapezoid(axes, (encoder, y), 130, 130, 184, "encoder", BLUE)
    box(axes, (z, y), 76, 184, "$z$", face=PALE)
    trapezoid(axes, (decoder, y), 130, 184, 130, "decoder", ORANGE)
    edges = [(x, HALF), (spoil, 46), (x_noisy, HALF), (encoder, 65), (z, 38), (decoder, 65), (x_hat, HALF)]
    chain(axes, y, *[at + side * half for at, half in edges for side in (-1, 1)][1:-1])
    for at, shape in ((x_noisy, "784"), (z, "1,024")):
        label(axes, (at, y - UNDER), shape)


def sigmoid(axes: Axes, at: tuple[float, float], radius: float) -> None:
    """A circle with the curve of the logistic function in it."""
    disc(axes, at, radius)
    steps = [t / 10 for t in range(-10, 11)]
    across = [at[0] + 0.62 * radius * t for t in steps]
    axes.plot(across, [at[1] + 0.5 * radius * math.tanh(3 * t) for t in steps], color=INK, lw=LINE)


def variational(axes: Axes, likelihood: str, prior: str, kl_width: float = 330) -> None:
    """Picture → encoder → μ and log σ² → sample z → decoder → picture; the loss terms where they attach."""
    y, (x, encoder, code, sample, decoder, squash, x_hat) = LIFT, VAE_ROW
    compared(axes, y, (x, x_hat), rf"reconstruction  $-\log {likelihood}$", 420, depth=48)
    trapezoid(axes, (encoder, y), 120, 184, 120, "encoder", BLUE)
    for name, side in ((r"$\mu$", 1), (r"$\log\,\sigma^2$", -1)):
        box(axes, (code, y + 36 * side), 92, 54, name, face=PALE)
        arrow(axes, (encoder + 60, y + 24 * side), (code - 46, y + 36 * side))
        arrow(axes, (code + 46, y + 36 * side), (sample - 74, y + 14 * side))
    box(axes, (sample, y), 148, 64, r"$z = \mu + \sigma\,\epsilon$", face=PALE)
    box(axes, (sample, y + 114), 148, 54, r"$\epsilon \sim \mathcal{N}(0, I)$", dash="--")
    arrow(axes, (sample, y + 87), (sample, y + 32))
    trapezoid(axes, (decoder, y), 120, 120, 184, "decoder", ORANGE)
    sigmoid(axes, (squash, y), 26)
    label(axes, (decoder + 68, y + 48), "x_logits", ha="left")
    chain(
        axes, y, x + HALF, encoder - 60, sample + 74, decoder - 60, decoder + 60, squash - 26, squash + 26, x_hat - HALF
    )
    for at, text in ((encoder, "400"), (code, "$d$ each"), (sample, "$d$"), (decoder, "400"), (squash, "sigmoid")):
        label(axes, (at, y - UNDER), text)
    divergence = rf"$D_{{\mathrm{{KL}}}}(\mathcal{{N}}(\mu, \sigma^2)\,\|\,\mathcal{{N}}({prior}, I))$"
    box(axes, (code, y - 194), kl_width, 48, divergence, edge=RED)
    arrow(axes, (code, y - UNDER - 14), (code, y - 170), colour=RED)


def vae(axes: Axes) -> None:
    """The VAE of notebook 05."""
    variational(axes, r"p(x\,|\,z)", "0")


def concatenation_vae(axes: Axes) -> None:
    """A VAE, the one-hot label beside the image at the encoder and beside z at the decoder."""
    _, encoder, _, _, decoder, *_ = VAE_ROW
    height = LIFT + 192
    variational(axes, r"p(x\,|\,z, y)", "0")
    box(axes, (encoder, height), 168, 54, "$y$, one-hot", edge=GREEN)
    arrow(axes, (encoder, height - 27), (encoder, LIFT + 76), colour=GREEN)
    arrow(axes, (encoder + 84, height), (decoder, height), (decoder, LIFT + 76), colour=GREEN)


def class_prior_vae(axes: Axes) -> None:
    """A VAE whose KL is to the prior of the image's class: the label picks its mean from a table."""
    _, _, code, _, decoder, squash, _ = VAE_ROW
    height = LIFT - 194
    variational(axes, r"p(x\,|\,z)", r"\mu_y", kl_width=340)
    means = (code + 170 + decoder + 10) / 2 + 20
    box(axes, (means, height), 76, 54, r"$\mu_y$", face=PALE, edge=GREEN)
    box(axes, (squash - 60, height), 76, 54, "$y$", edge=GREEN)
    arrow(axes, (squash - 98, height), (means + 38, height), colour=GREEN)
    arrow(axes, (means - 38, height), (code + 170, height), colour=GREEN)
