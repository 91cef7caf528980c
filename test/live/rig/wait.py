"""Waiting for what is to happen, never for time to pass."""
import secrets
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
    """A port that is free on both loopback addresses, and that the system gives to no connection meanwhile."""
    while True:
        port = 16384 + secrets.randbelow(16384)
        if port in taken:
            continue
        try:
            for family, address in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
                with socket.socket(family) as sock:
                    sock.bind((address, port))
        except OSError:
            continue
        taken.add(port)
        return port
