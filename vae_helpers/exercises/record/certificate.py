"""A page to keep and to print: what the record holds, where it holds the capstone as well."""

import html
import time
from string import Template

from vae_helpers.exercises.catalogue import EXERCISES
from vae_helpers.exercises.record.summary import Progress

SHARE = 0.75  # of all exercises, at least
PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Autoencoders and VAEs, by hand</title>
<style>
body { font: 16px/1.5 Georgia, serif; max-width: 42em; margin: 3em auto; padding: 0 1em; color: #111; background: #fff }
h1 { font-weight: normal; border-bottom: 2px solid #111 }
table { border-collapse: collapse; margin: 1.5em 0 }
th, td { padding: .2em 1em; text-align: right; border-bottom: 1px solid #bbb }
</style>
<main>
<h1>Autoencoders and VAEs, by hand</h1>
<p>$name has worked through this course and passed the checks of $done of its $all exercises.</p>
<table>
<caption>By notebook</caption>
<thead>
<tr><th scope="col">notebook</th><th scope="col">exercises passed</th><th scope="col">mistakes mended</th></tr>
</thead>
<tbody>
$rows
</tbody>
</table>
<p>From a blank page, on data of their own ($about), $name has built a VAE in which the course's diagnosis found
nothing: <strong>$nats nats per test image</strong>, beside $levels.</p>
<p>$date. Written by the learner's own machine from the learner's own record: it says what was done,
and proves nothing.</p>
</main>
</html>
""")


def lacking(of: Progress) -> str:
    """What a certificate still asks for, in a sentence; nothing where all is there."""
    least = int(SHARE * len(EXERCISES)) + 1
    asked = [] if of.done >= least else [f"{least - of.done} more exercises ({of.done} of {least} are done)"]
    asked += [] if of.capstone else ["the capstone: a VAE of your own on your own data, exercises.capstone(…)"]
    return " and ".join(asked)


def certificate(of: Progress, name: str) -> str:
    """The page, in HTML, for a record that lacks nothing. name: whose it is."""
    rows = [
        f"<tr><td>{n.number}</td><td>{n.done} of {n.done + n.tried + n.open}</td><td>{n.mended}</td></tr>"
        for n in of.notebooks
    ]
    levels = ", ".join(f"{value:.1f} for {html.escape(str(what))}" for what, value in of.capstone["levels"].items())
    return PAGE.substitute(
        name=html.escape(name),
        done=of.done,
        all=len(EXERCISES),
        rows="\n".join(rows),
        about=html.escape(str(of.capstone["about"])),
        nats=f"{of.capstone['nats']:.1f}",
        levels=levels,
        date=time.strftime("%Y-%m-%d"),
    )
