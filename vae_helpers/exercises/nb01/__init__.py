"""Exercises of notebook 01: an autoencoder, its loss and its loop; codes between and beyond; who copies noise."""

from vae_helpers.exercises.nb01.codes import GAUSSIAN_CODES, WALK
from vae_helpers.exercises.nb01.errors import AUTOENCODER_LOSS, COPIER, GAUSSIAN_NLL
from vae_helpers.exercises.nb01.network import AUTOENCODER
from vae_helpers.exercises.nb01.training import TRAINING_EPOCH

EXERCISES = (AUTOENCODER_LOSS, TRAINING_EPOCH, AUTOENCODER, WALK, GAUSSIAN_NLL, GAUSSIAN_CODES, COPIER)
