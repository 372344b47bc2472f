"""The step of nbconvert that signs a class copy; TEACHING.md has the command."""

from vae_helpers.exercises.catalogue import VERSION
from vae_helpers.exercises.grade.signing import ENTRY, entry_of

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode


class Signed(Preprocessor):
    """Writes version and digest into the metadata of a copy, so that grading knows what it grades."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook with the entry; cells stay as they are."""
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        cells = [(cell.source, cell.metadata.get("tags", [])) for cell in code]
        name = resources.get("metadata", {}).get("name", "")
        nb.metadata[ENTRY] = entry_of(name, VERSION, cells)
        return nb, resources
