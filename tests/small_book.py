"""A small book in a folder of its own: what chapters can do, built in seconds."""

import contextlib
import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

"""
TOC = """\
format: jb-book
root: index
parts:
- caption: Chapters
  numbered: true
  chapters:
  - file: chapters/first
    sections: [{file: deeper/first}]
  - file: chapters/second
"""
FIRST = (
    """\
(sec-first)=
# First

*25 minutes · needs nothing · afterwards you can press buttons.*

```{code-cell} ipython3
:tags: [setup, hide-input]

from vaebook import explorers
```

```{code-cell} ipython3
:tags: [explorer, remove-input]

explorers.Elbo(phi=0.4)
```

Near it: {move}`widen *the* $q$ <elbo:std=0.75,model=nonlinear>`, or
{move}`the far one <elbo-2:phi=1.2>`.

:::{predict} Which is right, $a$ or $b$?
- [ ] the answer $a$

  It is too early.
- [x] the answer *b*
- [ ] neither

Because **b** is right.
:::

## Visible code

Some words.

```{code-cell} ipython3
x = 1
```

```{code-cell} ipython3
:tags: [check]

assert x == 1
assert x < 2
```

$$
y = 1
$$ (eq-chapter)

"""
    + "\n\n".join(f"Paragraph {n}: " + 40 * "many words " for n in range(25))
    + """

```{code-cell} ipython3
:tags: [explorer, remove-input]

explorers.Elbo(phi=-1.0)
```

{move}`back at the second <elbo:mean=0.4,std=0.75>`
"""
)
SECOND = """\
# Second

See {eq}`eq-chapter`, {ref}`sec-deeper-first` and [a page outside](https://example.org/).

```{code-cell} ipython3
---
mystnb:
  image: {alt: A line that rises.}
  figure: {name: fig-line, caption: A line.}
tags: [hide-input]
---
import matplotlib.pyplot as plt

plt.style.use("vaebook.book")
_ = plt.plot([0, 1])
```

:::{dropdown} Solution
The answer is seven.
:::
"""
DEEPER = """\
(sec-deeper-first)=
# Deeper into first

(old-place)=
## A section that moved

$$
z = 2
$$ (eq-deeper)

```{code-cell} ipython3
1 + 1
```
"""  # fmt: skip


def write(folder, **pages):
    """Write the book; ``pages`` replaces the text of some pages by name."""
    texts = {"index": "# Index\n", "chapters/first": FIRST, "deeper/first": DEEPER}
    texts |= {"chapters/second": SECOND} | pages
    for name, text in texts.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text((HEADER if "/" in name else "") + text, "utf-8")
    (folder / "_toc.yml").write_text(TOC, "utf-8")
    for name in ["_config.yml", "_ext", "_static", "_vendor", "references.bib"]:
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return folder


def build(folder):
    """Build the book; return the folder of its site, and what was said."""
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "-n", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return folder / "_build" / "html", done.stdout + done.stderr


@contextlib.contextmanager
def shared(tmp_path_factory):
    """Lend the folder of a small book, built once for all processes that test; one has it a time.

    ``said.txt`` in it holds what the build said.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "small-book"
    with open(base / "small-book.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "said.txt").exists():
            folder.mkdir(exist_ok=True)
            _, said = build(write(folder))
            (folder / "said.txt").write_text(said, "utf-8")
        yield folder
