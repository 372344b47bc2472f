"""Make figures/latent_explorer.html, a latent plane to play with and no Python behind: ``python figures/explorer.py``.

Trains notebook 05's VAE with two latent dimensions on MNIST, unless this machine has done so before, and writes its
decoder into the page ``latent_explorer.template.html``, which computes the pictures itself.
"""

import base64
import hashlib
from pathlib import Path
from string import Template

from vae_helpers import data, evaluation, training
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE

import numpy as np
import torch
from results import trained
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

HERE = Path(__file__).parent
TEMPLATE, PAGE = HERE / "latent_explorer.template.html", HERE / "latent_explorer.html"
REACH, SIDE = 3, 60  # the plane from −3 to 3; classes on SIDE × SIDE cells


def origin() -> str:
    """The fingerprint of this script and its template: what the page was made by."""
    both = (Path(__file__).read_text("utf-8") + TEMPLATE.read_text("utf-8")).encode()
    return f"figures/explorer.py, sha256 {hashlib.sha256(both).hexdigest()}"


def packed(decoder: nn.Sequential) -> str:
    """All weights of a decoder in order, as float16, little-endian, in base64."""
    parts = [weight.detach().cpu().numpy().astype("<f2").ravel() for weight in decoder.parameters()]
    return base64.b64encode(np.concatenate(parts).tobytes()).decode()


def classes(model: VAE, dataset: data.Dataset) -> str:
    """The class around each cell of the plane, row by row from z₂ = −3: the vote of the 25 nearest training codes."""
    codes = evaluation.in_batches(model.embed, dataset.x[:20_000]).cpu()
    vote = KNeighborsClassifier(25).fit(codes, dataset.y[:20_000].cpu())
    line = (torch.arange(SIDE) + 0.5) / SIDE * 2 * REACH - REACH
    z_2, z_1 = torch.meshgrid(line, line, indexing="ij")
    return "".join(map(str, vote.predict(torch.stack([z_1.flatten(), z_2.flatten()], dim=1))))


def page(model: VAE, dataset: data.Dataset) -> str:
    """The page, complete."""
    result = training.mean_loss(model, dataset.x_test, vae_loss)
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        source=origin(),
        weights=packed(model.decoder),
        classes=classes(model, dataset),
        side=SIDE,
        images=f"{len(dataset.x):,}",
        score=f"−ELBO {result.total:.1f} nats per image",
    )


if __name__ == "__main__":
    dataset = data.load("mnist")
    if dataset.name != "mnist":
        raise SystemExit("The page is made from MNIST, which is not at hand; the file stays as it was.")
    PAGE.write_text(page(trained(VAE, 2, vae_loss, dataset), dataset), "utf-8", newline="\n")
    print(f"{PAGE.name}: {PAGE.stat().st_size / 1e6:.2f} MB, from {dataset.name}")
