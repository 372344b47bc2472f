"""Exercises of notebook 02: masking a fixed proportion, the loss of a denoising autoencoder, pooled PSNR."""

from vae_helpers.data import choose_pixels, masking
from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, result_of

import torch
from torch import Tensor


def _images_without_black(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(20_213 + 1000 * seed)  # one that no learner sets: else their lots are our pixels
    return [(0.2 + 0.8 * torch.rand(n, 1, 28, 28, generator=g), p) for n, p in ((400, 0.25), (300, 0.7))]


def _traces_of_a_mask(answer: Answer, probe: tuple) -> Tensor:
    """Share of black pixels, its spread over images, overlap of neighbours' masks, and what the other pixels became."""
    x, x_noisy = probe[0], result_of(answer, probe)
    if x_noisy.shape != x.shape:
        raise WrongShapeError(tuple(x_noisy.shape))
    if not x_noisy.isfinite().all():
        return x_noisy.sum()  # examine says what is wrong with it
    black = (x_noisy == 0).double().flatten(1)
    share, overlap = black.mean(1), (black[1:] * black[:-1]).mean()
    others = (x_noisy / x).flatten(1)[black == 0].mean() if black.min() == 0 else torch.zeros(())
    flat = x.flatten(1).double()
    bright = (black * flat).sum() / black.sum().clamp(min=1) / flat.mean()  # 1 where chance chooses
    runs = (black[:, 1:] * black[:, :-1]).mean() / black.mean().square().clamp(min=1e-12) / 12
    count = black.sum(1)
    off = count[0] - round(784 * probe[1]) if count.std() == 0 else torch.zeros(())  # where it is no matter of chance
    return torch.stack([10 * share.mean(), 20 * share.std(), 2 * overlap, others, bright, runs, off])


def _fewer(x: Tensor, proportion: float) -> Tensor:
    index = torch.randint(784, (len(x), round(784 * proportion)))
    return x.flatten(1).scatter(1, index, 0.0).view_as(x)


def _a_run(x: Tensor, proportion: float) -> Tensor:
    count = round(784 * proportion)
    first = torch.randint(784 - count + 1, (len(x), 1))
    place = torch.arange(784)
    return torch.where((place >= first) & (place < first + count), 0.0, x.flatten(1)).view_as(x)


MASKING_NOISE = Exercise(
    id="masking-noise",
    expects="images of the same shape, the same number of pixels in each forced to 0, different ones in every image",
    reference=masking,
    probes=_images_without_black,
    measure=_traces_of_a_mask,
    labels=(
        "ten times the share of black pixels",
        "twenty times its spread over images",
        "twice the share of pixels black in two images",
        "what is left of the other pixels",
        "how bright the masked pixels were, against all",
        "a twelfth of how often neighbours are masked together, against chance",
        "how many pixels more than asked for are masked",
    ),
    tolerance=0.06,
    mistakes=(
        Mistake(
            lambda x, p: x * (torch.rand(x.shape) >= p),
            "each pixel was dropped by a coin of its own, so that the number of masked pixels varies from image to "
            "image. Here it is the same in each: choose exactly round(784 · proportion) pixels.",
        ),
        Mistake(
            lambda x, p: x * choose_pixels(x, p),
            "the mask is the wrong way round: the chosen pixels were kept and all others set to 0.",
        ),
        Mistake(
            lambda x, p: x * ~choose_pixels(x[:1], p),
            "all images got the same mask: a network would learn to do without just these pixels. "
            "Draw random numbers of shape (batch, 784).",
        ),
        Mistake(
            lambda x, p: masking(x, p) / (1 - p),
            "the other pixels were scaled up, as dropout does. Masking leaves them as they were: "
            "scaled ones leave [0, 1].",
        ),
        Mistake(
            _fewer,
            "some pixels were chosen twice, so that fewer are masked than should be. Draw without repetition: "
            "the largest of 784 random numbers, say, by topk.",
        ),
        Mistake(
            lambda x, p: torch.where(choose_pixels(x, p), 1.0, x),
            "the chosen pixels became 1, white ink on black paper. Masking forces them to 0.",
        ),
        Mistake(
            lambda x, p: x.flatten(1).scatter(1, x.flatten(1).topk(round(784 * p), dim=1).indices, 0.0).view_as(x),
            "the brightest pixels are masked: nothing is left to chance, and the digit goes. Rank random numbers.",
        ),
        Mistake(
            lambda x, p: x * ~choose_pixels(x, int(784 * p) / 784),
            "int cuts the fraction off, so that one pixel too few is masked where it is above a half: use round.",
        ),
        Mistake(
            _a_run,
            "the masked pixels lie side by side, in one run. Any set of so many pixels must be equally likely.",
        ),
        Mistake(
            lambda x, p: x,
            "nothing was masked: the images came back as they were. "
            "(scatter and masked_fill return a new tensor; only with a trailing _ do they change their own.)",
        ),
    ),
)


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

EXERCISES = (MASKING_NOISE, DENOISING_LOSS, POOLED_PSNR)
