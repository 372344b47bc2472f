"""The package behind the course: data, models, losses, training, pictures, figures of merit, widgets, exercises.

What a notebook teaches is written out there first and imported from here afterwards.
Modules import only downward: widgets, exercises → plotting, evaluation → training → losses → models → data → checks.
"""

__version__ = "0.1.0"
