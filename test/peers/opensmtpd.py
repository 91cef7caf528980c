"""OpenSMTPD as inner server, as peer in a benchmark, and as sender."""
import os

from .base import Peer, USERS, address_of

CONFIG = """\
listen on 127.0.0.1 port {port} hostname mail.example.net
table domains {{ {domains} }}
table mailboxes file:/etc/mailboxes
table owner {{ "vmail" = "{number}:{number}:{work}/mail" }}
action "store" maildir "{work}/mail/%{{rcpt.user}}" userbase <owner> virtual <mailboxes>
action "out" relay host "smtp://{backend}" {source}helo {helo}
{settings}
{match}
"""


class OpenSMTPD(Peer):
    """Options, besides those of every peer:

    mode      "maildir": recipients of `domains` into Maildirs under work/mail
              "relay": queued, then to `backend`
              "sender": takes mail of this machine alone, and all goes to `backend`
    backend   "HOST:PORT" behind relay and sender
    source    the address from which the sender connects, and
    helo      the name that it gives (mail.example.net)
    settings  lines put before the match rules of smtpd.conf

    Without STARTTLS: Debian 12's 6.8.0p2 offers it and then fails each handshake (internal_error).
    """
    name = "opensmtpd"
    packages = ("opensmtpd",)

    def defaults(self):
        return {**super().defaults(), "mode": "maildir", "backend": "", "source": "", "helo": "mail.example.net",
                "settings": ""}

    def configure(self):
        self.folder("spool", mode=0o711)
        self.folder("spool/offline", mode=0o770)
        os.chown(self.path("spool", "offline"), 0, USERS["opensmtpq"])
        self.folder("run")
        self.folder("var/spool/smtpd", mode=0o711)
        self.folder("var/lib/opensmtpd/empty")
        self.folder("mail", user="vmail")
        self.write("etc/mailboxes", "".join(
            f"{user}@{domain} vmail\n" for domain in self.options["domains"] for user in self.options["users"]))
        host, port = address_of(self.options["backend"] or "127.0.0.1:1")
        match = {"maildir": 'match from any for domain <domains> action "store"',
                 "relay": 'match from any for domain <domains> action "out"',
                 "sender": 'match from local for any action "out"'}[self.options["mode"]]
        self.write("etc/smtpd.conf", CONFIG.format(
            port=self.options["port"], number=USERS["vmail"], work=self.work, backend=f"{host}:{port}",
            domains=", ".join(f'"{domain}"' for domain in self.options["domains"]), match=match,
            source=f"src {self.options['source']} " if self.options["source"] else "", helo=self.options["helo"],
            settings=self.options["settings"]))

    @staticmethod
    def unpacked(tree):
        path = os.path.join(tree, "usr", "sbin", "smtpctl")
        os.chown(path, 0, USERS["opensmtpq"])
        os.chmod(path, 0o2755)

    def skeleton(self):
        return {"/var": [self.path("var")]}

    def binds(self):
        return [[self.path("spool"), "/var/spool/smtpd"], [self.path("run"), "/run"]]

    def command(self):
        return ["/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"]

    def facts(self):
        return {**super().facts(), "mail": self.path("mail"), "spool": self.path("spool")}

    def send(self, sender, recipients, message):
        """Queues a message, as a local program does; `message` has LF line ends."""
        self.run(["/usr/sbin/sendmail", "-i", "-f", sender, "--"] + list(recipients), text=message)

    def queue_length(self):
        """Envelopes not done yet, by a look into the spool."""
        count = 0
        for folder, _, files in os.walk(self.path("spool", "queue")):
            count += sum(1 for name in files if name != "message") if folder else 0
        return count

    def flush(self):
        self.run(["/usr/sbin/smtpctl", "schedule", "all"], check=False)
