"""Exercises of notebook 00: pixels without company, a hidden die, and a chain in which each pixel sees one other."""

from vae_helpers.exercises.nb00.chain import CHAIN_NATS, CHAIN_TABLES
from vae_helpers.exercises.nb00.draws import CHAIN_DRAW, DIE_AND_CLASS_MEAN
from vae_helpers.exercises.nb00.pixels import INDEPENDENT_PIXELS, MEAN_IMAGE, NATS_PER_IMAGE

EXERCISES = (
    MEAN_IMAGE,
    INDEPENDENT_PIXELS,
    NATS_PER_IMAGE,
    DIE_AND_CLASS_MEAN,
    CHAIN_TABLES,
    CHAIN_NATS,
    CHAIN_DRAW,
)
