"""What the exercises of notebook 02 must tell apart."""

import itertools

from vae_helpers import evaluation
from vae_helpers.data import masking
from vae_helpers.exercises import EXERCISES, check

import pytest
import torch

X = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("seed", range(10))
def test_masks_from_any_random_stream_are_judged_alike(seed):
    exercise = EXERCISES["masking-noise"]
    answers = {"passed": exercise.reference} | {m.message: m.answer for m in exercise.mistakes}
    for message, answer in answers.items():
        stream = itertools.count(100 * (seed + 1))
        shifted = lambda *args, f=answer, s=stream: (torch.manual_seed(next(s)), f(*args))[1]  # noqa: E731
        assert message in check("masking-noise", shifted).message


def test_a_mask_of_whole_batches_is_told_its_shape():
    assert "it returns shape" in check("masking-noise", lambda x, p: masking(x, p).flatten(1)).message


def test_pooled_psnr_agrees_with_the_packages_own():
    x_hat = (X + 0.1 * torch.randn(X.shape)).clamp(0, 1)
    mine = EXERCISES["pooled-psnr"].reference(x_hat, X)
    assert mine.item() == pytest.approx(evaluation.psnr(evaluation.mse(x_hat, X)), rel=1e-6)
