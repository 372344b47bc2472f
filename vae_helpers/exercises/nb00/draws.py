"""What is drawn from a die and its mean images, and from a chain of pixels: counted, and read as one mistake."""

from collections.abc import Callable, Iterator

from vae_helpers.exercises.engine import Answer, Exercise, WrongShapeError, result_of
from vae_helpers.exercises.engine.probes import draws_the_same_twice, kind_of_numbers
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor
from torch.nn import functional

Images = Float64[Tensor, " n 1 28 28"]
Tables = Float[Tensor, " 2 1 28 28"]
N = 600  # images drawn; a share of some thousand pixels is then known to within 0.02
CLOSE = 0.04
SEVERAL_PIXELS = "one random number serves several pixels of an image, so that they fall alike. Draw one for each pixel"


def _finding(kind: str, place: str, says: str) -> Finding:
    return Finding(Relation(kind, place), says)


def _watched(of_draws: Callable[[Images, Tensor], Iterator[Finding]], probe_of: Callable[[int], tuple]) -> Callable:
    """The findings of an answer: what its draws are, then what they say of the model they come from."""

    def findings(answer: Answer, seed: int) -> list[Finding]:
        """What is wrong with a function that draws n images."""
        probe = probe_of(seed)
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(20_231 + seed)
            draws = result_of(answer, probe)
        if draws.shape != (N, 1, 28, 28):
            raise WrongShapeError(tuple(draws.shape))
        found = [*_of_kinds(draws)] or [*of_draws(draws, probe[0])]
        return found or [*_of_calls(answer, probe)]

    return findings


def _of_kinds(draws: Images) -> Iterator[Finding]:
    if draws.isnan().any():
        yield _finding("not finite", "pixels", "it returns NaN: look for the log of zero or a division by zero")
    elif not ((draws == 0) | (draws == 1)).all():
        says = "these are no zeros and ones: probabilities, perhaps. Toss a coin for each pixel, rand < p"
        yield _finding("not drawn", "pixels", says)
    elif (draws == draws[:1]).all():
        yield _finding("repeated", "images", "one image is repeated n times. Draw new random numbers for each")


def _of_calls(answer: Answer, probe: tuple) -> Iterator[Finding]:
    kind = kind_of_numbers(answer, probe)
    if kind:
        yield _finding("type", "result", f"the draws are right, their type is not: {kind}. Add .float()")
    elif draws_the_same_twice(answer, probe):
        yield _finding("same draw", "calls", "every call draws the same: a seed is set inside. Leave it to the caller")


# A die of three faces; the mean image of each has a dark band of its own.


def _three_means(seed: int) -> tuple[Float[Tensor, " 3 1 28 28"], int]:
    means = torch.full((3, 1, 28, 28), 0.1)
    for k in range(3):
        means[k, :, 9 * k : 9 * k + 9] = 0.75 + 0.05 * k - 0.01 * (seed % 5)
    return means, N


def _die(means: Float[Tensor, " k 1 28 28"], n: int) -> Float[Tensor, " n 1 28 28"]:
    k = torch.randint(len(means), (n,))
    return (torch.rand(n, *means.shape[1:]) < means[k]).float()


def _of_die(draws: Images, means: Float[Tensor, " 3 1 28 28"]) -> Iterator[Finding]:
    bands = torch.stack([draws[..., 9 * k : 9 * k + 9, :].mean((1, 2, 3)) for k in range(3)], dim=1)
    dark, face = (bands > 0.5).sum(1), bands.argmax(1)
    shares = torch.bincount(face, minlength=3) / N
    if (draws == draws[..., :1]).all() or (draws[..., :9, :] == draws[..., :1, :]).all():
        yield _finding("shared", "pixels", SEVERAL_PIXELS)
    elif (dark == 2).double().mean() > 0.9:
        yield _finding(
            "turned", "ink", "ink and paper are exchanged: a pixel is ink where rand < p, not where rand > p"
        )
    elif (dark != 1).double().mean() > 0.1:
        yield _finding(
            "no hidden cause",
            "face",
            "no image obeys one class: each shows a mixture of all, as if the means were averaged, or a die were "
            "tossed for every pixel. Toss one for each image, and take that class's mean as it is",
        )
    elif shares.max() == 1:
        says = "one class for all n images: the die is tossed once. Toss it n times, torch.randint(…, (n,))"
        yield _finding("shared", "face", says)
    elif shares.min() == 0:
        missing = ", ".join(str(k) for k in range(3) if shares[k] == 0)
        says = f"class {missing} never comes: randint leaves its upper end out, and counting begins with 0"
        yield _finding("missing", "face", says)
    elif (shares - 1 / 3).abs().max() > 0.1:
        says = "the classes do not come equally often: all faces of the die are equally likely"
        yield _finding("shares", "face", says)
    else:
        yield from _of_order(face)
        yield from _of_pixels(draws, means[face].double(), face)


def _of_order(face: Int[Tensor, " n"]) -> Iterator[Finding]:
    again = [(face[lag:] == face[:-lag]).double().mean() for lag in (1, 2, 3)]
    if max(again) > 0.5:
        says = "the classes come in a fixed order: nobody could guess, but nothing is tossed. Draw k with torch.randint"
        yield _finding("not drawn", "face", says)


def _of_pixels(draws: Images, p: Images, face: Int[Tensor, " n"]) -> Iterator[Finding]:
    """What is left when the chosen mean is taken off: coins that share nothing."""
    rest = (draws - p) / (p * (1 - p)).sqrt()
    beside, below = (rest[..., :-1] * rest[..., 1:]).mean(), (rest[..., :-1, :] * rest[..., 1:, :]).mean()
    between = torch.stack([rest[face == k].mean(0).square().mean() for k in range(3)]).max()
    if max(beside, below) > 0.1:
        yield _finding("shared", "pixels", SEVERAL_PIXELS)
    elif between > 0.1:
        says = "one image is drawn for each class, or one set of coins for all images, and repeated. Draw anew for each"
        yield _finding("shared", "images", says)
    elif (draws - p).mean().abs() > 0.02:
        found, wanted = draws.mean(), p.mean()
        says = (
            f"ink comes too {'often' if found > wanted else 'rarely'}: {found:.2f} of all pixels, wanted {wanted:.2f}"
        )
        yield _finding("shares", "ink", f"{says}. A pixel is ink where rand, a uniform number, is below p")


DIE_AND_CLASS_MEAN = Exercise(
    id="die-and-class-mean",
    expects="a float tensor (n, 1, 28, 28) of zeros and ones, each image drawn from the mean of a class of its own",
    reference=_die,
    findings=_watched(_of_die, _three_means),
)

# A chain whose two tables differ in every row and column.


def _two_tables(seed: int) -> tuple[Tables, int]:
    rows, columns = torch.linspace(0, 1, 28)[:, None], torch.linspace(0, 1, 28)
    after_paper = 0.08 + 0.25 * rows + 0.1 * columns + 0.002 * (seed % 5)
    after_ink = 0.9 - 0.25 * columns - 0.1 * rows
    return torch.stack([after_paper, after_ink])[:, None], N


def _chain(tables: Tables, n: int) -> Float[Tensor, " n 1 28 28"]:
    x = torch.zeros(n, 1, 28, 28)
    left = torch.zeros(n, 1, 28)
    for column in range(28):
        p = torch.where(left == 1, tables[1, ..., column], tables[0, ..., column])
        left = (torch.rand(n, 1, 28) < p).float()
        x[..., column] = left
    return x


LEFT, RIGHT, ABOVE = (
    lambda x: functional.pad(x, (1, 0))[..., :-1],
    lambda x: functional.pad(x, (0, 1))[..., 1:],
    lambda x: functional.pad(x, (0, 0, 1, 0))[..., :-1, :],
)


def _errors(draws: Images, tables: Tables, neighbour: Images) -> Float64[Tensor, "2 4"]:
    """How much more ink there is than the tables say, beside paper and beside ink, in each quarter of the frame."""
    errors = []
    for table, beside in zip(tables, (1 - neighbour, neighbour), strict=True):
        weight = beside * (torch.arange(28) > 0)  # the first column is looked at by itself
        more, often = (functional.avg_pool2d(t.mean(0), 14).flatten() for t in (weight * (draws - table), weight))
        errors.append(more / often.clamp(min=1e-3))
    return torch.stack(errors)


def _follows(draws: Images, tables: Tables, neighbour: Images) -> bool:
    return bool(_errors(draws, tables, neighbour).abs().max() < CLOSE)


def _of_chain(draws: Images, tables: Tables) -> Iterator[Finding]:
    tables, left = tables.double(), LEFT(draws)
    first = (draws[..., 0] - tables[0, ..., 0]).mean()
    if _follows(draws, tables, left) and abs(first) < CLOSE:
        yield from _of_columns(draws, torch.where(left == 1, tables[1], tables[0]))
        return
    yield _explained(draws, tables, left)


def _explained(draws: Images, tables: Tables, left: Images) -> Finding:
    """The first way to draw wrongly that explains the draws."""
    alone, inner = tables[:1].expand(2, 1, 28, 28), draws[..., 1:]
    rest = (inner - tables[..., 1:].mean(0)) - (inner - tables[..., 1:].mean(0)).mean(0)
    beside = (rest * (left[..., 1:] - left[..., 1:].mean(0))).mean() / left[..., 1:].var(0).mean()
    turned = _follows(1 - draws, tables, LEFT(1 - draws)) or _follows(draws, 1 - tables, left)
    ways = (
        (_follows(draws, tables.flip(0), left), "exchanged", "the two tables are exchanged: tables[1] is for ink at "
         "the left. Strokes stop where they should go on"),
        (_follows(draws, alone, left), "ignored", "paper is always to the left: the column just drawn is forgotten. "
         "Keep it, for the next one to look at"),
        (turned, "turned", "ink and paper are exchanged: a pixel is ink where rand < p"),
        (_follows(draws, tables, RIGHT(draws)), "right", "the chain runs from right to left: each pixel looks at its "
         "right neighbour. The tables were counted with the left one"),
        (_follows(draws, tables, ABOVE(draws)), "above", "each pixel looks at the one above it: the last axis is that "
         "of columns. Run along it"),
        (_follows(draws, tables, left), "start", "the first column is not drawn as if paper lay to its left, as the "
         "tables were counted"),
        (abs(beside) < 0.1, "at once", "no pixel looks at the neighbour that was drawn: all columns are drawn at once, "
         "or look at another image's ink. One column after the other, each from the one just drawn"),
    )  # fmt: skip
    for explains, kind, says in ways:
        if explains:
            return _finding(kind, "neighbour", says)
    found, wanted = (t.mean().item() for t in (draws, _chain(tables.float(), N)))
    says = f"ink follows the tables at no side: {found:.2f} of all pixels are ink, wanted {wanted:.2f}"
    return _finding("shares", "ink", says)


def _of_columns(draws: Images, p: Images) -> Iterator[Finding]:
    """What is left when each pixel's probability is taken off: coins that share nothing."""
    rest = (draws - p) / (p * (1 - p)).sqrt()
    if (rest[..., :-1, :] * rest[..., 1:, :]).mean() > 0.1:
        says = "one random number serves a whole column, so that its pixels fall alike. Draw one for each pixel"
        yield _finding("shared", "pixels", says)
    elif rest.mean(0).square().mean() > 0.1:
        says = "one set of random numbers serves all n images, so that they are alike. Draw new ones for each"
        yield _finding("shared", "images", says)


CHAIN_DRAW = Exercise(
    id="chain-draw",
    expects="a float tensor (n, 1, 28, 28) of zeros and ones, drawn column by column",
    reference=_chain,
    findings=_watched(_of_chain, _two_tables),
)
