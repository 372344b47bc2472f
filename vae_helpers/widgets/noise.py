"""Corrupt an image by hand, and see what a denoiser makes of it: kind and amount of noise, clean, noisy, denoised."""

from typing import Annotated

from vae_helpers.data import corruption, to_float
from vae_helpers.evaluation import mse, psnr
from vae_helpers.plotting import png_of
from vae_helpers.validation import Condition, Pixels, objects, validated
from vae_helpers.widgets.playable import Picture, Playable, beside, generator, own_copy, reacting

import ipywidgets
import torch
from jaxtyping import Float
from torch import Tensor, nn

ZOOM = 6
KINDS = {
    "Gaussian": corruption.gaussian,
    "masking": corruption.masking,
    "salt and pepper": corruption.salt_and_pepper,
}

Models = dict[str, Annotated[nn.Module, objects.needs_no_labels("embed", "generate")]]
Three = Float[Tensor, " 3 1 28 28"]  # clean, noisy and denoised


@Condition
def _at_most_one(value: float, name: str) -> None:
    objects.number(value, name, 0, 1)


class NoiseExplorer(Playable):
    """The widget that ``noise_explorer`` makes: its controls, ``picture``, ``numbers``, and ``frame()``."""

    def __init__(self, models: Models, images: Pixels[Tensor, " n 1 28 28"], kind: str, amount: float) -> None:
        self.models = {name: own_copy(model) for name, model in models.items()}
        self.images, self.seed = to_float(images.detach().cpu()), 0
        self.picture, self.numbers, self.errors = Picture(), ipywidgets.HTML(), ipywidgets.Output()
        style = {"style": {"description_width": "70px"}, "layout": {"width": "320px"}}
        self.kind = ipywidgets.Dropdown(options=list(KINDS), value=kind, description="noise", **style)
        self.amount = ipywidgets.FloatSlider(value=amount, min=0, max=1, step=0.05, description="amount", **style)
        self.image = ipywidgets.IntSlider(value=0, min=0, max=len(images) - 1, description="image", **style)
        self.denoiser = ipywidgets.Dropdown(options=list(models), description="denoiser", **style)
        self.again = ipywidgets.Button(description="other noise")
        self._observe()
        self.frame()
        controls = [self.kind, self.amount, self.image, self.denoiser, self.again]
        picture = ipywidgets.VBox([self.picture, self.numbers])
        alt = (
            "Live in JupyterLab: choose noise, its amount, an image and a denoiser; see the image clean, noisy and "
            f"denoised. Here, a still: {self.numbers.value}."
        )
        super().__init__([beside(picture, controls), self.errors], alt, self.png())

    def _observe(self) -> None:
        for control in (self.kind, self.amount, self.image, self.denoiser):
            control.observe(reacting(self.errors, self.frame), names="value")
        self.again.on_click(reacting(self.errors, self.draw_other_noise))

    def images_shown(self) -> Three:
        """Clean, noisy and denoised image; the same noise as long as ``seed`` is the same."""
        x = self.images[self.image.value][None]
        model = self.models[self.denoiser.value]
        with torch.inference_mode():
            x_noisy = KINDS[self.kind.value](x, self.amount.value, generator(self.seed))
            return torch.cat([x, x_noisy, model.generate(model.embed(x_noisy))])

    def png(self) -> bytes:
        """Clean, noisy and denoised image side by side, as PNG."""
        return png_of(self.images_shown(), columns=3, zoom=ZOOM)

    def frame(self) -> None:
        """Corrupt, denoise and draw."""
        images = self.images_shown()
        self.numbers.value = _in_words(images)
        what = f"{self.kind.value} noise, amount {self.amount.value:.2f}: {self.numbers.value}"
        self.picture.draw(png_of(images, columns=3, zoom=ZOOM), what)

    def draw_other_noise(self) -> None:
        """The same kind and amount with another draw."""
        self.seed += 1
        self.frame()


def _in_words(images: Three) -> str:
    """What clean, noisy and denoised image are, with the PSNR of the latter two."""
    x, x_noisy, x_hat = images.split(1)
    errors = (mse(image, x) for image in (x_noisy, x_hat))
    noisy, denoised = (f"{psnr(error):.1f} dB" if error > 0 else "no error" for error in errors)
    return f"clean, with noise ({noisy}), and denoised ({denoised})"


@validated
def noise_explorer(
    models: Models,
    images: Pixels[Tensor, " n 1 28 28"],
    kind: Annotated[str, objects.one_of(KINDS)] = "Gaussian",
    amount: Annotated[float, _at_most_one] = 0.5,
) -> NoiseExplorer:
    """Corrupt one of ``images`` and see what a denoiser makes of it.

    models: name → any model with ``embed`` and ``generate``; works on copies, on the CPU. kind: "Gaussian" (not
    clipped), "masking" or "salt and pepper"; amount: σ, or the proportion of pixels, in [0, 1]. Numbers are the PSNR
    of this one image. Raises TypeError or ValueError for other images, kinds or amounts, or without a model.
    """
    if not models:
        raise ValueError('models must hold a name and a model at least, such as {"Gaussian 0.5": dae}.')
    return NoiseExplorer(models, images, kind, amount)
