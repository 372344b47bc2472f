"""Exercises of notebook 07 on all clouds together: log q(z), the information I(x; z), a bracket of the waste."""

from math import log, pi, sqrt

from vae_helpers.evaluation import kl_per_dimension, log_clouds
from vae_helpers.exercises.engine import Exercise, Mistake

import torch
import torch.nn.functional as F
from torch import Tensor


def _codes_and_clouds(seed: int = 0) -> list[tuple]:
    """The last codes lie so far out that the density of every cloud underflows there."""
    g = torch.Generator().manual_seed(3 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    probes = [(r(n, d), r(m, d), r(m, d) - 0.5) for n, m, d in ((5, 7, 3), (6, 4, 2))]
    return [*probes, (r(4, 3) + 25, r(6, 3), 0.3 * r(6, 3) - 1)]


def _log_aggregate(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    squares = (z[:, None] - mu).square() / logvar.exp()
    log_each = (-0.5 * (squares + logvar + log(2 * pi))).sum(dim=2)
    return log_each.logsumexp(dim=1) - log(len(mu))


LOG_AGGREGATE = Exercise(
    id="log-aggregate",
    expects="log q(z) of each code, (n,), q being the mixture of all N clouds",
    reference=_log_aggregate,
    probes=_codes_and_clouds,
    words={"squares": "the squares", "log_each": "log q(z∣x_j)"},
    mistakes=(
        Mistake(
            lambda z, m, v: log_clouds(z, m, v).logsumexp(1),
            "ln N is missing: q(z) is the *average* of the N clouds' densities, and their sum does not integrate to 1.",
        ),
        Mistake(
            lambda z, m, v: log_clouds(z, m, v).mean(1),
            "that is the mean of the logarithms. q(z) is a mean of densities: exponentiate, average, and only then "
            "take the logarithm.",
        ),
        Mistake(
            lambda z, m, v: log_clouds(z, m, v).amax(1),
            "only the nearest cloud counts: where clouds overlap, all that cover z add to q(z).",
        ),
        Mistake(
            lambda z, m, v: log_clouds(z, m, v).logsumexp(1) - log(len(z)),
            "that divides by the number of codes, but q(z) averages over the N clouds: ln N with N = len(mu).",
        ),
        Mistake(
            lambda z, m, v: _log_aggregate(z, m, v) + 0.5 * (m.shape[1] - 1) * log(2 * pi),
            "½ log 2π is subtracted once for each cloud, but each of its d dimensions has one: put it inside the sum.",
            alike=(lambda z, m, v: _log_aggregate(z, m, v) + (0.5 * m.shape[1] - 1) * log(2 * pi),),
        ),
        Mistake(
            lambda z, m, v: log_clouds(z, m, v) - log(len(m)),
            "that is one value for each code *and* cloud: add the clouds' densities, and one value per code is left.",
        ),
    ),
)


def _draws_of_clouds(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(13 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    probes = []
    for n, d in ((5, 3), (7, 4)):
        mu, logvar = 2 * r(n, d), r(n, d) - 1
        z = mu + (0.5 * logvar).exp() * r(n, d)
        probes.append((z, mu, logvar, _log_aggregate(z, mu, logvar) + 0.2 * r(n)))
    return probes


def _information(z: Tensor, mu: Tensor, logvar: Tensor, log_q: Tensor) -> Tensor:
    squares = (z - mu).square() / logvar.exp()
    log_own = (-0.5 * (squares + logvar + log(2 * pi))).sum(dim=1)
    terms = log_own - log_q
    error = terms.std() / sqrt(len(terms))
    return torch.stack([terms.mean(), error])


def _log_own(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return log_clouds(z, mu, logvar).diagonal()


def _with_error(terms: Tensor) -> Tensor:
    return torch.stack([terms.mean(), terms.std() / len(terms) ** 0.5])


MUTUAL_INFORMATION = Exercise(
    id="mutual-information",
    expects="two numbers, (2,), in nats: the mean of log q(z∣x) − log q(z), and its standard error",
    reference=_information,
    probes=_draws_of_clouds,
    also=(lambda z, m, v, q: torch.stack([(t := _log_own(z, m, v) - q).mean(), t.std(correction=0) / len(t) ** 0.5]),),
    words={"squares": "the squares", "log_own": "log q(z∣x)", "terms": "the terms", "error": "the standard error"},
    mistakes=(
        Mistake(
            lambda z, m, v, q: _with_error((log_clouds(z, m, v) - q[:, None]).mean(1)),
            "log q(z∣x) is averaged over all clouds. Each z came from *one* cloud, its own image's: compare row with "
            "row.",
        ),
        Mistake(
            lambda z, m, v, q: _with_error(_log_own(z.roll(1, 0), m, v) - q),
            "each z is held against another image's cloud: row i of z was drawn from row i of mu and logvar.",
        ),
        Mistake(
            lambda z, m, v, q: _with_error(_log_own(m, m, v) - q),
            "log q(z∣x) is taken at the cloud's centre, and log q(z) at the draw. Both belong to the same z.",
        ),
        Mistake(
            lambda z, m, v, q: _with_error(_log_own(z, m, v) + 0.5 * (z.square() + log(2 * pi)).sum(1)),
            "the prior stands where q(z) belongs: that estimates the mean KL, not what z tells about the image.",
        ),
        Mistake(
            lambda z, m, v, q: _with_error(q - _log_own(z, m, v)),
            "the sign is turned: a draw is likelier under its own cloud than under all of them, so log q(z∣x) comes "
            "first.",
        ),
        Mistake(
            lambda z, m, v, q: torch.stack([(t := _log_own(z, m, v) - q).mean(), t.std()]),
            "the second number is the spread of single terms, but the mean of n terms is √n times surer: divide by √n.",
        ),
        Mistake(
            lambda z, m, v, q: torch.stack([(t := _log_own(z, m, v) - q).mean(), t.std() / len(t)]),
            "the spread is divided by n, and that is too sure: the standard error of a mean is the spread over √n.",
        ),
        Mistake(
            lambda z, m, v, q: _log_own(z, m, v) - q,
            "those are the single terms, one per image. Return their mean, and the standard error of that mean.",
        ),
        Mistake(
            lambda z, m, v, q: (_log_own(z, m, v) - q).mean(),
            "that is the mean alone: its standard error is asked too, so that one sees how much to trust it.",
        ),
    ),
)


def _clouds_and_information(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(23 + 1000 * seed)
    probes = []
    for n, d, information in ((9, 3, 0.7), (12, 4, 1.1)):
        mu = torch.randn(n, d, generator=g) @ torch.randn(d, d, generator=g) + torch.randn(d, generator=g)
        probes.append((mu, torch.randn(n, d, generator=g) - 0.5, information))
    return probes


def _bracket(mu: Tensor, logvar: Tensor, information: float) -> Tensor:
    mean = mu.mean(dim=0)
    covariance = mu.T.cov(correction=0) + logvar.exp().mean(dim=0).diag()
    squares = mean.square().sum()
    lower = 0.5 * (covariance.trace() + squares - len(mean) - covariance.logdet())
    mean_kl = (0.5 * (mu.square() + logvar.exp() - logvar - 1)).sum(dim=1).mean()
    return torch.stack([lower, mean_kl - information])


def _ends(mu: Tensor, logvar: Tensor, information: float, covariance: Tensor, mean: Tensor | None = None) -> Tensor:
    """The bracket with another covariance or mean in its lower end."""
    mean = mu.mean(0) if mean is None else mean
    lower = 0.5 * (covariance.trace() + mean @ mean - len(covariance) - covariance.logdet())
    return torch.stack([lower, kl_per_dimension(mu, logvar).sum() - information])


def _of_mixture(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu.T.cov(correction=0) + logvar.exp().mean(0).diag()


def _with_determinant(mu: Tensor, logvar: Tensor, information: float) -> Tensor:
    covariance = _of_mixture(mu, logvar)
    excess = 0.5 * (covariance.logdet() - covariance.det())
    return _ends(mu, logvar, information, covariance) + torch.stack([excess, torch.zeros_like(excess)])


def _reversed(mu: Tensor, logvar: Tensor, information: float) -> Tensor:
    mean, covariance = mu.mean(0), _of_mixture(mu, logvar)
    inverse = covariance.inverse()
    lower = 0.5 * (inverse.trace() + mean @ inverse @ mean - len(mean) + covariance.logdet())
    return torch.stack([lower, kl_per_dimension(mu, logvar).sum() - information])


WASTE_BRACKET = Exercise(
    id="waste-bracket",
    expects="two numbers, (2,), in nats: the least and the most that KL(q(z)‖p(z)) can be",
    reference=_bracket,
    also=(lambda m, v, i: _ends(m, v, i, m.T.cov() + v.exp().mean(0).diag()),),
    probes=_clouds_and_information,
    words={"mean_kl": "the mean KL", "squares": "‖m‖²", "lower": "the lower end"},
    mistakes=(
        Mistake(
            lambda m, v, i: _ends(m, v, i, m.T.cov(correction=0)),
            "the covariance is that of the centres μ alone. A code is drawn from a cloud: the clouds' own mean σ² adds "
            "to it, on the diagonal.",
        ),
        Mistake(
            lambda m, v, i: _ends(m, v, i, m.T.cov()),
            "the covariance is that of the centres μ alone, though codes are drawn from clouds: add the clouds' mean "
            "σ² on the diagonal.",
        ),
        Mistake(
            lambda m, v, i: _ends(m, v, i, v.exp().mean(0).diag()),
            "the covariance is that of one average cloud. The clouds lie in different places, and the spread of their "
            "centres adds to it.",
        ),
        Mistake(
            lambda m, v, i: _ends(m, v, i, _of_mixture(m, v).diagonal().diag()),
            "only the variances are kept, not the covariances. That still bounds the waste, but less tightly: use the "
            "full matrix.",
        ),
        Mistake(
            lambda m, v, i: _ends(m, v, i, _of_mixture(m, v), 0 * m.mean(0)),
            "the mean of q(z) is missing: a mixture off centre wastes ½ ‖m‖² more nats.",
        ),
        Mistake(
            lambda m, v, i: _ends(m, v, i, _of_mixture(m, v), m.mean(0).norm().sqrt() * F.normalize(m.mean(0), dim=0)),
            "‖m‖ is not squared: a mixture off centre wastes ½ ‖m‖².",
        ),
        Mistake(
            lambda m, v, i: _with_determinant(m, v, i),
            "the determinant itself is subtracted, where its logarithm is asked for: `logdet()`.",
        ),
        Mistake(
            lambda m, v, i: _reversed(m, v, i),
            "the lower end is the KL the other way round, of the prior from the Gaussian: codes are drawn from q(z), "
            "so q(z) comes first.",
        ),
        Mistake(
            lambda m, v, i: _bracket(m, v, i).flip(0),
            "the two ends have changed places: first the least, the Gaussian's KL, then the most.",
        ),
        Mistake(
            lambda m, v, i: _bracket(m, v, -i),
            "the information is added to the mean KL. The mean KL is information *plus* waste: subtract it.",
        ),
        Mistake(
            lambda m, v, i: _bracket(m, v, 0.0),
            "the information is not subtracted: the mean KL alone is a bound too, but a needlessly loose one.",
        ),
    ),
)

EXERCISES = (LOG_AGGREGATE, MUTUAL_INFORMATION, WASTE_BRACKET)
