"""What the project says of itself: two lists of requirements that agree, and README commands that exist."""

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from helpers.places import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def test_the_package_asks_for_what_requirements_txt_asks_for():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    listed = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    assert wanted
    assert set(wanted) <= set(listed)
    assert "-e ." in listed


def test_the_commands_of_the_readme_are_one_line_each_with_their_windows_twins():
    fences = [block.strip().splitlines() for block in re.findall(r"```(?:bash|bat)\n(.*?)```", README, re.DOTALL)]
    installs = [lines for lines in fences if "-m venv" in lines[0]]
    assert len(installs) == 4
    assert all(len(lines) == 1 and "requirements.txt" in lines[0] for lines in installs)


def test_the_line_after_the_marker_is_the_test_command():
    after = README.split("<!-- test-command -->")[1].strip().splitlines()
    assert after[0] == "```bash"
    assert after[1].endswith("pytest -n 2 --dist loadfile")


def test_jupyterlab_is_opened_on_the_whole_course_so_that_the_diagrams_are_in_reach():
    opens = [line for line in README.splitlines() if "jupyter lab " in line]
    assert len(opens) == 2
    assert all("--notebook-dir=." in line for line in opens)


def test_jupyterlab_is_started_with_idle_threads_that_sleep_for_those_who_import_torch_first():
    unix, windows = (line for line in README.splitlines() if "jupyter lab " in line)
    assert "&& OMP_WAIT_POLICY=PASSIVE .venv/bin/jupyter lab" in unix
    assert "&& set OMP_WAIT_POLICY=PASSIVE&& .venv\\Scripts\\jupyter lab" in windows  # a space would be part of it


def pins():
    """Each pinned package and version of the lock, beside its line."""
    lines = (ROOT / "requirements.lock").read_text("utf-8").replace("\\\n", " ").splitlines()
    found = [(re.match(r"([\w.-]+)==(\S+)", line), line) for line in lines if not line.startswith("#")]
    assert all(pin for pin, _ in found)
    return [(pin[1].lower(), pin[2], line) for pin, line in found]


def test_the_lock_holds_every_requirement_within_its_range():
    texts = [(ROOT / name).read_text("utf-8") for name in ("requirements.txt", "requirements-site.txt")]
    lines = [line.split("#")[0].strip() for line in "\n".join(texts).splitlines()]
    asked = [line for line in lines if line and not line.startswith("-")]
    locked = {name: version for name, version, _ in pins()}
    assert len(asked) > 30
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(locked[requirement.name.lower()]), requirement


def test_every_file_of_the_lock_has_a_hash():
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", line) for _, _, line in pins())


def test_the_lock_has_what_builds_the_courses_own_package():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    locked = {name: version for name, version, _ in pins()}
    assert all(r.specifier.contains(locked[r.name]) for r in map(Requirement, build))


TRANSLATIONS = sorted(ROOT.glob("README.*.md"))


def commands(text):
    return re.findall(r"```(?:bash|bat)\n.*?```", text, re.DOTALL)


def test_the_readme_leads_to_its_translations():
    assert {path.name for path in TRANSLATIONS} == set(re.findall(r"\]\((README\.\w+\.md)\)", README))
    assert len(TRANSLATIONS) == 3


@pytest.mark.parametrize("path", TRANSLATIONS, ids=lambda path: path.name)
def test_a_translation_has_the_readmes_two_commands_and_says_that_it_wants_a_readers_eye(path):
    text = path.read_text("utf-8")
    assert commands(text) == commands(README)[:2]
    assert re.search(r"^\*.*\]\(README\.md\).*\*$", text, re.MULTILINE)


@pytest.mark.parametrize("path", [ROOT / "README.md", *TRANSLATIONS], ids=lambda path: path.name)
def test_links_and_pictures_of_the_readme_lead_somewhere_and_pictures_have_alt_texts(path):
    text = path.read_text("utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]
    assert all(len(alt) > 20 for alt in re.findall(r"!\[([^]]*)\]", text))


def test_the_picture_of_the_sliders_is_small():
    assert (ROOT / "figures" / "sliders.png").stat().st_size <= 200_000


def test_the_dev_container_installs_what_is_here_and_ends_with_the_doctor():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    command = container["postCreateCommand"]
    assert "-r requirements.txt" in command
    assert command.endswith("python -m vae_helpers.doctor")
    assert all((ROOT / file).exists() for file in container["customizations"]["codespaces"]["openFiles"])
    assert container["containerEnv"]["OMP_WAIT_POLICY"] == "PASSIVE"
