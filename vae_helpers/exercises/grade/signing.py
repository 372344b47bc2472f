"""What a class copy says of itself: its notebook, the course's version, a digest of all code but the stubs."""

import hashlib
from collections.abc import Iterable

STUB, SOLUTION = "stub", "solution"
ENTRY = "vae_course"  # in the notebook's metadata


def digest_of(cells: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Of (source, tags) of code cells: equal as long as none but the stubs is edited, added, moved or removed."""
    digest = hashlib.sha256()
    for source, tags in cells:
        if not {STUB, SOLUTION} & set(tags):
            digest.update("\n".join(line.rstrip() for line in source.strip().splitlines()).encode() + b"\0")
    return digest.hexdigest()[:16]


def entry_of(name: str, version: str, cells: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """The entry for a notebook's metadata."""
    return {"notebook": name, "version": version, "digest": digest_of(cells)}
