"""Is this machine ready for the course? ``python -m vae_helpers.doctor`` says so in one screen, and how to mend it.

Nothing here asks for a package at its head but ``learning``, which runs in a Python of its own: so the doctor answers
where torch is missing, broken, or ends Python.
"""
