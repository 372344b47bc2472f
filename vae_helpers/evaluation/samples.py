"""How good samples are: near to which training image, Fréchet distance, agreement with a classifier, variety."""

from vae_helpers.data import in_float64, to_float
from vae_helpers.evaluation.batchwise import Batchwise, in_batches
from vae_helpers.validation import FinitePixels, Labels, validated

import numpy as np
import torch
from jaxtyping import Float, Num
from torch import Tensor

Images = FinitePixels[Tensor, " n 1 28 28"]
Features = Num[Tensor, " n k"] | Num[np.ndarray, " n k"]
OtherFeatures = Num[Tensor, " m k"] | Num[np.ndarray, " m k"]


@validated
@torch.no_grad()
def mse_to_nearest(images: Images, bank: FinitePixels[Tensor, " m 1 28 28"]) -> Float[Tensor, " n"]:
    """For each image, the MSE *per pixel* to the nearest in ``bank``.

    The bank is taken in parts, so that bytes stay bytes; the images at once.
    """
    flat = to_float(images).flatten(1)
    nearest = [torch.cdist(flat, to_float(part).flatten(1)).amin(1) for part in bank.split(4000)]
    return torch.stack(nearest).amin(0).square() / 784


@validated
def frechet_distance(features: Features, reference: OtherFeatures) -> float:
    """Squared Fréchet (2-Wasserstein) distance between Gaussians fitted to two sets of features.

    ‖m − m'‖² + tr(S + S' − 2 (S S')^½). Dowson & Landau 1982; on features of a network, Heusel et al. 2017.
    Needs more rows than columns in both; fitted in float64.
    """
    features, reference = (torch.as_tensor(t).detach().cpu().double() for t in (features, reference))
    if min(len(features), len(reference)) <= features.shape[1]:
        raise ValueError(f"features and reference each need more than {features.shape[1]} rows, to fit a covariance.")
    if not (features.isfinite().all() and reference.isfinite().all()):
        raise ValueError("features and reference must be finite, but hold NaN or infinity: look where they come from.")
    cov_a, cov_b = (torch.atleast_2d(torch.cov(t.T)) for t in (features, reference))
    # tr (S S')^½ is the sum of the roots of the eigenvalues of S S', which are real and ≥ 0
    root = torch.linalg.eigvals(cov_a @ cov_b).real.clamp(min=0).sqrt().sum()
    shift = features.mean(0) - reference.mean(0)
    return (shift.square().sum() + cov_a.trace() + cov_b.trace() - 2 * root).item()


@validated
def agreement(classifier: Batchwise, images: Images, y: Labels[Tensor, " n"]) -> float:
    """Share of images whose label has the largest of the scores classifier(images), (n, k)."""
    return in_float64(in_batches(classifier, images, 250).argmax(dim=1) == y).mean().item()


@validated
def variance_within_classes(images: Images, y: Labels[Tensor, " n"]) -> float:
    """Variance of each pixel within a class, summed over pixels, averaged over the classes present.

    0 where a model draws one image per class.
    """
    of_classes = (to_float(images[y == k]) for k in y.unique())
    variances = [of_class.var(dim=0, correction=0).sum() for of_class in of_classes]
    return torch.stack(variances).mean().item()
