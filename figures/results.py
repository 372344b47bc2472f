"""Make figures/results.png, what the course's models do: ``python figures/results.py``.

Trains notebook 05's VAE with 20 and with 2 latent dimensions, and notebook 08's conditional VAE for as long, on MNIST,
unless this machine has done so before, and shows them at work. No image was chosen but the first of each class.
"""

import hashlib
from pathlib import Path

from vae_helpers import data, plotting, training
from vae_helpers.losses import LossFunction, conditional_vae_loss, vae_loss
from vae_helpers.models import VAE, ConditionalVAE, start_at_mean
from vae_helpers.training import checkpoint

import torch
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin
from torch import Tensor, nn

PICTURE = Path(__file__).with_suffix(".png")
HOW = {"epochs": 8, "lr": 5e-3}
PLANE, STYLES = 15, 4  # the latent plane has PLANE × PLANE images, the last block one row for each style


def origin() -> str:
    """The fingerprint of this script: what the picture was made by."""
    return f"figures/results.py, sha256 {hashlib.sha256(Path(__file__).read_text('utf-8').encode()).hexdigest()}"


def trained(model_of: type[nn.Module], latent_dim: int, loss: LossFunction, dataset: data.Dataset) -> nn.Module:
    """A model started at the mean image and trained as in notebook 05, or its weights from an earlier run."""
    torch.manual_seed(0)
    model = model_of(latent_dim).to(dataset.x.device)

    def train() -> object:
        start_at_mean(model, dataset.x)
        return training.fit(model, dataset.x, loss, y=dataset.y, **HOW)

    checkpoint.remembered(model, dataset.name, train, loss=loss.__name__, **HOW, seed=0)
    return model


def models_of(dataset: data.Dataset) -> list[nn.Module]:
    """VAEs with 20 and with 2 latent dimensions, and a conditional VAE with 2."""
    kinds = ((VAE, 20, vae_loss), (VAE, 2, vae_loss), (ConditionalVAE, 2, conditional_vae_loss))
    return [trained(*kind, dataset) for kind in kinds]


def codes_of_the_plane(side: int) -> Tensor:
    """Codes (side², 2) on a grid, row by row from the top: evenly spaced in probability under N(0, I)."""
    shares = (torch.arange(side) + 0.5) / side
    line = torch.distributions.Normal(0.0, 1.0).icdf(shares)
    z_2, z_1 = torch.meshgrid(line.flip(0), line, indexing="ij")
    return torch.stack([z_1.flatten(), z_2.flatten()], dim=1)


@torch.no_grad()
def blocks_of(dataset: data.Dataset, vae: nn.Module, plane: nn.Module, conditional: nn.Module) -> dict[str, Tensor]:
    """Images (n, 1, 28, 28) of each block of the picture, by its heading."""
    device = dataset.x.device
    first = torch.stack([(dataset.y_test == k).nonzero()[0, 0] for k in range(10)])
    x = data.to_float(dataset.x_test[first])
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(20, vae.latent_dim, generator=generator).to(device)
    style = torch.randn(STYLES, conditional.latent_dim, generator=generator).to(device).repeat_interleave(10, dim=0)
    y = torch.arange(10, device=device).repeat(STYLES)
    return {
        "test images, and their reconstructions": torch.cat([x, vae.generate(vae.embed(x))]),
        "new images: codes drawn from N(0, I)": vae.generate(z),
        "asked for 0 to 9: one style in each row": conditional.generate(conditional.place(style, y), y),
        "a code of two numbers: the latent plane": plane.generate(codes_of_the_plane(PLANE).to(device)),
    }


def picture(blocks: dict[str, Tensor]) -> Figure:
    """Three blocks of ten columns on the left, the last block, a square, on the right."""
    *left, right = blocks.items()
    figure = Figure(figsize=(11.6, 5.6), facecolor="white", layout="constrained")
    columns = figure.subfigures(1, 2, width_ratios=(1.06, 1), wspace=0.03)
    rows = columns[0].subplots(len(left), 1, height_ratios=[len(images) for _, images in left])
    for axes, (heading, images) in [*zip(rows, left, strict=True), (columns[1].subplots(), right)]:
        plotting.draw_images(axes, images, columns=PLANE if axes not in rows else 10)
        axes.set_title(heading, fontsize=15)
    return figure


def save(figure: Figure) -> None:
    """The figure as a small PNG that says what it was made by."""
    PICTURE.write_bytes(plotting.compact_png(figure))
    told = PngImagePlugin.PngInfo()
    told.add_text("Source", origin())
    with Image.open(PICTURE) as image:
        image.load()
        image.save(PICTURE, "PNG", optimize=True, pnginfo=told)


if __name__ == "__main__":
    dataset = data.load("mnist")
    if dataset.name != "mnist":
        raise SystemExit("results.png is made from MNIST, which is not at hand; the file stays as it was.")
    save(picture(blocks_of(dataset, *models_of(dataset))))
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} KB, from {dataset.name}")
