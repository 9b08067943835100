"""Models with latent variables: joint and marginal densities, a pass through a VAE."""

from vaebook.figures.style import COLOURS, decimal, new_figure, plot, shade


def unit_plane(ax):
    """Name two data axes, and give them one scale."""
    ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")


@plot
def plot_joint(x, z, joint, *, ax=None):
    """Draw a joint density from above, as bands that grow stronger with its height.

    ``joint`` (n, G) has the slice at ``z[k]`` in column k; ``x`` (n,), ``z`` (G,).

    Source: chapter "latent-variable-models", eq-joint-product.
    """
    shade(ax, x, z, joint.T, joint.max())
    ax.set(xlabel="$x$", ylabel="$z$", xlim=(x[0], x[-1]), ylim=(z[0], z[-1]))


@plot
def plot_density(x1, x2, density, *, ax=None):
    """Draw a density over the plane in colour ``p``: the darker, the denser.

    ``density`` (m, n), row by row for ``x2`` (m,); ``x1`` (n,).

    Source: chapter "nonlinear-latent-variable-models", eq-nlvm-evidence.
    """
    shade(ax, x1, x2, density, density.max())
    unit_plane(ax)


def figure_vae_pass(x, mean, std, eps, centre, log_px_given_z, kl):
    """Draw one data point on its way through a VAE with one latent dimension, with its numbers.

    ``mean`` and ``std`` are the encoder's answer to ``x`` (D,), ``eps`` is the sample from N(0, 1),
    ``centre`` (D,) the decoder's answer to mean + std * eps; the last two are in nats.

    Source: chapter "variational-autoencoder", eq-vae-worked-case.
    """
    figure = new_figure(7.2, 2.9)
    ax = figure.subplots()
    ax.set(xlim=(0, 100), ylim=(-6, 34))
    ax.axis("off")

    def number(*values):
        return ", ".join(decimal(value, 2) for value in values)

    def write(place, words, role="ink", box=False):
        edge = {"boxstyle": "round,pad=0.45", "facecolor": "none", "edgecolor": COLOURS[role]}
        ax.text(
            *place, words, ha="center", va="center", color=COLOURS[role], bbox=edge if box else None
        )

    def arrow(start, end, role="muted", bend=0):
        style = {"arrowstyle": "-|>", "color": COLOURS[role], "shrinkA": 0, "shrinkB": 0}
        style["connectionstyle"] = f"arc3,rad={bend}"
        ax.annotate("", end, start, arrowprops=style)

    write((7, 26), r"$\mathbf{x}$" f"\n({number(*x)})")
    write((22, 26), "encoder\n" r"$\theta$", "q", box=True)
    write((38, 29), rf"$\mu$ = {number(mean)}", "q")
    write((38, 23), rf"$s$ = {number(std)}", "q")
    write((41, 9), rf"$\epsilon^*$ = {number(eps)}" "\n" r"sampled from $N[0,1]$", "muted")
    write((56, 26), r"$z^*=\mu+s\,\epsilon^*$" f"\n= {number(mean + std * eps)}")
    write((73, 26), "decoder\n" r"$\phi$", "p", box=True)
    write((91, 26), r"$\mathbf{f}[z^*]$" f"\n({number(*centre)})", "p")
    loss = [
        rf"$\log\,p(\mathbf{{x}}|z^*)$ = {number(log_px_given_z)}", f"minus KL  {number(kl)}",
        f"= estimate  {number(log_px_given_z - kl)}",
    ]  # fmt: skip
    write((85, 6), "\n".join(loss), "bound", box=True)
    for start, end, role in [
        ((14, 26), (17, 26), "muted"), ((27, 26), (31.5, 26), "q"), ((44.5, 26), (48, 26), "q"),
        ((46, 13), (53, 21), "muted"), ((64.5, 26), (68, 26), "muted"), ((78, 26), (84, 26), "p"),
        ((91, 21), (91, 13.5), "p"),
    ]:  # fmt: skip
        arrow(start, end, role)
    arrow((44.5, 21), (72.5, 8), "q", bend=-0.12)
    arrow((7, 21), (72.5, 3.5), "muted", bend=0.38)
    return figure
