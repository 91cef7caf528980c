"""What all peers have in common: a work folder, a view of the file system, a start and an end."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from . import packages

LAUNCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch.py")
START_SECONDS = 30

# Users the packages ask for. They exist in the peer's own /etc alone; numbers far from those of the system.
USERS = {"postfix": 50011, "postdrop": 50012, "dovecot": 50013, "dovenull": 50014, "vmail": 50015,
         "opensmtpd": 50016, "opensmtpq": 50017, "Debian-exim": 50018}

# Mailboxes at example.net that every storing peer has, and the one password where a peer asks for one.
MAILBOXES = [f"b{n}" for n in range(100)] + ["alice", "bob", "carol", "postmaster"]
PASSWORD = "secret"


class PeerError(Exception):
    """A peer did not start, or died."""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def address_of(text):
    host, _, port = str(text).rpartition(":")
    return host or "127.0.0.1", int(port)


def process_started(pid):
    """When a process began, in ticks: with its number, its name for ever. None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def banner_wait(port, want, seconds=START_SECONDS, alive=lambda: True, address="127.0.0.1"):
    """Until a connection to the port is greeted with `want`. PeerError if not in time, or if not alive()."""
    end = time.monotonic() + seconds
    said = ""
    while time.monotonic() < end and alive():
        try:
            with socket.create_connection((address, port), timeout=5) as sock:
                said = sock.recv(512).decode("latin-1")
                if said.startswith(want):
                    return
        except OSError as error:
            said = str(error)
        time.sleep(0.05)
    raise PeerError(f"no greeting {want!r} on port {port}, last: {said!r}")


class Peer:
    """One server under a work folder. Subclasses say which packages, files and command it is."""
    name = ""
    packages = ()
    greeting = "220"

    def __init__(self, work, **options):
        self.work = os.path.abspath(work)
        self.launcher = None
        self.given = options
        self.options = {**self.defaults(), **options}
        unknown = set(self.options) - set(self.defaults())
        if unknown:
            raise PeerError(f"{self.name} has no option {', '.join(sorted(unknown))}; "
                            f"there are {', '.join(sorted(self.defaults()))}")

    # --- what a subclass says

    def defaults(self):
        """Options and their defaults."""
        return {"port": 0, "users": MAILBOXES, "domains": ["example.net"], "hosts": {}, "nameserver": ""}

    def configure(self):
        """Writes the files of the peer under self.path("etc") and elsewhere in the work folder."""

    def command(self):
        """The first process, in the foreground."""
        raise NotImplementedError

    def stop_command(self):
        return None

    def binds(self):
        """[from, to] pairs."""
        return []

    def skeleton(self):
        """Folders to be laid over the system's besides /usr and /etc, as {place: [folder]}."""
        return {}

    # --- files

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def write(self, name, text, mode=0o644, owner=None):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        if owner is not None:
            os.chown(path, owner, owner)
        return path

    def folder(self, name, user=None, mode=0o755):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if user:
            os.chown(path, USERS[user], USERS[user])
        return path

    def certificate(self, names=("mail.example.net", "localhost")):
        """A self-signed certificate for the names: (certificate file, key file)."""
        cert, key = self.path("tls", "cert.pem"), self.path("tls", "key.pem")
        self.folder("tls")
        if not os.path.exists(cert):
            alt = ",".join(f"DNS:{name}" for name in names)
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                            "-nodes", "-days", "30", "-subj", f"/CN={names[0]}", "-addext",
                            f"subjectAltName={alt}", "-keyout", key, "-out", cert],
                           check=True, capture_output=True)
            os.chmod(key, 0o600)
        return cert, key

    def etc_common(self):
        """passwd and group with the packages' users; names that resolve from files, or by the option's server."""
        for file in ("passwd", "group"):
            with open(f"/etc/{file}", encoding="utf-8") as source:
                text = source.read()
            for user, number in USERS.items():
                text = re.sub(rf"^{re.escape(user)}:.*\n", "", text, flags=re.M)
                text += (f"{user}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" if file == "passwd"
                         else f"{user}:x:{number}:\n")
            self.write(f"etc/{file}", text)
        server = self.options["nameserver"]
        self.write("etc/resolv.conf", f"nameserver {server}\noptions timeout:1\n" if server else "")
        hosts = "127.0.0.1 localhost mail.example.net\n::1 localhost\n"
        self.write("etc/hosts", hosts + "".join(f"{ip} {host}\n" for host, ip in self.options["hosts"].items()))
        self.write("etc/mailname", "mail.example.net\n")

    # --- life

    @classmethod
    def fetch(cls):
        """The folder of the unpacked program, which is fetched at the first call."""
        return packages.tree_of(cls.name, list(cls.packages), cls.unpacked)

    @staticmethod
    def unpacked(tree):
        """Does to the fresh folder what the package's own scripts would have done."""

    def overlays(self):
        """{place: [folder]}: what is laid over the system's folders."""
        tree = self.fetch()
        etc = [self.path("etc")]
        if os.path.isdir(os.path.join(tree, "etc")):
            etc.append(os.path.join(tree, "etc"))
        return {"/usr": [os.path.join(tree, "usr")], "/etc": etc, **self.skeleton()}

    def spec_write(self):
        spec = {"work": self.work, "overlays": self.overlays(), "binds": self.binds(), "run": self.command(), "env": {"LC_ALL": "C"},
                "stop": self.stop_command(), "log": self.path("log", "output")}
        return self.write("spec.json", json.dumps(spec, indent=1))

    def reachable(self):
        folder = self.work
        while folder != "/":
            if not os.stat(folder).st_mode & 0o001:
                raise PeerError(f"{folder} is closed to others: the peer's users could not reach {self.work}")
            folder = os.path.dirname(folder)

    def prepare(self):
        if os.geteuid() != 0:
            raise PeerError("peers need root: they have a mount namespace and several users each")
        os.makedirs(self.work, exist_ok=True)
        os.chmod(self.work, 0o755)
        self.reachable()
        if not self.options["port"]:
            self.options["port"] = self.given["port"] = free_port()
        self.folder("log", mode=0o777)
        self.etc_common()
        self.configure()
        return self.spec_write()

    def start(self, preexec=None):
        """Starts the peer and waits until it answers. preexec runs in the new process, as for Popen."""
        spec = self.prepare()
        process = subprocess.Popen(["unshare", "--mount", "--propagation", "private", sys.executable, LAUNCH, spec],
                                   stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=preexec)
        self.launcher = (process.pid, process_started(process.pid))
        self.state_write()
        try:
            self.ready_wait()
        except PeerError as error:
            self.stop()
            process.wait()
            raise PeerError(f"{self.name}: {error}\n{self.log()[-2000:]}") from None
        return self

    def ready_wait(self):
        banner_wait(self.options["port"], self.greeting, alive=self.alive)

    def alive(self):
        return bool(self.launcher) and process_started(self.launcher[0]) == self.launcher[1]

    def stop(self):
        """Ends all processes of the peer, and returns when they are gone. The work folder stays."""
        if self.alive():
            os.kill(self.launcher[0], signal.SIGTERM)
            end = time.monotonic() + 30
            while self.alive():
                if time.monotonic() > end:
                    raise PeerError(f"{self.name} does not end (launcher {self.launcher[0]})")
                try:
                    os.waitpid(self.launcher[0], os.WNOHANG)
                except ChildProcessError:
                    pass
                time.sleep(0.02)
        self.launcher = None
        if os.path.exists(self.path("peer.json")):
            os.unlink(self.path("peer.json"))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def state_write(self):
        self.write("peer.json", json.dumps({"name": self.name, "launcher": self.launcher, "options": self.given,
                                            **self.facts()}, indent=1))

    def facts(self):
        """What a caller wants to know of a running peer."""
        return {"port": self.options["port"], "work": self.work, "log": self.path("log")}

    # --- use

    def run(self, arguments, text=None, check=True):
        """Runs a command in the peer's view of the file system; the finished process with its output as text."""
        space = f"/proc/{self.launcher[0]}/ns/mnt"
        return subprocess.run(["nsenter", f"--mount={space}", "--"] + list(arguments), input=text,
                              capture_output=True, text=True, check=check)

    def log(self):
        """All log files, one behind the other."""
        text = ""
        for name in sorted(os.listdir(self.path("log"))):
            with open(self.path("log", name), encoding="utf-8", errors="replace") as file:
                text += file.read()
        return text

    def mails(self, user):
        """The message files in a user's Maildir, oldest first."""
        found = []
        for part in ("new", "cur"):
            folder = self.path("mail", user, part)
            if os.path.isdir(folder):
                found += [os.path.join(folder, name) for name in os.listdir(folder)]
        return sorted(found, key=lambda path: (int(os.path.getmtime(path)), os.path.basename(path)))

    def mail_count(self):
        """Messages in all Maildirs."""
        count = 0
        root = self.path("mail")
        for user in os.listdir(root) if os.path.isdir(root) else []:
            for part in ("new", "cur"):
                folder = os.path.join(root, user, part)
                count += len(os.listdir(folder)) if os.path.isdir(folder) else 0
        return count

    def mails_wait(self, user, count, seconds=30):
        """The user's message files, once there are `count` of them."""
        end = time.monotonic() + seconds
        while len(self.mails(user)) < count:
            if time.monotonic() > end:
                raise PeerError(f"{self.name}: {len(self.mails(user))} of {count} messages for {user} "
                                f"after {seconds} s\n{self.log()[-2000:]}")
            time.sleep(0.05)
        return self.mails(user)

    def clean(self):
        shutil.rmtree(self.work, ignore_errors=True)
