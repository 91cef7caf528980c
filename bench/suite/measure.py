"""The tests: each starts a fresh server, puts load on it and gives a dict of what was seen."""
import os
import re
import signal
import subprocess
import time

from . import machine, servers



class Pace:
    """How long things take."""

    def __init__(self, quick):
        self.warm, self.run = (0.5, 2) if quick else (1, 6)
        self.sustained = 10 if quick else 60
        self.settle = 60 if quick else 180
        self.idle_share = 0.2 if quick else 1
        self.drip = 3 if quick else 10


def load_start(port, mode, arguments):
    def before():
        machine.die_with_parent()
        machine.pin(machine.LOAD_CORE)
    command = [servers.LOAD, "-p", str(port), "-m", mode] + [str(word) for word in arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=before)


def cpu_by_role(server):
    """{role: µs} at this moment."""
    return {role: sum(machine.process_cpu_us(pid) or 0 for pid in pids) for role, pids in server.roles().items()}


def others_cpu(server, load):
    """CPU so far of all that is neither the server nor the load generator nor the sink: it should stand still."""
    sink = server.sink.process.pid if server.sink else 0
    ours = [machine.process_cpu_us(pid) or 0 for pid in (load.pid, sink, os.getpid()) if pid]
    return machine.busy_us() - server.group.cpu_us() - sum(ours)


def settle(server, accepted, pace):
    """Waits until all that was accepted has reached the sink and the queue is empty; (done, seconds)."""
    began = time.monotonic()
    if not server.settles:
        return False, 0

    def done():
        if server.needs_sink and server.arrived() < accepted:
            return False
        return server.queue_length() == 0
    settled = servers.wait_until(done, pace.settle)
    return settled, time.monotonic() - began


def load_run(server, mode, pace, seconds=None):
    """One load with what it cost: CPU from the first connection until the queue is empty again."""
    seconds = seconds or pace.run
    arguments = ["-w", pace.warm, "-t", seconds, "-n", server.clients.get(mode, 100), "-b", server.mailboxes]
    roles_before, cpu_before, began = cpu_by_role(server), server.group.cpu_us(), time.monotonic()
    load = load_start(server.port, mode, arguments)
    time.sleep(pace.warm)
    window_arrived, others_before = None, others_cpu(server, load)
    window_cpu, window_began = server.group.cpu_us(), time.monotonic()
    if mode == "mail" and seconds >= 10:
        window_arrived = server.arrived()
    time.sleep(max(0.0, seconds - (time.monotonic() - window_began)))
    busy = (server.group.cpu_us() - window_cpu) / ((time.monotonic() - window_began) * 1e6)
    others = (others_cpu(server, load) - others_before) / ((time.monotonic() - window_began) * 1e6)
    arrived_at_end = server.arrived() if window_arrived is not None else None
    window_seconds = time.monotonic() - window_began
    output, _ = load.communicate(timeout=120)
    seen = servers.load_json(output)
    load_ended = time.monotonic()
    settled, settle_seconds = settle(server, seen["accepted"], pace) if mode.startswith("mail") else (True, 0)
    units = seen["accepted"] if mode.startswith("mail") else seen["sessions"]
    cpu = server.group.cpu_us() - cpu_before
    roles_after = cpu_by_role(server)
    result = {"load": seen, "busy": busy, "others": others, "cpu_us": cpu / units if units else None, "units": units,
              "settled": settled, "settle_seconds": settle_seconds,
              "rate": seen["messages_per_second"] if mode.startswith("mail") else seen["sessions_per_second"],
              "roles_us": {role: (roles_after[role] - roles_before.get(role, 0)) / units
                           for role in roles_after if units}}
    questions = server.questions()
    if questions and units:
        result["questions"] = {"a_session": questions["asked"] / units, "sent": questions["sent"] / units,
                               "failed": questions["failed"], "took_us": questions["took_us"] / max(1, questions["sent"])}
    if mode.startswith("mail"):
        result["arrived"] = server.arrived()
        result["end_to_end"] = units / (load_ended - began + settle_seconds) if settled else None
    if window_arrived is not None:
        result["delivered_rate"] = (arrived_at_end - window_arrived) / window_seconds
    if server.sink:
        result["sink"] = server.sink.tally()
    return result


def latency_of(result, mode):
    return result["load"]["message_us" if mode.startswith("mail") else "session_us"]


def test_load(server, mode, pace):
    return load_run(server, mode, pace)


def test_sustained(server, pace):
    """Accept and deliver for a minute, one message a connection, and see what arrived meanwhile."""
    return load_run(server, "mail", pace, pace.sustained)


def memory(server):
    pids = server.pids()
    return {"pss_kib": machine.pss_kib(pids), "private_kib": machine.private_kib(pids),
            "available_kib": machine.available_kib(), "processes": len(pids),
            "roles_pss_kib": {role: machine.pss_kib(those) for role, those in server.roles().items()}}


def held_start(server, mode, clients, seconds):
    """Opens the clients; the load's process and how many of them stand."""
    load = load_start(server.port, mode, ["-n", clients, "-t", seconds, "-w", 0, "-o", server.opening])
    line = load.stdout.readline()
    if not line.startswith("ready "):
        raise servers.ServerError(f"{server.name}: the load generator ended early: {line}")
    return load, int(line.split()[1])


def test_idle(server, pace):
    """Memory of connections that have said EHLO and then nothing. A first lot of 64 warms the server up."""
    clients = max(200, int(server.idle_clients * pace.idle_share))
    load, _ = held_start(server, "idle", 64, 0)
    load.send_signal(signal.SIGTERM)
    load.communicate()
    time.sleep(1)
    before = memory(server)
    load, held = held_start(server, "idle", clients, 0)
    time.sleep(2)
    after = memory(server)
    load.send_signal(signal.SIGTERM)
    output, _ = load.communicate()
    seen = servers.load_json(output)
    roles = {role: (kib - before["roles_pss_kib"].get(role, 0)) * 1024 / max(1, held)
             for role, kib in after["roles_pss_kib"].items()}
    return {"asked": clients, "held": held, "still": seen["held"], "errors": seen["errors"], "before": before,
            "after": after, "roles_pss_octets": roles,
            "pss_octets": (after["pss_kib"] - before["pss_kib"]) * 1024 / max(1, held),
            "private_octets": (after["private_kib"] - before["private_kib"]) * 1024 / max(1, held),
            "machine_octets": (before["available_kib"] - after["available_kib"]) * 1024 / max(1, held)}


def test_drip(server, pace):
    """1,000 clients, one octet each per 100 ms."""
    load, held = held_start(server, "drip", 1000, pace.drip)
    cpu = server.group.cpu_us()
    output, _ = load.communicate(timeout=pace.drip + 60)
    cpu = server.group.cpu_us() - cpu
    seen = servers.load_json(output)
    return {"held": held, "still": seen["held"], "octets": seen["dripped"], "errors": seen["errors"],
            "cpu_us": cpu / seen["dripped"] if seen["dripped"] else None}


TRACED = "trace=fsync,fdatasync,sync_file_range,syncfs,msync,sendto,sendmsg,write,writev"
SYNC = re.compile(r"\b(fsync|fdatasync|syncfs|msync|sync_file_range)\((?:\d+<([^>]*)>)?")
SYNC_END = re.compile(r"<\.\.\. (fsync|fdatasync|syncfs|msync|sync_file_range) resumed>")
REPLY = re.compile(r"\b(?:sendto|sendmsg|write|writev)\(\d+<(?:TCP|socket)[^>]*>.*?\"(\d\d\d)[ -]")


def trace_read(text, port):
    """The trace as a list of ("354", ""), ("250", ""), ("sync", path), ("delivery", path) in order of time.

    A sync counts where it returns. Only replies on connections to the server's own port are looked at. Files below
    a folder mail/ are mailboxes: syncing them is delivery, of this message or one before, and no part of a 250.
    """
    events, open_syncs = [], {}
    for line in text.splitlines():
        pid = line.split(None, 1)[0]
        sync, reply = SYNC.search(line), REPLY.search(line)
        if SYNC_END.search(line):
            events.append(sync_event(open_syncs.pop(pid, "")))
        elif sync and "<unfinished" in line:
            open_syncs[pid] = sync.group(2) or ""
        elif sync:
            events.append(sync_event(sync.group(2) or ""))
        elif reply and f":{port}->" in line:
            events.append((reply.group(1), ""))
    return events


def sync_event(path):
    return ("delivery" if "/mail/" in path else "sync", path)


def trace_judge(events):
    """Of the messages in the trace: how many had a sync between 354 and 250, how many syncs, and the first as text."""
    messages = before = inside = total = delivery = had = 0
    open_message, first, example = False, [], []
    for kind, path in events:
        if kind == "sync":
            total += 1
            inside += open_message
            first.append(f"sync {path}")
        elif kind == "delivery":
            delivery += 1
        elif kind == "354":
            open_message, had, first = True, total, ["354"]
        elif kind == "250" and open_message:
            messages += 1
            before += total > had
            open_message = False
            first.append("250")
            example = example or first
    return {"messages": messages, "synced_before_250": before, "syncs_before_250": inside, "syncs": total,
            "delivery_syncs": delivery, "example": example}


def test_sync(server, pace):
    """50 messages, one after the other, under strace: is anything synced between 354 and the 250 after the dot?"""
    trace = os.path.join(server.work, "trace")
    pids = [word for pid in server.pids() for word in ("-p", str(pid))]
    strace = subprocess.Popen(["strace", "-f", "-yy", "-s", "40", "-e", TRACED, "-o", trace] + pids,
                              stderr=subprocess.PIPE, text=True, preexec_fn=machine.die_with_parent)
    servers.wait_until(lambda: os.path.exists(trace), 5)
    time.sleep(1)
    load = load_start(server.port, "mail", ["-N", 50, "-n", 1, "-w", 0, "-b", server.mailboxes])
    output, _ = load.communicate(timeout=120)
    seen = servers.load_json(output)
    settle(server, seen["accepted"], pace)
    strace.send_signal(signal.SIGINT)
    strace.communicate()
    with open(trace, encoding="utf-8", errors="replace") as file:
        return {"accepted": seen["accepted"], **trace_judge(trace_read(file.read(), server.port))}


def run(server, test, pace):
    special = {"idle": test_idle, "drip": test_drip, "sync": test_sync, "sustained": test_sustained}
    return special[test](server, pace) if test in special else test_load(server, test, pace)
