"""What the machine counts: CPU of a group of processes and of single ones, their memory, the network namespace."""
import ctypes
import os
import platform
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER_CORE, LOAD_CORE = 0, 1
IN_NAMESPACE = "POSTERN_BENCH_NAMESPACE"


def enter_namespace():
    """Goes on in a network namespace that has a loopback interface and nothing else; True if so."""
    if os.environ.get(IN_NAMESPACE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return True
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        return False
    os.environ[IN_NAMESPACE] = os.environ["PEERS_OFFLINE"] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable] + sys.argv)
    return False


def cores_usable():
    return os.sched_getaffinity(0)


def pin(core):
    """For preexec: the process and its children stay on one core, where the machine has it."""
    if core in cores_usable():
        os.sched_setaffinity(0, {core})


def process_cpu_us(pid):
    """CPU of a process with all its threads, ended ones included; None once it is gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2) / 1000
    except OSError:
        return None


def busy_us():
    """CPU that processes have used on all cores so far, interrupts left out."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = file.readline().split()
    return sum(int(ticks) for ticks in fields[1:4]) * 1e6 / os.sysconf("SC_CLK_TCK")


def ticks():
    """Of all cores so far: all ticks, and those that whoever runs this machine as a guest gave to others."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    return sum(fields), fields[7]


def smaps_kib(pid, field):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def pss_kib(pids):
    """User memory of the processes, what they share counted once."""
    return sum(smaps_kib(pid, "Pss") for pid in pids)


def private_kib(pids):
    return sum(smaps_kib(pid, "Private_Clean") + smaps_kib(pid, "Private_Dirty") for pid in pids)


def available_kib():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1])
    return 0


def children_of(root):
    """Processes below root, root not counted."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                parents.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(entry))
        except OSError:
            continue
    found, look = [], [root]
    while look:
        below = parents.get(look.pop(), [])
        found += below
        look += below
    return found


class Group:
    """A control group of one server: counts the CPU of all its processes, those that ended included."""

    def __init__(self, name):
        self.path, self.version = self.place(name)
        if self.path:
            os.makedirs(self.path, exist_ok=True)
        self.root = None

    @staticmethod
    def place(name):
        name = f"postern-bench-{os.getpid()}-{name}"
        with open("/proc/mounts", encoding="ascii") as file:
            mounts = [line.split()[1:4] for line in file]
        if os.geteuid() == 0:
            for folder, kind, _ in mounts:
                if kind == "cgroup2" and os.access(folder, os.W_OK):
                    return os.path.join(folder, name), 2
            for folder, kind, options in mounts:
                if kind == "cgroup" and "cpuacct" in options.split(",") and os.access(folder, os.W_OK):
                    return os.path.join(folder, name), 1
        return None, 0

    def join(self):
        """For preexec: this process and its children belong to the group from now on."""
        if self.path:
            with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write("0")

    def pids(self):
        if self.path:
            with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as file:
                return [int(line) for line in file]
        return [self.root] + children_of(self.root) if self.root else []

    def cpu_us(self):
        """CPU so far. Without control groups: of what runs now, children that ended are missed."""
        if self.version == 2:
            with open(os.path.join(self.path, "cpu.stat"), encoding="ascii") as file:
                return float(dict(line.split() for line in file)["usage_usec"])
        if self.version == 1:
            with open(os.path.join(self.path, "cpuacct.usage"), encoding="ascii") as file:
                return int(file.read()) / 1000
        return sum(process_cpu_us(pid) or 0 for pid in self.pids())

    def remove(self):
        for _ in range(100):
            try:
                if self.path:
                    os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.05)


def facts():
    """What the figures were made on."""
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    work = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                          check=False).stdout.strip()
    return {"kernel": platform.release(), "processor": model, "cores": len(cores_usable()),
            "memory_kib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024,
            "version": work, "accounting": {2: "cgroup v2", 1: "cgroup v1", 0: "processes"}[Group.place("x")[1]]}


def die_with_parent():
    """For preexec: the process ends when the one that started it does."""
    ctypes.CDLL(None).prctl(1, 15, 0, 0, 0)
