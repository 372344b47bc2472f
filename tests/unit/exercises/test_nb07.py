"""Answers to the exercises of notebook 07 as learners would write them: wrong ones are named, right ones pass."""

from math import log, pi

from vae_helpers.exercises import check

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal, kl_divergence


def normals(mu, logvar):
    return Independent(Normal(mu, (logvar / 2).exp()), 1)


def each(z, mu, logvar):
    return normals(mu, logvar).log_prob(z[:, None])


def mixture_in_numpy(z, mu, logvar):
    z, mu, var = z.double().numpy(), mu.double().numpy(), logvar.double().exp().numpy()
    logs = -0.5 * (((z[:, None] - mu) ** 2) / var + np.log(2 * np.pi * var)).sum(2)
    return np.logaddexp.reduce(logs, axis=1) - np.log(len(mu))


def mixture_in_a_loop(z, mu, logvar):
    rows = []
    for code in z:
        logs = torch.stack([Normal(m, (v / 2).exp()).log_prob(code).sum() for m, v in zip(mu, logvar, strict=True)])
        rows.append(logs.logsumexp(0) - log(len(logs)))
    return torch.stack(rows)


LOG_AGGREGATE = {
    "no ln N": (lambda z, m, v: torch.logsumexp(each(z, m, v), 1), "ln N is missing"),
    "mean of logs": (lambda z, m, v: each(z, m, v).mean(dim=1), "mean of the logarithms"),
    "largest": (lambda z, m, v: each(z, m, v).max(1).values, "nearest cloud"),
    "ln n": (lambda z, m, v: torch.logsumexp(each(z, m, v), 1) - log(z.shape[0]), "number of codes"),
    "over the codes": (lambda z, m, v: torch.logsumexp(each(z, m, v), 0) - log(len(m)), ""),
    "densities": (lambda z, m, v: each(z, m, v).exp().mean(1), ""),
    "underflow": (lambda z, m, v: each(z, m, v).exp().mean(1).log(), "moderate size"),
    "σ for σ²": (
        lambda z, m, v: (
            (-0.5 * ((z[:, None] - m) ** 2 / (v / 2).exp() + v + log(2 * pi))).sum(2).logsumexp(1) - log(len(m))
        ),
        "",
    ),
    "no 2π": (lambda z, m, v: torch.logsumexp(each(z, m, v), 1) - log(len(m)) + log(2 * pi) * z.shape[1] / 2, ""),
    "no log σ²": (
        lambda z, m, v: (-0.5 * ((z[:, None] - m) ** 2 / v.exp() + log(2 * pi))).sum(2).logsumexp(1) - log(len(m)),
        "log",
    ),
    "no ½": (lambda z, m, v: (2 * each(z, m, v)).logsumexp(1) - log(len(m)), ""),
    "averaged over dimensions": (
        lambda z, m, v: (-0.5 * ((z[:, None] - m) ** 2 / v.exp() + v + log(2 * pi))).mean(2).logsumexp(1) - log(len(m)),
        "",
    ),
    "sign of ln N": (lambda z, m, v: torch.logsumexp(each(z, m, v), 1) + log(len(m)), "sign"),
    "one value": (lambda z, m, v: torch.logsumexp(each(z, m, v), 1).sum() - log(len(m)), ""),
}


def terms(z, mu, logvar, log_q):
    return normals(mu, logvar).log_prob(z) - log_q


def with_error(values):
    return torch.stack([values.mean(), values.std() / values.numel() ** 0.5])


def bits(z, mu, logvar, log_q):
    return with_error(terms(z, mu, logvar, log_q) / log(2))


INFORMATION = {
    "all clouds": (lambda z, m, v, q: with_error(each(z, m, v).mean(1) - q), "its own image's"),
    "another's z": (lambda z, m, v, q: with_error(terms(torch.roll(z, 1, dims=0), m, v, q)), "another image's cloud"),
    "another's cloud": (
        lambda z, m, v, q: with_error(terms(z, torch.roll(m, -1, 0), torch.roll(v, -1, 0), q)),
        "",
    ),
    "at the centre": (lambda z, m, v, q: with_error(terms(m, m, v, q)), "centre"),
    "prior for q(z)": (
        lambda z, m, v, q: with_error(terms(z, m, v, Normal(0.0, 1.0).log_prob(z).sum(1))),
        "the prior stands",
    ),
    "sign": (lambda z, m, v, q: with_error(-terms(z, m, v, q)), "sign is turned"),
    "spread": (lambda z, m, v, q: torch.stack([terms(z, m, v, q).mean(), torch.std(terms(z, m, v, q))]), "spread"),
    "over n": (lambda z, m, v, q: torch.stack([terms(z, m, v, q).mean(), terms(z, m, v, q).std() / len(z)]), "by n"),
    "variance": (lambda z, m, v, q: torch.stack([(t := terms(z, m, v, q)).mean(), t.var() / len(z) ** 0.5]), ""),
    "terms": (terms, "single terms"),
    "mean alone": (lambda *a: torch.mean(terms(*a)), "mean alone"),
    "bits": (bits, ""),
    "sum": (lambda *a: torch.stack([terms(*a).sum(), terms(*a).std() / len(a[0]) ** 0.5]), ""),
    "q left out": (lambda z, m, v, q: with_error(normals(m, v).log_prob(z)), "log_q is not used"),
    "logs swapped": (
        lambda z, m, v, q: torch.stack([(q - normals(m, v).log_prob(z)).mean(), terms(z, m, v, q).std()]),
        "",
    ),
    "no ½": (
        lambda z, m, v, q: with_error(-((z - m) ** 2 / v.exp() + v + log(2 * pi)).sum(1) - q),
        "counts twice",
    ),
}


def moments(mu, logvar):
    return mu.mean(0), torch.cov(mu.T, correction=0) + torch.diag(logvar.exp().mean(0))


def gaussian(mean, covariance):
    return kl_divergence(
        MultivariateNormal(mean, covariance), MultivariateNormal(torch.zeros(len(mean)), torch.eye(len(mean)))
    )


def mean_kl(mu, logvar):
    return kl_divergence(normals(mu, logvar), normals(torch.zeros_like(mu), torch.zeros_like(mu))).mean()


def bracket(mu, logvar, information):
    return torch.stack([gaussian(*moments(mu, logvar)), mean_kl(mu, logvar) - information])


def bracket_in_numpy(mu, logvar, information):
    mu, var = mu.double().numpy(), logvar.double().exp().numpy()
    mean, S = mu.mean(0), np.cov(mu.T, bias=True) + np.diag(var.mean(0))
    lower = 0.5 * (np.trace(S) + mean @ mean - len(mean) - np.linalg.slogdet(S)[1])
    return np.array([lower, 0.5 * (mu**2 + var - np.log(var) - 1).sum(1).mean() - information])


BRACKET = {
    "centres only": (
        lambda m, v, i: torch.stack([gaussian(m.mean(0), torch.cov(m.T, correction=0)), mean_kl(m, v) - i]),
        "centres μ alone",
    ),
    "clouds only": (
        lambda m, v, i: torch.stack([gaussian(m.mean(0), v.exp().mean(0).diag()), mean_kl(m, v) - i]),
        "average cloud",
    ),
    "σ for σ²": (
        lambda m, v, i: torch.stack(
            [gaussian(m.mean(0), m.T.cov(correction=0) + (v / 2).exp().mean(0).diag()), mean_kl(m, v) - i]
        ),
        "",
    ),
    "diagonal": (
        lambda m, v, i: torch.stack([gaussian(m.mean(0), moments(m, v)[1].diagonal().diag()), mean_kl(m, v) - i]),
        "not the covariances",
    ),
    "no mean": (
        lambda m, v, i: torch.stack([gaussian(0 * m.mean(0), moments(m, v)[1]), mean_kl(m, v) - i]),
        "mean of q(z) is missing",
    ),
    "exchanged": (lambda m, v, i: bracket(m, v, i)[[1, 0]], "changed places"),
    "added": (lambda m, v, i: bracket(m, v, -i), "plus"),
    "not subtracted": (lambda m, v, i: bracket(m, v, 0.0), "not subtracted"),
    "no ½": (lambda m, v, i: bracket(m, v, i) * torch.tensor([2.0, 1.0]), "½"),
    "no d": (lambda m, v, i: bracket(m, v, i) + torch.tensor([m.shape[1] / 2, 0.0]), ""),
    "n for d": (lambda m, v, i: bracket(m, v, i) + torch.tensor([(m.shape[1] - len(m)) / 2, 0.0]), ""),
    "sign of logdet": (
        lambda m, v, i: bracket(m, v, i) + torch.stack([moments(m, v)[1].logdet(), torch.tensor(0.0)]),
        "sign",
    ),
    "det": (
        lambda m, v, i: (
            bracket(m, v, i)
            + torch.stack([(moments(m, v)[1].logdet() - moments(m, v)[1].det()) / 2, torch.tensor(0.0)])
        ),
        "",
    ),
    "reversed": (
        lambda m, v, i: torch.stack(
            [
                kl_divergence(
                    MultivariateNormal(torch.zeros(m.shape[1]), torch.eye(m.shape[1])),
                    MultivariateNormal(*moments(m, v)),
                ),
                mean_kl(m, v) - i,
            ]
        ),
        "other way round",
    ),
    "KL summed over images": (
        lambda m, v, i: bracket(m, v, i) + torch.stack([torch.tensor(0.0), (len(m) - 1) * mean_kl(m, v)]),
        "",
    ),
    "gap": (lambda m, v, i: bracket(m, v, i).diff(), ""),
}


def warming(beta_of, count=lambda self, model, x: int(model.training), **how):
    """A class whose β is beta_of(done, steps), done counted by count."""

    class Warming:
        def __init__(self, loss, steps):
            self.loss, self.steps, self.done = loss, steps, how.get("start", 0)

        def __call__(self, model, x, y=None):
            if how.get("before", True):
                self.done += count(self, model, x)
            beta = beta_of(self.done, self.steps)
            if not how.get("before", True):
                self.done += count(self, model, x)
            return how.get("call", lambda loss, *a: loss(*a[:3], beta=a[3]))(self.loss, model, x, y, beta)

    return Warming


def up_to_one(done, steps):
    return min(1.0, done / steps)


class CountedByClass:
    done = 0

    def __init__(self, loss, steps):
        self.loss, self.steps = loss, steps

    def __call__(self, model, x, y=None):
        CountedByClass.done += model.training
        return self.loss(model, x, y, beta=min(1.0, CountedByClass.done / self.steps))


class InEvaluationOne(warming(up_to_one)):
    def __call__(self, model, x, y=None):
        return super().__call__(model, x, y) if model.training else self.loss(model, x, y, beta=1.0)


class InEvaluationNone(warming(up_to_one)):
    def __call__(self, model, x, y=None):
        return super().__call__(model, x, y) if model.training else self.loss(model, x, y)


WARM_UP = {
    "evaluations counted": (warming(up_to_one, lambda *_: 1), "every call counts"),
    "evaluations alone": (warming(up_to_one, lambda s, model, x: int(not model.training)), "evaluations are counted"),
    "beyond 1": (warming(lambda done, steps: done / steps), "beyond 1"),
    "late": (warming(up_to_one, before=False), "one step late"),
    "no steps": (warming(lambda done, steps: min(1.0, done)), "no warm-up"),
    "max": (warming(lambda done, steps: max(1.0, done / steps)), "beyond 1"),
    "//": (warming(lambda done, steps: min(1, done // steps)), "jumps"),
    "falls": (warming(lambda done, steps: 1 - up_to_one(done, steps)), "falls"),
    "images": (warming(up_to_one, lambda s, model, x: len(x) * model.training), "images are counted"),
    "not counted": (warming(up_to_one, lambda *_: 0), "stays at 0"),
    "set to 1": (warming(lambda done, steps: 1 / steps), "stays at 0.2"),
    "β not passed": (warming(up_to_one, call=lambda loss, m, x, y, b: loss(m, x, y)), "never reaches"),
    "no y": (warming(up_to_one, call=lambda loss, m, x, y, b: loss(m, x, beta=b)), "y is not handed on"),
    "β times the loss": (
        warming(up_to_one, call=lambda loss, m, x, y, b: b * loss(m, x, y, beta=b).total),
        "what self.loss returned",
    ),
    "no return": (
        warming(up_to_one, call=lambda loss, m, x, y, b: print(end="") or (loss(m, x, y, beta=b) and None)),
        "",
    ),
    "no loss": (warming(lambda done, steps: 0.5, call=lambda loss, m, x, y, b: b), "never called"),
    "squared": (warming(lambda done, steps: up_to_one(done, steps) ** 2), "step 1 of 5"),
    "shared by all": (CountedByClass, ""),
    "1 in evaluation": (InEvaluationOne, "in evaluation"),
    "none in evaluation": (InEvaluationNone, "an evaluation hands no β on"),
}


def correlations(codes, factors):
    d = codes.shape[1]
    return torch.corrcoef(torch.cat([codes.T, factors.T]))[:d, d:]


def by_regression(codes, factors):
    table = [[LinearRegression().fit(c[:, None], f).score(c[:, None], f) for f in factors.T] for c in codes.T]
    return torch.tensor(table)


def centred(t):
    return t - t.mean(dim=0, keepdim=True)


R_SQUARED = {
    "correlation": (correlations, "Square it"),
    "size": (lambda c, f: correlations(c, f).abs(), "a quarter"),
    "not centred": (lambda c, f: (c.T @ f) ** 2 / (c**2).sum(0)[:, None] / (f**2).sum(0), "nothing is centred"),
    "codes not centred": (
        lambda c, f: (c.T @ centred(f)) ** 2 / (c**2).sum(0)[:, None] / (centred(f) ** 2).sum(0),
        "codes are not centred",
    ),
    "centred over the row": (
        lambda c, f: (
            ((a := c - c.mean(1, keepdim=True)).T @ (b := f - f.mean(1, keepdim=True))) ** 2
            / (a**2).sum(0)[:, None]
            / (b**2).sum(0)
        ),
        "",
    ),
    "transposed": (lambda c, f: (correlations(c, f) ** 2).T, "transposed"),
    "covariance": (lambda c, f: (centred(c).T @ centred(f) / c.shape[0]) ** 2, "squared covariance"),
    "products": (lambda c, f: (centred(c).T @ centred(f)) ** 2, "spreads"),
    "codes' spread only": (lambda c, f: (centred(c).T @ centred(f) / centred(c).norm(dim=0)[:, None]) ** 2, ""),
    "slopes": (
        lambda c, f: torch.linalg.lstsq(centred(c), centred(f)).solution ** 2,
        "all dimensions together",
    ),
    "spread not squared": (
        lambda c, f: (centred(c).T @ centred(f)) ** 2 / centred(c).norm(dim=0)[:, None] / centred(f).norm(dim=0),
        "",
    ),
    "unexplained": (lambda c, f: 1 - correlations(c, f) ** 2, ""),
    "best": (lambda c, f: (correlations(c, f) ** 2).amax(0), "returns shape (2,)"),
    "together": (
        lambda c, f: (
            1 - (centred(f) - centred(c) @ torch.linalg.lstsq(centred(c), centred(f)).solution).var(0) / f.var(0)
        ),
        "",
    ),
}


def variances(z, y, correction=0):
    return torch.stack([z[y == k].var(dim=0, correction=correction) for k in y.unique()])


def sizes(y):
    return (y[:, None] == y.unique()).float().mean(0)[:, None]


def in_a_class_loop(z, y):
    within = 0.0
    for k in range(10):
        of_k = z[y == k]
        within = within + len(of_k) * of_k.var(dim=0, correction=0)
    return 1 - within / len(z) / z.var(dim=0, correction=0)


def by_means(z, y):
    means = torch.stack([z[y == k].mean(0) for k in range(10)])[y]
    return (means - z.mean(0)).square().sum(0) / (z - z.mean(0)).square().sum(0)


def shares_in_numpy(z, y):
    z, y = z.numpy(), y.numpy()
    within = sum((y == k).mean() * z[y == k].var(axis=0) for k in np.unique(y))
    return 1 - within / z.var(axis=0)


BETWEEN = {
    "classes alike": (lambda z, y: 1 - variances(z, y).mean(0) / z.var(0, correction=0), "unequal size"),
    "n − 1": (lambda z, y: 1 - (sizes(y) * variances(z, y, 1)).sum(0) / z.var(0), "n − 1"),
    "n − 1 in the classes": (
        lambda z, y: 1 - (sizes(y) * variances(z, y, 1)).sum(0) / z.var(dim=0, correction=0),
        "correction=0",
    ),
    "within": (lambda z, y: (sizes(y) * variances(z, y)).sum(0) / z.var(0, correction=0), "within"),
    "means alike": (
        lambda z, y: torch.stack([z[y == k].mean(0) for k in range(10)]).var(0, correction=0) / z.var(0, correction=0),
        "weigh each",
    ),
    "standard deviations": (
        lambda z, y: 1 - (sizes(y) * variances(z, y).sqrt()).sum(0) / z.std(0, correction=0),
        "deviations",
    ),
    "label as number": (
        lambda z, y: correlations(z, y[:, None].to(z.dtype))[:, 0] ** 2,
        "read as a number",
    ),
    "not over the whole": (lambda z, y: z.var(0, correction=0) - (sizes(y) * variances(z, y)).sum(0), ""),
    "difference": (lambda z, y: (sizes(y) * variances(z, y)).sum(0), ""),
    "summed over classes": (lambda z, y: 1 - variances(z, y).sum(0) / z.var(0, correction=0), "added up"),
    "whole over within": (lambda z, y: 1 - z.var(0, correction=0) / (sizes(y) * variances(z, y)).sum(0), ""),
    "one number": (lambda z, y: in_a_class_loop(z, y).mean(), ""),
    "largest": (lambda z, y: in_a_class_loop(z, y).max(), ""),
    "not centred": (lambda z, y: 1 - (sizes(y) * variances(z, y)).sum(0) / z.square().mean(0), ""),
}
WRONG = {
    "log-aggregate": LOG_AGGREGATE,
    "mutual-information": INFORMATION,
    "waste-bracket": BRACKET,
    "warm-up": WARM_UP,
    "r-squared": R_SQUARED,
    "between-classes": BETWEEN,
}
RIGHT = {
    "log-aggregate": [
        lambda z, m, v: MixtureSameFamily(Categorical(torch.ones(len(m))), normals(m, v)).log_prob(z),
        mixture_in_numpy,
        mixture_in_a_loop,
        lambda z, m, v: torch.cat([each(part, m, v).logsumexp(1) for part in z.split(2)]) - log(len(m)),
    ],
    "mutual-information": [
        lambda *a: with_error(terms(*a)),
        lambda *a: torch.tensor([(t := terms(*a).numpy()).mean(), t.std(ddof=1) / np.sqrt(len(t))]),
        lambda *a: torch.stack([(t := terms(*a)).mean(), (t.var(correction=0) / len(t)) ** 0.5]),
        lambda z, m, v, q: with_error(torch.diagonal(each(z.double(), m.double(), v.double())) - q),
    ],
    "waste-bracket": [
        bracket,
        bracket_in_numpy,
        lambda m, v, i: torch.stack([gaussian(m.mean(0), m.T.cov() + v.exp().mean(0).diag()), mean_kl(m, v) - i]),
        lambda m, v, i: bracket(m.double(), v.double(), i),
    ],
    "warm-up": [
        warming(up_to_one),
        warming(lambda done, steps: 1.0 if done >= steps else done / steps),
        warming(lambda done, steps: torch.tensor(done / steps).clamp(max=1)),
        warming(up_to_one, lambda s, model, x: 1 if model.training else 0),
    ],
    "r-squared": [
        lambda c, f: correlations(c, f) ** 2,
        by_regression,
        lambda c, f: torch.einsum("nd,nk->dk", *((t - t.mean(0)) / t.std(0) for t in (c, f))).div(len(c) - 1) ** 2,
        lambda c, f: torch.tensor([[np.corrcoef(a, b)[0, 1] ** 2 for b in f.T.numpy()] for a in c.T.numpy()]),
    ],
    "between-classes": [
        in_a_class_loop,
        by_means,
        shares_in_numpy,
        lambda z, y: 1 - (sizes(y) * variances(z, y)).sum(0) / z.var(0, correction=0),
    ],
}


@pytest.mark.parametrize(("name", "what"), [(name, what) for name, table in WRONG.items() for what in table])
def test_a_wrong_answer_is_refused_and_named(name, what):
    answer, says = WRONG[name][what]
    verdict = check(name, answer)
    assert verdict.status in ("mistake", "wrong"), verdict
    assert says.lower() in verdict.message.lower(), verdict


@pytest.mark.parametrize(("name", "i"), [(name, i) for name, answers in RIGHT.items() for i in range(len(answers))])
def test_a_right_answer_in_another_style_passes(name, i):
    verdict = check(name, RIGHT[name][i])
    assert verdict.passed, verdict
