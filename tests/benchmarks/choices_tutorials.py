"""Learning rates of the five tutorials' systems in notebook 05, chosen on the last 5,000 training images.

``python tests/benchmarks/choices_tutorials.py`` trains every candidate on the other training images and prints a
Markdown table of the score that the notebook's table uses: x̂ read as coins, z sampled. The test set is never looked at.
"""

from vae_helpers import data
from vae_helpers.losses import Loss, kl_to_standard_normal, reparameterize, vae_loss
from vae_helpers.models import VAE, start_at_mean
from vae_helpers.training import fit, mean_loss

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SYSTEMS = {  # data, arguments of VAE, epochs, learning rates
    "T1": ("mnist", (64, (512, 256)), 2, (3e-3, 5e-3)),
    "T2": ("fashion", (16, (256,)), 5, (3e-3, 5e-3)),
    "T3": ("mnist", (20, (400, 200), "gaussian_per_pixel"), 2, (3e-3, 5e-3)),
    "T4": ("mnist", (40, (400,)), 3, (3e-3, 5e-3)),
    "T5": ("mnist", (2, (32,)), 5, (5e-3, 1e-2)),
}


def mean_and_mean(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    """T5's loss: the mean cross-entropy over pixels, and the KL over 784."""
    loss = vae_loss(model, x)
    return Loss(loss.reconstruction / 784, loss.kl / 784)


def coin_score(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    """−ELBO with the decoder's mean x̂ read as coins, whatever its likelihood."""
    mu, logvar = model.encode(x)
    x_hat = model.generate(reparameterize(mu, logvar)).clamp(1e-6, 1 - 1e-6)
    cost = F.binary_cross_entropy(x_hat, x, reduction="none").flatten(1).sum(1)
    return Loss(cost.mean(), kl_to_standard_normal(mu, logvar).mean())


def main() -> None:
    """Train each candidate once and print its score on the held-out images."""
    print("| system | epochs | peak lr | seconds | held out |\n|---|---|---|---|---|")
    for name, (source, sizes, epochs, rates) in SYSTEMS.items():
        x = data.load(source).x
        for lr in rates:
            torch.manual_seed(0)
            model = VAE(*sizes).to(x.device)
            start_at_mean(model, x[:-5000])
            loss = mean_and_mean if name == "T5" else vae_loss
            history = fit(model, x[:-5000], loss, epochs=epochs, lr=lr, progress=False)
            score = mean_loss(model, x[-5000:], coin_score).total
            print(f"| {name} {sizes} | {epochs} | {lr:g} | {history.seconds[-1]:.1f} | {score:.2f} |", flush=True)


if __name__ == "__main__":
    main()
