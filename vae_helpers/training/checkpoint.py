"""Trained weights on disk: written whole or not at all, read without running code, refused where they don't fit.

A checkpoint holds weights and history; that of a training under way, also all that ``fit`` needs to go on with it.
``remembered`` lets the notebooks share what takes long to train: in the cache, as ``models/<data set>-<hash>.pt``.
"""

import hashlib
import io
import json
import os
import pickle
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from vae_helpers.data import cache_folder
from vae_helpers.losses import Loss
from vae_helpers.models import device_of
from vae_helpers.training.history import History
from vae_helpers.validation import objects, validated

import torch
from torch import nn

FORMAT = "vae_helpers 1"
File = Annotated[str | Path, objects.no_folder]


class CheckpointError(ValueError):
    """A file that can't be used as a checkpoint: damaged, not ours, or of another model."""


@validated
def save(path: File, model: nn.Module, history: History, training: dict | None = None) -> None:
    """Write a model's weights and history. What was at ``path`` stays until the new file is whole, and if it fails.

    training: what ``fit`` needs to go on: its settings, optimizer, schedule, random states. Raises OSError where the
    folder can't be written to or the disk is full.
    """
    path = Path(path)
    content = {"format": FORMAT, "layers": str(model), "weights": model.state_dict()}
    content |= {"history": _plain(history), "training": training}
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, _sealed(content))


def _sealed(content: dict) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _replace(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        with scratch.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


@validated
def load(path: File, model: nn.Module) -> History:
    """Put the weights of a checkpoint into ``model``, and return its history.

    Raises FileNotFoundError, or CheckpointError where the file is damaged, not ours or of another architecture; the
    model is then as it was.
    """
    return _into(model, _read(Path(path), model))


@validated
def load_training(path: File, model: nn.Module, settings: dict) -> tuple[History, dict]:
    """Put the weights of a training under way into ``model``; its history, and what ``save`` was given as training.

    settings: those of the training that wants to go on. Raises as ``load`` does, and CheckpointError where the file
    holds finished weights only, or was begun with other settings; the model is then as it was.
    """
    path = Path(path)
    content = _read(path, model)
    name, training = path.name, content.get("training")
    if training is None:
        raise CheckpointError(f"{name} holds weights, but no training to go on with: give another path, or load it")
    for key, value in settings.items():
        begun = training["settings"].get(key)
        if begun != value:
            raise CheckpointError(
                f"{name} was begun with {key} = {begun}, and this training has {value}: resume with the same settings, "
                "or give another path to begin anew"
            )
    return _into(model, content), training


def remembered(model: nn.Module, dataset_name: str, train: Callable[[], History], **configuration: object) -> History:
    """Load ``model``'s weights if this machine has trained it before in this configuration; else train, and keep them.

    train(): trains ``model`` in place and returns its History. configuration: all that the weights depend on beside
    the model's own shape: loss, epochs, lr, seed. A file that can't be read is trained anew, and a cache that can't be
    written to is no error: both are said. A training that was stopped is not kept.
    """
    path = remembered_path(model, dataset_name, **configuration)
    shown = f"{path.parent.name}/{path.name}"
    try:
        history = load(path, model)
    except FileNotFoundError:
        pass
    except (CheckpointError, OSError) as error:
        print(f"{shown} can't be used ({error}), so the model is trained anew.")
    else:
        print(f"Weights of an earlier run on this machine, trained in {history.seconds[-1]:.0f} s. To train anew, ")
        print(f"delete {shown} in the cache folder (vae_helpers.data.cache_folder()).")
        return history
    history = train()
    keep(model, history, dataset_name, **configuration)
    return history


def keep(model: nn.Module, history: History, dataset_name: str, **configuration: object) -> None:
    """Keep trained weights where ``remembered`` finds them, called with the same data set and configuration.

    A training that was stopped is not kept; that a cache can't be written to is said, and is no error.
    """
    if not history.train or history.stopped:
        return
    try:
        save(remembered_path(model, dataset_name, **configuration), model, history)
    except OSError as error:
        print(f"The weights could not be kept for later ({error.strerror}); this run has them all the same.")


def remembered_path(model: nn.Module, dataset_name: str, **configuration: object) -> Path:
    """Where ``remembered`` keeps a model: in the cache, named after the data set and a hash of all else."""
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    told = json.dumps([FORMAT, type(model).__name__, str(model), shapes, configuration], sort_keys=True, default=str)
    return cache_folder() / "models" / f"{dataset_name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}.pt"


def _plain(history: History) -> dict:
    train, val = ([[float(p) for p in part] for part in parts] for parts in (history.train, history.val))
    return {"train": train, "val": val, "seconds": history.seconds, "stopped": history.stopped}


def _into(model: nn.Module, content: dict) -> History:
    model.load_state_dict(content["weights"])
    model.eval()
    history = content["history"]
    train, val = ([Loss(*part) for part in history[name]] for name in ("train", "val"))
    return History(train, val, history["seconds"], history["stopped"])


def _read(path: Path, model: nn.Module) -> dict:
    stored = io.BytesIO(path.read_bytes())
    try:
        damaged = zipfile.ZipFile(stored).testzip()  # torch.load does not look at the checksums
        stored.seek(0)
        content = None if damaged else torch.load(stored, map_location=device_of(model), weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError, zipfile.BadZipFile):
        damaged = True
    if damaged:
        raise CheckpointError(f"{path.name} is damaged or no checkpoint: delete it and train again")
    if not isinstance(content, dict) or content.get("format") != FORMAT or not content.keys() >= {"weights", "history"}:
        raise CheckpointError(f"{path.name} is no checkpoint of this version of the course: train again")
    _compare(content, model, path.name)
    return content


def _compare(content: dict, model: nn.Module, name: str) -> None:
    weights, own = content["weights"], model.state_dict()
    for key in own.keys() | weights.keys():
        there, here = (tuple(w[key].shape) if key in w else "missing" for w in (weights, own))
        if there != here:
            raise CheckpointError(
                f"{name} holds another architecture: {key} is {there} there and {here} in {type(model).__name__}"
            )
    there, here = content.get("layers", str(model)), str(model)
    if there != here:
        raise CheckpointError(f"{name} holds another architecture of the same sizes:\n{there}\nand not\n{here}")
