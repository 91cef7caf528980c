"""Processes of the test: started, measured and ended by their numbers."""
import ctypes
import os
import signal
import subprocess

from .wait import until

PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")


def adopt_orphans():
    """Whatever our children leave behind becomes our child, so that it can be ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stat_of(pid):
    """The fields of /proc/PID/stat behind the name; None if the process is gone or only waits to be reaped. While one
    of its threads is still ending, its files are open and locked."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return None
    return None if fields[0] == "Z" and threads == 1 else fields


def descendants(root):
    """{process id: parent} of all living processes below root."""
    parents = {}
    for entry in os.listdir("/proc"):
        fields = stat_of(entry) if entry.isdigit() else None
        if fields:
            parents[int(entry)] = int(fields[1])
    found, look = {}, [root]
    while look:
        parent = look.pop()
        below = [pid for pid, of in parents.items() if of == parent and pid not in found]
        found.update({pid: parent for pid in below})
        look += below
    return found


def cpu_seconds(pid):
    """Processor time that a process has used, with its threads."""
    fields = stat_of(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def reap():
    """Takes leave of children that have ended and that no Popen waits for."""
    for pid in [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            if fields[0] == "Z" and int(fields[1]) == os.getpid():
                os.waitpid(pid, os.WNOHANG)
        except (OSError, ValueError):
            continue


def end(pids, number=signal.SIGKILL, seconds=10):
    """Sends the signal to exactly these, and returns when they are gone."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
    until(lambda: not any(stat_of(pid) for pid in pids), f"the end of processes {sorted(pids)}", seconds)
    reap()


def run(arguments, seconds=60, check=True, text=True, **more):
    """Runs a program to its end. The finished process; CalledProcessError shows what it said."""
    done = subprocess.run([str(word) for word in arguments], capture_output=True, text=text, timeout=seconds,
                          check=False, **{"stdin": subprocess.DEVNULL, **({} if "input" not in more else {"stdin": None}), **more})
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(str(word) for word in arguments)}\nended with {done.returncode}\n"
                             f"{tail(done.stdout)}{tail(done.stderr)}")
    return done


def tail(output, size=3000):
    if isinstance(output, bytes):
        output = output.decode("utf-8", "replace")
    return output[-size:]
