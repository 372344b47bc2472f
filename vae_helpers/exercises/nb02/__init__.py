"""Exercises of notebook 02: corruptions, the loss, PSNR, linear denoisers, the score, a loop in the plane, a walk."""

from vae_helpers.exercises.nb02.corruption import MASKING_NOISE
from vae_helpers.exercises.nb02.denoisers import DENOISING_LOSS, POOLED_PSNR
from vae_helpers.exercises.nb02.linear import BEST_LINEAR_DENOISER, ONE_PIXEL_DENOISER
from vae_helpers.exercises.nb02.plane import DENOISING_EPOCH, SCORE_FROM_RESIDUAL
from vae_helpers.exercises.nb02.walk import SPOIL_AND_DENOISE

EXERCISES = (
    MASKING_NOISE,
    DENOISING_LOSS,
    POOLED_PSNR,
    ONE_PIXEL_DENOISER,
    BEST_LINEAR_DENOISER,
    SCORE_FROM_RESIDUAL,
    DENOISING_EPOCH,
    SPOIL_AND_DENOISE,
)
