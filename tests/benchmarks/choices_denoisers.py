"""The choices behind notebook 02's denoisers, made on the last 5,000 training images, never on the test set.

``python tests/benchmarks/choices_denoisers.py`` trains every candidate on the first 55,000 images and prints a Markdown
table of its PSNR there. (The rates for the classifiers were compared in the same way, with two seeds.)
"""

from functools import partial

from vae_helpers import data, evaluation
from vae_helpers.data import gaussian, masking
from vae_helpers.losses import Loss, denoising_loss, squared_error
from vae_helpers.models import WideAutoencoder, start_at_mean
from vae_helpers.training import fit

import torch
from torch import nn

SETTINGS = {
    "Gaussian 0.3": partial(gaussian, sigma_noise=0.3),
    "Gaussian 0.5": partial(gaussian, sigma_noise=0.5),
    "masking 25 %": partial(masking, proportion=0.25),
    "masking 50 %": partial(masking, proportion=0.5),
}
CANDIDATES = [  # loss, activation, epochs, batch size, peak learning rate
    ("cross-entropy", nn.SiLU, 1, 128, 3e-3),
    ("cross-entropy", nn.SiLU, 1, 128, 5e-3),
    ("cross-entropy", nn.SiLU, 1, 256, 8e-3),
    ("cross-entropy", nn.SiLU, 2, 256, 5e-3),
    ("cross-entropy", nn.SiLU, 3, 256, 5e-3),
    ("cross-entropy", nn.SiLU, 2, 256, 1e-2),
    ("cross-entropy", nn.SiLU, 2, 128, 1e-2),
    ("cross-entropy", nn.ReLU, 2, 128, 1e-2),
    ("squared error", nn.SiLU, 2, 256, 5e-3),
    ("squared error", nn.SiLU, 2, 128, 1e-2),
]


def squared_loss(model, x, y=None, *, corrupt):
    return Loss(squared_error(model.generate(model.embed(corrupt(x))), x).mean())


def held_out_psnr(model, corrupt, x):
    """Pooled, under the same noise for every candidate."""
    rng = torch.Generator(x.device).manual_seed(1)
    denoise = lambda b: model.generate(model.embed(corrupt(b, generator=rng)))  # noqa: E731
    return evaluation.psnr(evaluation.reconstruction_mse(denoise, x))


def main():
    x = data.load("mnist").x
    x_train, x_held_out = x[:-5000], x[-5000:]
    print("| noise | loss | activation | epochs | batch | peak lr | seconds | PSNR, held out |")
    print("|---|---|---|---|---|---|---|---|")
    for name, corrupt in SETTINGS.items():
        for loss, activation, epochs, batch_size, lr in CANDIDATES:
            torch.manual_seed(0)
            model = WideAutoencoder()
            model.encoder[1] = activation()
            start_at_mean(model.to(x.device), x_train)
            loss_function = partial(denoising_loss if loss == "cross-entropy" else squared_loss, corrupt=corrupt)
            how = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "progress": False}
            seconds = fit(model, x_train, loss_function, **how).seconds[-1]
            cells = (name, loss, activation.__name__, epochs, batch_size, f"{lr:g}", f"{seconds:.0f}")
            print(f"| {' | '.join(map(str, cells))} | {held_out_psnr(model, corrupt, x_held_out):.2f} |", flush=True)


if __name__ == "__main__":
    main()
