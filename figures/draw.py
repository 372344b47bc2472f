"""Draw the course's figures beside this script: ``python figures/draw.py [--only NAME]``.

Without a name it draws all of them: the SVG diagrams, ``results.png`` and the page ``latent_explorer.html``; the last
two need MNIST and some minutes of training. Every diagram stands on an opaque white panel, so that it is legible on
light and on dark pages. The same code and the same matplotlib give the same bytes; each file names both.
"""

import argparse
import hashlib
import io
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import graphs
import language
import matplotlib
import networks
from matplotlib.axes import Axes

HERE = Path(__file__).parent
SCRIPTS = ("draw.py", "language.py", "networks.py", "graphs.py")
TRAINED = {"results": "results.py", "latent_explorer": "explorer.py"}  # made from models, each by its script
WIDE, HALF_A_PAGE = 1044, 440  # points of the widest drawings; pixels that half a page has


@dataclass(frozen=True)
class Drawing:
    """What to draw on a panel of ``width`` × ``height`` points, and how to say it in words."""

    paint: Callable[[Axes], None]
    width: float
    height: float
    title: str
    description: str


DRAWINGS = {
    "course_map": Drawing(
        graphs.course_map,
        764,
        726,
        "The course, from 00 to 11, and the playground",
        "Twelve notebooks as a path; on each arrow, the failure that leads on to the next notebook. Below, the "
        "playground, with every slider in one place.",
    ),
    "autoencoder": Drawing(
        networks.autoencoder,
        956,
        344,
        "Autoencoder",
        "An image x passes through the encoder (512, 256 units) to a code z of d numbers, and through the "
        "decoder (256, 512 units) to a reconstruction; the loss compares the two images.",
    ),
    "denoising_autoencoder": Drawing(
        networks.denoising_autoencoder,
        WIDE,
        344,
        "Denoising autoencoder",
        "A clean image x is spoiled at random to x̃, which passes through the encoder to a wide code z of 1,024 numbers "
        "and through the decoder to a reconstruction; the loss compares that with the clean image, not with x̃.",
    ),
    "graphical_model": Drawing(
        graphs.graphical_model,
        906,
        344,
        "A latent-variable model and its approximate posterior",
        "For every image a code z is drawn from the prior p(z), and the image x from p(x|z), the decoder with weights "
        "θ; a dashed arrow leads back from x to z: the encoder's q(z|x), with weights φ.",
    ),
    "vae": Drawing(
        networks.vae,
        WIDE,
        486,
        "Variational autoencoder",
        "An image x passes through the encoder (400 units) to μ and log σ²; z = μ + σ ε, with ε drawn from "
        "N(0, I), passes through the decoder (400 units) to logits and a sigmoid. The loss has two terms: "
        "reconstruction, between the two images, and the KL divergence of N(μ, σ²) from N(0, I).",
    ),
    "reparameterization": Drawing(
        graphs.reparameterization,
        WIDE,
        458,
        "The reparameterization trick",
        "Two computation graphs from μ and σ over z to the loss. Left, z is drawn from N(μ, σ²): the gradient comes "
        "back from the loss to z and ends there. Right, ε is drawn from N(0, I) outside, and z = μ + σ ε: the "
        "gradient passes through z to μ and to σ.",
    ),
    "conditional_vae": Drawing(
        networks.concatenation_vae,
        WIDE,
        564,
        "Conditional VAE by concatenation",
        "A variational autoencoder whose encoder sees the one-hot label y beside the image x, and whose decoder sees "
        "it beside z; the prior is N(0, I) for every class.",
    ),
    "class_prior_vae": Drawing(
        networks.class_prior_vae,
        WIDE,
        486,
        "VAE with a prior for each class",
        "A variational autoencoder whose encoder and decoder never see the label y; it picks the mean μ_y of the "
        "prior N(μ_y, I) that the KL divergence is taken to.",
    ),
}


def origin() -> str:
    """The fingerprint of the scripts and the version of matplotlib: what a file was drawn by."""
    code = "".join((HERE / script).read_text("utf-8") for script in SCRIPTS)
    return f"figures/draw.py, sha256 {hashlib.sha256(code.encode()).hexdigest()}, matplotlib {matplotlib.__version__}"


def draw(name: str, folder: Path = HERE) -> Path:
    """Draw one diagram into a folder, and return the file."""
    drawing, file, svg = DRAWINGS[name], folder / f"{name}.svg", io.StringIO()
    told = {"Title": drawing.title, "Description": drawing.description, "Source": origin()}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever a user's matplotlibrc says
        matplotlib.rcParams.update(language.STYLE)
        axes = language.panel(drawing.width, drawing.height)
        drawing.paint(axes)
        axes.figure.savefig(svg, format="svg", metadata={**told, "Date": None, "Creator": None})
    file.write_bytes(svg.getvalue().encode())  # bytes: the same line ends on every system
    return file


def main() -> None:
    """The command line."""
    names = [*DRAWINGS, *TRAINED]
    parser = argparse.ArgumentParser(description="Draw the course's figures beside this script.")
    parser.add_argument("--only", choices=names, metavar="NAME", help=f"one of {', '.join(names)}")
    only = parser.parse_args().only
    for name in [only] if only else names:
        if name in TRAINED:
            runpy.run_path(str(HERE / TRAINED[name]), run_name="__main__")
        else:
            file = draw(name)
            print(f"{file.name}: {file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
