"""The supervisor's terminal may go away; the supervisor must not."""

import os
import pty

from callcenter.apps.terminal import terminal


def test_a_reader_who_has_left_is_no_trouble() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as pipe:
        out = terminal(pipe)
        out.print("heard")
        assert os.read(reading, 100) == b"heard\n"
        os.close(reading)
        out.print("not heard")
        out.print("nor this")


def test_a_lost_terminal_is_no_trouble() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as tty:
        out = terminal(tty)
        assert out.is_terminal
        os.close(ours)
        out.print("not heard")


def test_a_closed_stream_is_no_trouble() -> None:
    reading, writing = os.pipe()
    pipe = os.fdopen(writing, "w")
    out = terminal(pipe)
    pipe.close()
    out.print("not heard")
    os.close(reading)
