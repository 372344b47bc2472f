"""Exercise of notebook 06: a q of each image's own, watched: its start, what moves, each step's gradient, its gain."""

from collections.abc import Callable, Iterator

from vae_helpers.exercises.engine import Answer, Exercise, NotATensorError
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.nb06.watched_refinement import LR, STEPS, Refined, watch
from vae_helpers.losses import bernoulli_nll, kl_to_standard_normal, reparameterize

import torch
from torch import Tensor, nn


def _refined_q(model: nn.Module, encode: Callable, x_bin: Tensor, steps: int, lr: float) -> tuple[Tensor, Tensor]:
    mu, logvar = (t.detach().clone().requires_grad_() for t in encode(x_bin))
    optimizer = torch.optim.Adam([mu, logvar], lr=lr)
    for _ in range(steps):
        loss = bernoulli_nll(model.decode(reparameterize(mu, logvar)), x_bin) + kl_to_standard_normal(mu, logvar)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return mu.detach(), logvar.detach()


def refined_q_findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_refined_q(model, encode, x_bin, steps, lr): μ and log σ² of each image."""
    run = watch(answer, seed)
    for found in (_of_what_moves(run), _of_draws(run), _of_gradients(run), _of_result(run), _of_gain(run)):
        kept = next(found, None)
        if kept:
            return [kept]
    return []


def _finding(kind: str, place: str, says: str, factor: str = "") -> Finding:
    return Finding(Relation(kind, place, factor), says)


def _of_what_moves(run: Refined) -> Iterator[Finding]:
    if run.moved or any(id(p) in run.held for p in run.model.parameters()):
        says = "the decoder is trained along: log p(x) itself moves, and the gap you measure is another model's"
        yield _finding("trained", "decoder", says + ". Hand the optimizer μ and log σ² alone")
    elif not run.seen.decoded:
        yield _finding("never called", "decode", "nothing is ever decoded: q is judged by what its draws reconstruct")
    elif run.steps and len(run.steps[0]) == 1 and run.steps[0][0][0].shape == run.start[0].shape:
        only = "μ" if torch.allclose(run.steps[0][0][0], run.start[0]) else "log σ²"
        yield _finding("missing", "optimizer", f"only {only} is handed to the optimizer: the other stays the encoder's")
    elif run.steps and len(run.steps) != STEPS:
        says = f"the optimizer takes {len(run.steps)} steps where {STEPS} are asked for"
        yield _finding("size", "steps", says, str(len(run.steps)))
    elif not run.seen.shown and run.seen.others_encoder:
        says = "model.encode stands where encode was handed over: q starts from another answer than the one to improve"
        yield _finding("input", "encode", says)
    elif run.every_step and not torch.allclose(run.every_step[0][0], run.start[0], atol=1e-4):
        zero = bool((run.every_step[0][0] == 0).all())
        says = f"q does not start where the encoder put it{', but at the prior' if zero else ''}: the steps are few"
        yield _finding("input", "start", says + ", and what they gain could not be called the encoder's share")


def _of_draws(run: Refined) -> Iterator[Finding]:
    steps, decoded = run.every_step, run.seen.decoded
    if len(steps) < 2 or len(decoded) < 2 or decoded[0].shape != steps[0][0].shape:
        return
    eps = torch.stack([(z - s[0]) / (0.5 * s[2]).exp() for z, s in zip(decoded, steps, strict=False)])
    if eps.abs().max() < 1e-3:
        says = "μ is decoded, without noise: then nothing holds log σ² but the KL, and every cloud grows to the prior's"
        yield _finding("not drawn", "ε", says)
    elif (eps - eps[:1]).abs().max() < 1e-2:
        yield _finding("shared", "steps", "one ε serves all steps: q fits that one draw. Draw anew inside the loop")
    elif (eps - eps[:, :1]).abs().max() < 1e-2:
        yield _finding("shared", "rows", "one ε serves all images of a step: draw one for each")
    elif abs(eps.mean()) > 0.2 or not 0.8 < eps.std() < 1.25:
        says = "z is not drawn from q: z = μ + σε, with σ = exp(½ log σ²) and ε from randn"
        yield _finding("other", "ε", says)


def _slopes(run: Refined, k: int) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
    """Of step k: the slopes of the loss in μ and log σ² by the decoder, then those of the KL."""
    slope = run.seen.slopes.get(k)
    if slope is None or slope.shape != run.start[0].shape:
        return None
    mu, _, logvar, _ = run.every_step[k]
    return slope, 0.5 * slope * (run.seen.decoded[k] - mu), mu, 0.5 * (logvar.exp() - 1)


def _scale(run: Refined) -> float | None:
    """By which factor the decoder's part enters the loss; None where it is another function of z."""
    z = run.seen.decoded[0].clone().requires_grad_()
    right = torch.autograd.grad(bernoulli_nll(run.model.unseen(z), run.x_bin).sum(), z)[0]
    return _ratio(run.seen.slopes[0], right)


def _ratio(a: Tensor, b: Tensor) -> float | None:
    """By which factor a is b; None where it isn't."""
    factor = float((a * b).sum() / b.square().sum())
    return factor if torch.allclose(a, factor * b, rtol=1e-2, atol=1e-3 * float(b.abs().max())) else None


def _of_gradients(run: Refined) -> Iterator[Finding]:
    steps = run.every_step
    if not steps:
        return
    if steps[0][1] is None and steps[0][3] is None:
        says = "the optimizer steps before there is a gradient: backward comes first"
        if all(s[1] is None for s in steps):
            says = "no step finds a gradient: backward is missing, or the gradients are cleared after it"
        yield _finding("order", "step", says)
        return
    parts = _slopes(run, 0)
    if parts is None or steps[0][1] is None or steps[0][3] is None:
        return
    scale = _scale(run)
    if scale is None:
        says = "the reconstruction is not −log p(x|z) of its own image: bernoulli_nll(model.decode(z), x_bin)"
        yield _finding("other", "reconstruction", says)
    elif scale < 0:
        yield _finding("factor", "loss", "the sign is turned: the steps make the ELBO smaller", "−1")
    else:
        yield from _of_kl(steps[0], parts, scale)
        yield from _of_piles(run)


def _of_kl(step: tuple, parts: tuple, scale: float) -> Iterator[Finding]:
    of_mu, of_logvar = step[1] - parts[0], step[3] - parts[1]
    betas = [_ratio(of_mu, scale * parts[2]), _ratio(of_logvar, scale * parts[3])]
    small = max(float(of_mu.abs().max()), float(of_logvar.abs().max())) < 1e-3 * scale
    if small:
        says = "the KL is missing: q shrinks onto the best code for each image, and no bound holds for it"
        yield _finding("missing", "KL", says)
    elif None in betas:
        yield _finding("other", "KL", "the KL is not that of N(μ, σ²) from N(0, I), image by image")
    elif any(abs(b - 1) > 0.02 for b in betas):
        weight = f"{betas[0]:.3g}" if abs(betas[0] - betas[1]) < 0.02 else f"{betas[0]:.2g} in μ, {betas[1]:.2g} in σ"
        says = f"the KL counts {weight} times where it counts once: sum both parts over the same axes"
        yield _finding("factor", "KL", says, weight)


def _of_piles(run: Refined) -> Iterator[Finding]:
    first, second = _slopes(run, 0), _slopes(run, 1)
    if second is None or run.every_step[1][1] is None:
        return
    scale = _scale(run)
    fresh = second[0] + scale * second[2]
    piled = fresh + first[0] + scale * first[2]
    if not torch.allclose(run.every_step[1][1], fresh, rtol=1e-2, atol=1e-3) and torch.allclose(
        run.every_step[1][1], piled, rtol=1e-2, atol=1e-3
    ):
        says = "gradients of earlier steps are never cleared: they pile up, and each step goes along their sum"
        yield _finding("never called", "zero_grad", says)


def _of_result(run: Refined) -> Iterator[Finding]:
    result = run.seen.result
    if result is None or result is Ellipsis:
        yield _finding("nothing", "result", "it returns nothing: return μ and log σ²")
        return
    if not isinstance(result, (tuple, list)) or len(result) != 2 or not all(isinstance(t, Tensor) for t in result):
        if isinstance(result, Tensor) and result.shape == (2, *run.start[0].shape):
            return
        raise NotATensorError(f"a {type(result).__name__}")
    wrong = next((tuple(t.shape) for t in result if t.shape != run.start[0].shape), None)
    if wrong is not None:
        yield _finding("form", "result", f"it returns a tensor of shape {wrong}: μ and log σ² are (n, d) each")
    elif torch.equal(result[0].detach(), run.start[0]) and torch.equal(result[1].detach(), run.start[1]):
        yield _finding("ignored", "steps", "what it returns is the encoder's own answer: nothing has moved")
    elif run.every_step:
        yield from _of_last(tuple(result), run)


def _of_last(result: tuple[Tensor, Tensor], run: Refined) -> Iterator[Finding]:
    """Near the values of the last step, or else exchanged or transformed."""
    mu, logvar = run.every_step[-1][0], run.every_step[-1][2]
    near = lambda a, b: bool((a.detach() - b).abs().max() < 3 * LR)  # noqa: E731
    if near(result[0], logvar) and near(result[1], mu):
        yield _finding("exchanged", "result", "μ and log σ² have changed places in what is returned")
    elif near(result[0], mu) and not near(result[1], logvar):
        for name, other in {"σ": (0.5 * logvar).exp(), "σ²": logvar.exp()}.items():
            if bool((result[1].detach() / other).log().abs().max() < 3 * LR):
                yield _finding("transformed", "result", f"the second is {name}: log σ² is asked for", name)
                return


def _of_gain(run: Refined) -> Iterator[Finding]:
    """What q gained, beside what the course's own gains from the same start."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad():
        torch.manual_seed(0)
        own = _refined_q(run.model, lambda _: run.start, run.x_bin, STEPS, LR)
    before, after, wanted = (_bound(run, q) for q in (run.start, tuple(run.seen.result), own))
    if before - after < 0.5 * (before - wanted):
        says = f"the −ELBO goes from {before:.1f} to {after:.1f}, where {STEPS} steps can reach {wanted:.1f}"
        yield _finding("other", "ELBO", says)


@torch.no_grad()
def _bound(run: Refined, q: tuple[Tensor, Tensor]) -> float:
    mu, logvar = (t.detach().float() for t in q)
    eps = torch.randn(200, *mu.shape, generator=torch.Generator().manual_seed(5))
    z = (mu + (0.5 * logvar).exp() * eps).flatten(0, 1)
    nll = bernoulli_nll(run.model.unseen(z), run.x_bin.repeat(len(eps), 1, 1, 1))
    return float(nll.mean() + kl_to_standard_normal(mu, logvar).mean())


REFINED = Exercise(
    id="refined-q",
    expects="two tensors, μ and log σ² of each image's own q, (n, d) each",
    reference=_refined_q,
    findings=refined_q_findings,
)

EXERCISES = (REFINED,)
