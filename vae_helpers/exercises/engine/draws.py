"""Draws from clouds N(μ, σ²), measured over many calls: ε's shape, what is shared, how μ and σ enter, gradients."""

from collections.abc import Iterator
from math import exp, log

from vae_helpers.exercises.engine.clouds import CALLS, ROWS, TOLERANCE, Clouds, shared
from vae_helpers.exercises.engine.exercise import Answer
from vae_helpers.exercises.engine.probes import NotFiniteError, WrongShapeError, result_of
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from torch import Tensor

MU = torch.tensor([0.5, -1.0, 2.0, -0.5, 1.5, 0.8], device="cpu")
LOGVAR = torch.tensor([-3.0, 0.0, 0.8, -1.5, -0.6, 1.5], device="cpu")
SHAPES = {  # kurtosis of ε, its standard deviation, and what it is
    "uniform": (1.8, 12**-0.5, "ε is uniform, so that no code ever lies far out: the prior's draws do"),
    "two values": (1.0, 0.5, "ε takes two values only: a cloud is no cloud, but two points"),
    "absolute": (3.87, 0.603, "ε has no sign: every z lies on the same side of its μ"),
}


def draw_findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_draw(mu, logvar), one draw from N(μ, σ²) for each entry, gradients kept."""
    mu, logvar = (t.expand(ROWS, -1).clone() for t in (MU + 0.1 * seed, LOGVAR))
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed + 20_227)
        drawn = torch.stack([_draw(answer, mu, logvar) for _ in range(CALLS)])
        seen = Clouds(drawn, mu[0].double(), logvar[0].double())
        found = [*_of_sharing(seen), *_of_values(seen)]
        implied = any(f.relation.kind in ("not drawn", "ignored") for f in found)
        return found if implied else [*found, *_of_gradients(answer, mu, logvar)]


def _draw(answer: Answer, mu: Tensor, logvar: Tensor) -> Tensor:
    z = result_of(answer, (mu, logvar))
    if z.shape != mu.shape:
        raise WrongShapeError(tuple(z.shape))
    if not z.isfinite().all():
        raise NotFiniteError
    return z


def _finding(kind: str, place: str, says: str, factor: str = "") -> Finding:
    return Finding(Relation(kind, place, factor), says)


def _of_sharing(seen: Clouds) -> Iterator[Finding]:
    if bool((seen.width < 1e-6).all()):
        says = "nothing is drawn: that is the mean. Its reconstructions look better, but the ELBO asks for a sample"
        yield _finding("not drawn", "ε", says)
        return
    rows, columns = shared(seen.eps, dim=1), shared(seen.eps, dim=2)
    if shared(seen.eps, dim=0):
        says = (
            "every call draws the same: a seed is set inside, or ε is drawn once and kept. Leave the seed to the caller"
        )
        yield _finding("same draw", "calls", says)
    elif rows and columns:
        says = "one ε serves everything: all images and dimensions are moved alike. Draw one for every entry"
        yield _finding("shared", "rows and dimensions", says)
    elif rows:
        says = "one ε serves the whole batch: all images are shifted alike. Draw one for every entry"
        yield _finding("shared", "rows", says)
    elif columns:
        says = "one ε serves all dimensions of an image, so that they move together. Draw one for every entry"
        yield _finding("shared", "dimensions", says)


def _of_values(seen: Clouds) -> Iterator[Finding]:
    """One cause, one sentence: what explains mean and width together comes first."""
    both = next(_of_both(seen), None)
    if both:
        yield both
        return
    spread, offset = 1.0, 0.0
    if bool((seen.width > 1e-6).any()):
        shape = _shape(seen)
        if shape:
            yield shape
            ratio = (seen.width / seen.sigma).log().mean().exp().item()
            usual = SHAPES[shape.relation.factor][1] if shape.relation.factor in SHAPES else ratio
            spread = min((1.0, usual), key=lambda s: abs(log(ratio / s)))
            offset = ((seen.mean - seen.mu) / seen.width).mean().item() * spread
        yield from _of_width(seen, spread)
    yield from _of_mean(seen, offset)


def _shape(seen: Clouds) -> Finding | None:
    fourth = seen.eps[..., seen.width > 1e-3].pow(4).mean().item()
    name = next((n for n, (kurtosis, *_) in SHAPES.items() if abs(fourth - kurtosis) < 0.2), "")
    offset = ((seen.mean - seen.mu) / seen.width.clamp(min=1e-6)).mean().item()
    if name == "uniform" and abs(offset * SHAPES[name][1] - 0.5) < 0.05:
        says = "ε comes from rand, uniform on [0, 1], with mean ½: every z lies above its μ, and none far out"
        return _finding("shape", "ε", says, name)
    if name:
        return _finding("shape", "ε", SHAPES[name][2], name)
    if abs(fourth - 3) > (0.4 if seen.tolerance == TOLERANCE else 1.5):
        says = f"ε is no Gaussian: its fourth moment is {fourth:.1f} where a Gaussian's is 3"
        return _finding("shape", "ε", says, f"{fourth:.1f}")
    return None


def _of_both(seen: Clouds) -> Iterator[Finding]:
    mu, sigma, one = seen.mu, seen.sigma, torch.ones_like(seen.mu)
    if seen.mean_is(mu * sigma) and seen.width_is(sigma):
        yield _finding("bracket", "μ", "σ multiplies μ as well: a bracket stands in the wrong place. It scales ε alone")
    if seen.mean_is(mu + sigma) and seen.width_is(one):
        says = "σ is added, where it should multiply ε: every cloud is as wide as the prior's, and shifted"
        yield _finding("operator", "σ", says, "+")
    if seen.mean_is(seen.logvar) and seen.width_is((mu / 2).exp()):
        yield _finding(
            "exchanged", "μ and log σ²", "μ and log σ² are exchanged: the clouds lie where their widths belong"
        )


def _of_width(seen: Clouds, spread: float) -> Iterator[Finding]:
    logvar = seen.logvar
    if seen.width_is(spread * seen.sigma):
        return
    known: dict[str, tuple[Tensor, str]] = {
        "logvar": (logvar.abs(), "log σ² itself multiplies ε: a width that may be negative, and is zero where σ = 1"),
        "½ logvar": (logvar.abs() / 2, "½ log σ² multiplies ε, which is log σ: its exponential is missing"),
        "softplus": (
            torch.nn.functional.softplus(logvar),
            "softplus turns log σ² into a width, which its exp would do",
        ),
    }
    for name, (other, says) in known.items():
        if seen.width_is(spread * other):
            yield _finding("transformed", "σ", says, name)
            return
    power, constant = _line(logvar, (seen.width / spread).clamp(min=1e-6).log())
    if seen.width_is(spread * (power * logvar + constant).exp()):
        yield _of_power(2 * power, constant, seen.tolerance)
    else:
        k = int((seen.width / spread / seen.sigma).log().abs().argmax())
        says = f"where σ is {seen.sigma[k]:.2f}, the draws' standard deviation is {seen.width[k]:.2f}"
        yield _finding("other", "σ", says)


def _of_power(power: float, constant: float, tolerance: float) -> Finding:
    names = {
        1.0: "",
        2.0: "exp(log σ²) is σ², and ε must be multiplied by σ: wide clouds get too wide, narrow ones too narrow",
        0.0: "σ does not enter: every cloud is equally wide, whatever the encoder says",
        -1.0: "1/σ multiplies ε: where the encoder is sure, the cloud is wide",
        -2.0: "1/σ² multiplies ε: where the encoder is sure, the cloud is wide",
        0.5: "√σ multiplies ε: log σ² is halved once too often",
        4.0: "σ⁴ multiplies ε: log σ² is doubled where it should be halved",
    }
    nearest = min(names, key=lambda p: abs(p - power))
    named = abs(nearest - power) < 0.1 + tolerance / 2
    factor = f"{exp(constant):.2f}" if abs(constant) > 2 * tolerance else ""
    if named and nearest == 1.0:
        return _finding("factor", "σ", f"every cloud is {exp(constant):.2f} times as wide as it should be", factor)
    says = names[nearest] if named else f"ε is multiplied by σ to the power {power:.1f}, not by σ"
    kind = "ignored" if named and nearest == 0 else "power"
    return _finding(kind, "σ", says + (f", and by {factor}" if factor else ""), f"{nearest if named else power:.2g}")


def _line(x: Tensor, y: Tensor) -> tuple[float, float]:
    """Slope and intercept by least squares."""
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / (x - x.mean()).square().mean())
    return slope, float(y.mean() - slope * x.mean())


def _of_mean(seen: Clouds, offset: float) -> Iterator[Finding]:
    mean, mu, sigma = seen.mean, seen.mu, seen.sigma
    if seen.mean_is(mu + offset * sigma):
        return
    columns = torch.stack([mu, sigma, torch.ones_like(mu)], dim=1)
    a, b, c = torch.linalg.lstsq(columns, mean[:, None]).solution.flatten().tolist()
    if not seen.mean_is(columns @ torch.tensor([a, b, c], dtype=torch.float64)):
        k = int((mean - mu).abs().argmax())
        yield _finding("other", "μ", f"where μ is {mu[k]:.2f}, the draws' mean is {mean[k]:.2f}")
    elif abs(a) < 0.05 + seen.tolerance / 2:
        yield _finding("ignored", "μ", "μ does not enter: every image gets draws from the same place")
    elif abs(a - 1) > 0.05 + seen.tolerance / 2:
        says = f"μ enters {a:.2f} times: the clouds do not lie where the encoder puts them"
        yield _finding("factor", "μ", says, f"{a:.2f}")
    elif abs(b) > 0.05 + seen.tolerance / 2:
        yield _finding("offset", "ε", f"every z is shifted by {b:.2f} σ: what multiplies σ is not centred", f"{b:.2f}")
    else:
        yield _finding("offset", "μ", f"every z is shifted by {c:.2f}, whatever the image", f"{c:.2f}")


def _of_gradients(answer: Answer, mu: Tensor, logvar: Tensor) -> Iterator[Finding]:
    inputs = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    z = answer(*inputs)
    graded = isinstance(z, Tensor) and z.requires_grad
    grads = torch.autograd.grad(z.sum(), inputs, allow_unused=True) if graded else (None, None)
    reached = [g is not None and bool(g.any()) for g in grads]
    if not any(reached):
        says = (
            "no gradient arrives: sample, torch.normal and detach cut the graph, so that the encoder can't learn. "
            "Draw ε apart, and compute z from it"
        )
        yield _finding("no gradient", "μ and log σ²", says)
    elif not reached[0]:
        says = "no gradient reaches μ: the encoder could never move a code"
        yield _finding("no gradient", "μ", says)
    elif not reached[1]:
        says = "no gradient reaches log σ²: the clouds' widths could never be learned"
        yield _finding("no gradient", "log σ²", says)
