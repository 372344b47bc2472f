"""Grading: ``python -m vae_helpers.exercises.grade NOTEBOOK…``, each answer in a process of its own, within limits."""
