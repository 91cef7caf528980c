"""The servers that are compared: how each is started, what its queue holds, what arrived."""
import json
import socket
import os
import shutil
import signal
import struct
import subprocess
import sys
import time

from . import machine

sys.path.insert(0, os.path.join(machine.ROOT, "test"))
import peers  # noqa: E402

BUILD = os.environ.get("POSTERN_BUILD", os.path.join(machine.ROOT, "build"))
RAW = os.path.join(BUILD, "bench", "bench-raw")
LOAD = os.path.join(BUILD, "bench", "bench-load")
NAMES = os.path.join(BUILD, "bench", "bench-names")
POSTERN = os.path.join(BUILD, "postern")
TALLY = ("sessions", "messages", "octets", "refused", "distinct", "duplicates", "unnumbered", "broken")

# What a 250 after the dot promises.
DROPPED, QUEUED, INLINE = "dropped", "queued", "inline"


class ServerError(Exception):
    """A server did not start or did not end."""


def raw_start(arguments, core, group=None):
    """bench-raw or bench-names, and the port it says that it listens on."""
    def before():
        machine.die_with_parent()
        machine.pin(core)
        if group:
            group.join()

    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, preexec_fn=before)
    words = process.stdout.readline().split()
    if len(words) != 3:
        raise ServerError(f"{arguments[0]} did not start")
    return process, int(words[2])


class Sink:
    """bench-raw behind a relay, on the load generator's core; counts what arrives."""

    def __init__(self, work, lmtp=False):
        self.file = os.path.join(work, "tally")
        self.process, self.port = raw_start([RAW, "-p", "0", "-c", self.file] + (["-l"] if lmtp else []),
                                            machine.LOAD_CORE)

    def tally(self):
        with open(self.file, "rb") as file:
            return dict(zip(TALLY, struct.unpack("=8Q", file.read(64))))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Server:
    """One server with one way of working. The class attributes say how it is measured."""
    name = ""
    meaning = QUEUED           # of its 250
    tests = ("reject", "accept", "mail", "mail50")
    clients = {}               # test: clients at once, where it is not 100
    mailboxes = 100
    idle_clients = 1000
    opening = 64               # idle and drip: clients at once that were not answered yet
    needs_sink = False
    settles = True             # its queue empties soon after the load has ended
    note = ""

    def __init__(self, work):
        self.work = work
        os.makedirs(work, exist_ok=True)
        os.chmod(work, 0o755)
        self.group = machine.Group(os.path.basename(work))
        self.sink = None
        self.port = 0

    def before(self):
        machine.die_with_parent()
        machine.pin(machine.SERVER_CORE)
        self.group.join()

    def start(self):
        if self.needs_sink:
            self.sink = Sink(self.work)
        try:
            self.launch()
        except BaseException:
            self.release()
            raise

    def launch(self):
        """Starts it and waits until it answers; ends it again where it does not."""
        raise NotImplementedError

    def end(self):
        raise NotImplementedError

    def stop(self):
        self.end()
        self.release()

    def release(self):
        if self.sink:
            self.sink.stop()
        self.group.remove()

    def clean(self):
        shutil.rmtree(self.work, ignore_errors=True)

    def pids(self):
        """All processes that are the server's."""
        return self.group.pids()

    def roles(self):
        """{word: [process id]} for servers whose processes are reported apart."""
        return {}

    def queue_length(self):
        return 0

    def arrived(self):
        """Messages that reached their mailbox or the sink; None where nothing tells."""
        return self.sink.tally()["messages"] if self.sink else None

    def questions(self):
        """What it has asked name servers so far: asked, sent, failed, took_us; None where nothing tells."""
        return None

    def settings_text(self):
        """The configuration that the figures belong to."""
        return ""

    @classmethod
    def available(cls):
        return True

    @classmethod
    def fetch(cls):
        """Gets what it runs on, while there is a network."""


class Raw(Server):
    name = "raw"
    meaning = DROPPED
    tests = ("reject", "accept", "mail", "mail50", "idle", "drip")
    idle_clients = 18000
    note = "bench-raw: one thread, epoll, no queue, no log"

    def launch(self):
        self.process, self.port = raw_start([RAW, "-p", "0"], machine.SERVER_CORE, self.group)

    def end(self):
        self.process.terminate()
        self.process.wait()


class PeerServer(Server):
    """A server out of test/peers."""
    peer_class = None
    options = {}

    @classmethod
    def fetch(cls):
        cls.peer_class.fetch()

    def launch(self):
        options = dict(self.options)
        if self.sink:
            options["backend"] = f"127.0.0.1:{self.sink.port}"
        self.peer = self.peer_class(os.path.join(self.work, "peer"), nameserver="127.0.0.1", **options)
        self.peer.start(preexec=self.before)
        self.group.root = self.peer.launcher[0]
        self.port = self.peer.options["port"]

    def end(self):
        self.peer.stop()

    def pids(self):
        return [pid for pid in self.group.pids() if pid != self.peer.launcher[0]]

    def queue_length(self):
        return self.peer.queue_length()

    def arrived(self):
        return super().arrived() if self.sink else self.peer.mail_count()


class Postfix(PeerServer):
    name = "postfix"
    peer_class = peers.Postfix
    options = {"settings": {"default_process_limit": "1200"}}
    tests = Server.tests + ("sync", "idle", "drip", "sustained")
    note = "1,200 processes, limits and name look-ups off, log to file, Maildir"


class PostfixScreen(PeerServer):
    name = "postfix-screen"
    tests = Server.tests + ("sync",)
    peer_class = peers.Postfix
    options = {"screen": True}
    note = "postscreen in front, with its test of early talkers and its deep tests; all clients are in its cache"

    def launch(self):
        super().launch()
        subprocess.run([LOAD, "-p", str(self.port), "-m", "accept", "-N", "400", "-n", "200", "-w", "0"], check=True,
                       stdout=subprocess.DEVNULL)


class PostfixRelay(PeerServer):
    name = "postfix-relay"
    peer_class = peers.Postfix
    options = {"mode": "relay"}
    tests = ("mail", "mail50")
    needs_sink = True
    note = "queue, then smtp to the sink, concurrency 50"


class PostfixProxy(PeerServer):
    name = "postfix-proxy"
    peer_class = peers.Postfix
    options = {"mode": "proxy"}
    meaning = INLINE
    tests = ("reject", "mail", "mail50", "sync")
    needs_sink = True
    note = "smtpd_proxy_filter to the sink"

    def queue_length(self):
        return 0


class OpenSMTPD(PeerServer):
    name = "opensmtpd"
    peer_class = peers.OpenSMTPD
    tests = Server.tests + ("sync", "idle", "drip")
    clients = {"reject": 32, "accept": 32, "mail": 32, "mail50": 32}
    opening = 4
    note = "32 clients, for its listen backlog is 5; Maildir; looks its clients up"


class OpenSMTPDRelay(OpenSMTPD):
    name = "opensmtpd-relay"
    options = {"mode": "relay"}
    tests = ("mail", "mail50", "sync")
    needs_sink = True
    settles = False
    note = "its relay paces itself: not waited for, so most of the relaying is not in its CPU"


class Exim(PeerServer):
    name = "exim"
    peer_class = peers.Exim
    tests = Server.tests + ("sync",)
    clients = {"reject": 400, "accept": 400}
    note = "no limits, delivers each message at once into a Maildir"


class Haraka(PeerServer):
    name = "haraka"
    peer_class = peers.Haraka
    meaning = INLINE
    tests = ("reject", "accept", "mail", "mail50", "sync")
    needs_sink = True
    note = "queue/smtp_forward to the sink, one process, log level notice; looks its clients up"

    @classmethod
    def available(cls):
        return bool(shutil.which("node") and shutil.which("npm"))


class Chasquid(PeerServer):
    name = "chasquid"
    peer_class = peers.Chasquid
    tests = Server.tests + ("sync",)
    mailboxes = 1
    note = "one processor, one recipient, SPF and name look-up on, delivery by /bin/true"

    def arrived(self):
        return None


class Postern(Server):
    """Postern in its queueing role: Maildir."""
    name = "postern"
    tests = ("reject", "accept", "mail", "mail50", "sync", "idle", "drip", "sustained")
    idle_clients = 18000
    note = "one gate, Maildir; strangers, all checks on, no name server"
    route = "maildir"
    more = ""  # configuration
    names = 0  # the name server's port; 0: nobody is asked

    @classmethod
    def available(cls):
        return os.access(POSTERN, os.X_OK) and subprocess.run(
            [POSTERN, "serve", "--help"], capture_output=True, check=False).returncode == 0

    def settings_text(self):
        return postern_configuration("WORK", 25, self.route, 2525 if self.sink else 0, self.names) + self.more

    def launch(self):
        self.port = peers.free_port()
        file = os.path.join(self.work, "postern.conf")
        with open(file, "w", encoding="utf-8") as out:
            sink_port = self.sink.port if self.sink else 0
            out.write(postern_configuration(self.work, self.port, self.route, sink_port, self.names) + self.more)
        for name in ("mail", "state", "run"):
            os.makedirs(os.path.join(self.work, name), exist_ok=True)
            shutil.chown(os.path.join(self.work, name), "nobody", "nogroup")
        self.output = open(os.path.join(self.work, "output"), "wb")
        self.process = subprocess.Popen([POSTERN, "serve", "-c", file, "--foreground"], stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=self.output, preexec_fn=self.before)
        self.group.root = self.process.pid
        try:
            peers.banner_wait(self.port, "220", alive=lambda: self.process.poll() is None)
        except peers.PeerError as error:
            self.end()
            with open(os.path.join(self.work, "output"), encoding="utf-8", errors="replace") as text:
                raise ServerError(f"postern: {error}\n{text.read()[-2000:]}") from None

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            for pid in self.group.pids():
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
        self.output.close()

    def roles(self):
        found = {}
        for pid in self.group.pids():
            found.setdefault("supervisor" if pid == self.process.pid else postern_role(pid), []).append(pid)
        return found

    def status(self, name):
        """What a process of Postern's answers on its control socket, an object a line."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(os.path.join(self.work, "run", name))
            control.sendall(b'{"command":"status"}\n')
            with control.makefile(encoding="utf-8") as lines:
                for line in lines:
                    answer = json.loads(line)
                    if "done" in answer or "error" in answer:
                        return
                    yield answer

    def arrived(self):
        """Messages in the Maildirs, counted there; of the relay, at the sink."""
        if self.sink:
            return super().arrived()
        folders = (os.path.join(self.work, "mail", box, "new") for box in os.listdir(os.path.join(self.work, "mail")))
        return sum(len(os.listdir(folder)) for folder in folders if os.path.isdir(folder))

    def queue_length(self):
        """What the gates have accepted, less what the courier has done with."""
        accepted = sum(answer["messages"] for answer in self.status("postern.sock") if answer.get("total"))
        return accepted - sum(answer["removed"] for answer in self.status("courier.sock"))


class PosternOwn(Postern):
    """For clients of our own networks: nothing is held against them, so this is the machine without its checks."""
    name = "postern-own"
    tests = ("accept",)
    note = "one gate, Maildir; all clients are of its own networks, whom it does not judge"
    more = "networks {\n    own 127.0.0.0/8\n}\n"


class PosternDns(Postern):
    """Each session has questions for name servers, and each answer may be kept for no time at all."""
    name = "postern-dns"
    tests = ("accept",)
    note = "one gate, Maildir; strangers whose names are in order; bench-names on loopback answers, and nothing may be kept"

    def launch(self):
        arguments = [NAMES, "-p", "0", "-k", "client.example", "-t", "0"]
        self.answerer, self.names = raw_start(arguments, machine.LOAD_CORE)
        super().launch()

    def questions(self):
        time.sleep(1.5)  # the gate tells its counts each second
        total = next(answer for answer in self.status("postern.sock") if answer.get("total"))
        return {"asked": total["dns_asked"], "sent": total["dns_sent"], "failed": total["dns_failed"],
                "took_us": total["dns_took_us"]}

    def release(self):
        super().release()
        self.answerer.terminate()
        self.answerer.wait()


class PosternRelay(Postern):
    name = "postern-relay"
    meaning = INLINE
    tests = ("reject", "mail", "mail50", "sync")
    needs_sink = True
    route = "relay"
    note = "one gate, inline to the sink"

    def queue_length(self):
        return 0


def postern_role(pid):
    """gate, keeper, courier, ...: as the process calls itself."""
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            return file.read().strip().removeprefix("postern-")
    except OSError:
        return "gone"


def postern_configuration(work, port, route, sink_port, names=0):
    """The one place that knows how Postern is set up for the benchmark."""
    if route == "maildir":
        way = f"maildir {work}/mail\n    mailbox {' '.join(peers.MAILBOXES)}"
    else:
        way = f"{route} 127.0.0.1:{sink_port}\n    mailboxes ask"
    return f"""\
host-name mail.example.net
user nobody
group nogroup
gates 1
state-directory {work}/state
run-directory {work}/run
listen 127.0.0.1:{port}
dns.server {f'127.0.0.1:{names}' if names else 'none'}
limits {{
    connections 20000
    host-connections 1000
}}
relay.connections 100
banner.delay 0
ehlo.refuse off
slow {{
    first 0
    octet 0
}}
log {{
    to file
    file {work}/state/maillog
}}
route example.net {{
    {way}
}}
"""


SERVERS = [Raw, Postern, PosternOwn, PosternDns, PosternRelay, Postfix, PostfixScreen, PostfixRelay, PostfixProxy,
           OpenSMTPD, OpenSMTPDRelay, Exim, Haraka, Chasquid]


def names_start():
    """The name server that knows no name, for peers that look their clients up."""
    return raw_start([NAMES], machine.LOAD_CORE)[0]


def load_json(text):
    return json.loads(text.splitlines()[-1])


def wait_until(condition, seconds, step=0.1):
    """True as soon as condition() is; False after the seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True
