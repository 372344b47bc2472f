"""A kernel's configuration in which each epoch of ``fit`` sees a part of its images: not a test.

As ``ipython_kernel_config.py`` of a profile it makes that profile's trainings short. ``.ci/run`` lays it there for the
notebooks without network, whose long trainings it runs on MNIST. Nothing else is cut: every cell runs, every epoch
too, and every ``assert`` must hold. Denoisers see more: on a quarter, 02's do not beat the best linear one.
11's denoisers of codes have a loop of their own, which goes over few images more often: here as often as over many.
"""

import os
from math import ceil

from vae_helpers.training.run import TrainingRun

PART, PART_OF_DENOISERS = 8, 3  # one image of so many
WANT_MORE = ("01_autoencoder", "05_vae", "08_conditional_vae", "11_diffusion")  # some assert fails on half of it
FEWEST = 4096 if os.environ.get("VAE_NOTEBOOK") in WANT_MORE else 2048  # images an epoch
whole = TrainingRun.__init__


def begin(self, model, loss, batches, settings, visible):
    part = PART_OF_DENOISERS if "corrupt" in getattr(loss, "keywords", ()) else PART
    n = max(len(batches) // part, FEWEST)
    batches.x, batches.y = batches.x[:n], None if batches.y is None else batches.y[:n]
    batches.n_batches = ceil(len(batches) / settings["batch_size"])
    whole(self, model, loss, batches, settings, visible)


TrainingRun.__init__ = begin

AFTER_EACH_CELL = """
def as_often(result, own="train_on_codes", more_often="PASSES"):
    names = get_ipython().user_ns
    if own in names and more_often in names:
        names[more_often] = 1


get_ipython().events.register("post_run_cell", as_often)
del as_often
"""
if "get_config" in globals():  # read by a kernel
    get_config().IPKernelApp.exec_lines = [AFTER_EACH_CELL]  # noqa: F821
