"""The loss of a denoising autoencoder, pooled PSNR, and the best linear denoiser, of one pixel and of many."""

from vae_helpers.exercises.engine import Answer, Exercise, Mistake

import torch
from torch import Tensor


def _denoise(x_noisy: Tensor) -> Tensor:
    return 1.6 * torch.sigmoid(3 * x_noisy - 1) - 0.3  # may leave [0, 1]


def _corrupt(x: Tensor) -> Tensor:
    return x + 0.5 * torch.randn(x.shape)


def _squares(x_hat: Tensor, target: Tensor) -> Tensor:
    return (x_hat - target).square().flatten(1).sum(1)


def _from_noisy_to_noisy(denoise: Answer, x: Tensor, corrupt: Answer) -> Tensor:
    x_noisy = corrupt(x)
    return _squares(denoise(x_noisy), x_noisy).mean()


def _denoising_loss(denoise: Answer, x: Tensor, corrupt: Answer) -> Tensor:
    x_noisy = corrupt(x)
    x_hat = denoise(x_noisy)
    return (x_hat - x).square().flatten(1).sum(dim=1).mean()


DENOISING_LOSS = Exercise(
    id="denoising-loss",
    expects="one number: squared error between denoise(x̃) and the clean x, summed over pixels, averaged over the batch",
    reference=_denoising_loss,
    probes=lambda seed=0: [
        (_denoise, torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(n + 1000 * seed)), _corrupt)
        for n in (5, 3)
    ],
    mistakes=(
        Mistake(
            _from_noisy_to_noisy,
            "the target is the noisy image, so that the best answer is to copy, noise and all. "
            "Compare with the clean x.",
        ),
        Mistake(
            lambda f, x, corrupt: _squares(f(x), x).mean(),
            "the input was never corrupted: that is the plain autoencoder, which may copy. Feed it corrupt(x).",
        ),
        Mistake(
            lambda f, x, corrupt: _squares(f(x), corrupt(x)).mean(),
            "input and target are swapped: this asks the network to turn clean images into noisy ones.",
        ),
        Mistake(
            lambda f, x, corrupt: _squares(f(corrupt(x)), corrupt(x)).mean(),
            "corrupt was called twice: the target is the image under noise of another draw, not the clean one.",
        ),
        Mistake(
            lambda f, x, corrupt: _squares(corrupt(x), x).mean(),
            "that is the size of the noise itself: the network was never asked. Compare denoise(x̃) with x.",
        ),
        Mistake(
            lambda f, x, corrupt: _squares(f(corrupt(x)), x).mean() / 784,
            "that is the mean over pixels. A loss of this course is summed over the pixels of an image.",
        ),
        Mistake(
            lambda f, x, corrupt: _squares(f(corrupt(x)), x).sum(),
            "the images of the batch were summed too: average over them, else a larger batch takes larger steps.",
        ),
        Mistake(
            lambda f, x, corrupt: _squares(f(corrupt(x)), x),
            "that is one value per image, and backward() wants a single number. Average over the batch.",
        ),
    ),
)


def _psnr(mean_squared_error: Tensor) -> Tensor:
    return -10 * mean_squared_error.log10()


def _mse(x_hat: Tensor, x: Tensor) -> Tensor:
    return (x_hat - x).square().mean()


def _pairs_of_images(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(4 + 1000 * seed)
    pairs = []
    for n in (5, 3):
        x = torch.rand(n, 1, 28, 28, generator=g)
        spread = torch.linspace(0.05, 0.6, n)[:, None, None, None]  # some images are far worse than others
        pairs.append((x + spread * torch.randn(x.shape, generator=g), x))
    return pairs


def _pooled_psnr(x_hat: Tensor, x: Tensor) -> Tensor:
    return -10 * (x_hat - x).square().mean().log10()


POOLED_PSNR = Exercise(
    id="pooled-psnr",
    expects="one number in dB, from the mean squared error over all pixels of all images",
    reference=_pooled_psnr,
    probes=_pairs_of_images,
    mistakes=(
        Mistake(
            lambda a, b: _psnr((a - b).square().flatten(1).mean(1)).mean(),
            "that is the mean of each image's own PSNR, which flatters: easy images pull it up. "
            "Pool first: one mean squared error, then one logarithm.",
        ),
        Mistake(
            lambda a, b: _psnr(_mse(a, b).sqrt()),
            "the logarithm is of the *root* of the mean squared error, with the factor 10: half the right value. "
            "10 log₁₀ goes with the square, 20 log₁₀ with the root.",
        ),
        Mistake(
            lambda a, b: 2 * _psnr(_mse(a, b)),
            "the factor 20 belongs to the root of the mean squared error; with the square it is 10.",
        ),
        Mistake(
            lambda a, b: -10 * _mse(a, b).log(),
            "that is the natural logarithm. Decibels are made with the one to base 10: log10.",
        ),
        Mistake(
            lambda a, b: -_psnr(_mse(a, b)),
            "the sign is wrong: a smaller error must give a larger PSNR. It is −10 log₁₀ of the error.",
        ),
        Mistake(
            lambda a, b: _psnr((a - b).square().flatten(1).sum(1).mean()),
            "the squares were summed over the pixels. PSNR takes the mean per pixel: 28.9 dB would be lost.",
        ),
        Mistake(
            lambda a, b: _psnr((a - b).abs().mean()),
            "that is the mean of absolute errors: many small ones weigh like a few large. PSNR is made of squares.",
        ),
        Mistake(
            _mse,
            "that is the mean squared error itself, which falls where PSNR rises. Now take −10 log₁₀ of it.",
        ),
    ),
)
