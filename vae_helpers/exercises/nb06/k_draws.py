"""Exercise of notebook 06: the log weights of K draws, watched: coins, encoder, the draws, and each weight's parts."""

from collections.abc import Callable, Iterator
from math import log, pi

from vae_helpers.exercises.engine import Answer, Exercise, NotATensorError, NotAttemptedError
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.nb06.watched_vae import Seen, WatchedVAE, encoder, grey_images
from vae_helpers.losses import joint_log_prob, log_mean_exp, log_weight

import torch
from jaxtyping import Float
from torch import Tensor, nn

K = 60
GREY_TARGET = "the decoder is scored on grey images, where the encoder saw coins: one image for both"


def _k_draws(model: nn.Module, encode: Callable, x: Tensor, n_draws: int) -> Tensor:
    x_bin = torch.bernoulli(x)
    mu, logvar = encode(x_bin)
    joint = lambda z: joint_log_prob(model, x_bin, z)  # noqa: E731
    return torch.stack([log_weight(joint, mu, logvar, torch.randn_like(mu)) for _ in range(n_draws)])


def k_draws_findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_log_weights(model, encode, x, n_draws): the log weights (K, n) of one toss of the coins."""
    x = grey_images(seed)
    first, model = _watch(answer, x, seed, 1)
    second, _ = _watch(answer, x, seed, 2)
    for found in (_of_encoder(first, second, x), _of_draws(first, seed), _of_result(first, model, x, seed)):
        kept = next(found, None)
        if kept:
            return [kept]
    return []


def _watch(answer: Answer, x: Tensor, seed: int, call: int) -> tuple[Seen, WatchedVAE]:
    seen = Seen()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(0)
        model = WatchedVAE(seen, seed)
        torch.manual_seed(10 * seed + call)
        seen.result = answer(model, encoder(seen, seed), x.clone(), K)
    if seen.result in (None, ...) and not seen.decoded:
        raise NotAttemptedError
    return seen, model


def _finding(kind: str, place: str, says: str, factor: str = "") -> Finding:
    return Finding(Relation(kind, place, factor), says)


def _binary(x: Tensor) -> bool:
    return bool(((x == 0) | (x == 1)).all())


def _of_encoder(seen: Seen, again: Seen, x: Tensor) -> Iterator[Finding]:
    if not seen.shown:
        says = "encode is never called: whose q do the draws come from?"
        if seen.others_encoder:
            says = "model.encode stands where encode was handed over: another q than the one asked for"
        yield _finding("never called", "encode", says)
        return
    images = seen.shown[-1]
    if images.shape == x.shape and torch.allclose(images.float(), x):
        says = "the encoder saw the grey images: their coins were not tossed, or only for the decoder"
        yield _finding("input", "encode", says + ". Show it the tossed coins", "grey")
    elif not _binary(images):
        yield _finding("other", "encode", "what the encoder saw is not made of 0s and 1s: toss a coin for every pixel")
    elif images.shape == x.shape and torch.equal(images.bool(), x > 0.5):
        says = "the pixels are rounded, not tossed: grey is a probability of ink, and half of the information is lost"
        yield _finding("transformed", "coins", says, "rounded")
    elif any(not torch.equal(images, other) for other in seen.shown):
        says = "the coins are tossed anew for every draw: each weight is another image's. Toss once, then draw codes"
        yield _finding("repeated", "coins", says)
    elif torch.equal(images, again.shown[-1]):
        yield _finding("same draw", "coins", "every call tosses the same: a seed is set inside. Leave it to the caller")


def _q(seen: Seen, seed: int) -> tuple[Tensor, Tensor]:
    return encoder(Seen(), seed)(seen.shown[-1])


def _codes(seen: Seen) -> Float[Tensor, "k n d"] | None:
    """The codes that were decoded, draw by draw; None where they are not n for each of K."""
    rows, n = torch.cat(seen.decoded), len(seen.shown[-1])
    return rows.unflatten(0, (K, n)) if len(rows) == K * n else None


def _of_draws(seen: Seen, seed: int) -> Iterator[Finding]:
    if not seen.decoded:
        yield _finding("never called", "decode", "nothing is ever decoded: log p(x, z) needs the decoder at every z")
        return
    z = _codes(seen)
    if z is None:
        n = len(seen.shown[-1])
        made = len(torch.cat(seen.decoded)) / n
        yield _finding("size", "draws", f"{made:g} draws of each image are decoded where n_draws is {K}", f"{made:g}")
        return
    mu, logvar = _q(seen, seed)
    eps = (z - mu) / (0.5 * logvar).exp()
    yield from _of_eps(eps, z, logvar)


def _of_eps(eps: Tensor, z: Tensor, logvar: Tensor) -> Iterator[Finding]:
    same = lambda t, dim: bool((t - t.select(dim, 0).unsqueeze(dim)).abs().max() < 1e-3)  # noqa: E731
    if eps.abs().max() < 1e-3:
        yield _finding("not drawn", "ε", "μ itself is decoded, K times: draw an ε each time")
    elif same(eps, 0):
        says = "one ε serves all K draws: they are one draw, K times over, and more of them tell nothing. Draw inside"
        yield _finding("shared", "draws", says + " the loop")
    elif same(eps, 1):
        yield _finding("shared", "rows", "one ε serves all images: their errors no longer average out. Draw one each")
    elif same(eps, 2):
        yield _finding("shared", "dimensions", "one ε serves all dimensions of a code: the draws lie on a line")
    elif abs(eps.mean()) > 0.2:
        says = f"the draws are shifted by {eps.mean():.2f} σ: rand where randn belongs, or a wrong μ"
        yield _finding("offset", "ε", says)
    elif (z.std(dim=0) / logvar.exp()).log().abs().mean() < 0.2:
        yield _finding("power", "σ", "ε is multiplied by σ²: exp(logvar) is a variance, and σ is exp(½ logvar)", "2")
    elif (z.std(dim=0) / (0.5 * logvar).exp()).log().abs().mean() > 0.25:
        yield _finding("other", "σ", "the draws are not as wide as q: z = μ + σε, with σ = exp(½ logvar)")


def _log_normal(t: Tensor) -> Tensor:
    return -0.5 * (t.square() + log(2 * pi)).sum(dim=-1)


def _of_result(seen: Seen, model: WatchedVAE, x: Tensor, seed: int) -> Iterator[Finding]:
    if seen.result is None or seen.result is Ellipsis:
        yield _finding("nothing", "result", "it returns nothing: return the (K, n) log weights")
        return
    if not isinstance(seen.result, Tensor):
        raise NotATensorError(f"a {type(seen.result).__name__} (torch.stack makes one tensor of a list)")
    result = seen.result.detach().double()
    others = _other_results(seen, model, x, seed)
    right = others.pop("")
    if result.shape == right.shape and _close(result, right):
        return
    for says, other in others.items():
        if result.shape == other.shape and _close(result, other):
            yield _finding("other", "result", says)
            return
    if result.shape != right.shape:
        shape, wanted = (tuple(t.shape) for t in (result, right))
        yield _finding("form", "result", f"it returns shape {shape}, where the log weights of all draws are {wanted}")
    else:
        excess = result - others[GREY_TARGET]
        error = excess.std(dim=0) / K**0.5
        if bool((excess.mean(dim=0).abs() < 4 * error).all()):
            says = "every draw is scored on coins of its own, which the encoder never saw: toss once, before the loop"
            yield _finding("repeated", "coins", says)
            return
        says = f"the first weight is {result[0, 0]:.2f}, where log p(x, z) − log q(z|x) is {right[0, 0]:.2f}. "
        yield _finding("other", "result", says + "Is one toss of the coins both shown to the encoder and scored?")


def _other_results(seen: Seen, model: WatchedVAE, x: Tensor, seed: int) -> dict[str, Tensor]:
    """What may be returned instead, each with its sentence; the right one under ""."""
    z, (mu, logvar), b = _codes(seen), _q(seen, seed), seen.shown[-1].float()
    with torch.no_grad():
        joint, of_grey = (
            joint_log_prob(model, t.repeat(K, 1, 1, 1), z.flatten(0, 1)).unflatten(0, (K, len(t))).double()
            for t in (b, x)
        )
    half_width, two_pi, of_z = 0.5 * logvar.sum(dim=1), 0.5 * mu.shape[1] * log(2 * pi), _log_normal(z)
    log_q = _log_normal((z - mu) / (0.5 * logvar).exp()) - half_width
    right = joint - log_q
    return {
        "": right,
        "log q is missing: that is log p(x, z). Dividing by q undoes its preference": joint,
        "log q is added where it divides: subtract it": joint + log_q,
        "the sign is turned: log p(x, z) minus log q": -right,
        "log p(z) is missing: the joint is log p(x|z) + log p(z)": right - of_z,
        "that is the decoder's log p(x|z) alone: log p(z) − log q is missing": joint - of_z,
        GREY_TARGET: of_grey - log_q,
        "log q lacks − log σ of each dimension: that is the density of ε": right - half_width,
        "log q lacks its ½ log 2π in each dimension, which the joint has": right - two_pi,
        "log K is subtracted from each: it belongs to the mean, which comes later": right - log(K),
        "these are the weights themselves, all too small for a float: keep their logarithms": right.exp(),
        "the logarithms are averaged: that is the ELBO of each image. Return those of all draws, (K, n)": right.mean(0),
        "the draws are averaged already: return the log weights of all, (K, n)": log_mean_exp(right),
        "the draws are summed already: return the log weights of all, (K, n)": right.logsumexp(dim=0),
        "the images stand in the rows: the draws are dim 0, (K, n)": right.T,
    }


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-4, atol=1e-2)


K_DRAWS = Exercise(
    id="k-draws",
    expects="the log weights of all draws, (K, n)",
    reference=_k_draws,
    findings=k_draws_findings,
)

EXERCISES = (K_DRAWS,)
