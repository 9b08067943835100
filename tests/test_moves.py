"""What a move says, what it may say, and what its mistakes are told."""

import pytest

from _ext.checks import check_title
from _ext.choices import read_choice
from _ext.moves import read_move, require_possible


def test_a_move_has_words_an_explorer_perhaps_its_number_and_values():
    move = read_move("go *there* <vae-step-2: a=-0.5, b=word,c=[1, [2]], d=true>")
    assert (move.words, move.explorer, move.instance) == ("go *there*", "vae-step", "2")
    assert move.values == {"a": -0.5, "b": "word", "c": [1, [2]], "d": True}
    assert move.shown == "a=-0.5, b=word, c=[1, [2]], d=true"
    assert read_move("go <elbo:a=1>").instance == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("go there", "words <explorer:name=value"),
        ("go <elbo>", "words <explorer:name=value"),
        ("go <elbow:phi=1>", "no explorer 'elbow'; choose from .*elbo, "),
        ("go <elbo:slope=1>", "no control 'slope'; choose from phi, "),
        ("go <elbo:phi=31>", "phi = 31 is not possible"),
        ("go <elbo:model=bent>", "model = 'bent' is not possible"),
        ("go <elbo:phi=one>", "phi = 'one' is not possible"),
        ("go <elbo:phi>", "phi = '' is not possible"),
    ],
)
def test_mistakes_in_a_move_are_named(text, message):
    with pytest.raises(ValueError, match=message):
        require_possible(read_move(text))


def test_a_choice_has_options_one_right_replies_and_a_reason():
    text = "- [ ] one\n  more\n\n  No.\n- [x] two\n  - Yes.\n\nBecause\n- [of] this"
    (one, two), reason = read_choice(text.split("\n"))
    assert (one.right, one.text, one.reply.lines) == (False, "one more", ["", "No."])
    assert (two.right, two.text) == (True, "two")
    assert reason == (["Because", "- [of] this"], 7)


def test_checks_are_counted_and_a_cell_without_one_is_refused():
    assert check_title("if True:\n    assert 1") == "✓ 1 number checked"
    assert check_title("np.testing.assert_allclose(1, 1)\nassert x, y").startswith("✓ 2 numbers")
    with pytest.raises(ValueError, match="asserts nothing"):
        check_title("print(1)")
