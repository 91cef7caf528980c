"""Processes that outlive the test that started them: they bear a mark in their environment, and are ended by it.

A process that clears its environment is not found; what starts such ones here (test/peers/launch.py) bears the mark, and
ends what it has started when it is told to end.
"""
import os
import select
import signal
import time

GRACE_SECONDS = 15  # for the end that is asked for: a mail server of test/peers takes its time


def marked(mark):
    """The process ids of all that bear the mark, "NAME=VALUE", and have not ended, but for this process."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                if mark.encode() in file.read().split(b"\0"):
                    found.append(int(entry))
        except OSError:
            continue
    return found


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def end(mark, seconds=GRACE_SECONDS):
    """Ends all that bear the mark, and returns what they were called."""
    left = {pid: name_of(pid) for pid in marked(mark)}
    signal_all(left, signal.SIGTERM)
    signal_all(left, signal.SIGCONT)
    late = time.monotonic() + seconds
    while marked(mark) and time.monotonic() < late:
        time.sleep(0.05)
    while marked(mark):
        signal_all(marked(mark), signal.SIGKILL)
        time.sleep(0.05)
    return list(left.values())


def name_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return f"{pid} " + file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()[:120]
    except OSError:
        return f"{pid} ?"


def mind(mark):
    """A process apart, which ends all that bear the mark when this one has ended, however that came. Its process id:
    whoever has ended all of them itself ends that, too."""
    parent = os.pidfd_open(os.getpid())
    child = os.fork()
    if child:
        os.close(parent)
        return child
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for place in range(3):  # whoever reads what the test says must not wait for this one
            os.dup2(nothing, place)
        select.select([parent], [], [])
        end(mark)
    finally:
        os._exit(0)
