"""The recorded VAE of a plane: the page's decoder against PyTorch, its densities, its path."""

import copy
import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
import record_latent_space
import torch
from scipy import stats
from torch import nn
from torch.distributions import Bernoulli

from vaebook import explorers, results
from vaebook.explorers.handwriting import HEIGHT, PEN, examples, image_of
from vaebook.explorers.latent_plane import (
    CENTRES,
    SHORT,
    TILE_CENTRES,
    TILES,
    density,
    encoded,
    manifold,
    path_ends,
    plane,
)
from vaebook.results import latent_space
from vaebook.results.latent_space import EDGES, SIDE, cell_density
from vaebook.vae import VAE, Config
from vaebook.vae.objective import kl_standard_normal, log_bernoulli

GRID = np.stack(np.meshgrid(np.linspace(*SIDE, 41), np.linspace(*SIDE, 41)), -1).reshape(-1, 2)


@pytest.fixture(scope="module")
def trained():
    """The VAE as it was trained, its decoder not rounded."""
    record = latent_space.load()
    model = VAE(Config.from_dict(record.about["config"])).double()
    exact = torch.tensor(record.trained, dtype=torch.double)
    nn.utils.vector_to_parameters(exact, model.decoder.parameters())
    return model


def probabilities(model, z):
    """Return the probabilities of pixels (..., 784) by PyTorch."""
    with torch.no_grad():
        return torch.sigmoid(model.decoder(torch.as_tensor(z))).numpy()


# ---- the decoder ----


def test_the_page_decodes_as_the_trained_network_does(trained):
    logits = latent_space.load().decoder(GRID)
    ours, exact = 1 / (1 + np.exp(-logits)), probabilities(trained, GRID)
    assert ours.shape == (len(GRID), 784)
    assert np.abs(ours - exact).max() < 1e-3
    assert exact.min() < 0.01
    assert exact.max() > 0.99


def test_rounded_numbers_are_the_network_that_was_rounded():
    model = VAE(Config(n_latent=2, hidden=(5, 7), activation="tanh", seed=3))
    page = record_latent_space.rounded(model.decoder)
    assert page.numbers.dtype == np.int16
    assert page.widths == (2, 7, 5, 784)
    exact = model.double().decoder(torch.as_tensor(GRID)).detach().numpy()
    np.testing.assert_allclose(page(GRID), exact, atol=1e-6)
    np.testing.assert_allclose(page(GRID[7]), exact[7], atol=1e-6)


def test_the_record_holds_the_trained_network_rounded(trained):
    record = latent_space.load()
    again = record_latent_space.rounded(copy.deepcopy(trained).float().decoder)
    np.testing.assert_array_equal(again.numbers, record.decoder.numbers)
    np.testing.assert_allclose(again.units, record.decoder.units, rtol=1e-12)
    assert np.abs(record.decoder.numbers).max() == 32767


def test_the_codes_are_those_of_the_kept_images():
    """Decoded from their codes the images are as probable as test images are on average."""
    record = latent_space.load()
    logits = torch.as_tensor(record.decoder(record.codes))
    own = log_bernoulli(torch.tensor(record.pixels), logits).numpy()
    other = log_bernoulli(torch.tensor(np.roll(record.pixels, 20, axis=0)), logits).numpy()
    expected = record.about["test"]["reconstruction"]
    error = own.std() / np.sqrt(len(own))
    assert abs(own.mean() - expected) < 5.73 * error < 30
    assert other.mean() < expected - 60


def test_the_page_gets_the_numbers_as_they_are_and_few_bytes():
    tables = explorers.LatentSpace().props()["tables"]
    assert len(json.dumps(tables["decoder"])) <= 100_000
    assert len(json.dumps(tables)) <= 230_000
    networks = [tables[name]["numbers"] for name in ("decoder", "encoder")]
    arrays = *networks, tables["aggregated"], tables["pixels"]
    assert [next(iter(array)) for array in arrays] == ["i16", "i16", "f32", "u8"]


def test_the_decoded_image_has_the_numbers_of_torch(trained):
    record = latent_space.load()
    for z in [(0.0, 0.0), (-1.7, 0.4), (3.5, -3.5)]:
        at = explorers.LatentSpace(z1=z[0], z2=z[1]).readouts()
        logits = torch.as_tensor(record.decoder(z))
        pixels = Bernoulli(logits=logits)
        assert at["ink"] == pytest.approx(pixels.mean.sum().item())
        assert at["entropy"] == pytest.approx(pixels.entropy().sum().item())
        nearest = np.hypot(*(record.codes - z).T).argmin()
        x = torch.tensor(record.pixels[nearest]).double()
        assert at["log_px_given_z"] == pytest.approx(log_bernoulli(x, logits).item())
        assert at["digit"] == record.labels[nearest]


# ---- the encoder ----


def test_an_encoder_of_pixels_is_the_encoder_of_differences_from_the_mean_image():
    model = VAE(Config(n_latent=2, hidden=(5, 7), activation="tanh", seed=3)).double()
    model.centre_input(torch.linspace(0, 1, 784))
    x = torch.tensor(latent_space.load().pixels[:30]).double()
    with torch.no_grad():
        exact = torch.cat(model.encoder(x), dim=1).numpy()
        page = record_latent_space.rounded(record_latent_space.of_pixels(model.encoder))
        np.testing.assert_allclose(page(x.numpy()), exact, atol=2e-3)
        np.testing.assert_array_equal(torch.cat(model.encoder(x), dim=1).numpy(), exact)
    assert page.numbers.dtype == np.int16


def test_the_page_encodes_the_kept_images_where_the_trained_network_did():
    record = latent_space.load()
    codes = record.encoder(record.pixels)[:, :2]
    assert np.abs(codes - record.codes).max() == pytest.approx(
        record.about["largest_move_of_a_code"], abs=1e-6
    )
    assert np.abs(codes - record.codes).max() < 5e-3


def test_the_cost_of_an_image_is_minus_its_elbo():
    """25 places of q against 61 by 61 of them, and the KL of PyTorch."""
    record = latent_space.load()
    nodes = np.linspace(-6, 6, 61)
    mass = np.multiply.outer(stats.norm.pdf(nodes), stats.norm.pdf(nodes)).ravel() * 0.2**2
    eps = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1).reshape(-1, 2)
    for x in [*record.pixels[::50], image_of(examples()["3"])]:
        mean, std, elbo = encoded(x)
        logits = torch.as_tensor(record.decoder(mean + std * eps))
        reconstruction = mass @ log_bernoulli(torch.as_tensor(x), logits).numpy()
        kl = kl_standard_normal(torch.as_tensor(mean), 2 * torch.log(torch.as_tensor(std))).item()
        assert elbo == pytest.approx(reconstruction - kl, abs=0.05)
    costs = [-encoded(x)[2] for x in record.pixels]
    error = np.std(costs) / np.sqrt(len(costs))
    assert abs(np.mean(costs) + record.about["test"]["elbo"]) < 5.73 * error < 15


# ---- digits drawn by hand ----


@pytest.mark.parametrize("digit", examples())
def test_ink_is_what_lies_under_the_pen(digit):
    strokes = [np.array(stroke, float) for stroke in examples()[digit]]
    low, high = (edge(np.concatenate(strokes), axis=0) for edge in (np.min, np.max))
    fitted = [(HEIGHT - 2 * PEN) / max(high - low) * (s - (low + high) / 2) for s in strokes]
    part = np.linspace(0, 1, 400)[:, None]
    dense = np.concatenate([a + part * (b - a) for one in fitted for a, b in pairwise(one)])
    middles = np.stack(np.meshgrid(np.arange(28) - 13.5, 13.5 - np.arange(28)), -1).reshape(-1, 2)
    far = np.sqrt(((middles[:, None] - dense) ** 2).sum(-1)).min(1)
    ink = image_of(examples()[digit])
    sure = np.abs(far - PEN) > 0.02
    np.testing.assert_array_equal(ink[sure], far[sure] < PEN)
    rows = np.flatnonzero(ink.reshape(28, 28).any(1))
    assert (rows[0], rows[-1]) == (4, 23)


def test_a_drawing_may_be_anywhere_and_of_any_size():
    strokes = examples()["5"]
    moved = [[[x / 4 + 60, y / 4 + 3] for x, y in stroke] for stroke in strokes]
    np.testing.assert_array_equal(image_of(moved), image_of(strokes))
    dot = image_of([[[12, 80]]]).reshape(28, 28)
    np.testing.assert_array_equal(np.argwhere(dot), [[13, 13], [13, 14], [14, 13], [14, 14]])


def test_examples_are_encoded_among_images_of_their_digit():
    found = {digit: explorers.LatentSpace(sketch=digit) for digit in examples()}
    right = [digit for digit, w in found.items() if w.readouts()["digit"] == int(digit)]
    assert len(right) >= 7
    for w in found.values():
        at = w.readouts()
        assert (at["mean_1"], at["mean_2"]) == pytest.approx((w.z1, w.z2))
        assert "the drawing is encoded at" in w.alt


def test_a_drawing_leads_z_to_its_code_and_is_wiped():
    w = explorers.LatentSpace(start="4", end="3")
    before = w.values
    w.example()
    assert (w.sketch, w.drawing) == ("0", [])
    mean, *_ = encoded(image_of(examples()["0"]))
    assert [w.z1, w.z2] == pytest.approx(mean)
    w.z1 = 0.5
    assert w.z1 == 0.5
    w.drawing = [*examples()["3"], [[50, 50], [60, 60]]]
    assert w.sketch == "own"
    assert [w.z1, w.z2] == pytest.approx(encoded(w.x())[0])
    assert explorers.LatentSpace(**w.values).values == w.values
    at = [w.z1, w.z2, w.t]
    w.wipe()
    assert (w.sketch, w.drawing, [w.z1, w.z2, w.t]) == ("none", [], at)
    for _ in range(11):
        w.example()
    assert w.sketch == "0"
    w.reset()
    assert w.values == before


@pytest.mark.parametrize(
    "bad", [3, "ink", [[1, 2]], [[[1, 2, 3]]], [[]], [[[1, 101]]], [[[1, float("nan")]]]]
)
def test_what_is_no_drawing_is_refused(bad):
    w = explorers.LatentSpace()
    with pytest.raises(ValueError, match=r"drawing = .* is not possible; give a list of strokes"):
        w.drawing = bad
    assert w.drawing == []


# ---- the densities ----


def test_cells_hold_the_mean_of_the_bells():
    rng = np.random.default_rng(17)
    mean, std = rng.normal(size=(40, 2)), rng.uniform(0.05, 1.5, (40, 2))
    cells = cell_density(mean, std)
    fine = (np.arange(20) + 0.5) / 20 * (EDGES[1] - EDGES[0])
    for i, j in [(28, 28), (20, 33), (3, 50)]:  # a fine grid inside a cell
        z1, z2 = EDGES[j] + fine[:, None], EDGES[i] + fine
        bells = stats.norm.pdf(z1[..., None], mean[:, 0], std[:, 0])
        bells = bells * stats.norm.pdf(z2[..., None], mean[:, 1], std[:, 1])
        assert cells[i, j] == pytest.approx(bells.mean(), rel=0.02)
    assert cells.sum() * (EDGES[1] - EDGES[0]) ** 2 == pytest.approx(1, abs=0.1)


def test_log_variances_are_no_stds_of_cells():
    with pytest.raises(ValueError, match=r"std is -1\.0 at index .* expected a positive"):
        cell_density([[0.0, 0.0]], [[-1.0, -1.0]])


def test_holes_have_the_share_of_the_prior_that_draws_find():
    """200,000 draws: a share that is one percent off in absolute terms lies 9 errors away."""
    z = np.random.default_rng(17).standard_normal((200_000, 2))
    j, i = np.floor((z - SIDE[0]) / (EDGES[1] - EDGES[0])).astype(int).T
    inside = (np.abs(z) < SIDE[1]).all(-1)
    share = np.mean(plane().hole[i[inside], j[inside]]) * inside.mean()
    error = np.sqrt(share * (1 - share) / len(z))
    assert abs(plane().hole_mass - share) < 5.73 * error
    assert abs(plane().hole_mass + 0.01 - share) > 5.73 * error


def test_densities_between_cells_are_interpolated():
    flat = density(np.add.outer(3 * CENTRES, CENTRES), np.array([0.3, -1.21]))
    assert flat == pytest.approx(0.3 - 3 * 1.21)
    cells = plane().aggregated
    assert density(cells, [CENTRES[5], CENTRES[40]]) == pytest.approx(cells[40, 5])
    assert density(cells, [3.5, -3.5]) == pytest.approx(cells[0, -1])


def test_regions_are_those_of_the_digits_that_are_encoded_there():
    record = latent_space.load()
    at = np.floor((record.codes - SIDE[0]) / (EDGES[1] - EDGES[0])).astype(int)
    inside = ((at >= 0) & (at < len(CENTRES))).all(1)
    found = record.classes[at[inside, 1], at[inside, 0]]
    assert np.mean(found == record.labels[inside]) > 0.6
    for digit, z in enumerate(plane().regions):
        j, i = np.floor((z - SIDE[0]) / (EDGES[1] - EDGES[0])).astype(int)
        assert record.classes[i, j] == digit
        assert plane().aggregated[i, j] == plane().aggregated[record.classes == digit].max()
    assert "0 around (" in explorers.LatentSpace(behind="images").alt


def test_the_plane_of_images_is_decoded_tile_by_tile():
    for row, column in [(0, 0), (3, 11), (13, 6)]:
        z = TILE_CENTRES[column], TILE_CENTRES[TILES - 1 - row]
        tile = manifold()[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
        expected = 255 / (1 + np.exp(-latent_space.load().decoder(z)))
        assert np.abs(tile.ravel() - expected).max() <= 0.5


def test_a_hole_is_called_a_hole():
    hole = np.where(plane().hole, plane().prior, 0)
    i, j = np.unravel_index(hole.argmax(), hole.shape)
    at = explorers.LatentSpace(z1=CENTRES[j], z2=CENTRES[i])
    assert at.readouts()["ratio"] < SHORT
    assert "a hole" in at.alt
    assert "a hole" not in explorers.LatentSpace(t=0.0).alt


# ---- the record ----


def test_record_says_how_it_was_made_and_cannot_be_changed():
    record = latent_space.load()
    wanted = {"made_by", "config", "data", "seeds", "device", "torch", "seconds", "test"}
    assert wanted <= record.about.keys()
    assert np.bincount(record.labels).tolist() == [20] * 10
    assert set(np.unique(record.pixels)) == {0, 1}
    with pytest.raises(ValueError, match="read-only"):
        record.codes[0, 0] = 1


@pytest.mark.slow
def test_the_program_writes_a_record_that_the_explorer_reads(tmp_path, monkeypatch):
    old = latent_space.load()
    path = tmp_path / "latent-space.npz"
    config = dataclasses.replace(record_latent_space.CONFIG, epochs=2)
    record_latent_space.main(path, config, n_importance=2)
    monkeypatch.setattr(results.resources, "files", lambda package: tmp_path)
    record = latent_space.load.__wrapped__()
    assert record.about.keys() == old.about.keys()
    np.testing.assert_array_equal(record.labels, old.labels)
    np.testing.assert_array_equal(record.pixels, old.pixels)
    assert record.about["test"]["elbo"] < old.about["test"]["elbo"]


# ---- the path ----


def test_a_path_joins_two_images_and_every_digit_has_two():
    record, ends = latent_space.load(), path_ends()
    assert record.labels[ends].tolist() == [[d, d] for d in range(10)]
    assert len(np.unique(ends)) == 20
    w = explorers.LatentSpace(start="4", end="4", t=0.0)
    places = []
    for w.t in (0.0, 0.5, 1.0):
        places.append((w.z1, w.z2))
    codes = record.codes[ends[4]]
    np.testing.assert_allclose(places, [codes[0], codes.mean(0), codes[1]], atol=1e-6)
    assert w.readouts()["digit"] == 4
    assert w.readouts()["distance"] == pytest.approx(0, abs=1e-6)


def test_z_leads_t_to_the_nearest_place_of_the_path():
    w = explorers.LatentSpace(t=0.3)
    start, end = w.path(w.values)
    aside = np.array([start[1] - end[1], end[0] - start[0]])
    for t, away in [(0.5, 0.1), (0.8, -0.2), (1.0, 0.0)]:
        z = start + t * (end - start) + away * aside
        w.set(z1=z[0], z2=z[1])
        assert w.t == pytest.approx(t)
        assert [w.z1, w.z2] == pytest.approx(z)
    w.set(z1=end[0] + (end - start)[0] / 100, z2=end[1] + (end - start)[1] / 100)
    assert w.t == 1
    twin = explorers.LatentSpace(**w.values)
    assert twin.values == w.values


def test_new_images_move_z_onto_their_path():
    w = explorers.LatentSpace(z1=3.0, z2=-3.0)
    w.start = "0"
    start, end = w.path(w.values)
    assert [w.z1, w.z2] == pytest.approx(start + w.t * (end - start))
    w.walk()
    assert [w.z1, w.z2] == pytest.approx(end)
    w.set(z1=2 * end[0] - start[0], z2=2 * end[1] - start[1])  # beyond the end, t stays
    assert (w.t, w.z1) == (1, pytest.approx(2 * end[0] - start[0]))
    w.walk()
    assert [w.z1, w.z2] == pytest.approx(end)


def test_an_end_is_of_a_digit_until_it_is_moved():
    w = explorers.LatentSpace(start="4", end="3", t=0.5)
    codes = latent_space.load().codes[[path_ends()[4, 0], path_ends()[3, 1]]]
    assert [w.from_1, w.from_2, w.to_1, w.to_2] == codes.ravel().tolist()
    w.from_1 = 0.25
    assert (w.start, w.end) == ("free", "3")
    start, end = w.path(w.values)
    assert [w.z1, w.z2] == pytest.approx((start + end) / 2)
    assert explorers.LatentSpace(**w.values).values == w.values
    w.set(to_1=w.from_1, to_2=w.from_2)  # a path without a length
    assert (w.z1, w.z2) == (w.from_1, w.from_2)
    w.z1 = 1.0
    assert w.t == 0
    w.start = "4"
    assert w.from_1 == codes[0, 0]
    assert explorers.LatentSpace(start="7", from_1=1.0).start == "free"


def test_draws_from_the_prior_repeat_and_stay_on_the_plane():
    w, twin = explorers.LatentSpace(), explorers.LatentSpace()
    for _ in range(5):
        w.draw()
    twin.n = 4
    twin.draw()
    assert w.values == twin.values
    assert w.n == 5
    places = []
    for w.n in range(999):
        w.draw()
        places.append((w.z1, w.z2))
    places = np.array(places)
    assert np.abs(places).max() <= SIDE[1]
    assert np.abs(places.mean(0)).max() < 0.15
    w.n = 1000
    w.draw()
    assert w.n == 1000
