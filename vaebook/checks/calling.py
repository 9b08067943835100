"""Calling a learner's function, which may crash or never end, and saying where it did."""

import contextlib
import contextvars
import ctypes
import threading
import time
import traceback
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What became of a call: its value, or the error and the learner's own line, or no end."""

    value: object = None
    error: BaseException | None = None
    where: tuple[str, ...] = ()
    timed_out: bool = False


def run(function, arguments, seconds):
    """Call a function that may crash or never end; neither is fatal.

    It runs in a thread of its own, because a thread can be abandoned: whatever the function does,
    the caller goes on when the time is up, in a notebook, in a test and on any system.
    """
    box = {}

    def work():
        with contextlib.suppress(SystemExit):  # a second stop, sent while the first is noted
            try:
                box["value"] = function(*arguments)
            except BaseException as error:
                box["error"] = error

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    try:
        thread.start()
        thread.join(seconds)
    finally:
        timed_out = thread.is_alive()
        _end(thread, box)
    if timed_out:
        return Outcome(timed_out=True)
    error = box.get("error")
    return Outcome(box.get("value"), error, own_line(error, function))


def _end(thread, box):
    """Stop what runs in a thread; a bare `except` may swallow the stop, so it is sent again.

    Not once the function has ended: the stop would end the thread with a traceback.
    """
    patience = time.monotonic() + 1.0
    while thread.is_alive() and time.monotonic() < patience:
        if not box:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
            )
        thread.join(0.02)


def own_line(error, function):
    """The deepest line of the learner's own code that an error passed through."""
    code = getattr(function, "__code__", None)
    if error is None or code is None:
        return ()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == code.co_filename:
            return (f"in line {frame.lineno}, {frame.name}: {frame.line}".rstrip(": "),)
    return ()
