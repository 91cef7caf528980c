"""The daemon: its configuration, its start and end, its mail folders, its command line."""
import grp
import json
import os
import pwd
import signal
import socket
import subprocess

from . import process
from .talk import Talk
from .wait import LateError, free_port, until

NAME = "mx.example.org"
DOMAIN = "example.org"
MAILBOXES = ["alice", "bob", "carol", "dave"]
USER = "nobody"
START_SECONDS = 20
STOP_SECONDS = 40
UNIX_PATH_MAX = 107

CONF = """\
host-name {name}
{user}
state-directory state
run-directory run
gates {gates}
log.to file
log.file log/mail
{defaults}
listen 127.0.0.1:{port}
listen [::1]:{port}
{certificate}
{settings}
{routes}
"""

# What the gate does to clients whom it does not know, and no test waits for that which does not test it; and a name
# server that is not there: questions fail at once, and none leaves this machine.
DEFAULTS = {"banner.delay": "0", "slow.first": "0", "slow.octet": "0", "ehlo.refuse": "off", "grey.mode": "off",
            "dns.server": "127.0.0.1:1"}


def certificate_make(folder, names=(NAME, "localhost"), days=30):
    """A self-signed certificate for the names and the loopback addresses: (certificate file, key file)."""
    os.makedirs(folder, exist_ok=True)
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    alt = ",".join([f"DNS:{name}" for name in names] + ["IP:127.0.0.1", "IP:::1"])
    process.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", str(days), "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={alt}",
                 "-keyout", key, "-out", cert])
    os.chmod(key, 0o600)
    return cert, key


def route_maildir(domain=DOMAIN, mailboxes=(), more=""):
    names = " ".join(mailboxes or MAILBOXES)
    return f"route {domain} {{\n    maildir mail\n    mailbox {names}\n{more}}}\n"


class Postern:
    """One daemon below `folder`.

    routes    configuration text (a Maildir route for example.org with MAILBOXES)
    settings  further configuration text
    gates     gate processes
    tls       a self-signed certificate, so that STARTTLS is offered; its file is self.certificate
    prefix    words in front of the command, such as ["strace", "-f"]
    before    runs in the new process before the program does, as preexec_fn of Popen
    defaults  settings of the rig's own, where `settings` does not name them; {}: the program's defaults are tested
    """

    def __init__(self, program, folder, routes="", settings="", gates=1, tls=True, prefix=(), before=None,
                 defaults=None):
        self.program, self.folder = program, folder
        self.port = free_port()
        self.routes, self.settings, self.gates = routes or route_maildir(), settings, gates
        self.prefix, self.before = list(prefix), before
        self.defaults = DEFAULTS if defaults is None else defaults
        self.conf = self.path("postern.conf")
        self.certificate = self.key = None
        self.process = None
        self.started = False
        self.configurations = []  # a copy of each
        os.chmod(folder, 0o755)
        for name in ("log", "mail"):
            os.makedirs(self.path(name), exist_ok=True)
            self.give(self.path(name))
        if tls:
            self.certificate, self.key = certificate_make(self.path("tls"))
        self.configure()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    @staticmethod
    def give(path):
        """Makes it the daemon's user's."""
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            os.chown(path, user.pw_uid, user.pw_gid)

    def configure(self, **changes):
        """Writes the configuration, with some of routes, settings and gates changed."""
        for name, value in changes.items():
            setattr(self, name, value)
        certificate = f"certificate {self.certificate} {self.key}" if self.certificate else ""
        user = f"user {USER}\ngroup {pwd_group()}" if os.geteuid() == 0 else ""
        defaults = "\n".join(f"{name} {value}" for name, value in self.defaults.items() if name not in self.settings)
        text = CONF.format(name=NAME, user=user, defaults=defaults, gates=self.gates, port=self.port,
                           certificate=certificate, settings=self.settings, routes=self.routes)
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(text)
        kept = self.path(f"was-{len(self.configurations)}.conf")
        with open(kept, "w", encoding="utf-8") as file:
            file.write(text)
        self.configurations.append(kept)

    # --- life

    def start(self):
        """Starts the daemon and waits until it says that it is ready (sd_notify)."""
        if len(self.path("run", "courier.sock")) > UNIX_PATH_MAX:
            raise LateError(f"{self.folder} is too long for sockets")
        self.started = True
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            place = self.path("notify")
            if os.path.exists(place):
                os.unlink(place)
            notify.bind(place)
            notify.settimeout(0.05)
            out = open(self.path("log", "output"), "ab")  # pylint: disable=consider-using-with
            with out:
                self.process = subprocess.Popen(
                    self.prefix + [self.program, "serve", "-c", self.conf, "--foreground"], stdin=subprocess.DEVNULL,
                    stdout=out, stderr=out, env={**os.environ, "NOTIFY_SOCKET": place}, preexec_fn=self.before,
                    start_new_session=True)
            try:
                until(lambda: self.said(notify, b"READY=1"), "the daemon is ready", START_SECONDS, self.alive)
            except LateError as error:
                self.kill()
                raise LateError(f"{error}\n{self.last_words()}") from None
        return self

    @staticmethod
    def said(notify, word):
        try:
            return word in notify.recv(4096).split(b"\n")
        except TimeoutError:
            return False

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ends it as an administrator does; it must end with 0 and leave nothing behind."""
        if not self.alive():
            return
        below = list(process.descendants(self.process.pid))
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LateError(f"the daemon does not end\n{self.last_words()}") from None
        until(lambda: not any(process.stat_of(pid) for pid in below), "the end of the daemon's processes")
        process.reap()
        if status != 0:
            raise LateError(f"the daemon ended with {status}\n{self.last_words()}")

    def kill(self):
        """Ends all of its processes at once, as a power failure would."""
        if self.process is None:
            return
        pids = list(process.descendants(self.process.pid))
        if self.process.poll() is None:
            pids.append(self.process.pid)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        until(lambda: not any(process.stat_of(pid) for pid in pids), "the end of the daemon's processes")
        process.reap()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()

    # --- the command line

    def command(self, *words, check=True, seconds=60):
        """postern WORD -c FILE ...; the finished process."""
        return process.run([self.program, words[0], "-c", self.conf, *words[1:]], seconds, check)

    def objects(self, *words, check=True, seconds=60):
        """The same with --json: the objects that it printed, one a line."""
        out = self.command(*words, "--json", check=check, seconds=seconds).stdout
        return [json.loads(line) for line in out.splitlines() if line.strip()]

    def status(self):
        return self.objects("status")

    def pids(self, role):
        """Process ids of gate, courier, keeper or archivist, as status tells them."""
        return [row["pid"] for row in self.status() if row.get("process") == role and row.get("pid")]

    # --- mail

    def talk(self, family=socket.AF_INET, **options):
        return Talk(self.address(family), **options)

    def address(self, family=socket.AF_INET):
        return ("127.0.0.1" if family == socket.AF_INET else "::1", self.port)

    def mails(self, user):
        """The message files in a user's Maildir, in the order of their names."""
        found = []
        for part in ("new", "cur"):
            folder = self.path("mail", user, part)
            if os.path.isdir(folder):
                found += [os.path.join(folder, name) for name in os.listdir(folder)]
        return sorted(found, key=os.path.basename)

    def mail_wait(self, user, count=1, seconds=20):
        """The content of a user's messages, once there are `count` of them; the folder is emptied."""
        until(lambda: len(self.mails(user)) >= count, f"{count} messages for {user}", seconds, self.alive)
        contents = []
        for name in self.mails(user):
            with open(name, "rb") as file:
                contents.append(file.read())
            os.unlink(name)
        if len(contents) != count:
            raise AssertionError(f"{len(contents)} messages for {user} instead of {count}")
        return contents

    def queue(self):
        """What waits in the queue."""
        return self.objects("queue", "list")

    def queue_wait(self, seconds=30):
        """Until all that was accepted is delivered or given up."""
        until(lambda: not self.queue(), "an empty queue", seconds, self.alive)

    # --- looking at it

    def log(self):
        """The mail log."""
        try:
            with open(self.path("log", "mail"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def last_words(self, size=3000):
        """The ends of what it has written, for a failure's report."""
        text = f"--- {self.conf}\n"
        for name in ("output", "mail"):
            try:
                with open(self.path("log", name), encoding="utf-8", errors="replace") as file:
                    text += f"--- log/{name}\n{file.read()[-size:]}\n"
            except OSError:
                pass
        return text


def pwd_group():
    return grp.getgrgid(pwd.getpwnam(USER).pw_gid).gr_name
