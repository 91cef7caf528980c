"""Runs one peer: gives it its view of the file system, starts it, and ends all it started.

    unshare --mount --propagation private python3 launch.py SPEC

SPEC is a JSON file:
    work      folder                    stays as it is, also below a folder that is laid over
    overlays  {"/usr": [folder, ...]}   laid over that folder of the system, the first on top, read-only
    binds     [[from, to], ...]         folders put in place of others, after the overlays
    run       [argument, ...]           the peer's first process, which stays in the foreground
    env       {name: value}             added to the environment
    stop      [argument, ...] or null   what ends it; null: SIGTERM to the first process
    log       file                      standard output and error

This process is the reaper of everything below it: a daemon that cuts itself loose is still its child, so at
SIGTERM, or when the first process ends, it ends exactly what was started here and then itself.
"""
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
STOP_SECONDS = 10


def mounts_make(spec):
    work = os.open(spec["work"], os.O_PATH)
    for place, folders in spec["overlays"].items():
        lower = ":".join(folders + [place])
        subprocess.run(["mount", "-t", "overlay", "-o", f"ro,lowerdir={lower}", "overlay", place], check=True)
    subprocess.run(["mount", "--bind", f"/proc/{os.getpid()}/fd/{work}", spec["work"]], check=True)
    for source, place in spec["binds"]:
        subprocess.run(["mount", "--bind", source, place], check=True)


def descendants(root):
    """Process ids below root, by one look at /proc."""
    children = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, look = [], [root]
    while look:
        below = children.get(look.pop(), [])
        found += below
        look += below
    return found


def end_all(number):
    left = descendants(os.getpid())
    for pid in left:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
    return left


def wait_none(seconds):
    end = time.monotonic() + seconds
    while descendants(os.getpid()):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def stop(spec, first):
    if spec["stop"]:
        subprocess.Popen(spec["stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    else:
        try:
            os.kill(first, signal.SIGTERM)
        except ProcessLookupError:
            pass
    if wait_none(STOP_SECONDS):
        return
    end_all(signal.SIGTERM)
    if wait_none(2):
        return
    for _ in range(100):
        if not end_all(signal.SIGKILL):
            return
        time.sleep(0.02)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    mounts_make(spec)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    log = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    first = subprocess.Popen(spec["run"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                             env={**os.environ, **spec["env"]}, start_new_session=True)
    pidfd = os.pidfd_open(first.pid)
    # The kernel reaps from here on, without waking this process for each orphan.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    ready, _, _ = select.select([wake_read, pidfd], [], [])
    stop(spec, first.pid)
    first.returncode = 0
    return 1 if pidfd in ready and wake_read not in ready else 0


if __name__ == "__main__":
    sys.exit(main())
