"""The drawings that are no networks: the graphical model, the reparameterized graph, the map of the course."""

from vae_helpers.plotting import BLUE, GREY, ORANGE, RED

from language import EDGE, INK, LINE, PALE, SMALL, TYPE, arrow, bow, box, disc, label
from matplotlib.axes import Axes

# Number, name, and the failure that leads on to the next notebook.
COURSE = [
    ("00", "start here", "pixels\ndon’t agree"),
    ("01", "autoencoder", "a wide code\njust copies"),
    ("02", "denoising", "codes can’t\nbe sampled"),
    ("03", "ELBO", "a sample blocks the gradient"),
    ("04", "reparameterization\n& KL", "linear:\nonly blobs"),
    ("05", "VAE", "is it\nany good?"),
    ("06", "likelihood", "what is in\nthe code?"),
    ("07", "latent space", "can’t ask for a 7"),
    ("08", "conditional\nVAE", "what goes\nwrong?"),
    ("09", "spot the bug", "half are\nno digits"),
    ("10", "better prior", "upper layers\ncollapse"),
    ("11", "diffusion", ""),
]
A_ROW = 4


def course_map(axes: Axes) -> None:
    """Rows of four notebooks; on each arrow, the failure that leads on; below, the playground."""
    radius, left, step, lowest, drop = 29, 112, 180, 198, 212
    rows = -(-len(COURSE) // A_ROW)
    right = left + step * (A_ROW - 1)
    for i, (number, name, failure) in enumerate(COURSE):
        x, y = left + step * (i % A_ROW), lowest + drop * (rows - 1 - i // A_ROW)
        disc(axes, (x, y), radius, BLUE, BLUE)
        label(axes, (x, y), number, colour="white", weight="bold")
        label(axes, (x, y - radius - 14), name, SMALL, va="top")
        if failure and x < right:
            arrow(axes, (x + radius, y), (x + step - radius, y))
            label(axes, (x + step / 2, y + 16), failure, SMALL, RED, va="bottom")
        elif failure:
            turn = y - drop + radius + 54
            arrow(axes, (x, y - 88), (x, turn), (left, turn), (left, y - drop + radius))
            label(axes, ((left + right) / 2, turn + 12), failure, SMALL, RED, va="bottom")
    told = "playground: every slider in one place"
    box(axes, ((left + right) / 2, 56), right - left + 2 * radius, 54, told, edge=BLUE)


def node(axes: Axes, at: tuple[float, float], name: str, face: str) -> None:
    """A random variable: a circle with its name."""
    disc(axes, at, 46, face, INK)
    label(axes, at, name, TYPE + 10)


def graphical_model(axes: Axes) -> None:
    """The prior's arrow into z, the decoder's from z to x, the encoder's dashed one back."""
    z, x, y = 306, 780, 172
    box(axes, ((z + x) / 2, y), x - z + 170, 304, edge=EDGE)
    label(axes, (x + 66, 42), "for every image", SMALL, GREY, ha="right")
    node(axes, (z, y), "$z$", "white")
    node(axes, (x, y), "$x$", PALE)
    label(axes, (112, y + 40), "prior", weight="bold")
    label(axes, (112, y - 42), r"$p(z)$")
    arrow(axes, (60, y), (z - 46, y))
    bow(axes, (z, y), (x, y), -0.22, ORANGE, "-")
    bow(axes, (x, y), (z, y), -0.22, BLUE, (0, (4, 2.5)))
    label(axes, ((z + x) / 2, y + 112), r"decoder $\theta$:  $p(x\,|\,z)$")
    label(axes, ((z + x) / 2, y - 112), r"encoder $\phi$:  $q(z\,|\,x)$")
    label(axes, (x, y - 72), "observed", SMALL, GREY)
    label(axes, (z, y - 72), "latent", SMALL, GREY)


def cross(axes: Axes, at: tuple[float, float], half: float = 13) -> None:
    """A red cross: nothing passes here."""
    for slope in (-1, 1):
        across, up = (at[0] - half, at[0] + half), (at[1] - slope * half, at[1] + slope * half)
        axes.plot(across, up, color=RED, lw=2 * LINE, solid_capstyle="round")


def through_a_draw(axes: Axes, left: float, title: str, z: str, blocked: bool) -> None:
    """μ and σ → z → loss, and the gradient on its way back; where z is drawn, it ends there."""
    y, middle, end = 214, left + 240, left + 434
    label(axes, (left + 240, 418), title, weight="bold")
    for name, side in ((r"$\mu$", 1), (r"$\sigma$", -1)):
        box(axes, (left + 36, y + 84 * side), 72, 66, name, face=PALE)
        arrow(axes, (left + 72, y + 96 * side), (middle - 94, y + 25 * side))
        if blocked:
            cross(axes, (middle - 118, y))
        else:
            arrow(axes, (middle - 94, y + 8 * side), (left + 72, y + 70 * side), colour=RED)
    box(axes, (middle, y), 188, 78, z, face="white" if blocked else PALE, dash="--" if blocked else "-")
    box(axes, (end, y), 84, 78, "loss", edge=RED)
    arrow(axes, (middle + 94, y + 15), (end - 42, y + 15))
    arrow(axes, (end - 42, y - 15), (middle + 94, y - 15), colour=RED)


def reparameterization(axes: Axes) -> None:
    """Left: z is drawn, and the gradient ends there. Right: ε is drawn outside, and the gradient reaches μ and σ."""
    through_a_draw(axes, 26, "draw z itself", r"$z \sim \mathcal{N}(\mu, \sigma^2)$", blocked=True)
    through_a_draw(axes, 544, r"draw $\epsilon$, compute z", r"$z = \mu + \sigma\,\epsilon$", blocked=False)
    box(axes, (784, 346), 176, 54, r"$\epsilon \sim \mathcal{N}(0, I)$", dash="--")
    arrow(axes, (784, 319), (784, 253))
    axes.plot((523, 523), (92, 434), color=EDGE, lw=LINE)
    for x, text, colour in ((280, "values", GREY), (580, "gradient", RED)):
        arrow(axes, (x, 48), (x + 74, 48), colour=colour)
        label(axes, (x + 88, 48), text, ha="left")
