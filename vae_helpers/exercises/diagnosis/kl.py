"""Which KL a loss has: its gradient in μ and log σ², entry by entry, taken apart into terms.

With the picture held still, a loss is Σ c · term + a constant. Each term, such as μ² or log σ², has a gradient of its
own; least squares gives every c. The closed form is ½ μ² + ½ σ² − ½ log σ², and other sums have names.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from vae_helpers.exercises.diagnosis.calling import ProbeError, parts_of
from vae_helpers.exercises.diagnosis.images import AnyTensor
from vae_helpers.exercises.diagnosis.spy import Call, Spy, draws_in

import torch
from torch.distributions import Normal

EXACT, SMALL = 2e-3, 1e-3  # of a gradient, relative: what still agrees, and what is no term
NOTHING = 1e-14  # of a gradient
Terms = dict[str, float]
TERMS: dict[str, Callable] = {
    "μ²": lambda m, v: m**2,
    "σ²": lambda m, v: v.exp(),
    "log σ²": lambda m, v: v,
    "μ": lambda m, v: m,
    "σ": lambda m, v: (v / 2).exp(),
    "σ⁴": lambda m, v: (2 * v).exp(),
    "(log σ²)²": lambda m, v: v**2,
    "1/σ²": lambda m, v: (-v).exp(),
    "μ²/σ²": lambda m, v: m**2 * (-v).exp(),
    "exp μ": lambda m, v: m.exp(),
    "log (log σ²)²": lambda m, v: (v**2).log(),
}


@dataclass(frozen=True)
class Kl:
    """The KL of a loss, per image. form: "closed", "unknown", …; weight: 1 where it is a sum over dimensions."""

    form: str
    weight: float = 0.0
    terms: Terms = field(default_factory=dict)
    prior_mean: float = 0.0
    prior_var: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether its weight is that of a KL to a Gaussian."""
        return self.form in ("closed", "draws", "prior", "learned prior", "prior per image", "free bits", "capacity")


def point(spy: Spy, kind: str) -> tuple[AnyTensor, AnyTensor]:
    """μ and log σ² to answer: near the prior, far from it, or in between."""
    generator = torch.Generator().manual_seed(7)
    mu, u = (torch.randn(spy.mu.shape, generator=generator).to(spy.mu) for _ in range(2))
    d = mu[0].numel()
    if kind == "near":
        mu, logvar = 0.01 * mu, 0.01 * u
    elif kind == "far":
        mu, logvar = mu.sign() * (200 / d) ** 0.5 + 0.1 * mu, 0.3 * u
    else:
        mu, logvar = 0.5 + mu, 0.7 * u - 0.4
    return mu.requires_grad_(), logvar.requires_grad_()


def gradients_at(spy: Spy, kind: str) -> tuple[Call, AnyTensor]:
    """The gradient of the loss in μ and log σ² at a point, (2, images, d), of the sum over images."""
    call = spy.call(point(spy, kind), spy.one_picture())
    found = torch.stack(call.gradients(call.posterior)).flatten(2) * spy.n
    return call, found.double()


def measure_kl(spy: Spy) -> Kl:
    """The KL that the loss has."""
    call, found = gradients_at(spy, "between")
    if not found.isfinite().all():
        raise ProbeError("the KL: its gradient is not finite")
    if found.abs().max() < NOTHING:
        return Kl(_why_missing(spy, call))
    kl = _of_draws(spy, call, found) or _of_terms(spy, call, found) or Kl("unknown")
    if kl.form in ("closed", "unknown"):
        kl = _elsewhere(spy, kl)
    return kl


def _why_missing(spy: Spy, call: Call) -> str:
    """Why a KL has no gradient: cut from the graph, weighed 0, or not there."""
    other = spy.call(point(spy, "far"), spy.one_picture())
    if abs(other.total.item() - call.total.item()) > 1e-6 * abs(call.total.item()):
        return "cut"
    moved = zip(parts_of(call.result), parts_of(other.result), strict=False)
    return "weight 0" if any(abs(a - b) > 1e-3 * (abs(a) + abs(b)) for a, b in moved) else "missing"


def matching(found: AnyTensor, form: AnyTensor, only: AnyTensor | None = None) -> float | None:
    """c where the gradient is c times that of a form."""
    a, b = (found.flatten(), form.flatten()) if only is None else (found[only], form[only])
    c = (a @ b / (b @ b)).item() if b.numel() and b.any() else 0.0
    return c if (a - c * b).abs().max() < EXACT * a.abs().max() and c else None


def _gradient(value: AnyTensor, call: Call) -> AnyTensor:
    grads = torch.autograd.grad(value, call.posterior, retain_graph=True, allow_unused=True)
    zeros = (torch.zeros_like(t) if g is None else g for g, t in zip(grads, call.posterior, strict=True))
    return torch.stack(list(zeros)).flatten(2).double()


def closed_gradient(call: Call) -> AnyTensor:
    """The gradient of the closed form, summed over images and dimensions."""
    mu, logvar = call.posterior
    return _gradient(0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(), call)


def _of_draws(spy: Spy, call: Call, found: AnyTensor) -> Kl | None:
    """A KL estimated from the z that were drawn: log q − log p, or the bound of several draws."""
    if (weight := matching(found, closed_gradient(call))) is not None:
        return Kl("closed", weight)
    drawn = draws_in(call.codes, call.posterior[0])
    if drawn is None or not drawn[0].requires_grad:
        return None
    mu, logvar = (t.flatten(1) for t in call.posterior)
    z = drawn[0]
    ratio = (Normal(mu, (logvar / 2).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(2)
    if (weight := matching(found, _gradient(ratio.mean(0).sum(), call))) is not None:
        return Kl("draws", weight)
    bound = -(-ratio).logsumexp(0).sum()
    if len(z) > 1 and (weight := matching(found, _gradient(bound, call))) is not None:
        return Kl("several draws", weight)
    return None


def _of_terms(spy: Spy, call: Call, found: AnyTensor) -> Kl | None:
    """A KL as a sum of terms, the same for all dimensions and images; or of a prior of each dimension's own."""
    terms = decomposed(found, call, TERMS)
    if terms:
        return named(terms)
    mu, logvar = (t.detach().flatten(1) for t in call.posterior)
    rows = torch.stack([logvar.exp(), torch.ones_like(logvar)], 2).transpose(0, 1).double()  # d, images, 2
    of_logvar = found[1].T[..., None]
    fits = torch.linalg.lstsq(rows.cpu(), of_logvar.cpu()).solution
    if (rows.cpu() @ fits - of_logvar.cpu()).abs().max() > EXACT * found[1].abs().max():
        return None
    weight = (-2 * fits[:, 1, 0]).to(found)
    if weight.std() > EXACT * weight.abs().mean() or not weight.abs().min() > 0:
        return None
    precision = (2 * fits[:, 0, 0]).to(found) / weight
    mean = mu - found[0] / (weight * precision)  # the prior's
    of_images = mean.std(0).max() > 1e-3 * (1 + mean.abs().max())
    return Kl("prior per image" if of_images else "learned prior", weight.mean().item(), {}, mean.mean().item())


def decomposed(found: AnyTensor, call: Call, terms: dict[str, Callable]) -> Terms:
    """The factors of the terms that make up a gradient; none where they don't."""
    mu, logvar = call.posterior
    columns = {name: _gradient(term(mu, logvar).sum(), call).flatten().cpu() for name, term in terms.items()}
    wanted, most = found.flatten().cpu(), found.abs().max().item()
    kept = list(columns)
    for _ in range(3):
        table = torch.stack([columns[name] for name in kept], 1)
        size = table.norm(dim=0)
        factors = torch.linalg.lstsq(table / size, wanted[:, None]).solution[:, 0] / size
        if (table @ factors - wanted).abs().max() > EXACT * most:
            return {}
        large = (factors.abs() * size) > SMALL * wanted.norm()
        kept = [name for name, keep in zip(kept, large.tolist(), strict=True) if keep]
        if bool(large.all()):
            break
    return dict(zip(kept, factors[large].tolist(), strict=True))


def named(terms: Terms) -> Kl:
    """The name of a sum of terms."""
    a, b, c = (terms.get(t, 0.0) for t in ("μ²", "σ²", "log σ²"))
    rest = terms.keys() - {"μ²", "σ²", "log σ²"}
    if not rest:
        return _named_of_three(a, b, c, terms)
    patterns = {
        "swapped": ({"(log σ²)²": 0.5, "exp μ": 0.5, "μ": -0.5}, "(log σ²)²"),
        "squared twice": ({"μ²": 0.5, "σ⁴": 0.5, "log σ²": -1}, "μ²"),
        "root": ({"μ²": 0.5, "σ": 0.5, "log σ²": -0.25}, "μ²"),
        "σ for σ²": ({"μ²": 0.5, "σ": 0.5, "log σ²": -0.5}, "μ²"),
        "reversed": ({"1/σ²": 0.5, "μ²/σ²": 0.5, "log σ²": 0.5}, "1/σ²"),
        "logvar for sigma": ({"μ²": 0.5, "(log σ²)²": 0.5, "log (log σ²)²": -0.5}, "μ²"),
        "mu not squared": ({"μ": 0.5, "σ²": 0.5, "log σ²": -0.5}, "σ²"),
    }
    for name, (pattern, first) in patterns.items():
        w = terms.get(first, 0.0) / pattern[first]
        if terms.keys() == pattern.keys() and all(abs(terms[t] - w * f) < EXACT * abs(w) for t, f in pattern.items()):
            return Kl(name, w, terms)
    if terms.keys() == {"μ²", "σ²", "(log σ²)²"}:
        return Kl("log squared", 2 * b, terms)
    if rest == {"μ"} and abs(a - b) < EXACT * abs(a) and a * c < 0:
        return Kl("prior", -2 * c, terms, -terms["μ"] / (2 * a), -c / a)
    return Kl("other", 0.0, terms)


def _named_of_three(a: float, b: float, c: float, terms: Terms) -> Kl:
    """A sum of μ², σ² and log σ² alone."""
    if a and b and c and abs(a - b) < EXACT * abs(a):
        if a * c > 0:
            return Kl("log turned", 2 * a, terms)
        return Kl("closed" if abs(a + c) < EXACT * abs(a) else "prior", -2 * c, terms, 0.0, -c / a)
    names = {(0, 1, 1): "no mu", (1, 0, 0): "only mu", (1, 1, 0): "no log", (1, 0, 1): "no sigma"}
    name = names.get(tuple(int(bool(t)) for t in (a, b, c)), "other")
    return Kl("other" if name == "no log" and abs(a - b) > EXACT * abs(a) else name, 2 * (a or b), terms)


def _elsewhere(spy: Spy, kl: Kl) -> Kl:
    """What seems plain in one place need not be elsewhere: free bits, a capacity |KL − C|."""
    weights = {}
    for kind in ("near", "far"):
        call, found = gradients_at(spy, kind)
        weights[kind] = 0.0 if not found.any() else matching(found, closed_gradient(call))
    near, far = weights["near"], weights["far"]
    if kl.form == "unknown":
        return Kl("free bits", far) if near == 0 and far else kl
    if near is None or far is None:
        return kl
    if near * far < 0:
        return Kl("capacity", far, kl.terms)
    return Kl("free bits", far, kl.terms) if near == 0 and far else kl
