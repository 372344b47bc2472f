"""New digits: codes from the prior, and each pixel tossed from p(x|z)."""

from collections.abc import Iterator

from vae_helpers.exercises.engine import Answer, Exercise, NotATensorError, NotAttemptedError, WrongShapeError
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from jaxtyping import Float
from torch import Tensor, nn

N = 400  # images a draw


class _Painter(nn.Module):
    """A decoder of three latent dimensions that takes down its codes; each pixel has a probability of its own."""

    latent_dim = 3

    def __init__(self) -> None:
        super().__init__()
        g = torch.Generator().manual_seed(20_231)
        self.map, self.level, self.codes = torch.randn(3, 784, generator=g), torch.randn(784, generator=g), []

    def decode(self, z: Tensor, y: None = None) -> Tensor:
        """x_logits (n, 1, 28, 28)."""
        self.codes.append(z)
        return (z @ self.map + self.level).unflatten(1, (1, 28, 28))

    def generate(self, z: Tensor, y: None = None) -> Tensor:
        """x̂ (n, 1, 28, 28)."""
        return self.decode(z).sigmoid()


def _pixel_draws(model: nn.Module, n: int, device: torch.device | str) -> Tensor:
    z = torch.randn(n, model.latent_dim, device=device)
    x_hat = model.generate(z)
    return torch.bernoulli(x_hat)


def _pixel_findings(answer: Answer, seed: int) -> list[Finding]:
    """What 400 drawn images say of their codes and of their pixels; then whether another call draws others."""
    model = _Painter()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(20_233 + seed)
        drawn = answer(model, N, "cpu")
        if drawn is None or drawn is Ellipsis:
            raise NotAttemptedError
        if not isinstance(drawn, Tensor):
            raise NotATensorError(type(drawn).__name__)
        if not drawn.isfinite().all():
            raise NotFiniteError
        if not model.codes and drawn.shape != (N, 1, 28, 28):
            raise WrongShapeError(tuple(drawn.shape))
        if not model.codes:
            says = "the decoder is never asked: z goes through model.generate, which gives each pixel's probability"
            return [Finding(Relation("never called", "generate"), says)]
        z, model.codes = torch.cat(model.codes)[-N:], []
        again = answer(model, N, "cpu")
    found = next(_of_prior(z, torch.cat(model.codes)[-N:]), None)
    if found:
        return [found]
    if drawn.shape != (N, 1, 28, 28):
        raise WrongShapeError(tuple(drawn.shape))
    x_hat = (z @ model.map + model.level).sigmoid().unflatten(1, (1, 28, 28))
    if torch.equal(drawn, again):
        return [Finding(Relation("same draw", "calls"), "every call tosses the same: a seed is set inside")]
    return [f for f in [next(_of_pixels(drawn, x_hat), None)] if f]


def _of_prior(z: Float[Tensor, "n d"], again: Float[Tensor, "n d"]) -> Iterator[Finding]:
    """Whether the codes are draws from N(0, I), anew at each call."""
    if z.shape != (N, 3):
        says = f"z has shape {tuple(z.shape)}: n codes of latent_dim numbers are wanted, {(N, 3)} here"
        yield Finding(Relation("shape", "z"), says)
    elif torch.equal(z, again):
        says = "every call draws the same codes: a seed is set inside, or they are no draws"
        yield Finding(Relation("same draw", "codes"), says)
    elif (z - z[0]).abs().max() < 1e-6:
        yield Finding(Relation("shared", "rows"), "one code serves all images: draw one for each, (n, latent_dim)")
    elif (z - z[:, :1]).abs().max() < 1e-6:
        says = "one number serves all dimensions of a code: draw randn(n, latent_dim)"
        yield Finding(Relation("shared", "dimensions"), says)
    elif z.min() >= 0:
        says = "no code is negative: rand is uniform on [0, 1], the prior is Gaussian around 0. Use randn"
        yield Finding(Relation("shape", "z", "uniform"), says)
    elif abs(z.mean()) > 0.2 or abs(z.std() - 1) > 0.15:
        says = f"the codes have mean {z.mean():.2f} and spread {z.std():.2f}: the prior's are 0 and 1"
        yield Finding(Relation("factor", "z"), says)
    elif z.abs().max() < 1.8:
        yield Finding(Relation("shape", "z", "bounded"), "no code lies far out, as some of the prior's do: use randn")


def _of_pixels(drawn: Float[Tensor, "n 1 28 28"], x_hat: Float[Tensor, "n 1 28 28"]) -> Iterator[Finding]:
    """Whether each pixel is a coin of its own, 1 with the probability x̂."""
    if drawn.dtype != torch.float32:
        says = f"the pixels are {drawn.dtype}: pictures of floats are asked for. Add .float()"
        yield Finding(Relation("type", "result"), says)
        return
    if not ((drawn == 0) | (drawn == 1)).all():
        grey = "that is x̂, a mean, in greys" if torch.allclose(drawn, x_hat, atol=1e-5) else "the pixels are grey"
        says = f"{grey}: what the model draws is black or white. Toss each pixel, 1 with the probability x̂"
        yield Finding(Relation("not drawn", "pixels"), says)
        return
    ink = drawn.bool()
    if torch.equal(ink, x_hat > 0.5):
        says = "each pixel is rounded, where it should be tossed: at x̂ = 0.6 it is black six times in ten, not always"
        yield Finding(Relation("not drawn", "pixels", "rounded"), says)
    elif _one_threshold(ink, x_hat, dim=1):
        says = "one uniform number serves all pixels of an image: toss each on its own"
        yield Finding(Relation("shared", "pixels"), says)
    elif _one_threshold(ink.transpose(0, 1), x_hat.transpose(0, 1), dim=1, by_pixel=True):
        says = "one set of uniform numbers serves all images: toss each image's pixels anew"
        yield Finding(Relation("shared", "images"), says)
    else:
        yield from _of_frequencies(drawn, x_hat)


def _one_threshold(ink: Tensor, x_hat: Tensor, dim: int, by_pixel: bool = False) -> bool:
    """Whether along one axis a single number u explains all tosses, as u < x̂."""
    if by_pixel:
        ink, x_hat = (t.flatten(2)[0].T for t in (ink, x_hat))  # a row for each pixel
    else:
        ink, x_hat = (t.flatten(1) for t in (ink, x_hat))
    least_black = x_hat.masked_fill(~ink, 2.0).amin(dim=dim)
    most_white = x_hat.masked_fill(ink, -1.0).amax(dim=dim)
    return bool((most_white <= least_black + 1e-6).float().mean() > 0.9)


def _of_frequencies(drawn: Tensor, x_hat: Tensor) -> Iterator[Finding]:
    known = {
        "": (x_hat, ""),
        "complement": (1 - x_hat, "ink and paper are exchanged: a pixel is 1 where its uniform number lies *below* x̂"),
        "twice": (
            x_hat.sigmoid(),
            "the sigmoid is applied twice, so that paper is black half of the time: generate has done it",
        ),
        "one half": (0.5 + 0 * x_hat, "every pixel is a fair coin: x̂ does not enter"),
        "mean image": (x_hat.mean(0, keepdim=True) + 0 * x_hat, "all images are tossed from one mean, not their own x̂"),
    }
    apart = {name: float((drawn - p).square().mean() - (p * (1 - p)).mean()) for name, (p, _) in known.items()}
    centred = {name: float(((drawn - p) * (x_hat - 0.5)).mean()) for name, (p, _) in known.items()}
    fits = [name for name in known if abs(apart[name]) < 4e-3 and abs(centred[name]) < 4e-3]
    if "" in fits:
        return
    says = f"{drawn.mean():.1%} of the pixels are black, where x̂ says {x_hat.mean():.1%}"
    says = known[fits[0]][1] if fits else says
    yield Finding(Relation("factor", "pixels", fits[0] if fits else ""), says)


PIXEL_DRAWS = Exercise(
    id="pixel-draws",
    expects="images (n, 1, 28, 28) of floats 0 and 1, each from a code of its own, each pixel tossed with chance x̂",
    reference=_pixel_draws,
    findings=_pixel_findings,
)

EXERCISES = (PIXEL_DRAWS,)
