"""The images that somebody hands over: tensors, arrays, pairs, data sets, loaders; and twins among two sets."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from vae_helpers.data import to_float
from vae_helpers.exercises.diagnosis.report import Finding
from vae_helpers.validation import PositiveInt, tensors, validated

import numpy as np
import torch
from jaxtyping import Int64, Shaped
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

AnyTensor = Shaped[Tensor, "..."]  # other people's: of any shape
Images = tuple[AnyTensor, AnyTensor | None]  # and their labels, if there are any
N_COMPARED = 60_000  # images of a loader that are looked at
IMAGE_KEYS = ("image", "images", "pixel_values", "x", "img", "input", "data")
LABEL_KEYS = ("label", "labels", "y", "target", "targets")


def images_and_labels(data: object, name: str) -> Images:
    """Images and, if there are any, labels: of a tensor, a pair (x, y), a data set, or a loader of batches."""
    if isinstance(data, np.ndarray):
        data = torch.as_tensor(data)
    if isinstance(data, (tuple, list)) and len(data) == 2 and all(isinstance(t, (Tensor, np.ndarray)) for t in data):
        x, y = map(torch.as_tensor, data)
    elif isinstance(data, Tensor):
        x, y = data, None
    elif isinstance(data, Dataset) and hasattr(data, "__len__"):
        x, y = _collected(DataLoader(data, batch_size=256))
    elif isinstance(data, Iterable) and not isinstance(data, (str, Mapping)):
        x, y = _collected(data)
    else:
        x, y = None, None
    if not isinstance(x, Tensor) or x.ndim < 2 or len(x) == 0:
        got = f"a tensor {tuple(x.shape)}" if isinstance(x, Tensor) else f"a {type(data).__name__}"
        raise TypeError(f"{name} must be a tensor of images (n, …), a pair (x, y), or a loader of batches, got {got}.")
    return x.detach(), y


def _collected(loader: Iterable) -> tuple[AnyTensor | None, AnyTensor | None]:
    xs, ys, n = [], [], 0
    for batch in loader:
        x, y = _of_batch(batch)
        if not isinstance(x, Tensor):
            return None, None
        xs.append(x)
        ys += [y] if isinstance(y, Tensor) else []
        n += len(x)
        if n >= N_COMPARED:
            break
    return (torch.cat(xs) if xs else None), (torch.cat(ys) if xs and len(ys) == len(xs) else None)


def _of_batch(batch: object) -> tuple[object, object]:
    if isinstance(batch, Mapping):
        found = [next((batch[k] for k in keys if k in batch), None) for keys in (IMAGE_KEYS, LABEL_KEYS)]
        return found[0], found[1]
    return (*batch, None, None)[:2] if isinstance(batch, (tuple, list)) else (batch, None)


def some_of(images: Images, n: int, device: torch.device | str) -> Images:
    """n images spread over all of them, as floats, and their labels, on the device; fewer are repeated."""
    x, y = images
    index = torch.linspace(0, len(x) - 1, n).long() if len(x) >= n else torch.arange(n) % len(x)
    chosen = to_float(x[index]).to(device)
    return chosen, None if y is None else y[index].to(device)


def twins(x: AnyTensor, test: AnyTensor) -> list[Finding]:
    """Test images that are training images."""
    if x.shape[1:] != test.shape[1:]:
        shapes = f"{tuple(x.shape[1:])} and {tuple(test.shape[1:])}"
        raise ValueError(f"train_data and test_data must hold images of one shape, got {shapes}.")
    share = share_of_twins(x, test)
    if share <= 0.01:
        return []
    return [
        Finding(
            "test = training",
            f"{share:.0%} of the test images are training images, pixel by pixel.",
            "Probably the test loader reads the training set (train=True left in), or both are cut from one tensor.",
            "Print the shapes, and the distance of a test image to its nearest training image: it must not be 0.",
        )
    ]


@validated
def share_of_twins(
    x: Annotated[Shaped[Tensor, " n_train *pixels"], tensors.something],
    test: Annotated[Shaped[Tensor, " n_test *pixels"], tensors.something],
    n: PositiveInt = 2000,
) -> float:
    """Share of up to n test images, spread evenly, that occur pixel by pixel among the training images x."""
    some = test[torch.linspace(0, len(test) - 1, min(n, len(test)), device=test.device).round().long()]
    known, asked = (_fingerprints(t, x.dtype == test.dtype) for t in (x, some))
    return torch.isin(asked, known).double().mean().item()


def _fingerprints(images: Shaped[Tensor, " n ..."], as_they_are: bool) -> Int64[Tensor, " n"]:
    """A whole number for each image, on the CPU: the same for the same pixels, and hardly ever for others."""
    weights = torch.randint(1, 2**40, (images[0].numel(),), generator=torch.Generator().manual_seed(0))
    weights, prints = weights.to(images.device), []
    for part in images.split(500):  # whole numbers take 8 bytes
        flat = part.flatten(1) if as_they_are else to_float(part).flatten(1)
        whole = flat.float().contiguous().view(torch.int32) if flat.is_floating_point() else flat
        prints.append((whole * weights).sum(1).cpu())
    return torch.cat(prints)
