"""Make figures/decoder.js, the weights behind the site's sliders: ``python figures/decoder.py``.

The decoder of notebook 05's VAE with 20 latent dimensions, trained on MNIST unless this machine has done so before, in
8 bits a weight; and the code of each class's first test image. site_builder/assets/live.js decodes with it.
"""

import base64
import hashlib
import json
from pathlib import Path

from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE

import numpy as np
import torch
from results import trained
from torch import nn

SCRIPT = Path(__file__).with_suffix(".js")
LATENT_DIM, DRAWS = 20, 1000


def origin() -> str:
    """The fingerprint of this script: what the weights were packed by."""
    return f"figures/decoder.py, sha256 {hashlib.sha256(Path(__file__).read_text('utf-8').encode()).hexdigest()}"


def in_8_bits(layer: nn.Linear) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers from −127 to 127 (out, in), and what 1 of them is worth in each row (out,)."""
    weight = layer.weight.detach().cpu().numpy()
    worth = (np.abs(weight).max(axis=1) / 127).astype("<f4")
    return np.rint(weight / worth[:, None]).astype("i1"), worth


def packed(layers: list[nn.Linear]) -> str:
    """For each layer the rows' worth and biases as float32, little-endian, then its weights; all in base64."""
    parts = []
    for layer in layers:
        whole, worth = in_8_bits(layer)
        parts += [worth.tobytes(), layer.bias.detach().cpu().numpy().astype("<f4").tobytes(), whole.tobytes()]
    return base64.b64encode(b"".join(parts)).decode()


def layers_of(model: VAE) -> list[nn.Linear]:
    """The decoder's linear layers."""
    return [layer for layer in model.decoder if isinstance(layer, nn.Linear)]


@torch.no_grad()
def lost(model: VAE) -> float:
    """The largest change of a pixel by 8 bits, over drawn codes, in shares of full ink."""
    z = torch.randn(DRAWS, LATENT_DIM, generator=torch.Generator().manual_seed(0))
    before = model.generate(z)
    for layer in layers_of(model):
        whole, worth = in_8_bits(layer)
        layer.weight.copy_(torch.from_numpy(whole * worth[:, None]))
    return (model.generate(z) - before).abs().max().item()


def script(model: VAE, dataset: data.Dataset) -> str:
    """The file, complete. Changes the model: its weights become those of the file."""
    layers = layers_of(model)
    sizes = [LATENT_DIM, *(layer.out_features for layer in layers)]
    first = torch.stack([(dataset.y_test == k).nonzero()[0, 0] for k in range(10)])
    with torch.no_grad():
        codes = model.embed(data.to_float(dataset.x_test[first])).double().round(decimals=3).tolist()
    weights = packed(layers)
    contents = json.dumps({"sizes": sizes, "codes": codes, "packed": weights})
    made = f"// {origin()}\n// From {len(dataset.x):,} {dataset.name} images."
    return (
        f"{made} 8 bits change no pixel of {DRAWS:,} draws by more than {lost(model):.3f}.\nlive.decoder({contents});\n"
    )


if __name__ == "__main__":
    dataset = data.load("mnist", device="cpu")
    if dataset.name != "mnist":
        raise SystemExit("The weights are made from MNIST, which is not at hand; the file stays as it was.")
    SCRIPT.write_text(script(trained(VAE, LATENT_DIM, vae_loss, dataset), dataset), "utf-8", newline="\n")
    print(f"{SCRIPT.name}: {SCRIPT.stat().st_size / 1e6:.2f} MB, from {dataset.name}")
