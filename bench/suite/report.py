"""What the raw numbers say: medians, ratios, targets, as Markdown."""
import statistics

from . import servers

LOADS = ("reject", "accept", "mail", "mail50")
BY_NAME = {server.name: server for server in servers.SERVERS}


class Numbers:
    """All results of a run, asked for by server and test. Answers None for what was not measured."""

    def __init__(self, results):
        self.results = {}
        for entry in results:
            if "error" not in entry:
                self.results.setdefault((entry["server"], entry["test"]), []).append(entry["result"])

    def median(self, server, test, pick):
        values = [pick(result) for result in self.results.get((server, test), [])]
        values = [value for value in values if value is not None]
        return statistics.median(values) if values else None

    def last(self, server, test):
        found = self.results.get((server, test))
        return found[-1] if found else None

    def rate(self, server, test):
        return self.median(server, test, lambda r: r["rate"])

    def cpu(self, server, test):
        return self.median(server, test, lambda r: r["cpu_us"])

    def role_cpu(self, server, test, role):
        return self.median(server, test, lambda r: role_sum(r, role))

    def latency(self, server, test, share):
        field = "message_us" if test.startswith("mail") else "session_us"
        return self.median(server, test, lambda r: r["load"][field][share])

    def servers(self):
        return [name for name in BY_NAME if any(key[0] == name for key in self.results)]


def role_sum(result, role):
    """CPU of all processes of one role: gate0 and gate1 are both gates."""
    found = [us for name, us in result.get("roles_us", {}).items() if name.startswith(role)]
    return sum(found) if found else None


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(a, b, digits=2):
    return "-" if a is None or not b else f"{a / b:.{digits}f}"


def safety(numbers, name):
    """What a 250 of this server means, as measured where it was."""
    meaning = BY_NAME[name].meaning
    seen = numbers.last(name, "sync")
    if meaning != servers.QUEUED:
        return meaning
    if not seen or not seen["messages"]:
        return "queued, sync not measured"
    if seen["synced_before_250"] == seen["messages"]:
        return "synced"
    return "not synced"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def load_rows(numbers, test, names):
    rows = []
    for name in names:
        results = numbers.results.get((name, test))
        if not results:
            continue
        errors = sum(result["load"]["error_count"] for result in results)
        rows.append([name, number(numbers.rate(name, test)),
                     ratio(numbers.rate(name, test), numbers.rate("raw", test)),
                     ratio(numbers.rate(name, test), numbers.rate("postfix", test), 1),
                     number(numbers.cpu(name, test), 1), ratio(numbers.cpu(name, test), numbers.cpu("raw", test)),
                     f"{100 * numbers.median(name, test, lambda r: r['busy']):.0f}%",
                     number(numbers.latency(name, test, "p50") / 1000, 2),
                     number(numbers.latency(name, test, "p95") / 1000, 2),
                     number(numbers.latency(name, test, "p99") / 1000, 2), errors or ""])
    return rows


def section_loads(numbers):
    head = ["server", "rate /s", "x raw", "x postfix", "CPU µs", "x raw", "busy", "p50 ms", "p95 ms", "p99 ms",
            "errors"]
    text = ""
    for test in LOADS:
        unit = "messages" if test.startswith("mail") else "sessions"
        groups = {}
        for name in numbers.servers():
            if numbers.results.get((name, test)):
                group = safety(numbers, name) if unit == "messages" else "all"
                groups.setdefault(group, []).append(name)
        for group, names in sorted(groups.items()):
            title = f"{test}, {unit}" + (f": a 250 means {group}" if group != "all" else "")
            text += f"### {title}\n\n" + table(head, load_rows(numbers, test, names)) + "\n"
    return text


def section_arrival(numbers):
    rows = []
    for name in numbers.servers():
        for test in ("mail", "mail50"):
            for result in numbers.results.get((name, test), []):
                if result.get("arrived") is None:
                    continue
                sink = result.get("sink", {})
                rows.append([name, test, number(result["units"]), number(result["arrived"]),
                             number(sink.get("duplicates")), "yes" if result["settled"] else "no",
                             number(result["end_to_end"])])
    head = ["server", "test", "accepted", "arrived", "twice", "queue emptied", "end to end /s"]
    return "## What was accepted, and what arrived\n\n" + table(head, rows) + "\n"


def section_roles(numbers):
    rows = []
    for name in numbers.servers():
        for test in LOADS:
            last = numbers.last(name, test)
            if last and last["roles_us"]:
                roles = sorted(last["roles_us"])
                rows.append([name, test, "; ".join(f"{role} {numbers.role_cpu(name, test, role):.1f}" for role in roles)])
    return "" if not rows else "## CPU by process, µs\n\n" + table(["server", "test", "processes"], rows) + "\n"


def section_questions(numbers):
    rows = []
    for name in numbers.servers():
        last = numbers.last(name, "accept")
        if last and last.get("questions"):
            seen = last["questions"]
            rows.append([name, number(seen["a_session"], 1), number(seen["sent"], 1), seen["failed"],
                         number(seen["took_us"])])
    head = ["server", "questions a session", "sent a session", "failed", "µs an answer"]
    return "" if not rows else ("## Questions to name servers\n\nThose that are alike and under way at once are sent once.\n\n"
                                + table(head, rows) + "\n")


def section_sustained(numbers):
    rows = []
    for name in numbers.servers():
        last = numbers.last(name, "sustained")
        if last and "delivered_rate" in last:
            rows.append([name, number(last["rate"]), number(last["delivered_rate"]), number(last["end_to_end"]),
                         number(last["units"]), number(last["arrived"]), f"{last['settle_seconds']:.1f}"])
    head = ["server", "accepted /s", "delivered /s meanwhile", "end to end /s", "accepted", "arrived", "drained in s"]
    return "" if not rows else "## Sustained, one message a connection\n\n" + table(head, rows) + "\n"


def section_idle(numbers):
    rows = []
    for name in numbers.servers():
        last = numbers.last(name, "idle")
        if last:
            rows.append([name, number(last["asked"]), number(last["held"]), number(last["pss_octets"]),
                         number(last["private_octets"]), number(last["machine_octets"]),
                         last["after"]["processes"] - last["before"]["processes"],
                         "; ".join(f"{role} {octets:.0f}" for role, octets in last["roles_pss_octets"].items())])
    head = ["server", "asked", "held", "PSS octets each", "private octets each", "machine octets each",
            "more processes", "PSS octets each, by process"]
    return "" if not rows else "## Memory of an idle connection\n\n" + table(head, rows) + "\n"


def section_drip(numbers):
    rows = []
    for name in numbers.servers():
        last = numbers.last(name, "drip")
        if last:
            rows.append([name, last["held"], last["still"], number(last["octets"]), number(last["cpu_us"], 2)])
    head = ["server", "clients", "still there", "octets", "CPU µs an octet"]
    return "" if not rows else "## Drip: one octet each per 100 ms\n\n" + table(head, rows) + "\n"


def section_sync(numbers):
    rows = []
    for name in numbers.servers():
        last = numbers.last(name, "sync")
        if last:
            rows.append([name, last["messages"], last["synced_before_250"], last["syncs_before_250"], last["syncs"],
                         last["delivery_syncs"],
                         " → ".join(f"`{step}`" for step in shortened(last["example"]))])
    head = ["server", "messages", "with a sync between 354 and 250", "such syncs", "syncs but of mailboxes", "syncs of mailboxes",
            "first message"]
    return "" if not rows else "## Is it on disk before the 250? (strace)\n\n" + table(head, rows) + "\n"


def shortened(steps):
    return ["sync " + "/".join(step.split("/")[-3:]) if step.startswith("sync /") else step for step in steps][:8]


def target(text, got, limit, above=True):
    """One line of the list: (text, got, limit, verdict)."""
    if got is None:
        return (text, None, limit, "not measured")
    return (text, got, limit, "pass" if (got >= limit if above else got <= limit) else "FAIL")


def quotient(a, b):
    return None if a is None or not b else a / b


def best(values):
    values = [value for value in values if value is not None]
    return max(values) if values else None


def end_to_end(numbers, name):
    return numbers.median(name, "sustained", lambda r: r["end_to_end"])


def targets(numbers):
    inline = [name for name in numbers.servers()
              if BY_NAME[name].meaning == servers.INLINE and not name.startswith("postern")]
    raw = numbers.cpu("raw", "accept")
    gate = {name: numbers.role_cpu(name, "accept", "gate") for name in ("postern", "postern-own", "postern-dns")}
    asked = numbers.median("postern-dns", "accept", lambda r: r["questions"]["a_session"])
    idle = numbers.last("postern", "idle")
    found = [
        target("gate CPU of a session without message, nothing judged, x raw", quotient(gate["postern-own"], raw), 1.25,
               False),
        target("gate CPU of a stranger's session, all checks on, no DNS, x raw", quotient(gate["postern"], raw), 1.45,
               False),
        target(f"gate CPU of a stranger's session, {number(asked, 1)} DNS questions, x raw",
               quotient(gate["postern-dns"], raw), 2, False),
        target("sessions/s without message, nothing judged, x raw", quotient(numbers.rate("postern-own", "accept"),
                                                                             numbers.rate("raw", "accept")), 0.80),
        target("refused sessions/s, x OpenSMTPD", quotient(numbers.rate("postern", "reject"),
                                                           numbers.rate("opensmtpd", "reject")), 3.5),
    ]
    for test in ("mail", "mail50"):
        peer = best(numbers.rate(name, test) for name in inline)
        found.append(target(f"relay, {test}: messages/s, x the best inline peer",
                            quotient(numbers.rate("postern-relay", test), peer), 3))
    found += [
        target("deliver, mail: accepted/s, x Postfix", quotient(numbers.rate("postern", "mail"),
                                                                numbers.rate("postfix", "mail")), 5),
        target("deliver, mail50: accepted/s, x Postfix", quotient(numbers.rate("postern", "mail50"),
                                                                  numbers.rate("postfix", "mail50")), 10),
        target("accept and deliver, sustained, x Postfix", quotient(end_to_end(numbers, "postern"),
                                                                    end_to_end(numbers, "postfix")), 3),
        target("user memory of an idle session in its gate, octets",
               idle and idle["roles_pss_octets"].get("gate"), 1024, False),
    ]
    return found


def section_targets(numbers):
    rows = [[text, number(got, 2), f"{limit:g}", verdict] for text, got, limit, verdict in targets(numbers)]
    return "## Targets\n\n" + table(["target", "got", "limit", "verdict"], rows) + "\n"


def others(data, pick=statistics.median):
    """Share of a core that other work took in the measured windows: figures with much of it are worth little."""
    shares = [entry["result"]["others"] for entry in data["results"] if "others" in entry.get("result", {})]
    return pick(shares) if shares else 0


def section_conditions(data, numbers):
    facts = data["machine"]
    lines = [f"# Benchmark of {data['date']}", "",
             f"{facts['processor']}, {facts['cores']} cores, kernel {facts['kernel']}, version {facts['version']}; "
             f"CPU by {facts['accounting']}; network namespace: {'own' if data['namespace'] else 'the host’s'}; "
             f"other work on the machine took {100 * others(data):.0f}% of a core (median; {100 * others(data, max):.0f}% "
             f"at most).", "",
             f"{data['rounds']} round(s) of {data['seconds']:g} s behind {data['warm']:g} s of warm-up, the servers in "
             "turn, medians. All processes of the server on core 0, load generator, sink and name server on core 1. "
             "Commands in lock-step, no TLS, messages of 4 KiB with one recipient, 100 clients where nothing else is "
             "said, 200 client addresses. CPU: of all processes of the server, delivery included, from the first "
             "connection until its queue was empty, for each session or message. Rate: what the client saw in the "
             "window.", ""]
    lines += [f"- **{name}**: {BY_NAME[name].note}" for name in numbers.servers() if BY_NAME[name].note]
    failed = [f"- {entry['server']} {entry['test']}: {entry['error']}" for entry in data["results"] if "error" in entry]
    if failed:
        lines += ["", "Not measured:", ""] + failed
    return "\n".join(lines) + "\n\n"


def markdown(data):
    numbers = Numbers(data["results"])
    return (section_conditions(data, numbers) + section_targets(numbers) + "## Sessions and messages\n\n"
            + section_loads(numbers) + section_roles(numbers) + section_questions(numbers) + section_arrival(numbers) + section_sustained(numbers)
            + section_sync(numbers) + section_idle(numbers) + section_drip(numbers))
