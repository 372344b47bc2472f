"""Move a Gaussian q by hand: ``elbo_explorer`` watches the bound, ``forward_reverse_kl`` both divergences."""

from collections.abc import Callable

from vae_helpers.losses import elbo_on_grid, kl_on_grid, log_evidence_on_grid
from vae_helpers.plotting import BLUE, GREY, ORANGE, RED
from vae_helpers.validation import validated
from vae_helpers.widgets.curves import Curves, CurvesPicture
from vae_helpers.widgets.playable import Playable, reacting

import ipywidgets
import numpy as np
import torch
from jaxtyping import Float, Float64
from matplotlib.axes import Axes
from torch import Tensor
from torch.distributions import Normal

LogDensity = Callable[[Tensor], Tensor]
POINTS, PLACES = 360, 61  # of the grid over z; of the curves over the mean of q
WIDEST, MARGIN = 1.5, 4.0  # spread of q; how far the grid reaches beyond the picture, so that q's tails count


class GaussianExplorer(Playable):
    """Sliders ``mu`` and ``sigma`` of q, its density beside a fixed one, and curves of what q scores over its mean."""

    def __init__(self, log_density: LogDensity, mu: float, sigma: float, low: float, high: float, alt: str) -> None:
        if not low < mu < high or not 0.05 <= sigma <= WIDEST:
            raise ValueError(
                f"low < mu < high and 0.05 ≤ sigma ≤ {WIDEST} must hold, got {low}, {mu}, {high} and sigma {sigma}."
            )
        self.limits = (low, high)
        self.grid = torch.linspace(low - MARGIN, high + MARGIN, POINTS, dtype=torch.float64, device="cpu")
        self.places = torch.linspace(low, high, PLACES, dtype=torch.float64, device="cpu")[:, None]
        self.log_density = values_on(self.grid, log_density, self.asked_for)
        self.evidence = log_evidence_on_grid(self.log_density, self.grid)
        self.picture, self.numbers, self.errors = CurvesPicture(), ipywidgets.HTML(), ipywidgets.Output()
        step = (high - low) / 100
        self.mu = ipywidgets.FloatSlider(mu, min=low, max=high, step=step, description="mean μ")
        self.sigma = ipywidgets.FloatSlider(sigma, min=0.05, max=WIDEST, step=0.01, description="spread σ")
        self.curves = Curves(7.4, 2.7, panels=2)
        self._set_up()
        on_move = reacting(self.errors, self.frame)
        for slider in (self.mu, self.sigma):
            slider.observe(on_move, names="value")
        still = self.frame()
        controls = ipywidgets.HBox([self.mu, self.sigma])
        super().__init__([controls, self.picture, self.numbers, self.errors], alt, still)

    def log_q(self, mu: float | Float64[Tensor, " means 1"]) -> Float64[Tensor, " *means points"]:
        """log q on the grid for the slider's spread and any mean, or several."""
        mu = torch.as_tensor(mu, dtype=torch.float64, device="cpu")
        return Normal(mu, self.sigma.value, validate_args=False).log_prob(self.grid)

    def _densities(self, fixed: str) -> None:
        axis, density = self.curves.axes[0], (self.log_density - self.evidence).exp()
        axis.fill_between(self.grid.numpy(), density.numpy(), color=GREY, alpha=0.3, lw=0, label=fixed)
        axis.set(xlabel="z", ylabel="density", ylim=(0, 1.6 * density.max().item()), xlim=self.limits)
        self.curves.line("q", 0, color=BLUE, lw=2, label="q(z)")
        legend_above(axis)

    def _set_up(self) -> None:
        raise NotImplementedError

    def frame(self) -> bytes:
        """Draw q where the sliders have it, and its scores; the picture as PNG."""
        raise NotImplementedError

    def _across(self) -> Float64[np.ndarray, " places"]:
        return self.places[:, 0].numpy()


class ElboExplorer(GaussianExplorer):
    """The widget that ``elbo_explorer`` makes."""

    asked_for = "log_joint"

    def _set_up(self) -> None:
        self._densities("p(z|x)")
        axis, top = self.curves.axes[1], self.evidence.item()
        axis.axhline(top, color=RED, lw=1.5, ls="--", label="log p(x)")
        axis.set(xlabel="mean μ of q", ylabel="nats", xlim=self.limits, ylim=(top - 20, top + 2))
        self.curves.line("bound", 1, color=BLUE, lw=1.5, label="ELBO at this σ")
        self.curves.line("here", 1, color=BLUE, marker="o", ms=8, ls="")
        legend_above(axis)

    def frame(self) -> bytes:
        """Draw q and its ELBO; the picture as PNG."""
        log_q = self.log_q(self.mu.value)
        elbo = elbo_on_grid(log_q, self.log_density, self.grid).item()
        along = elbo_on_grid(self.log_q(self.places), self.log_density, self.grid)
        q, bound = (self.grid.numpy(), log_q.exp().numpy()), (self._across(), along.numpy())
        png = self.curves.png(q=q, bound=bound, here=(self.mu.value, elbo))
        top = self.evidence.item()
        self.numbers.value = (
            f"log p(x) = <b>{top:.2f}</b> &nbsp;=&nbsp; ELBO <b>{elbo:.2f}</b> + KL(q‖p(z|x)) <b>{top - elbo:.2f}</b>"
        )
        self.picture.draw(
            png, f"q with mean {self.mu.value:.2f} and spread {self.sigma.value:.2f}: ELBO {elbo:.2f} of {top:.2f}"
        )
        return png


class ForwardReverseKL(GaussianExplorer):
    """The widget that ``forward_reverse_kl`` makes."""

    asked_for = "log_target"

    def _set_up(self) -> None:
        self.log_density = self.log_density - self.evidence
        self.evidence = self.evidence * 0
        self._densities("p(z)")
        axis = self.curves.axes[1]
        axis.set(xlabel="mean μ of q", ylabel="nats", xlim=self.limits, ylim=(0, 6))
        for name, colour, label in (("forward", ORANGE, "forward, KL(p‖q)"), ("reverse", BLUE, "reverse, KL(q‖p)")):
            self.curves.line(name, 1, color=colour, lw=1.5, label=label)
            self.curves.line(f"{name}_here", 1, color=colour, marker="o", ms=8, ls="")
        legend_above(axis)

    def frame(self) -> bytes:
        """Draw q and both divergences; the picture as PNG."""
        log_q, along, mu = self.log_q(self.mu.value), self.log_q(self.places), self.mu.value
        forward, reverse = (self._both(q) for q in (log_q, along))
        (forward_here, reverse_here), (forward_along, reverse_along) = forward, reverse
        png = self.curves.png(
            q=(self.grid.numpy(), log_q.exp().numpy()),
            forward=(self._across(), forward_along.numpy()),
            reverse=(self._across(), reverse_along.numpy()),
            forward_here=(mu, forward_here.item()),
            reverse_here=(mu, reverse_here.item()),
        )
        said = f"forward KL(p‖q) <b>{forward_here:.2f}</b> &nbsp; reverse KL(q‖p) <b>{reverse_here:.2f}</b> nats"
        self.numbers.value = said
        self.picture.draw(
            png,
            f"q with mean {mu:.2f} and spread {self.sigma.value:.2f}: "
            f"forward KL {forward_here:.2f}, reverse KL {reverse_here:.2f}",
        )
        return png

    def _both(
        self, log_q: Float[Tensor, " *means points"]
    ) -> tuple[Float[Tensor, " *means"], Float[Tensor, " *means"]]:
        return kl_on_grid(self.log_density, log_q, self.grid), kl_on_grid(log_q, self.log_density, self.grid)


@validated
def elbo_explorer(
    log_joint: LogDensity, mu: float = 0.0, sigma: float = 1.0, low: float = -5.0, high: float = 5.0
) -> ElboExplorer:
    """Sliders for the mean and spread of a Gaussian q(z|x); ELBO, KL and log p(x) follow. z is one number.

    log_joint: z (n,) → log p(x, z) (n,) of one fixed x, finite for z within 4 of [low, high].
    Raises ValueError for a log_joint that is not finite there, a mu outside, or a sigma that is not positive.
    """
    alt = "Live in JupyterLab: two sliders move the Gaussian q; its ELBO stays below log p(x). Here, a still."
    return ElboExplorer(log_joint, mu, sigma, low, high, alt)


@validated
def forward_reverse_kl(
    log_target: LogDensity, mu: float = 0.0, sigma: float = 1.0, low: float = -5.0, high: float = 5.0
) -> ForwardReverseKL:
    """Sliders for the mean and spread of a Gaussian q; KL(p‖q) and KL(q‖p) to a fixed density p follow.

    log_target: z (n,) → log p(z) (n,), up to a constant, finite for z within 4 of [low, high].
    Raises what ``elbo_explorer`` raises.
    """
    alt = "Live in JupyterLab: two sliders move the Gaussian q; forward and reverse KL to p follow. Here, a still."
    return ForwardReverseKL(log_target, mu, sigma, low, high, alt)


def values_on(grid: Float64[Tensor, " n"], log_density: LogDensity, name: str) -> Float64[Tensor, " n"]:
    """A log density on the grid; ValueError, by its name, where it is no finite function of z."""
    values = log_density(grid)
    if not isinstance(values, Tensor) or values.shape != grid.shape:
        got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"{name} must give one log density per z, {tuple(grid.shape)}, but gives {got}.")
    if not values.isfinite().all():
        raise ValueError(f"{name} is NaN or infinite on the grid: take a density that is positive there.")
    return values.detach().cpu().double()


def legend_above(axis: Axes) -> None:
    """The legend in one row above the axes, where no curve runs."""
    axis.legend(frameon=False, fontsize=9, ncols=2, loc="lower left", bbox_to_anchor=(-0.02, 0.99), borderaxespad=0)
