"""Waiting for what is to happen, never for time to pass."""
import socket
import time

TICK = 0.01


class LateError(Exception):
    """What was waited for did not happen."""


def until(look, what, seconds=20, alive=None):
    """The first true value of look(). LateError after so many seconds, or as soon as alive() says no."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if alive is not None and not alive():
            raise LateError(f"{what}: the process has ended")
        if time.monotonic() > end:
            raise LateError(f"{what}: not within {seconds} s")
        time.sleep(TICK)


def free_port(taken=set()):  # one set for the process, so that no port is given twice
    """A port that is free on both loopback addresses."""
    while True:
        with socket.socket() as four:
            four.bind(("127.0.0.1", 0))
            port = four.getsockname()[1]
            if port in taken:
                continue
            try:
                with socket.socket(socket.AF_INET6) as six:
                    six.bind(("::1", port))
            except OSError:
                continue
        taken.add(port)
        return port
