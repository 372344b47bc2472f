"""What a widget shows."""

import base64
import re


def shown(picture):
    """The bytes of the PNG that a widget's picture shows now."""
    return base64.b64decode(re.search('base64,([^"]+)', picture.value)[1])
