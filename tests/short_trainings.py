"""A kernel's configuration in which each epoch of ``fit`` sees a part of its images: not a test.

As ``ipython_kernel_config.py`` of a profile it makes that profile's trainings short. ``.ci/run`` lays it there for the
notebooks without network, whose long trainings it runs on MNIST. Nothing else is cut: every cell runs, every epoch
too, and every ``assert`` must hold.
"""

from vae_helpers.training.batches import Batches

PART = 4  # one image of so many
FEWEST = 16  # batches an epoch
whole = Batches.__init__


def begin(self, x, y, batch_size, *more):
    n = max(len(x) // PART, FEWEST * batch_size)
    whole(self, x[:n], None if y is None else y[:n], batch_size, *more)


Batches.__init__ = begin
