"""The autoencoder as a class: what its four parts do is seen in their results, by its own weights."""

from vae_helpers.exercises.engine import NotATensorError, NotAttemptedError, WrongShapeError
from vae_helpers.exercises.engine.exercise import Answer, Exercise
from vae_helpers.exercises.engine.probes import result_of
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.models import Autoencoder

import torch
from jaxtyping import Float
from torch import Tensor, nn

Numbers = Float[Tensor, "..."]
ONLY_A_SHAPE = (nn.Flatten, nn.Unflatten, nn.Identity)
WIDTHS = {"encoder": [784, 16, 8, 3], "decoder": [3, 8, 16, 784]}
OF_CODES = {
    "sigmoid": ("the code passes a sigmoid, and so can't leave [0, 1]: a code may take any value", torch.sigmoid),
    "tanh": ("the code passes a tanh, and so can't leave [−1, 1]: a code may take any value", torch.tanh),
    "relu": ("the code passes a ReLU, which cuts off half of all values: a code may take any value", torch.relu),
    "silu": ("the code passes one more activation: after the last layer there is none", nn.functional.silu),
}
OF_LOGITS = {
    "sigmoid": (
        "there is a sigmoid in decode, which stops *before* it: generate would squash twice, and no pixel would leave "
        "[0.5, 0.73]",
        torch.sigmoid,
    ),
    "transposed": ("the image is transposed: a row of 784 is filled in line by line", lambda t: t.transpose(2, 3)),
}
OF_IMAGES = {
    "no sigmoid": ("generate has no sigmoid: its pixels leave [0, 1]", lambda t: t),
    "twice": (
        "the sigmoid is applied twice in generate: no pixel leaves [0.5, 0.73], all is grey",
        lambda t: t.sigmoid().sigmoid(),
    ),
    "tanh": ("generate has a tanh, whose values lie between −1 and 1: pixels lie in [0, 1]", torch.tanh),
    "clamped": ("generate cuts off at 0 and 1, where no gradient passes: a sigmoid bends", lambda t: t.clamp(0, 1)),
}


def findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with a class of autoencoders, made with 3 numbers and the hidden widths 16 and 8."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model, x, z = answer(3, (16, 8)), torch.rand(5, 1, 28, 28), 2 * torch.randn(5, 3)
        if model is None or model is Ellipsis:
            raise NotAttemptedError
        if isinstance(model, Tensor):
            raise WrongShapeError(tuple(model.shape))
        if not isinstance(model, nn.Module):
            raise NotATensorError(f"an object of type {type(model).__name__}")
        missing = [part for part in WIDTHS if not isinstance(getattr(model, part, None), nn.Module)]
        if missing:
            return _not_made(missing, _result(model.encode, x))
        return [f for part in WIDTHS for f in _of_layers(part, getattr(model, part))] or _of_methods(model, x, z)


def _not_made(missing: list[str], code: Numbers | None) -> list[Finding]:
    if code is None and len(missing) == len(WIDTHS):
        raise NotAttemptedError
    return [Finding(Relation("missing", part), f"self.{part} is not made yet: a stack of layers") for part in missing]


def _of_methods(model: nn.Module, x: Numbers, z: Numbers) -> list[Finding]:
    done = {name: _result(getattr(model, name), v) for name, v in (("encode", x), ("decode", z), ("generate", z))}
    missing = [
        Finding(Relation("missing", name), f"{name} returns nothing yet: write it, or look for its return")
        for name, result in done.items()
        if result is None
    ]
    return missing or _of_results(model, x, z, done) or _of_gradient(model, x)


def _result(method: Answer, value: Numbers) -> Numbers | None:
    try:
        return result_of(method, (value,))
    except NotAttemptedError:
        return None


def _of_layers(part: str, layers: nn.Module) -> list[Finding]:
    """The widths of the encoder or the decoder, and its last layer."""
    parts = [m for m in layers.modules() if not list(m.children()) and not isinstance(m, ONLY_A_SHAPE)]
    linear = [m for m in parts if isinstance(m, nn.Linear)]
    widths = [m.in_features for m in linear] + [m.out_features for m in linear[-1:]]
    if parts and not isinstance(parts[-1], nn.Linear):
        says = f"the {part} ends in {type(parts[-1]).__name__}: after its last Linear layer nothing should follow, so "
        return [Finding(Relation("last layer", part), says + "that codes and x_logits may take any value")]
    if widths == WIDTHS[part]:
        return _of_bends(part, parts)
    shown, wanted = (" → ".join(map(str, w)) for w in (widths, WIDTHS[part]))
    says = f"with latent_dim = 3 and hidden = (16, 8) your {part} goes {shown}, and not {wanted}"
    return [Finding(Relation("widths", part, shown), says)]


def _of_bends(part: str, parts: list[nn.Module]) -> list[Finding]:
    """Whether SiLU stands between the layers."""
    others = [type(m).__name__ for m in parts if not isinstance(m, nn.Linear | nn.SiLU)]
    if others:
        says = f"the {part} bends by {others[0]}: SiLU is asked for, as in the nets that yours is compared with"
        return [Finding(Relation("activation", part, others[0]), says)]
    if not any(isinstance(m, nn.SiLU) for m in parts):
        says = f"between the {part}'s layers nothing bends: a stack of linear layers is one linear layer, no better"
        return [Finding(Relation("activation", part, "none"), says)]
    return []


def _of_results(model: nn.Module, x: Numbers, z: Numbers, done: dict[str, Numbers]) -> list[Finding]:
    with torch.no_grad():
        code = model.encoder(x.flatten(1)).double()
        logits = model.decoder(z).view(5, 1, 28, 28).double()
    found = [
        _compared("encode", done["encode"], code, OF_CODES),
        _compared("decode", done["decode"], logits, OF_LOGITS),
    ]
    own = done["decode"]
    if not any(_same(done["generate"], t) for t in (own.sigmoid(), logits.sigmoid())):
        passed_on = found[1] is not None and _same(done["generate"], own)  # decode's mistake, said already
        found.append(None if passed_on else _compared("generate", done["generate"], logits.sigmoid(), {}, logits))
    return [f for f in found if f]


def _compared(
    name: str, result: Numbers, right: Numbers, known: dict[str, tuple], logits: Numbers | None = None
) -> Finding | None:
    """What a method's result has to do with the right one."""
    if _same(result, right):
        return None
    before, table = (right, known) if logits is None else (logits, OF_IMAGES)
    for kind, (says, f) in table.items():
        if _same(result, f(before)):
            return Finding(Relation("form", name, kind), says)
    if result.shape != right.shape:
        says = f"{name} returns shape {tuple(result.shape)}, and not {tuple(right.shape)}"
        return Finding(Relation("shape", name), says)
    part = {"encode": "the encoder makes of the flattened image", "decode": "the decoder makes of z"}
    return Finding(
        Relation("other", name), f"{name} gives other numbers than {part.get(name, 'the sigmoid of decode')}"
    )


def _same(a: Numbers, b: Numbers) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def _of_gradient(model: nn.Module, x: Numbers) -> list[Finding]:
    x_hat = model.generate(model.encode(x))
    if x_hat.requires_grad:
        x_hat.sum().backward()
    dry = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    if not dry:
        return []
    part = "the encoder" if all(name.startswith("encoder") for name in dry) else "all weights"
    says = f"no gradient reaches {part}: detach, .data, no_grad or numpy on the way cuts it off, and nothing is learned"
    return [Finding(Relation("no gradient", part), says)]


AUTOENCODER = Exercise(
    id="autoencoder",
    expects="an autoencoder: encode (n, d) codes, decode (n, 1, 28, 28) x_logits, generate the same in [0, 1]",
    reference=Autoencoder,
    findings=findings,
)
