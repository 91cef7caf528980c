"""Postfix as inner server, as peer in a benchmark, and as sender."""
import json
import os

from .base import Peer, USERS, address_of

MASTER = """\
{smtp}
{extra_services}pickup    unix  n  -  n  60  1  pickup
cleanup   unix  n  -  n  -   0  cleanup
qmgr      unix  n  -  n  300 1  qmgr
tlsmgr    unix  -  -  n  1000? 1 tlsmgr
rewrite   unix  -  -  n  -   -  trivial-rewrite
bounce    unix  -  -  n  -   0  bounce
defer     unix  -  -  n  -   0  bounce
trace     unix  -  -  n  -   0  bounce
verify    unix  -  -  n  -   1  verify
flush     unix  n  -  n  1000? 0 flush
proxymap  unix  -  -  n  -   -  proxymap
proxywrite unix -  -  n  -   1  proxymap
smtp      unix  -  -  n  -   -  smtp
relay     unix  -  -  n  -   -  smtp
lmtp      unix  -  -  n  -   -  lmtp
showq     unix  n  -  n  -   -  showq
error     unix  -  -  n  -   -  error
retry     unix  -  -  n  -   -  error
discard   unix  -  -  n  -   -  discard
local     unix  -  n  n  -   -  local
virtual   unix  -  n  n  -   -  virtual
anvil     unix  -  -  n  -   1  anvil
scache    unix  -  -  n  -   1  scache
postlog   unix-dgram n - n - 1  postlogd
"""


class Postfix(Peer):
    """Options, besides those of every peer:

    mode      "maildir": recipients of `domains` into Maildirs under work/mail
              "relay": queued, then to `backend`
              "proxy": each message straight through to `backend` (smtpd_proxy_filter), nothing queued
              "sender": takes mail of this machine alone, and all goes to `backend`
    backend   "HOST:PORT" behind relay, proxy and sender
    screen    postscreen in front, with its test of early talkers (1 s) and the deep protocol tests
    tls       offer STARTTLS with a self-signed certificate
    source    the address from which the sender connects, and
    helo      the name that it gives (mail.example.net)
    settings  {name: value} for main.cf, last and strongest
    """
    name = "postfix"
    packages = ("postfix",)

    def defaults(self):
        return {**super().defaults(), "mode": "maildir", "backend": "", "screen": False, "tls": False,
                "source": "", "helo": "mail.example.net", "settings": {}}

    def configure(self):
        for name in ("spool", "data"):
            self.folder(name)
        os.chown(self.path("data"), USERS["postfix"], USERS["postfix"])
        self.folder("mail", user="vmail")
        self.write("etc/postfix/main.cf", "".join(f"{key} = {value}\n" for key, value in self.settings().items()))
        self.write("etc/postfix/master.cf", self.services())
        self.write("etc/postfix/mailboxes", "".join(
            f"{user}@{domain} {user}/\n" for domain in self.options["domains"] for user in self.options["users"]))
        self.write("etc/aliases", "")

    def settings(self):
        settings = {
            "compatibility_level": "3.6", "queue_directory": self.path("spool"), "data_directory": self.path("data"),
            "command_directory": "/usr/sbin", "daemon_directory": "/usr/lib/postfix/sbin",
            "mail_owner": "postfix", "setgid_group": "postdrop",
            "myhostname": "mail.example.net", "mydestination": "", "mynetworks": "", "alias_maps": "",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "biff": "no",
            "maillog_file": self.path("log", "mail"), "maillog_file_prefixes": self.work,
            "smtpd_peername_lookup": "no", "smtp_dns_support_level": "disabled",
            "smtpd_relay_restrictions": "reject_unauth_destination", "smtpd_recipient_restrictions": "",
            "default_process_limit": "200", "in_flow_delay": "0",
            "smtpd_client_connection_count_limit": "0", "smtpd_client_connection_rate_limit": "0",
            "smtp_tls_security_level": "may", "smtp_destination_concurrency_limit": "50",
            "initial_destination_concurrency": "50", "minimal_backoff_time": "10s", "queue_run_delay": "10s",
        }
        settings.update(self.settings_mode())
        if self.options["tls"]:
            cert, key = self.certificate()
            settings.update({"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": cert,
                             "smtpd_tls_key_file": key})
        settings.update(self.options["settings"])
        return settings

    def settings_mode(self):
        domains = ", ".join(self.options["domains"])
        recipients = "texthash:/etc/postfix/mailboxes"
        number = USERS["vmail"]
        if self.options["mode"] == "maildir":
            return {"virtual_mailbox_domains": domains, "virtual_mailbox_maps": recipients,
                    "virtual_mailbox_base": self.path("mail"), "virtual_uid_maps": f"static:{number}",
                    "virtual_gid_maps": f"static:{number}", "virtual_minimum_uid": "100"}
        host, port = address_of(self.options["backend"])
        if self.options["mode"] == "sender":
            return {"relayhost": f"[{host}]:{port}", "mynetworks": "127.0.0.1/32",
                    "smtpd_relay_restrictions": "permit_mynetworks, reject",
                    "smtp_bind_address": self.options["source"], "smtp_helo_name": self.options["helo"]}
        settings = {"relay_domains": domains, "relay_recipient_maps": recipients, "relayhost": f"[{host}]:{port}"}
        if self.options["mode"] == "proxy":
            settings["smtpd_proxy_filter"] = f"{host}:{port}"
        return settings

    def services(self):
        port = self.options["port"]
        listener = f"127.0.0.1:{port} inet"
        if not self.options["screen"]:
            return MASTER.format(smtp=f"{listener} n - n - - smtpd", extra_services="")
        tests = ("-o postscreen_greet_action=drop -o postscreen_greet_wait=1s "
                 "-o postscreen_pipelining_enable=yes -o postscreen_pipelining_action=drop "
                 "-o postscreen_non_smtp_command_enable=yes -o postscreen_bare_newline_enable=yes "
                 "-o postscreen_access_list=")
        return MASTER.format(smtp=f"{listener} n - n - 1 postscreen {tests}",
                             extra_services="smtpd pass - - n - - smtpd\ndnsblog unix - - n - 0 dnsblog\n"
                                            "tlsproxy unix - - n - 0 tlsproxy\n")

    @staticmethod
    def unpacked(tree):
        for name in ("postqueue", "postdrop"):
            path = os.path.join(tree, "usr", "sbin", name)
            os.chown(path, 0, USERS["postdrop"])
            os.chmod(path, 0o2755)

    def command(self):
        return ["/usr/sbin/postfix", "start-fg"]

    def stop_command(self):
        return ["/usr/sbin/postfix", "stop"]

    def facts(self):
        return {**super().facts(), "mail": self.path("mail"), "spool": self.path("spool")}

    def send(self, sender, recipients, message):
        """Queues a message, as a local program does; `message` has LF line ends."""
        self.run(["/usr/sbin/sendmail", "-i", "-f", sender, "--"] + list(recipients), text=message)

    def queue(self):
        """The queued messages, as postqueue -j tells them."""
        return [json.loads(line) for line in self.run(["/usr/sbin/postqueue", "-j"]).stdout.splitlines()]

    def queue_length(self):
        """Queue files not done yet, by a look into the folders: cheap."""
        count = 0
        for name in ("maildrop", "incoming", "active", "deferred"):
            for _, _, files in os.walk(self.path("spool", name)):
                count += len(files)
        return count

    def flush(self):
        self.run(["/usr/sbin/postqueue", "-f"])
