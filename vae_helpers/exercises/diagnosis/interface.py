"""Reading what other people's encoders and decoders return, and returning the like in their stead."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from vae_helpers.exercises.diagnosis.calling import ProbeError
from vae_helpers.exercises.diagnosis.images import AnyTensor

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, ContinuousBernoulli, Distribution, Independent, MultivariateNormal, Normal

# what stands beside μ, in log σ²
TO_LOGVAR = {"log σ²": lambda s: s, "log σ": lambda s: 2 * s, "σ": lambda s: 2 * s.log(), "σ²": lambda s: s.log()}
OF_LOGVAR = {"log σ²": lambda v: v, "log σ": lambda v: v / 2, "σ": lambda v: (v / 2).exp(), "σ²": lambda v: v.exp()}
NAMES = {
    "μ": ("mu", "mean", "loc", "z_mean", "z_mu", "means", "mus", "embedding"),
    "log σ²": ("logvar", "log_var", "logvars", "z_logvar", "z_log_var", "log_variance", "log_covariance"),
    "log σ": ("log_sigma", "logstd", "log_std", "logsigma", "log_scale", "z_log_sigma"),
    "σ": ("std", "sigma", "scale", "stddev", "z_std"),
    "σ²": ("var", "variance", "sigma2"),
    "z": ("z", "sample", "z_sample", "latent", "latents"),
}
MEANING = {name: meaning for meaning, names in NAMES.items() for name in names}
ADAPTER = (
    "Three lines make it readable. class Readable(type(model)): def encode(self, x): …; return mu, logvar. "
    "Then model.__class__ = Readable. Or name the layers: encode=(“layer of mu”, “layer of logvar”)."
)


@dataclass(frozen=True)
class Reading:
    """How to take (μ, second) out of an answer, and how to put others in. scale: what the second is, where it says so.

    drawn: the answer holds z itself, so that noise is drawn within encode.
    """

    take: Callable[[object], tuple[AnyTensor, AnyTensor]]
    put: Callable[[object, AnyTensor, AnyTensor, AnyTensor], object]
    scale: str | None = None
    drawn: bool = False
    form: str = "pair"

    def turned(self) -> "Reading":
        """The same, with μ second."""
        return replace(
            self, take=lambda a: self.take(a)[::-1], put=lambda a, mu, s, z: self.put(a, s, mu, z), form="turned"
        )


def fields_of(answer: object) -> Iterator[tuple[object, str, object]]:
    """(key, name, value) of what an answer holds."""
    if isinstance(answer, Mapping):
        yield from ((key, str(key), value) for key, value in answer.items())
    elif isinstance(answer, (tuple, list)):
        names = getattr(answer, "_fields", [""] * len(answer))
        yield from ((k, name, value) for k, (name, value) in enumerate(zip(names, answer, strict=True)))
    elif not isinstance(answer, (Tensor, nn.Module)):
        yield from ((key, key, value) for key, value in getattr(answer, "__dict__", {}).items())


def with_fields(answer: object, new: dict) -> object:
    """The same kind of answer, some fields replaced."""
    if isinstance(answer, tuple):
        values = [new.get(k, value) for k, value in enumerate(answer)]
        return type(answer)(*values) if hasattr(answer, "_fields") else tuple(values)
    if isinstance(answer, list):
        return [new.get(k, value) for k, value in enumerate(answer)]
    other = copy.copy(answer)
    for key, value in new.items():
        if isinstance(answer, Mapping):
            other[key] = value
        else:
            object.__setattr__(other, key, value)
    return other


def reading_of(answer: object, n: int, z: AnyTensor | None) -> Reading:
    """How an encoder's answer for n images is read; z: what the decoder was given. ProbeError where it can't be."""
    if isinstance(answer, Tensor):
        return _of_one_tensor(answer, z)
    if isinstance(answer, Distribution):
        return Reading(lambda q: (q.mean, q.stddev), lambda q, mu, s, z: _gaussian(q, mu, s), "σ", form="distribution")
    fields = list(fields_of(answer))
    known = {key: MEANING[name.lower()] for key, name, v in fields if _fits(v, n) and name.lower() in MEANING}
    if "μ" in known.values() and set(known.values()) & set(TO_LOGVAR):
        return _of_names(known)
    tensors = [(key, value) for key, _, value in fields if _fits(value, n)]
    like = [key for key, value in tensors if value.shape == tensors[0][1].shape]
    if len(like) > 1:
        return _of_places(answer, like, z)
    for key, _, value in fields:
        try:
            inner = None if isinstance(value, Tensor) else reading_of(value, n, z)
        except ProbeError:
            continue
        if inner:
            return _nested(key, inner)
    if len(tensors) == 1:
        return _nested(tensors[0][0], _of_one_tensor(tensors[0][1], z))
    raise ProbeError(f"encode returns {_described(answer)}, and I can't tell μ and log σ² in it. {ADAPTER}")


def _fits(value: object, n: int) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.ndim > 1 and len(value) == n


def _described(answer: object) -> str:
    shapes = [f"{name or key}: {tuple(v.shape)}" for key, name, v in fields_of(answer) if isinstance(v, Tensor)]
    return f"a {type(answer).__name__}" + (f" ({', '.join(shapes)})" if shapes else "")


def _of_one_tensor(answer: AnyTensor, z: AnyTensor | None) -> Reading:
    if z is not None and z.shape == answer.shape:  # an autoencoder's code
        return Reading(lambda a: (a, torch.zeros_like(a)), lambda a, mu, s, z: mu, "log σ²", form="code")
    own = z.shape if z is not None and z.ndim == answer.ndim else None
    doubled = [k for k in range(1, answer.ndim) if own and answer.shape[k] == 2 * own[k]]
    if not doubled and not (answer.shape[1] % 2 == 0 and (own is None or answer.shape[1] // 2 <= own[1])):
        shapes = f"{tuple(answer.shape)}, and decode is given {tuple(z.shape)}" if own else f"{tuple(answer.shape)}"
        raise ProbeError(f"encode returns one tensor {shapes}: I can't tell μ and log σ² in it. {ADAPTER}")
    at = doubled[0] if doubled else 1
    return Reading(lambda a: a.chunk(2, at), lambda a, mu, s, z: torch.cat([mu, s], at), form="one tensor")


def _of_names(known: dict[object, str]) -> Reading:
    places = {meaning: key for key, meaning in reversed(known.items())}
    scale = next(s for s in TO_LOGVAR if s in places)

    def _put(answer: object, mu: AnyTensor, s: AnyTensor, z: AnyTensor) -> object:
        logvar = TO_LOGVAR[scale](s)
        values = {"μ": mu, "z": z, **{name: of(logvar) for name, of in OF_LOGVAR.items()}}
        return with_fields(answer, {key: values[meaning] for key, meaning in known.items()})

    take = lambda a: tuple(a[places[k]] if isinstance(a, Mapping) else _field(a, places[k]) for k in ("μ", scale))  # noqa: E731
    return Reading(take, _put, scale, "z" in places, "names")


def _field(answer: object, key: object) -> object:
    return next(value for k, _, value in fields_of(answer) if k == key)


def _of_places(answer: object, like: list, z: AnyTensor | None) -> Reading:
    values = {key: _field(answer, key) for key in like}
    drawn = [key for key in like if z is not None and (values[key] is z or _equal(values[key], z))] if like[2:] else []
    at_mu, at_second = [key for key in like if key not in drawn[:1]][:2]

    def _put(a: object, mu: AnyTensor, s: AnyTensor, z: AnyTensor) -> object:
        return with_fields(a, {at_mu: mu, at_second: s, **dict.fromkeys(drawn[:1], z)})

    return Reading(lambda a: (_field(a, at_mu), _field(a, at_second)), _put, None, bool(drawn))


def _equal(a: AnyTensor, b: AnyTensor) -> bool:
    return a.shape == b.shape and torch.equal(a, b)


def _nested(key: object, inner: Reading) -> Reading:
    take = lambda a: inner.take(_field(a, key))  # noqa: E731
    put = lambda a, mu, s, z: with_fields(a, {key: inner.put(_field(a, key), mu, s, z)})  # noqa: E731
    return replace(inner, take=take, put=put)


def _gaussian(like: Distribution, mu: AnyTensor, sigma: AnyTensor) -> Distribution:
    if isinstance(like, Independent):
        return Independent(_gaussian(like.base_dist, mu, sigma), like.reinterpreted_batch_ndims)
    if isinstance(like, MultivariateNormal):
        return MultivariateNormal(mu, scale_tril=torch.diag_embed(sigma))
    return Normal(mu, sigma)


def picture_in(answer: object, pixels: int) -> AnyTensor | None:
    """The tensor in a decoder's answer that stands for the picture: its mean, logits, or probabilities."""
    if isinstance(answer, Tensor):
        return answer
    if isinstance(answer, Independent):
        return picture_in(answer.base_dist, pixels)
    if isinstance(answer, (Bernoulli, ContinuousBernoulli)):
        return answer.logits
    if isinstance(answer, Distribution):
        return getattr(answer, "loc", None)
    found = [v for _, _, v in fields_of(answer) if isinstance(v, Tensor) and v.is_floating_point() and v.ndim > 1]
    return next((v for v in found if v[0].numel() == pixels), found[0] if found else None)


def with_picture(answer: object, picture: AnyTensor, pixels: int) -> object:
    """A decoder's answer with another picture in it."""
    if isinstance(answer, Tensor):
        return picture
    if isinstance(answer, Independent):
        return Independent(with_picture(answer.base_dist, picture, pixels), answer.reinterpreted_batch_ndims)
    if isinstance(answer, (Bernoulli, ContinuousBernoulli)):
        return type(answer)(logits=picture)
    if isinstance(answer, Distribution):
        return type(answer)(picture, answer.scale)
    old = picture_in(answer, pixels)
    return with_fields(answer, {key: picture for key, _, value in fields_of(answer) if value is old})
