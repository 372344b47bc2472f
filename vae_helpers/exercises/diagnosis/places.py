"""Where in somebody's model its two halves are: by the names given, by usual names, by the layers' shapes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vae_helpers.data.devices import new_tensors_on
from vae_helpers.exercises.diagnosis.calling import ProbeError, call_loss, fresh
from vae_helpers.exercises.diagnosis.images import AnyTensor, Images
from vae_helpers.exercises.diagnosis.interface import ADAPTER, reading_of
from vae_helpers.models import copy_of

import torch
from torch import Tensor, nn

ENCODERS = ("encode", "encoder", "enc", "_encode", "inference", "recognition", "inference_net", "encoder_net", "q")
DECODERS = ("decode", "decoder", "dec", "_decode", "generator", "generate", "generative", "decoder_net", "p")
STILL = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm, nn.modules.dropout._DropoutNd)


@dataclass
class Program:
    """A model and its loss(model, x, y). encode: one name, or those of the layers of μ and log σ²; decode: a name.

    device: where it is probed. default: where its own lines make the tensors for which they name no device.
    """

    model: nn.Module
    loss: Callable
    encode: tuple[str, ...] = ()
    decode: str = ""
    device: torch.device | str = "cpu"
    default: torch.device | str = "cpu"
    double: bool = True
    scale: str = "log σ²"
    turned: bool = False
    notes: list[str] = field(default_factory=list)

    def returns(self, model: nn.Module, images: Images) -> object:
        """What its loss returns of a model: a copy of the program's."""
        with new_tensors_on(self.default):
            return call_loss(fresh(self.loss), model, *images)


def held_still(model: nn.Module) -> nn.Module:
    """The model, with its normalisation and dropout as in evaluation."""
    for part in model.modules():
        if isinstance(part, STILL):
            part.eval()
    return model


def first_tensor(args: tuple, kwargs: dict) -> AnyTensor | None:
    """The first tensor among arguments."""
    return next((a for a in (*args, *kwargs.values()) if isinstance(a, Tensor)), None)


def intercept(model: nn.Module, name: str, through: Callable) -> Callable:
    """Put through(original, args, kwargs) in the place of a method or of a layer's forward; the original."""
    path, _, last = name.rpartition(".")
    parent = model.get_submodule(path)
    target = parent[last] if isinstance(parent, (nn.ModuleDict, nn.ModuleList)) else getattr(parent, last, None)
    if isinstance(target, nn.Module):
        original = target.forward
        target.__dict__["forward"] = lambda *args, **kwargs: through(original, args, kwargs)
    else:  # in the instance's own dict: found before a method of the class
        original = target
        parent.__dict__[last] = lambda *args, **kwargs: through(original, args, kwargs)
    return original


def _candidates(model: nn.Module, names: Sequence[str]) -> list[str]:
    own = [name for name in names if callable(getattr(model, name, None))]
    inner = [path for path, _ in model.named_modules() if "." in path and path.rpartition(".")[2] in names]
    return own + sorted(inner, key=lambda path: path.count("."))


class _Listener:
    """What was called in one run of the loss."""

    def __init__(self, program: Program, images: Images) -> None:
        self.model, self.calls, self.layers = held_still(copy_of(program.model).train()), {}, []
        given = (*program.encode, *filter(None, [program.decode]))
        for name in (*given, *_candidates(self.model, ENCODERS), *_candidates(self.model, DECODERS)):
            intercept(
                self.model, name, lambda original, args, kwargs, name=name: self._note(name, original, args, kwargs)
            )
        for name, layer in self.model.named_modules():
            if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d)):
                layer.register_forward_hook(lambda _, args, out, name=name: self.layers.append((name, args[0], out)))
        with torch.no_grad():
            self.result = program.returns(self.model, images)

    def _note(self, name: str, original: Callable, args: tuple, kwargs: dict) -> object:
        answer = original(*args, **kwargs)
        self.calls.setdefault(name, (first_tensor(args, kwargs), answer))
        return answer


def find_places(program: Program, images: Images) -> None:
    """Set a program's encode and decode: the names given, or what the loss calls. ProbeError where it calls nothing."""
    heard = _Listener(program, images)
    if not program.decode:
        program.decode = next((n for n in _candidates(program.model, DECODERS) if n in heard.calls), "")
    encoders = [n for n in (*program.encode, *_candidates(program.model, ENCODERS)) if n in heard.calls]
    if not program.decode or program.decode not in heard.calls or not (encoders or program.encode):
        raise ProbeError(_unheard(program, heard))
    z = heard.calls[program.decode][0]
    if program.encode:
        return
    problem = None
    for name in encoders:
        try:
            reading_of(heard.calls[name][1], len(images[0]), z)
        except ProbeError as error:
            problem = problem or error
        else:
            program.encode = (name,)
            return
    program.encode = _two_layers(heard, z)
    if not program.encode:
        raise problem
    program.notes.append(f"took the layers {' and '.join(program.encode)} for μ and log σ²")


def _two_layers(heard: _Listener, z: AnyTensor) -> tuple[str, ...]:
    """Two layers that read the same numbers and return the shape of z."""
    for k, (name, read, out) in enumerate(heard.layers):
        for other, also_read, also_out in heard.layers[k + 1 :]:
            if read is also_read and name != other and out.shape == also_out.shape == z.shape:
                spread = any(word in name.rpartition(".")[2].lower() for word in ("var", "lv", "sig", "std"))
                return (other, name) if spread else (name, other)
    return ()


def _unheard(program: Program, heard: _Listener) -> str:
    """Why the encoder or the decoder was not found."""
    layers = ", ".join(name for name, _ in program.model.named_children())
    if heard.layers or heard.calls:
        return (
            "the loss's parts: I don't know which part of the model is the encoder and which the decoder (not called: "
            f"encode, decode). Name them: diagnose_vae(…, encode=“…”, decode=“…”), of its parts {layers}. {ADAPTER}"
        )
    return "the loss's parts: it doesn't call encode and decode of the model that it is handed."
