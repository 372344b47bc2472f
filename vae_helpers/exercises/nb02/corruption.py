"""Masking a fixed proportion: what a mask does is measured, and what is wrong with it follows."""

from collections.abc import Iterator

from vae_helpers.data import masking
from vae_helpers.exercises.engine import Answer, Exercise, WrongShapeError, result_of
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

PIXELS = 784
SAYS = {
    "untouched": "nothing was masked: the images came back as they were. (scatter and masked_fill return a new tensor; "
    "only with a trailing _ do they change their own.)",
    "white ink": "the chosen pixels became 1, white ink on black paper. Masking forces them to 0.",
    "other value": "no pixel is 0 afterwards: masking forces the chosen ones to 0.",
    "coin": "each pixel was dropped by a coin of its own, so that the number of masked pixels varies from image to "
    "image. Here it is the same in each: choose exactly round(784 · proportion) pixels.",
    "whole batch": "the pixels were chosen from the whole batch at once: the number is right in all images together, "
    "and varies from one to the next. Choose in each image.",
    "repetition": "some pixels were chosen twice, so that fewer are masked than should be. Draw without repetition: "
    "the largest of 784 random numbers, say.",
    "varying": "the number of masked pixels varies from image to image. It should be the same in each.",
    "wrong way": "the mask is the wrong way round: the chosen pixels were kept and all others set to 0.",
    "cut off": "int cuts the fraction off, so that one pixel too few is masked where it is above a half: use round.",
    "count": "the number of masked pixels is another than round(784 · proportion). Count the zeros of one image.",
    "shared": "all images got the same mask: a network would learn to do without just these pixels. "
    "Draw random numbers of shape (batch, 784).",
    "brightest": "the brightest pixels are masked: nothing is left to chance, and the digit goes. Rank random numbers.",
    "no chance": "every call draws the same pixels: nothing is left to chance. Rank random numbers, not the image, and "
    "set no seed of your own.",
    "run": "the masked pixels lie side by side, in one run. Any set of so many pixels must be equally likely.",
    "favoured": "some pixels are masked far more often than others. All must have the same chance.",
    "scaled": "the other pixels were scaled up, as dropout does. Masking leaves them as they were: "
    "scaled ones leave [0, 1].",
    "others changed": "pixels that are not masked changed too. Masking leaves them as they were.",
}


def _images_without_black(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(20_213 + 1000 * seed)  # one that no learner sets: else their lots are our pixels
    return [(0.2 + 0.79 * torch.rand(n, 1, 28, 28, generator=g), p) for n, p in ((400, 0.25), (300, 0.7))]


def _of_count(black: Bool[Tensor, " n 784"], proportion: float) -> Iterator[str]:
    count, wanted = black.sum(1), round(PIXELS * proportion)
    share = count.double().mean().item() / PIXELS
    if count.min() != count.max():
        if count.sum() == wanted * len(count):
            yield "whole batch"
        elif abs(share - proportion) < 0.01:
            yield "coin"
        else:
            yield "repetition" if abs(share - (1 - (1 - 1 / PIXELS) ** wanted)) < 0.01 else "varying"
    elif count[0] != wanted:
        cut = count[0] == int(PIXELS * proportion)
        yield (
            "wrong way"
            if count[0] in (PIXELS - wanted, PIXELS - int(PIXELS * proportion))
            else ("cut off" if cut else "count")
        )


def _neighbours(black: Bool[Tensor, " n 784"]) -> float:
    """How often neighbours in a row or a column are masked together, against chance."""
    image = black.view(-1, 28, 28).double()
    pairs = ((image[:, :, 1:] * image[:, :, :-1]).mean(), (image[:, 1:] * image[:, :-1]).mean())
    return (max(pairs) / image.mean() ** 2).item()


def _of_chance(
    black: Bool[Tensor, " n 784"], again: Bool[Tensor, " n 784"], x: Float[Tensor, " n 784"]
) -> Iterator[str]:
    if torch.equal(black, again):
        yield "brightest" if x[black].mean() > 1.1 * x.mean() else "no chance"
    elif bool((black == black[:1]).all()):
        yield "shared"
    elif _neighbours(black) > 1.25:
        yield "run"
    elif (black.double().mean(0) - black.double().mean()).abs().max() > 0.15:
        yield "favoured"


def _kinds(
    x: Float[Tensor, " n 784"], noisy: Float64[Tensor, " n 784"], again: Float64[Tensor, " n 784"], proportion: float
) -> Iterator[str]:
    """What is wrong with masked images: keys of SAYS."""
    black = noisy == 0
    if torch.equal(noisy, x.double()):
        yield "untouched"
    elif not black.any():
        yield "white ink" if (noisy == 1).any() else "other value"
    else:
        yield from _of_count(black, proportion)
        yield from _of_chance(black, again == 0, x)
        factor = (noisy / x)[~black]
        if len(factor) and not torch.allclose(factor, torch.ones_like(factor), atol=1e-5):
            yield "scaled" if factor.std() < 1e-4 else "others changed"


def _mask_findings(answer: Answer, seed: int) -> list[Finding]:
    kinds = {}
    for k, (x, proportion) in enumerate(_images_without_black(seed)):
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(20_213 + seed + k)
            noisy, again = (result_of(answer, (x, proportion)) for _ in range(2))
        if noisy.shape != x.shape:
            raise WrongShapeError(tuple(noisy.shape))
        if not noisy.isfinite().all():
            raise NotFiniteError
        kinds |= dict.fromkeys(_kinds(x.flatten(1), noisy.flatten(1), again.flatten(1), proportion))
    return [Finding(Relation("draw", "mask", kind), SAYS[kind]) for kind in SAYS if kind in kinds]


MASKING_NOISE = Exercise(
    id="masking-noise",
    expects="images of the same shape, the same number of pixels in each forced to 0, different ones in every image",
    reference=masking,
    probes=_images_without_black,
    findings=_mask_findings,
)
