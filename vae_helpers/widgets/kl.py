"""Two sliders, μ and log σ²: the Gaussian q beside the prior N(0, 1), and what each part of their KL costs."""

from vae_helpers.losses import kl_to_standard_normal
from vae_helpers.plotting import BLUE, GREY, ORANGE, RED
from vae_helpers.validation import validated
from vae_helpers.widgets.curves import Curves, CurvesPicture
from vae_helpers.widgets.playable import Playable, reacting

import ipywidgets
import numpy as np
import torch
from jaxtyping import Float64

MU, LOGVAR = (-3.0, 3.0), (-4.0, 2.0)
Z = np.linspace(-6, 6, 400)
PARTS = ("½ μ²", "½ (σ² − 1)", "−½ log σ²", "KL")


def parts_of_kl(mu: float, logvar: float) -> tuple[float, float, float]:
    """½ μ², ½ (σ² − 1) and −½ log σ², in nats: what leaving the centre, being wide and being narrow cost."""
    return 0.5 * mu**2, 0.5 * (np.exp(logvar) - 1), -0.5 * logvar


def density(mu: float, logvar: float) -> Float64[np.ndarray, " points"]:
    """N(z; μ, σ²) at the points ``Z``."""
    return np.exp(-0.5 * (Z - mu) ** 2 / np.exp(logvar)) / np.sqrt(2 * np.pi * np.exp(logvar))


class KLExplorer(Playable):
    """The widget that ``kl_explorer`` makes: sliders ``mu`` and ``logvar``, ``picture``, ``frame()``, ``kl()``."""

    def __init__(self, mu: float, logvar: float) -> None:
        self.curves = _curves()
        self.picture, self.errors, self.readout = CurvesPicture(), ipywidgets.Output(), ipywidgets.HTML()
        self.mu, self.logvar = _slider("μ", mu, MU), _slider("log σ²", logvar, LOGVAR)
        on_move = reacting(self.errors, self.frame)
        for slider in (self.mu, self.logvar):
            slider.observe(on_move, names="value")
        self.frame()
        alt = (
            "Live in JupyterLab: sliders for μ and log σ² move a Gaussian q beside the prior, "
            "and bars show the parts of its KL in nats. Here, a still of the starting place."
        )
        controls = ipywidgets.HBox([self.mu, self.logvar])
        super().__init__([controls, self.readout, self.picture, self.errors], alt, self.png())

    def kl(self) -> float:
        """D_KL(q ‖ N(0, 1)) in nats where the sliders stand, by ``losses``."""
        sliders = (self.mu, self.logvar)
        mu, logvar = (torch.tensor([[s.value]], dtype=torch.float64, device="cpu") for s in sliders)
        return kl_to_standard_normal(mu, logvar).item()

    def png(self) -> bytes:
        """Densities on the left, bars of the KL and its parts on the right, as PNG."""
        mu, logvar = self.mu.value, self.logvar.value
        tops = (*parts_of_kl(mu, logvar), self.kl())
        bars = {f"bar{i}": ([i, i], [0, top]) for i, top in enumerate(tops)}
        return self.curves.png(q=(Z, density(mu, logvar)), **bars)

    def frame(self) -> None:
        """Draw where the sliders stand, and say the numbers."""
        mu, logvar = self.mu.value, self.logvar.value
        of_mu, of_variance, of_log = parts_of_kl(mu, logvar)
        said = f"KL = {of_mu:.2f} + {_signed(of_variance)} + {_signed(of_log)} = {self.kl():.2f} nats"
        self.readout.value = f"<code>{said}</code>"
        alt = f"q = N({mu:.2f}, σ = {np.exp(logvar / 2):.2f}) beside N(0, 1); {said}"
        self.picture.draw(self.png(), alt)


def _signed(value: float) -> str:
    return f"{value:.2f}" if value >= 0 else f"(−{-value:.2f})"


def _slider(name: str, value: float, ends: tuple[float, float]) -> ipywidgets.FloatSlider:
    low, high = ends
    return ipywidgets.FloatSlider(
        value=min(max(value, low), high), min=low, max=high, step=0.1, description=name, layout={"width": "320px"}
    )


def _curves() -> Curves:
    curves = Curves(8.4, 2.8, panels=2)
    left, right = curves.axes
    left.set(xlim=(-6, 6), ylim=(0, 3), xlabel="z", ylabel="density")
    left.plot(Z, density(0, 0), color=GREY, lw=2, label="p = N(0, 1)")
    curves.line("q", 0, label="q = N(μ, σ²)", color=BLUE, lw=2.5)
    left.legend(frameon=False, fontsize=9, loc="upper right")
    right.set(xlim=(-0.6, 3.6), ylim=(-1.2, 8), ylabel="nats", xticks=range(4), xticklabels=PARTS)
    right.axhline(0, color=GREY, lw=1)
    for i, colour in enumerate((BLUE, ORANGE, ORANGE, RED)):
        curves.line(f"bar{i}", 1, color=colour, lw=26, solid_capstyle="butt")
    return curves


@validated
def kl_explorer(mu: float = 1.0, logvar: float = -2.0) -> KLExplorer:
    """Sliders for μ in [−3, 3] and log σ² in [−4, 2] of q = N(μ, σ²), with its KL from N(0, 1) and the three parts.

    mu, logvar: where to begin, moved into range. Raises ValueError where they are not finite numbers.
    """
    return KLExplorer(float(mu), float(logvar))
