"""Explorer ``elbo``: theta reshapes the bound under the log-likelihood, phi walks along it."""

import functools
from typing import Any, ClassVar

import numpy as np

from vaebook import bounds, figures
from vaebook.approximation import climb_gaussian
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Numbers, Readout, Slider
from vaebook.latent import NonlinearModel
from vaebook.quadrature import standard_normal_grid, uniform_grid

X, NOISE_STD = 1.7, 0.8  # with 1.5, the best slope of the linear model: 8, 15 and 17
WAVE = {"linear": 0.0, "nonlinear": 1.0}  # the decoder is phi z + wave sin 3z
PHI = np.linspace(-3.0, 3.0, 121)
LATENT = uniform_grid(-8.0, 8.0, 241)
EXPECTATION = standard_normal_grid(181)
RATE = 0.2  # of the gradient step
MAX_TRAIL = 60
_THETA: dict[str, Any] = {"group": "θ reshapes the bound", "role": "q"}


def model_at(name, phi):
    """Return the model of that name with the slope phi."""
    wave = WAVE[name]
    return NonlinearModel(
        lambda z: (phi * z + wave * np.sin(3 * z))[:, None], NOISE_STD, grid=LATENT
    )


@functools.cache
def log_likelihood(name):
    """Return log p(x|phi) at the slopes PHI."""
    return np.array([float(model_at(name, phi).log_marginal([X])) for phi in PHI])


def parabola(name, mean, std):
    """Return top and bend of the ELBO in phi: it is its highest value minus bend (phi - top)^2."""
    size = mean**2 + std**2  # E[z^2]
    angle, damping = 3 * mean, np.exp(-4.5 * std**2)
    wave = damping * (mean * np.sin(angle) + 3 * std**2 * np.cos(angle))  # E[z sin 3z]
    return (X * mean - WAVE[name] * wave) / size, size / (2 * NOISE_STD**2)


def terms(name, mean, std, phi):
    """Return the ELBO and its parts."""
    return bounds.elbo(model_at(name, phi), [X], mean, std)


class Elbo(Explorer):
    """The ELBO under the log-likelihood of one data point, x = 1.7, as functions of the slope phi.

    ``mean`` and ``std`` belong to q: they are theta. The linear model is x = phi z + noise; the
    nonlinear one adds the wave sin 3z. ``trail`` holds the (mean, std, phi) that the buttons came
    from; it ends where a slider is moved by hand.

    Source: chapter "evidence-lower-bound", eq-elbo, eq-elbo-linear and eq-bent-model.
    """

    name = "elbo"
    title = "The bound under the log-likelihood"
    size = (6.4, 3.4)

    phi = Slider(0.4, -3.0, 3.0, step=0.1, label="slope", symbol="φ", group="axis", role="p")
    mean = Slider(0.2, -2.5, 2.5, step=0.1, label="mean", symbol="μ", **_THETA)
    std = Slider(0.5, 0.1, 1.5, step=0.05, fine=0.01, label="std", symbol="s", **_THETA)
    model = Choice("linear", {"linear": "linear", "nonlinear": "nonlinear"}, label="model")
    envelope = Choice(
        "hidden", {"hidden": "hidden", "shown": "shown"}, label="envelope of bounds", more=True
    )
    trail = Numbers("[mean, std, phi]", 3)
    buttons = ("e_step", "m_step", "gradient_step")

    shown = (
        Readout("log_px", "log p(x|φ)", unit="nats", role="p"),
        Readout("elbo", "ELBO", unit="nats", role="bound"),
        Readout("gap", "gap", unit="nats", role="gap"),
        Readout("closest", "gap", unit="nats", group="Where they come closest ▲", role="gap"),
        Readout("near", "slope", "φ", digits=2, group="Where they come closest ▲"),
    )

    text: ClassVar = {
        "e_step": "E-step",
        "m_step": "M-step",
        "gradient_step": "Gradient step",
        "note": "Drag q until the gap closes (an E\u2011step), walk φ to the top of the bound "
        "(an M\u2011step), and repeat.",
        "note_small": "Use the controls here, and watch the square and the gap.",
        "x_axis": "φ",
        "y_axis": "nats",
        "log_px": "log p(x|φ)",
        "elbo": "ELBO[θ, φ]",
        "gap": "gap {gap}",
        "touch": "touching",
        "lens": "close-up",
        "q": "q(z|θ)",
        "consequence": "ELBO {elbo} nats, gap {gap}",
        "consequence_touching": "ELBO {elbo} nats, gap 0: the bound touches the log-likelihood",
        "description": "Two curves over the slope φ from −3 to 3. Above, the log-likelihood "
        "log p(x|φ). Below it the ELBO for a q with mean {mean} and standard deviation {std}, a "
        "parabola with its top at φ = {top}. They come closest at φ = {near}, where the gap is "
        "{closest:3}. At φ = {phi} the log-likelihood is {log_px} nats and the ELBO {elbo}: a gap "
        "of {gap}. Steps so far: {steps:0}.",
        "density_description": "Two densities over z: q, a Gaussian with mean {mean} and standard "
        "deviation {std}, and the exact posterior for φ = {phi}, highest at z = {mode:1}.",
        "table_caption": "The two curves; the first row is the chosen φ",
        "table_gap": "gap",
    }
    described = ("description",)

    def constrain(self, values, moved):
        """End the trail where a slider was moved."""
        return values if "trail" in moved or moved == {"envelope"} else values | {"trail": []}

    def _go(self, **values):
        """Go there, within the sliders' ranges, and leave the present place in the trail."""
        trail = [*self.trail, [self.mean, self.std, self.phi]][-MAX_TRAIL:]
        self.set(**self.inside(**values), trail=trail)

    def e_step(self):
        """Choose the best mean and std for this phi: in the linear model, the posterior."""
        mean, std = climb_gaussian(model_at(self.model, self.phi), [X], self.mean, self.std)
        self._go(mean=mean, std=std)

    def m_step(self):
        """Choose the best phi for this mean and std: the top of the parabola."""
        self._go(phi=parabola(self.model, self.mean, self.std)[0])

    def gradient_step(self):
        """Move mean, std and phi along the gradient, less far if that would lower the bound."""
        here = np.array([self.mean, self.std, self.phi])
        value = terms(self.model, *here).elbo
        top, bend = parabola(self.model, self.mean, self.std)
        m = bounds.elbo_moments(model_at(self.model, self.phi), [X], self.mean, self.std)
        gradient = np.array([m[1] / self.std, (m[2] + 1) / self.std, 2 * bend * (top - self.phi)])
        rate = RATE
        while True:
            mean, std, phi = here + rate * gradient
            there = self.inside(mean=mean, std=std, phi=phi)
            if terms(self.model, **there).elbo >= value - 1e-13:
                return self._go(**there)
            rate /= 2

    def terms(self, phi):
        """Return the ELBO and its parts for this q at the slope phi."""
        return terms(self.model, self.mean, self.std, phi)

    def nearest(self):
        """Return the slope in the picture where the gap is smallest: there its derivative is 0."""
        top, bend = parabola(self.model, self.mean, self.std)

        def slope_of_gap(phi):  # that of log p(x|phi), by Fisher's identity, minus the bound's
            model = model_at(self.model, phi)
            mass = model.posterior([X]) * model.grid_weights
            pull = mass @ (model.grid * (X - model.curve[:, 0])) / NOISE_STD**2
            return pull - 2 * bend * (top - phi)

        above = log_likelihood(self.model) + bend * (PHI - top) ** 2
        k = int(np.flatnonzero(above <= above.min() + 1e-9)[-1])  # of two equal ones, the right one
        low, high = PHI[max(k - 1, 0)], PHI[min(k + 1, PHI.size - 1)]
        for _ in range(48):
            middle = (low + high) / 2
            low, high = (low, middle) if slope_of_gap(middle) > 0 else (middle, high)
        return float((low + high) / 2)

    def tables(self):
        """Return both log-likelihoods over phi, the grids over z, and the constants."""
        curves = {f"log_px_{name}": log_likelihood(name) for name in WAVE}
        grids = {"phi": PHI, "z": LATENT.points, "z_step": LATENT.points[1] - LATENT.points[0]}
        grids |= {"eps": EXPECTATION.points, "mass": EXPECTATION.weights}
        constants = {"x": X, "noise": NOISE_STD, "rate": RATE, "wave": WAVE, "max_trail": MAX_TRAIL}
        return curves | grids | constants

    def compute(self):
        """Return log-likelihood, bound and gap at phi, and the smallest gap and where it is."""
        here, near = self.terms(self.phi), self.nearest()
        at = {"log_px": here.log_px, "elbo": here.elbo, "gap": here.gap}
        return at | {"closest": self.terms(near).gap, "near": near}

    def blanks(self):
        """Return also the top of the bound and how many steps the buttons have made."""
        top, _ = parabola(self.model, self.mean, self.std)
        return super().blanks() | {"top": top, "steps": len(self.trail)}

    def paint(self, fig):
        """Draw the two curves, with the gap at phi."""
        ax = fig.subplots()
        here = self.terms(self.phi)
        top, bend = parabola(self.model, self.mean, self.std)
        elbo = here.elbo + bend * ((self.phi - top) ** 2 - (PHI - top) ** 2)
        at = self.phi, float(here.log_px), float(here.elbo)
        figures.plot_bound(PHI, log_likelihood(self.model), elbo, at, ax=ax)
        ax.set_ylim(min(-4.6, at[2] - 0.4), -1.4)
