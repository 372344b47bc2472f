"""The VAE as a class: what its methods do is seen in their results, by its own weights."""

from collections.abc import Callable

from vae_helpers.exercises.engine import Answer, Exercise, NotATensorError, NotAttemptedError
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.models import VAE

import torch
from jaxtyping import Float
from torch import Tensor, nn

Numbers = Float[Tensor, "..."]
ONLY_A_SHAPE = (nn.Flatten, nn.Unflatten, nn.Identity)
WIDTHS = {"encoder": [784, 16, 8, 6], "decoder": [3, 8, 16, 784]}
GIVEN = torch.tensor([[1.0, -2.0, 0.5, 3.0, -0.7, 0.2], [0.3, 4.0, -1.0, 25.0, -40.0, 90.0]], device="cpu")
CODES = torch.tensor([[1.0, -0.5, 2.0], [0.3, 0.8, -1.2]], device="cpu")
OF_CLOUDS: dict[str, tuple[Callable, str]] = {
    "exchanged": (
        lambda h: (h[:, 3:], h[:, :3]),
        "μ and log σ² have changed places: the first half is μ. A trained net would not mind, but a loaded one would",
    ),
    "exchanged, clamped": (
        lambda h: (h[:, 3:].clamp(-30, 20), h[:, :3]),
        "μ and log σ² have changed places: the first half is μ, the second log σ²",
    ),
    "no clamp": (
        lambda h: (h[:, :3], h[:, 3:]),
        "log σ² is not clamped: one wild output early in training, and exp overflows. Keep it between −30 and 20",
    ),
    "both clamped": (
        lambda h: (h[:, :3].clamp(-30, 20), h[:, 3:].clamp(max=20)),
        "log σ² is not clamped on both sides: between −30 and 20",
    ),
    "variance": (
        lambda h: (h[:, :3], h[:, 3:].clamp(-30, 20).exp()),
        "σ² is returned, where all that follows expects its logarithm: leave the exp to the loss",
    ),
    "width": (
        lambda h: (h[:, :3], (0.5 * h[:, 3:].clamp(-30, 20)).exp()),
        "σ is returned, where all that follows expects log σ²: leave the exp to the loss",
    ),
    "every other": (
        lambda h: (h[:, ::2], h[:, 1::2].clamp(-30, 20)),
        "every other number goes to μ: cut the outputs in two halves, the first for μ",
    ),
    "positive": (
        lambda h: (h[:, :3].relu(), h[:, 3:].clamp(-30, 20)),
        "μ passes a ReLU, so that no code is ever negative: half of the prior stays empty",
    ),
    "logarithm": (
        lambda h: (h[:, :3], h[:, 3:].relu().clamp(-30, 20)),
        "log σ² passes a ReLU: no cloud could be narrower than the prior, and none say much",
    ),
}


def findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with a class of VAEs, made with 3 latent dimensions and the hidden widths 16 and 8."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model = answer(3, (16, 8))
        if model is None or model is Ellipsis:
            raise NotAttemptedError
        if not isinstance(model, nn.Module):
            raise NotATensorError(f"{type(model).__name__}, no nn.Module")
        missing = [part for part in WIDTHS if not isinstance(getattr(model, part, None), nn.Module)]
        if missing:
            return _not_made(missing, model)
        return [f for part in WIDTHS for f in _of_layers(part, getattr(model, part))] or _of_methods(model)


def _not_made(missing: list[str], model: nn.Module) -> list[Finding]:
    if len(missing) == len(WIDTHS) and model.encode(torch.rand(2, 1, 28, 28)) in (None, ...):
        raise NotAttemptedError
    return [Finding(Relation("missing", part), f"self.{part} is not made yet: a stack of layers") for part in missing]


def _of_layers(part: str, layers: nn.Module) -> list[Finding]:
    """The widths of the encoder or the decoder, what bends between them, and the last layer."""
    parts = [m for m in layers.modules() if not list(m.children()) and not isinstance(m, ONLY_A_SHAPE)]
    linear = [m for m in parts if isinstance(m, nn.Linear)]
    widths = [m.in_features for m in linear] + [m.out_features for m in linear[-1:]]
    bends = [type(m).__name__ for m in parts if not isinstance(m, nn.Linear)]
    if parts and not isinstance(parts[-1], nn.Linear):
        says = f"the {part} ends in {bends[-1]}: after its last Linear layer nothing follows, so that μ, log σ² and "
        return [Finding(Relation("last layer", part), says + "x_logits may take any value")]
    if part == "encoder" and widths == [784, 16, 8, 3]:
        says = "the encoder returns one number for each latent dimension: it needs two, a μ and a log σ²"
        return [Finding(Relation("widths", part, "half"), says)]
    if widths != WIDTHS[part]:
        shown, wanted = (" → ".join(map(str, w)) for w in (widths, WIDTHS[part]))
        says = f"with latent_dim = 3 and hidden = (16, 8) your {part} goes {shown}, and not {wanted}"
        return [Finding(Relation("widths", part, shown), says)]
    if set(bends) != {"ReLU"}:
        says = f"the {part} bends by {bends[0] if bends else 'nothing'} between its layers: ReLU is asked for"
        return [Finding(Relation("activation", part, bends[0] if bends else "none"), says)]
    return []


def _of_methods(model: nn.Module) -> list[Finding]:
    x = torch.rand(2, 1, 28, 28)
    done = {"encode": model.encode(x), "decode": model.decode(CODES), "generate": model.generate(CODES)}
    missing = [name for name, result in done.items() if result is None or result is Ellipsis]
    if missing:
        says = "{} returns nothing yet: write it, or look for its return"
        return [Finding(Relation("missing", name), says.format(name)) for name in missing]
    return [*_of_encode(model, x), *_of_decode(model), *_of_generate(model)] or _of_embed(model, x)


def _of_encode(model: nn.Module, x: Numbers) -> list[Finding]:
    """What encode makes of the encoder's outputs: a net that returns given ones stands in."""
    wanted = model.encoder(x.flatten(1))
    encoder, model.encoder = model.encoder, _Returns(GIVEN)
    try:
        found = model.encode(x)
    finally:
        model.encoder = encoder
    if not (isinstance(found, tuple) and len(found) == 2 and all(isinstance(t, Tensor) for t in found)):
        count = f"{len(found)} things" if isinstance(found, tuple | list) else type(found).__name__
        return [
            Finding(Relation("type", "encode"), f"encode returns {count}: two tensors are asked for, mu and logvar")
        ]
    if any(t.shape != (2, 3) for t in found):
        shapes = " and ".join(str(tuple(t.shape)) for t in found)
        says = (
            f"of two images and d = 3, encode returns shapes {shapes}: cut each row in two, mu and logvar, (2, 3) each"
        )
        return [Finding(Relation("shape", "encode"), says)]
    right = GIVEN[:, :3], GIVEN[:, 3:].clamp(-30, 20)
    if not _both(found, right):
        known = (name for name, (f, _) in OF_CLOUDS.items() if _both(found, f(GIVEN)))
        name = next(known, None)
        says = OF_CLOUDS[name][1] if name else "encode gives other numbers than the two halves of the encoder's output"
        return [Finding(Relation("form", "encode", name or ""), says)]
    mu = model.encode(x)[0]
    if not mu.requires_grad:
        says = (
            "no gradient reaches the encoder: detach, .data or no_grad on the way cuts it off, and nothing is learned"
        )
        return [Finding(Relation("no gradient", "encode"), says)]
    if not torch.allclose(mu, wanted[:, :3], atol=1e-5):
        return [Finding(Relation("input", "encode"), "encode shows the encoder another input than the flattened image")]
    return []


class _Returns(nn.Module):
    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return the given outputs, whatever the images."""
        return self.outputs.to(x.dtype)


def _both(found: tuple, other: tuple) -> bool:
    return all(a.shape == b.shape and torch.allclose(a, b, rtol=1e-4) for a, b in zip(found, other, strict=True))


def _of_decode(model: nn.Module) -> list[Finding]:
    logits, found = model.decoder(CODES).view(2, 1, 28, 28), model.decode(CODES)
    if not isinstance(found, Tensor):
        return [Finding(Relation("type", "decode"), f"decode returns {type(found).__name__}: x_logits are asked for")]
    if found.shape != logits.shape:
        says = f"decode returns shape {tuple(found.shape)}, and not {tuple(logits.shape)}"
        return [Finding(Relation("shape", "decode"), says)]
    known = {
        "": (logits, ""),
        "sigmoid": (
            logits.sigmoid(),
            "there is a sigmoid in decode, which stops *before* it: the loss would squash twice",
        ),
        "transposed": (logits.mT, "the image is transposed: a row of 784 is filled in line by line"),
    }
    name = next((n for n, (right, _) in known.items() if torch.allclose(found, right, atol=1e-5)), None)
    if name == "":
        return []
    says = known[name][1] if name else "decode gives other numbers than the decoder makes of z"
    return [Finding(Relation("form", "decode", name or ""), says)]


def _of_generate(model: nn.Module) -> list[Finding]:
    logits, found = model.decoder(CODES).view(2, 1, 28, 28), model.generate(CODES)
    own = model.decode(CODES)
    if any(_same(found, right) for right in (logits.sigmoid(), own.sigmoid())):
        return []
    if _same(found, own):
        says = "generate has no sigmoid" if _same(own, logits) else ""  # decode's own mistake, said already
        return [Finding(Relation("form", "generate", "no sigmoid"), f"{says}: x̂ would leave [0, 1]")] if says else []
    if ((found == 0) | (found == 1)).all():
        says = "generate tosses each pixel: x̂ is their probability, a grey image. The tossing comes later"
        return [Finding(Relation("form", "generate", "drawn"), says)]
    if _same(found, logits.sigmoid().sigmoid()):
        says = "the sigmoid is applied twice in generate: no pixel leaves [0.5, 0.73], all is grey"
        return [Finding(Relation("form", "generate", "twice"), says)]
    return [Finding(Relation("other", "generate"), "generate gives other numbers than the sigmoid of decode")]


def _same(a: object, b: Numbers) -> bool:
    return isinstance(a, Tensor) and a.shape == b.shape and torch.allclose(a, b, atol=1e-5)


def _of_embed(model: nn.Module, x: Numbers) -> list[Finding]:
    found, mu = model.embed(x), model.encode(x)[0]
    if found is None or found is Ellipsis:
        return [Finding(Relation("missing", "embed"), "embed returns nothing yet: μ is asked for")]
    if _same(found, mu):
        return []
    if isinstance(found, tuple):
        says = "embed returns μ and log σ² together: μ alone is asked for"
    elif isinstance(found, Tensor) and not torch.equal(found, model.embed(x)):
        says = "embed draws a code, another one at each call: μ is asked for, which is always the same"
    else:
        says = "embed gives something else than μ"
    return [Finding(Relation("other", "embed"), says)]


NETWORK = Exercise(
    id="vae",
    expects="a VAE: encode gives mu and logvar, (n, d) each, decode (n, 1, 28, 28) x_logits, generate x̂ in [0, 1]",
    reference=VAE,
    findings=findings,
)
EXERCISES = (NETWORK,)
