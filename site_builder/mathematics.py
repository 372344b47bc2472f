"""Formulas, LaTeX → MathML as browsers draw it, and the font they are drawn with."""

import base64
import html
import io
import re
import unicodedata
from collections.abc import Iterable
from importlib.resources import files
from itertools import pairwise
from xml.etree.ElementTree import Element, tostring

from fontTools import subset, ttLib
from latex2mathml.converter import Converter

# What latex2mathml does not read, and what it reads as the same.
REWRITTEN = ((r"\{aligned\}", "{align*}"), (r"\\[bB]igg?[lr]?\\\|", r"\\|"))
OLDER = {"FRAKTUR": "BLACK-LETTER"}  # letters that Unicode had before the others carry no MATHEMATICAL in their names
DRAWN_AS = {"―": "‾", "^": "ˆ", "*": "∗"}
THIN = "0.167em"
CLOSING = ")]‖"


def mathml(latex: str, display: bool = False) -> str:
    """One formula as <math>; ValueError, with the formula, for what can't be read or drawn."""
    try:
        return _mathml(latex, display)
    except Exception as error:  # latex2mathml has one for each mistake
        raise ValueError(f"${latex}$: {str(error) or type(error).__name__}") from error


def _mathml(latex: str, display: bool) -> str:
    for found, replaced in REWRITTEN:
        latex = re.sub(found, replaced, latex)
    tree = Converter(display="block" if display else "inline").convert_to_element(latex.strip())
    for element in tree.iter():
        element.text = html.unescape(element.text or "")
        if "\\" in element.text:
            raise ValueError(f"latex2mathml does not know {element.text}: write it in other words.")
        _mend_letters(element)
    for row in tree.iter():
        if row.tag in ("mrow", "mtd", "math", "mstyle"):
            _space_functions(row)
            _mark_signs(row)
    return tostring(tree, encoding="unicode")


def _mend_letters(element: Element) -> None:
    """Browsers know no mathvariant but normal; TeX sets names, ∇, ∂ and … like letters, a slash without space."""
    text = element.text
    variant = element.attrib.get("mathvariant", "normal")  # which stays: upright letters
    if variant != "normal":
        del element.attrib["mathvariant"]
        element.text = "".join(_of_alphabet(variant.upper().replace("BOLD-", "BOLD "), letter) for letter in text)
    elif element.tag == "mo" and (text in ("∇", "∂", "…") or (len(text) > 1 and text.isalpha())):
        element.tag, element.attrib = "mi", {"mathvariant": "normal"} if text == "∇" else {}
    elif element.tag == "mi" and "Α" <= text <= "Ω":
        element.set("mathvariant", "normal")
    elif element.tag == "msup" and element[1].text == "&#x02032;":  # the font has raised the prime already
        element.tag = "mrow"
    elif text in (".", "/", "′"):
        element.tag, element.attrib = "mo", {"lspace": "0", "rspace": "0"}
    elif text in (";", ":"):
        element.tag = "mo"
    elif text in DRAWN_AS:
        element.text = DRAWN_AS[text]


def _of_alphabet(variant: str, letter: str) -> str:
    """The letter of an alphabet such as DOUBLE-STRUCK."""
    kind = re.sub("LATIN |GREEK | LETTER", "", unicodedata.name(letter, ""))
    for name in (f"MATHEMATICAL {variant} {kind}", f"{OLDER.get(variant, variant)} {kind}"):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    if letter.isalnum():
        raise ValueError(f"{letter} has no {variant.lower()} form: write another letter.")
    return letter


def _nucleus(element: Element) -> Element:
    """What scripts and accents sit on."""
    scripts = ("msub", "msup", "msubsup", "munder", "mover", "munderover")
    return _nucleus(element[0]) if element.tag in scripts else element


def _is_function(element: Element) -> bool:
    nucleus = _nucleus(element)
    return nucleus.tag == "mi" and len(nucleus.text or "") > 1 and nucleus.text.isalpha() and nucleus.text.isascii()


def _space_functions(row: Element) -> None:
    """A thin space before a function's name, and after it where no bracket follows, as TeX sets them."""
    for before, after in pairwise(list(row)):
        left, right = _nucleus(before), _nucleus(after)
        opens = right.tag in ("mo", "mspace")
        operand = left.tag not in ("mo", "mspace") or (left.text or "") in CLOSING
        if (_is_function(before) and not opens) or (_is_function(after) and operand):
            row.insert(list(row).index(after), Element("mspace", width=THIN))


def _mark_signs(row: Element) -> None:
    """A minus after another operator is a sign; a tilde on the line is a relation."""
    for element in row:
        if element.text == "~":
            element.tag, element.text = "mo", "∼"
    for before, after in pairwise(row):
        if after.tag == "mo" and after.text == "−" and before.tag == "mo" and before.text not in CLOSING:
            after.set("form", "prefix")


def font_face(formulas: Iterable[str]) -> str:
    """CSS with the part of STIX Two Math that these formulas draw: MathML needs a font with a MATH table."""
    font = ttLib.TTFont(io.BytesIO(files("ziamath").joinpath("fonts/STIXTwoMath-Regular.ttf").read_bytes()))
    letters = {character for formula in formulas for character in formula}
    italic = [chr(code) for code in (*range(0x1D434, 0x1D468), *range(0x1D6FC, 0x1D71C))]
    cutter = subset.Subsetter(subset.Options(layout_features=["ssty"], notdef_outline=True))
    cutter.populate(text="".join([*letters, *italic, "ℎ\u2061ˆ‾˜⏟√"]))
    cutter.subset(font)
    font.flavor = "woff"
    packed = io.BytesIO()
    font.save(packed)
    data = base64.b64encode(packed.getvalue()).decode()
    return f'@font-face{{font-family:"Course Maths";src:url(data:font/woff;base64,{data}) format("woff")}}\n'
