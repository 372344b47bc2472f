"""The settings file for shared servers names a setting, and a value of it, that the installed JupyterLab knows."""

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from helpers.places import OVERRIDES

SETTINGS = json.loads(OVERRIDES.read_text("utf-8"))
SCHEMAS = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"


def schema_of(plugin):
    folder, name = plugin.split(":")
    return json.loads((SCHEMAS / folder / f"{name}.json").read_text("utf-8"))


def test_it_keeps_widgets_out_of_subshells_and_sets_nothing_else():
    assert SETTINGS == {"@jupyterlab/apputils-extension:kernels-settings": {"commsOverSubshells": "disabled"}}


@pytest.mark.parametrize("plugin", SETTINGS)
def test_jupyterlab_knows_each_setting_and_its_value(plugin):
    schema = schema_of(plugin)
    assert set(SETTINGS[plugin]) <= set(schema["properties"])
    jsonschema.validate(SETTINGS[plugin], schema)


@pytest.mark.parametrize("plugin", SETTINGS)
def test_each_value_differs_from_what_jupyterlab_does_by_itself(plugin):
    properties = schema_of(plugin)["properties"]
    assert all(value != properties[name]["default"] for name, value in SETTINGS[plugin].items())
