"""Walk points in the plane from noise to data and back: where a denoiser sees them end, step by step."""

from collections.abc import Callable, Mapping
from typing import Annotated

from vae_helpers.losses import noised
from vae_helpers.models import ancestral_path, copy_of, deterministic_path
from vae_helpers.validation import Condition, Finite, tensors, validated
from vae_helpers.widgets.curves import Curves, CurvesPicture
from vae_helpers.widgets.playable import Playable, beside, generator, reacting

import ipywidgets
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

WALKERS, TRAILS, LONGEST = 60, 6, 64
WITH, WITHOUT = "with fresh noise", "without"
Denoiser = Callable[[Tensor, Tensor], Tensor]


class DenoisingWalk(Playable):
    """What ``denoising_walk`` makes: ``t``, ``steps``, ``noise``, ``draw`` and ``picture``; ``path`` is what is walked.

    ``path`` holds the points at each of the steps + 1 times, and last where the denoiser sees them end at t = 0.
    """

    def __init__(self, denoise: Denoiser, points: Float[Tensor, " n 2"], steps: int) -> None:
        self.denoise = copy_of(denoise).cpu().eval() if isinstance(denoise, nn.Module) else denoise
        self.seed, self.curves = 0, _axes(points)
        style = {"style": {"description_width": "50px"}, "layout": {"width": "300px"}}
        self.t = ipywidgets.FloatSlider(value=0.5, min=0, max=1, step=1 / LONGEST, description="t", **style)
        self.steps = ipywidgets.SelectionSlider(
            options=[2**k for k in range(7)], value=steps, description="steps", **style
        )
        self.noise = ipywidgets.ToggleButtons(options=[WITH, WITHOUT], description="way back")
        self.draw = ipywidgets.Button(description="other noise")
        self.picture, self.errors = CurvesPicture(), ipywidgets.Output()
        self.walk()
        self._observe()
        alt = (
            "Live in JupyterLab: a slider walks points from noise, t = 1, to data, t = 0; the number of steps and "
            f"fresh noise on the way can be chosen. Here, a still at t = {self.time():.2f}, {steps} steps."
        )
        controls = [self.t, self.steps, self.noise, self.draw]
        super().__init__([beside(self.picture, controls), self.errors], alt, self.png())

    def _observe(self) -> None:
        self.t.observe(reacting(self.errors, self.frame), names="value")
        for control in (self.steps, self.noise):
            control.observe(reacting(self.errors, self.walk), names="value")
        self.draw.on_click(reacting(self.errors, self.other_noise))

    def index(self) -> int:
        """How many steps have been taken at the time that is shown, the one nearest to the slider's."""
        return round((1 - self.t.value) * self.steps.value)

    def time(self) -> float:
        """The t that is shown."""
        return 1 - self.index() / self.steps.value

    def walk(self) -> None:
        """Walk the whole way once, from noise that ``seed`` says, and show it at the slider's time."""
        random, steps = generator(self.seed), self.steps.value
        noise = torch.randn(WALKERS, 2, generator=random, device="cpu")
        if self.noise.value == WITH:
            self.path = ancestral_path(self.denoise, noise, steps, generator=random)
        else:
            self.path = deterministic_path(self.denoise, noise, steps)
        self.t.step = 1 / steps  # a key moves by one step
        self.frame()

    def guesses(self) -> Float[Tensor, " 60 2"]:
        """x̂ of the points that are shown, as the denoiser gives it."""
        z = self.path[self.index()]
        with torch.no_grad():
            return self.denoise(z, torch.full((len(z),), self.time(), device="cpu"))

    def png(self) -> bytes:
        """Points, where each would end at once, and where the first few have come from, as PNG."""
        k, guesses = self.index(), self.guesses()
        z = self.path[k]
        return self.curves.png(
            trails=_joined(self.path[: k + 1, :TRAILS]),
            arrows=_joined(torch.stack([z, guesses])),
            guesses=_columns(guesses),
            points=_columns(z),
        )

    def frame(self) -> None:
        """Draw the points at the time that the slider says."""
        way = "fresh noise" if self.noise.value == WITH else "no fresh noise"
        what = f"{WALKERS} points at t = {self.time():.2f}, {self.steps.value} steps, {way} on the way"
        self.picture.draw(self.png(), what)

    def other_noise(self) -> None:
        """Begin elsewhere."""
        self.seed += 1
        self.walk()


def _axes(points: Float[Tensor, " n 2"]) -> Curves:
    curves = Curves(4.6, 3.2)
    axis, reach = curves.axes[0], max(3.2, 1.2 * points.abs().max().item())  # N(0, I) and the data
    axis.plot(*points.T, "o", ms=2, mew=0, alpha=0.35, color="#E69F00")
    axis.set(xlabel="z₁", ylabel="z₂", aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
    curves.line("trails", color="#999999", lw=0.7)
    curves.line("arrows", color="#56B4E9", lw=0.8)
    curves.line("guesses", color="#D55E00", ls="", marker="s", ms=3, label="x̂, its guess")
    curves.line("points", color="#0072B2", ls="", marker="o", ms=4, label="z at time t")
    axis.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=8)
    return curves


def _columns(points: Float[Tensor, " n 2"]) -> tuple[Float64[object, " n"], Float64[object, " n"]]:
    return tuple(points.double().numpy().T)


def _joined(path: Float[Tensor, " k n 2"]) -> tuple[Float64[object, " m"], Float64[object, " m"]]:
    """One line for all points' ways: NaN lifts the pen between two of them."""
    gap = torch.full_like(path[:1], torch.nan)
    return _columns(torch.cat([path, gap]).transpose(0, 1).flatten(0, 1))


@Condition
def _guesses_points(value: Denoiser, name: str, given: Mapping[str, object]) -> None:
    """A denoiser of the plane: it takes points (n, 2) and times (n,), and gives points."""
    z, t = given["points"][:3].detach().cpu().float(), torch.full((3,), 0.5, device="cpu")[: len(given["points"])]
    denoise = copy_of(value).cpu().eval() if isinstance(value, nn.Module) else value
    with torch.no_grad():
        x_hat = denoise(noised(z, t, torch.zeros_like(z)), t)
    if not isinstance(x_hat, Tensor) or x_hat.shape != z.shape:
        got = tuple(x_hat.shape) if isinstance(x_hat, Tensor) else type(x_hat).__name__
        raise ValueError(f"{name}(z, t) must give one point for each z, {tuple(z.shape)} here, got {got}.")


@Condition
def _a_power_of_two(value: int, name: str) -> None:
    if value not in [2**k for k in range(7)]:
        raise ValueError(f"{name} must be 1, 2, 4, … or {LONGEST}, got {value}.")


@validated
def denoising_walk(
    denoise: Annotated[Callable, _guesses_points],
    points: Annotated[Finite[Tensor, " n 2"], tensors.at_least_two],
    steps: Annotated[int, _a_power_of_two] = LONGEST,
) -> DenoisingWalk:
    """Walk 60 points of the plane from noise to data: a slider for t, the number of steps, fresh noise or none.

    denoise(z, t): x̂ for points (n, 2) at times (n,), as ``losses.diffusion`` has it; a network is copied, to the CPU.
    points: data, drawn below. Each point has a line to where the denoiser sees it end; six show where they came
    from.
    Raises TypeError or ValueError for points that are no plane's, and a denoiser that gives none.
    """
    return DenoisingWalk(denoise, points.detach().cpu().float(), steps)
