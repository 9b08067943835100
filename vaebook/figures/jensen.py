"""Jensen's inequality: a function, its average, and the gap between them."""

from vaebook.figures.style import COLOURS, plot, role_line


@plot
def plot_gap(y, curve, sides, *, g=r"\log {}", ax=None):
    """Draw a curve g, and over the mean of y the gap between g[E[y]] and E[g[y]].

    ``y``, ``curve`` (n,); ``sides`` is E[y], g[E[y]], E[g[y]]; ``g`` is the function in TeX, ``{}``
    for its argument.

    Source: chapter "jensens-inequality", eq-jensen.
    """
    mean, g_of_mean, mean_of_g = sides
    ax.plot(y, curve, color=COLOURS["ink"])
    ax.plot([mean, mean], [mean_of_g, g_of_mean], **role_line("gap"), linewidth=4)
    above = {"textcoords": "offset points", "ha": "right", "xytext": (-5, 5)}
    below = {"textcoords": "offset points", "ha": "left", "xytext": (5, -12)}
    for height, role, marker, words, place in [
        (g_of_mean, "ink", "o", f"${g.format('E[y]')}$", above),
        (mean_of_g, "bound", "D", f"$E[{g.format('y')}]$", below),
    ]:
        ax.plot(mean, height, marker, markersize=5, color=COLOURS[role])
        ax.annotate(words, (mean, height), color=COLOURS[role], **place)
    ax.set(xlabel="$y$", ylabel=f"${g.format('y')}$", xlim=(0, y[-1]))
