"""Dovecot: mailboxes behind LMTP, read by IMAP."""
import os

from .base import PASSWORD, Peer, USERS, banner_wait, free_port

CONFIG = """\
base_dir = {work}/run
state_dir = {work}/state
protocols = lmtp imap
listen = 127.0.0.1
log_path = {work}/log/mail
log_timestamp = "%Y-%m-%d %H:%M:%S "
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
default_process_limit = 200
default_client_limit = 2000
first_valid_uid = 100
mail_location = maildir:{work}/mail/%n
mail_fsync = {fsync}
postmaster_address = postmaster@example.net
hostname = mail.example.net
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Lu
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u /etc/dovecot/mailboxes
}}
userdb {{
  driver = passwd-file
  args = username_format=%u /etc/dovecot/mailboxes
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
  }}
}}
service lmtp {{
  unix_listener {work}/lmtp.sock {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
{settings}
"""


class Dovecot(Peer):
    """Options, besides those of every peer:

    port        IMAP, with STARTTLS (a free one)
    imaps_port  IMAP over TLS (a free one); the certificate is work/tls/cert.pem
    lmtp_port   LMTP (a free one); the socket work/lmtp.sock speaks it as well
    fsync       mail_fsync: "optimized" (each delivery is synced), "never" or "always"
    settings    text that is put at the end of dovecot.conf

    Mailboxes are USER@DOMAIN for each of `users` and `domains`; LMTP refuses others with 550.
    """
    name = "dovecot"
    packages = ("dovecot-core", "dovecot-imapd", "dovecot-lmtpd")
    greeting = "* OK"

    def defaults(self):
        return {**super().defaults(), "imaps_port": 0, "lmtp_port": 0, "fsync": "optimized", "settings": ""}

    def configure(self):
        for name in ("imaps_port", "lmtp_port"):
            if not self.options[name]:
                self.options[name] = free_port()
        self.folder("run")
        self.folder("state")
        self.folder("mail", user="vmail")
        cert, key = self.certificate()
        values = {name: self.options[name] for name in ("port", "imaps_port", "lmtp_port", "fsync", "settings")}
        self.write("etc/dovecot/dovecot.conf", CONFIG.format(work=self.work, cert=cert, key=key, **values))
        number = USERS["vmail"]
        self.write("etc/dovecot/mailboxes", "".join(
            f"{user}@{domain}:{PASSWORD}:{number}:{number}::{self.path('mail', user)}::\n"
            for domain in self.options["domains"] for user in self.options["users"]), mode=0o644)

    def command(self):
        return ["/usr/sbin/dovecot", "-F"]

    def ready_wait(self):
        super().ready_wait()
        banner_wait(self.options["lmtp_port"], "220", alive=self.alive)

    def facts(self):
        return {**super().facts(), "imap_port": self.options["port"], "imaps_port": self.options["imaps_port"],
                "lmtp_port": self.options["lmtp_port"], "lmtp_socket": self.path("lmtp.sock"),
                "mail": self.path("mail"), "certificate": os.path.join(self.work, "tls", "cert.pem")}
