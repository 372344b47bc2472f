"""The choices behind the notebooks' networks, each made on the last 5,000 training images, never on the test set.

``python tests/benchmarks/choices.py`` trains every candidate on the first 55,000 images and prints a Markdown table.
"""

from vae_helpers import data
from vae_helpers.losses import autoencoder_loss, vae_loss
from vae_helpers.models import VAE, Autoencoder, mlp, start_at_mean
from vae_helpers.training import fit, mean_loss

import torch
from torch import nn


def autoencoder(latent_dim: int, activation: type[nn.Module], hidden: tuple[int, ...] = (512, 256)) -> Autoencoder:
    """An Autoencoder with another activation."""
    model = Autoencoder(latent_dim, hidden)
    model.encoder = mlp(784, *hidden, latent_dim, activation=activation)
    model.decoder = mlp(latent_dim, *reversed(hidden), 784, activation=activation)
    return model


def main() -> None:
    """Train each candidate once and print its loss on the held-out images."""
    x = data.load("mnist").x
    x_train, x_held_out = x[:-5000], x[-5000:]
    print("| model | epochs | peak lr | seconds | held out |\n|---|---|---|---|---|")
    for activation in (nn.ReLU, nn.SiLU):
        for hidden in ((512, 128), (512, 256)):
            torch.manual_seed(0)
            model = autoencoder(10, activation, hidden).to(x.device)
            start_at_mean(model, x_train)
            history = fit(model, x_train, autoencoder_loss, epochs=5, progress=False)
            error = mean_loss(model, x_held_out, autoencoder_loss).total / 784
            name = f"AE d = 10, {hidden}, {activation.__name__}"
            print(f"| {name} | 5 | 4e-3 | {history.seconds[-1]:.1f} | MSE {error:.5f} |", flush=True)
    for epochs, lr in ((6, 3e-3), (6, 5e-3), (8, 3e-3), (8, 5e-3), (8, 7e-3)):
        torch.manual_seed(0)
        model = VAE(20).to(x.device)
        start_at_mean(model, x_train)
        history = fit(model, x_train, vae_loss, epochs=epochs, lr=lr, progress=False)
        loss = mean_loss(model, x_held_out, vae_loss).total
        print(f"| VAE 784-400-20 | {epochs} | {lr:g} | {history.seconds[-1]:.1f} | −ELBO {loss:.2f} |", flush=True)


if __name__ == "__main__":
    main()
