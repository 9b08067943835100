"""The book, parsed once for all tests of a process."""

from functools import cache
from pathlib import Path

from book_pages import Book


@cache
def whole_book():
    """Return the book with its pages, its labels and its numbers, to be read only."""
    return Book(Path(__file__).resolve().parent.parent)
