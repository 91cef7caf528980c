"""Exim as inner server, as peer in a benchmark, and as sender."""
import os

from .base import Peer, USERS, address_of

CONFIG = """\
primary_hostname = mail.example.net
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {work}/spool
log_file_path = {work}/log/%s
pid_file_path = {work}/run/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
domainlist local_domains = {domains}
smtp_accept_max = 0
smtp_accept_queue = 0
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 1000
host_lookup =
helo_lookup_domains =
rfc1413_hosts =
recipients_max = 1000
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
never_users =
trusted_users = root
keep_environment =
add_environment = PATH=/usr/bin
{tls}
{settings}

begin acl
acl_rcpt:
  accept hosts = :{inside}
  deny   message = relay not permitted
         !domains = +local_domains
  require message = no such mailbox
          verify = recipient
  accept

begin routers
{routers}

begin transports
store:
  driver = appendfile
  directory = {work}/mail/$local_part_data
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  user = vmail
  group = vmail
out:
  driver = smtp
  allow_localhost
  helo_data = {helo}
{interface}

begin retry
*  *  F,1d,10s
"""

STORE = """\
store:
  driver = accept
  domains = +local_domains
  local_parts = lsearch;/etc/exim4/mailboxes
  transport = store
"""

OUT = """\
out:
  driver = manualroute
  route_list = * {host}::{port}
  self = send
  {who}
  transport = out
"""


class Exim(Peer):
    """Options, besides those of every peer:

    mode      "maildir": recipients of `domains` into Maildirs under work/mail
              "relay": queued, then to `backend`
              "sender": takes mail of this machine alone, and all goes to `backend`
    backend   "HOST:PORT" behind relay and sender
    source    the address from which the sender connects, and
    helo      the name that it gives (mail.example.net)
    tls       offer STARTTLS with a self-signed certificate
    settings  lines for the main part of the configuration
    """
    name = "exim"
    packages = ("exim4-daemon-light",)

    def defaults(self):
        return {**super().defaults(), "mode": "maildir", "backend": "", "source": "", "helo": "mail.example.net",
                "tls": False, "settings": ""}

    def configure(self):
        for name in ("spool", "run"):
            self.folder(name, user="Debian-exim", mode=0o750)
        os.chown(self.path("log"), USERS["Debian-exim"], USERS["Debian-exim"])
        self.folder("mail", user="vmail")
        tls = "tls_advertise_hosts ="
        if self.options["tls"]:
            cert, key = self.certificate()
            os.chown(key, USERS["Debian-exim"], USERS["Debian-exim"])
            tls = f"tls_advertise_hosts = *\ntls_certificate = {cert}\ntls_privatekey = {key}"
        domains = ":".join(self.options["domains"]) if self.options["mode"] != "sender" else ""
        self.write("etc/exim4/mailboxes", "".join(f"{user}: {user}\n" for user in self.options["users"]))
        self.write("etc/exim4/exim4.conf", CONFIG.format(
            work=self.work, port=self.options["port"], domains=domains, tls=tls, routers=self.routers(),
            settings=self.options["settings"], helo=self.options["helo"],
            inside=" 127.0.0.1" if self.options["mode"] == "sender" else "",
            interface=f"  interface = {self.options['source']}" if self.options["source"] else ""))

    def routers(self):
        if self.options["mode"] == "maildir":
            return STORE
        host, port = address_of(self.options["backend"])
        who = "domains = +local_domains" if self.options["mode"] == "relay" else "domains = *"
        return OUT.format(host=host, port=port, who=who)

    @staticmethod
    def unpacked(tree):
        os.chmod(os.path.join(tree, "usr", "sbin", "exim4"), 0o4755)

    def command(self):
        return ["/usr/sbin/exim4", "-bdf", "-q30s", "-oP", self.path("run", "exim.pid")]

    def facts(self):
        return {**super().facts(), "mail": self.path("mail"), "spool": self.path("spool")}

    def send(self, sender, recipients, message):
        """Queues a message and begins to deliver it, as a local program does; `message` has LF line ends."""
        self.run(["/usr/sbin/exim4", "-odb", "-i", "-f", sender, "--"] + list(recipients), text=message)

    def queue_length(self):
        """Messages not done yet, by a look into the spool."""
        count = 0
        for _, _, files in os.walk(self.path("spool", "input")):
            count += sum(1 for name in files if name.endswith("-H"))
        return count

    def flush(self):
        self.run(["/usr/sbin/exim4", "-qff"], check=False)
