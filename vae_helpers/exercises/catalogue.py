"""All exercises, by id and by notebook; and the version of the course that they belong to."""

from importlib import import_module

from vae_helpers.exercises import nb00, nb01, nb02, nb03, nb04, nb05, nb06, nb07, nb08, nb09, nb10, nb11
from vae_helpers.exercises.engine import Exercise

VERSION: str = import_module("vae_helpers").__version__
_MODULES = (nb00, nb01, nb02, nb03, nb04, nb05, nb06, nb07, nb08, nb09, nb10, nb11)
BY_NOTEBOOK: dict[str, tuple[Exercise, ...]] = {module.__name__[-2:]: module.EXERCISES for module in _MODULES}
EXERCISES: dict[str, Exercise] = {e.id: e for of_notebook in BY_NOTEBOOK.values() for e in of_notebook}
NOTEBOOK_OF: dict[str, str] = {e.id: number for number, of_one in BY_NOTEBOOK.items() for e in of_one}
