/* Every mistake of a configuration is told at once, with its place, what was expected and what was perhaps
 * meant; what is allowed but dangerous is warned of. */
#include "loaded.h"

#include <string.h>

/* --- mistakes ------------------------------------------------------------------------------------------ */

struct row {
    const char *text;
    const char *lines;
};

static const struct row mistakes[] = {
    /* unknown words and the nearest known one */
    {"limits.recipient 100\n",
     "t.conf:1: unknown setting \"limits.recipient\": did you mean limits.recipients?\n"},
    {"recipients 100\n", "t.conf:1: unknown setting \"recipients\": did you mean limits.recipients?\n"},
    {"limits { recipient 100 }\n",
     "t.conf:1: limits knows no \"recipient\": did you mean limits.recipients?\n"},
    {"limit { recipients 100 }\n", "t.conf:1: unknown setting \"limit\": did you mean limits?\n"},
    {"hostname mx.example.net\n", "t.conf:1: unknown setting \"hostname\": did you mean host-name?\n"},
    {"rout example.org { relay h:25 }\n", "t.conf:1: unknown setting \"rout\": did you mean route?\n"},
    {"smtpd_banner x\n", "t.conf:1: unknown setting \"smtpd_banner\": expected one of postern.conf(5)\n"},
    {"route a.example {\n relay 192.0.2.1\n mailboxs any\n}\n",
     "t.conf:3: a route knows no \"mailboxs\": did you mean mailboxes?\n"},
    {"route a.example {\n relay 192.0.2.1\n x-forward 1\n}\n",
     "t.conf:3: a route knows no \"x-forward\": expected relay, maildir, lmtp, smtp, mailboxes, mailbox, "
     "aliases, "
     "tls or tell\n"},
    {"networks { mine 10.0.0.0/8 }\n",
     "t.conf:1: networks knows no \"mine\": expected own, xclient, bare-newline or trusted\n"},
    {"listen 127.0.0.1:25 { proxie 10.0.0.1 }\n",
     "t.conf:1: listen knows no \"proxie\": did you mean proxy?\n"},
    {"Limits.recipients 100\n",
     "t.conf:1: unknown setting \"Limits.recipients\": did you mean limits.recipients?\n"},
    {"evil\x1b[2J 1\n", "t.conf:1: "},

    /* values */
    {"limits.recipients 99\n",
     "t.conf:1: limits.recipients cannot be \"99\": expected a whole number, from 100 to 100000\n"},
    {"limits { recipients many }\n",
     "t.conf:1: limits.recipients cannot be \"many\": expected a whole number, from 100 to 100000\n"},
    {"limits.recipients\n",
     "t.conf:1: limits.recipients wants one value: expected a whole number, from 100 to 100000\n"},
    {"limits.recipients 100 200\n",
     "t.conf:1: limits.recipients wants one value: expected a whole number, from 100 to 100000\n"},
    {"limits.recipients [ 100 ]\n",
     "t.conf:1: limits.recipients wants one value: expected a whole number, from 100 to 100000\n"},
    {"limits.recipients 100 { }\n", "t.conf:1: limits.recipients wants one value and no block: expected a "
                                    "whole number, from 100 to 100000\n"},
    {"limits 5\n", "t.conf:1: limits is a block of settings: expected limits { ... }\n"},
    {"limits.idle-time 5\n",
     "t.conf:1: limits.idle-time cannot be \"5\": expected a duration such as 30s or 1h30m, from 1s to 1d\n"},
    {"limits.message 25MB!\n", "t.conf:1: limits.message cannot be \"25MB!\": expected a size such as 25MiB, "
                               "from 64KiB to 4294967295\n"},
    {"offer.dsn perhaps\n", "t.conf:1: offer.dsn cannot be \"perhaps\": expected yes or no\n"},
    {"log.to printer\n", "t.conf:1: log.to cannot be \"printer\": expected syslog, journald, file or none\n"},
    {"host-name \"mx example\"\n",
     "t.conf:1: host-name cannot be \"mx example\": expected a domain name, such as mx.example.net\n"},
    {"host-name 192.0.2.1\n",
     "t.conf:1: host-name cannot be \"192.0.2.1\": expected a domain name, such as mx.example.net\n"},
    {"postmaster \"\"\n", "t.conf:1: postmaster cannot be \"\": expected a mailbox or an address, such as "
                          "joe or joe@example.net\n"},
    {"postmaster \"joe\\nbcc\"\n", "t.conf:1: postmaster cannot be \"joe\\nbcc\": expected a mailbox or an "
                                   "address, such as joe or joe@example.net\n"},
    {"policy-url ftp://example.net/\n",
     "t.conf:1: policy-url cannot be \"ftp://example.net/\": expected a page's address, such as "
     "https://example.net/policy or \"https://example.net/replies.html#{number}\"\n"},
    {"policy-url \"https://example.net/{nummer}\"\n",
     "t.conf:1: policy-url cannot be \"https://example.net/{nummer}\": expected a page's address, such as "
     "https://example.net/policy or \"https://example.net/replies.html#{number}\"\n"},
    {"blocks.expiry \"1d never\"\n",
     "t.conf:1: blocks.expiry cannot be \"1d never\": expected durations of at least a second, such as "
     "\"1d 7d 30d\", eight at most\n"},
    {"notify.classes \"policy bounce\"\n",
     "t.conf:1: notify.classes cannot be \"policy bounce\": expected words out of policy, protocol, "
     "resource, software and campaign\n"},
    {"notify { digest polcy }\n", "t.conf:1: notify.digest cannot be \"polcy\": expected words out of "
                                  "policy, protocol, resource, software and campaign\n"},
    {"notify.to \"a b\"\n", "t.conf:1: notify.to cannot be \"a b\": expected a mailbox or an address, such "
                            "as joe or joe@example.net\n"},
    {"log.facility local8\n", "t.conf:1: log.facility cannot be \"local8\": expected a facility of "
                              "syslog(3), such as mail or local0\n"},
    {"deliver.separators a\n",
     "t.conf:1: deliver.separators cannot be \"a\": expected characters such as + or -, and no "
     "letters, digits or blanks\n"},
    {"message-id.exempt \"a.example ..\"\n", "t.conf:1: message-id.exempt cannot be \"a.example ..\": "
                                             "expected networks, ends of host names, or senders "
                                             "such as joe@example.net or @example.net\n"},
    {"user \"a b\"\n", "t.conf:1: user cannot be \"a b\": expected the name of a user of this system\n"},
    {"state-directory \"\"\n", "t.conf:1: state-directory cannot be \"\": expected a folder\n"},

    /* twice */
    {"limits.recipients 100\n\nlimits { recipients 200 }\n",
     "t.conf:3: limits.recipients stands twice: expected it once, and it is at t.conf:1 already\n"},
    {"banner a\nbanner b\n",
     "t.conf:2: banner stands twice: expected it once, and it is at t.conf:1 already\n"},
    {"listen 127.0.0.1:25\nlisten 127.0.0.1\n",
     "t.conf:2: listen 127.0.0.1:25 stands twice: expected it once, and it is at t.conf:1 already\n"},
    {ROUTE "route other.example Example.ORG { relay 192.0.2.2 }\n",
     "t.conf:2: domain example.org stands twice: expected it once, and it is at t.conf:1 already\n"},
    {"route a.example {\n maildir m\n mailbox joe\n mailbox jill JOE\n}\n",
     "t.conf:4: mailbox JOE stands twice: expected it once, and it is at t.conf:3 already\n"},
    {"route a.example {\n relay 192.0.2.1\n relay 192.0.2.2\n}\n",
     "t.conf:3: relay stands twice: expected it once, and it is at t.conf:2 already\n"},

    /* check, override */
    {"check early-talks { weight 1 }\n",
     "t.conf:1: there is no finding \"early-talks\": did you mean early-talk?\n"},
    {"check nonsense { weight 1 }\n",
     "t.conf:1: there is no finding \"nonsense\": expected one of postern-findings(7)\n"},
    {"check relay-denied { mode off }\n",
     "t.conf:1: relay-denied is no matter of policy: expected another finding\n"},
    {"check nul { mode on }\n", "t.conf:1: mode cannot be \"on\": expected off, observe or enforce\n"},
    {"check nul { weight 1001 }\n",
     "t.conf:1: weight cannot be \"1001\": expected a weight from -1000 to 1000\n"},
    {"check nul { action refuse }\n", "t.conf:1: action cannot be \"refuse\": expected none, slow, defer, "
                                      "discard, reject, trap or drop\n"},
    {"check nul { weigth 1 }\n", "t.conf:1: a check knows no \"weigth\": did you mean weight?\n"},
    {"check nul { }\n", "t.conf:1: check nul changes nothing: expected mode, weight or action in it\n"},
    {"check nul\n", "t.conf:1: check wants a block: expected check FINDING { ... }\n"},
    {"check nul { weight 1 }\ncheck nul { weight 2 }\n",
     "t.conf:2: check nul stands twice: expected it once, and it is at t.conf:1 already\n"},
    {"check nul { weight 1\n weight 2 }\n",
     "t.conf:2: weight stands twice: expected it once, and it is at t.conf:1 already\n"},
    {"override { allow }\n",
     "t.conf:1: override says of nobody what it is about: expected network, ptr, helo, "
     "sender, recipient, authenticated, as, country or fingerprint in it\n"},
    {"override { fingerprint linux\n allow }\n",
     "t.conf:1: fingerprint cannot be \"linux\": expected a signature of p0f, such as "
     "\"*:64:0:*:mss*20,10:mss,sok,ts,nop,ws:df,id+:0\"\n"},
    {"override { sender example.org }\n",
     "t.conf:1: override changes nothing: expected allow, block, known, observe or check in it\n"},
    {"override { sender example.org\n allow\n block }\n",
     "t.conf:1: override allows and blocks: expected one of the two\n"},
    {"override { network 10.0.0.1/8\n allow }\n",
     "t.conf:1: network cannot be \"10.0.0.1/8\": expected a network such as 192.0.2.0/24 or 2001:db8::/32, "
     "without bits behind its length\n"},
    {"override { sender @x\n recipient \"<>\"\n ptr a..b\n helo \"a b\"\n known }\n",
     "t.conf:1: sender cannot be \"@x\": expected joe@example.org, example.org, .example.org for all below "
     "it, "
     "or \"<>\"\n"
     "t.conf:2: recipient cannot be \"<>\": expected joe@example.org, example.org, or .example.org for all "
     "below "
     "it\n"
     "t.conf:3: ptr cannot be \"a..b\": expected a name such as mx.example.org, or .example.org for all "
     "below "
     "it\n"
     "t.conf:4: helo cannot be \"a b\": expected a name such as mx.example.org, or .example.org for all "
     "below "
     "it\n"},
    {"override { as AS64500\n country NLD\n as 0\n allow }\n",
     "t.conf:1: as cannot be \"AS64500\": expected the number of an autonomous system, such as 64500\n"
     "t.conf:2: country cannot be \"NLD\": expected a country's two letters, such as NL\n"
     "t.conf:3: as cannot be \"0\": expected the number of an autonomous system, such as 64500\n"},
    {"override { helo x\n block \"\xc3\xa4\" }\n",
     "t.conf:2: block cannot be \"\xc3\xa4\": expected a reason in printable ASCII, at most 200 octets\n"},
    {"override { helo x\n check nul { mode off }\n check nul { mode off } }\n",
     "t.conf:3: check nul stands twice: expected it once, and it is at t.conf:2 already\n"},

    /* listen, banner, networks, certificate */
    {"listen smtp\n",
     "t.conf:1: listen cannot be \"smtp\": expected ADDRESS:PORT, such as 0.0.0.0:25 or [::]:25\n"},
    {"listen 127.0.0.1:0\n",
     "t.conf:1: listen cannot be \"127.0.0.1:0\": expected ADDRESS:PORT, such as 0.0.0.0:25 or [::]:25\n"},
    {"listen\n", "t.conf:1: listen has too few values: expected listen ADDRESS:PORT { ... }\n"},
    {"listen 127.0.0.1 { optional 3 }\n", "t.conf:1: optional cannot be \"3\": expected yes or no\n"},
    {"banner \"sch\xc3\xb6n\"\n", "t.conf:1: banner cannot be \"sch\xc3\xb6n\": expected a line of "
                                  "printable ASCII, at most 400 octets\n"},
    {"banner\n", "t.conf:1: banner has too few values: expected banner \"LINE\" ...\n"},
    {"networks { own 10.0.0.1/8 }\n",
     "t.conf:1: own cannot be \"10.0.0.1/8\": expected a network such as 192.0.2.0/24 or "
     "2001:db8::/32, without bits behind its length\n"},
    {"networks\n", "t.conf:1: networks wants a block: expected networks { ... }\n"},
    {"networks 10.0.0.0/8 { }\n", "t.conf:1: networks has too many values: expected networks { ... }\n"},
    {"certificate a.pem\n",
     "t.conf:1: certificate has too few values: expected certificate CHAIN-FILE KEY-FILE { ... }\n"},
    {"certificate a.pem a.key { name -x }\n",
     "t.conf:1: name cannot be \"-x\": expected a domain name, such as mx.example.net or *.example.net\n"},

    /* blocklist */
    {"blocklist example-list\n", "t.conf:1: blocklist wants a block: expected blocklist NAME { ... }\n"},
    {"blocklist example-list { }\n",
     "t.conf:1: blocklist example-list cannot be asked: expected zone DOMAIN in it\n"},
    {"blocklist \"two words\" { zone list.example }\n",
     "t.conf:1: blocklist cannot be \"two words\": expected a name of letters, digits, dots, - and _, of at "
     "most 60 "
     "octets\n"},
    {"blocklist a { zone list.example. }\n", "t.conf:1: zone cannot be \"list.example.\": expected a zone "
                                             "such as list.example.org, of at most 180 octets and "
                                             "without a last dot\n"},
    {"blocklist a { zone a.example\n weight heavy }\n",
     "t.conf:2: weight cannot be \"heavy\": expected a weight from -1000 to 1000\n"},
    {"blocklist a { zone a.example\n code 127.0.0.2 }\n",
     "t.conf:2: code has too few values: expected code CODE ... WEIGHT\n"},
    {"blocklist a { zone a.example\n code 127.0.0.2 10.0.0.2 5 }\n",
     "t.conf:2: code cannot be \"10.0.0.2\": expected a return code such as 127.0.0.2, 127.0.0.4-7 or "
     "127.0.*.3\n"},
    {"blocklist a { zone a.example\n for ipv5 }\n",
     "t.conf:2: for cannot be \"ipv5\": expected ipv4 or ipv6\n"},
    {"blocklist a { zone a.example\n probe often }\n",
     "t.conf:2: probe cannot be \"often\": expected yes or no\n"},
    {"blocklist a { zone a.example }\nblocklist a { zone b.example }\n",
     "t.conf:2: blocklist a stands twice: expected it once, and it is at t.conf:1 already\n"},
    {"origin.zone origin.example.\n",
     "t.conf:1: origin.zone cannot be \"origin.example.\": expected a zone such as origin.example.org, of at "
     "most 180 octets and without a last dot\n"},
    {"origin.file\n", "t.conf:1: origin.file has too few values: expected origin.file FILE ...\n"},
    {"origin { file }\n", "t.conf:1: origin.file has too few values: expected origin.file FILE ...\n"},
    {"origin.file \"\"\n", "t.conf:1: origin.file cannot be \"\": expected a file in MaxMind's format\n"},
    {"origin.file /a /b /c /d /e\n", "t.conf:1: there are too many files of origins: expected at most 4\n"},
    {"origin.file /a\norigin.file /a\n",
     "t.conf:2: origin.file /a stands twice: expected it once, and it is at t.conf:1 already\n"},
    {"dns.server localhost\n", "t.conf:1: dns.server cannot be \"localhost\": expected none, or addresses of "
                               "name servers, such as 127.0.0.1 or "
                               "\"192.0.2.53 [2001:db8::53]:5353\"\n"},

    /* access, trap */
    {"access\n", "t.conf:1: access has too few values: expected access FILE ...\n"},
    {"access \"\"\n", "t.conf:1: access cannot be \"\": expected a file\n"},
    {"trap sandra\n", "t.conf:1: trap cannot be \"sandra\": expected an address that nobody uses, such as "
                      "trap@example.org\n"},

    /* routes */
    {"route example.org { }\n",
     "t.conf:1: route leads nowhere: expected relay, maildir, lmtp or smtp in it\n"},
    {"route example.org\n", "t.conf:1: route wants a block: expected route DOMAIN ... { ... }\n"},
    {"route { relay 192.0.2.1 }\n",
     "t.conf:1: route has too few values: expected route DOMAIN ... { ... }\n"},
    {"route exa..mple { relay 192.0.2.1 }\n", "t.conf:1: route cannot be \"exa..mple\": expected a domain "
                                              "such as example.org, .example.org for all below it, or *\n"},
    {"route joe@example.org { relay 192.0.2.1 }\n",
     "t.conf:1: route cannot be \"joe@example.org\": expected a domain such "
     "as example.org, .example.org for all below it, or *\n"},
    {"route example.org {\n relay 192.0.2.1\n maildir m\n}\n",
     "t.conf:3: a route has one way: expected only one of relay, maildir, lmtp and smtp, and one is at "
     "t.conf:2 already\n"},
    {"route example.org { relay 192.0.2.1:0 }\n",
     "t.conf:1: relay cannot be \"192.0.2.1:0\": expected HOST:PORT, such as "
     "mail.example.net:25, 192.0.2.1:25 or [2001:db8::1]:25\n"},
    {"route example.org { relay mail:65536 }\n",
     "t.conf:1: relay cannot be \"mail:65536\": expected HOST:PORT, such as "
     "mail.example.net:25, 192.0.2.1:25 or [2001:db8::1]:25\n"},
    {"route example.org { relay unix:/run/x }\n",
     "t.conf:1: relay cannot be \"unix:/run/x\": expected HOST:PORT, such as "
     "mail.example.net:25, 192.0.2.1:25 or [2001:db8::1]:25\n"},
    {"route example.org { lmtp unix:run/x }\n",
     "t.conf:1: lmtp cannot be \"unix:run/x\": expected HOST:PORT, or unix:PATH with an absolute path\n"},
    {"route example.org { maildir \"/m/%d/%s\" }\n",
     "t.conf:1: maildir cannot be \"/m/%d/%s\": expected a folder of "
     "mailboxes, or a path with %s where the mailbox's name stands\n"},
    {"route example.org { maildir m; mailbox ../root }\n",
     "t.conf:1: maildir has too many values: expected maildir \"FOLDER\"\n"},
    {"route example.org {\n maildir m\n mailbox ../root joe@b.example \"\" \"a b\"\n}\n",
     "t.conf:3: mailbox cannot be \"../root\": expected the name of a mailbox, without its domain, blanks or "
     "/, and no "
     "dot in front\n"
     "t.conf:3: mailbox cannot be \"joe@b.example\": expected the name of a mailbox, without its domain, "
     "blanks or /, and "
     "no dot in front\n"
     "t.conf:3: mailbox cannot be \"\": expected the name of a mailbox, without its domain, blanks or /, and "
     "no dot in "
     "front\n"
     "t.conf:3: mailbox cannot be \"a b\": expected the name of a mailbox, without its domain, blanks or /, "
     "and no dot in "
     "front\n"},
    {"route example.org {\n maildir m\n mailboxes some\n}\n",
     "t.conf:3: mailboxes cannot be \"some\": expected listed, any or ask\n"},
    {"route example.org {\n maildir m\n mailboxes ask\n}\n",
     "t.conf:1: mailboxes ask needs a server to ask: expected listed or any with maildir\n"},
    {"route example.org {\n maildir m\n tls must\n tell proxy\n}\n",
     "t.conf:1: tls is for servers: expected no tls with maildir\n"
     "t.conf:1: tell xclient and tell proxy are for inner servers: expected relay with it\n"},
    {"route example.org {\n relay 192.0.2.1\n tls maybe\n tell all\n aliases a\n}\n",
     "t.conf:1: aliases need a route that stores its mail: expected maildir, lmtp or smtp with aliases\n"
     "t.conf:3: tls cannot be \"maybe\": expected may, must or never\n"
     "t.conf:4: tell cannot be \"all\": expected nothing, xclient, proxy or proxy-v2\n"},
    {"route example.org {\n relay 192.0.2.1\n mailbox joe\n}\n",
     "t.conf:1: the inner server says who exists: expected mailboxes ask or any with relay, and no "
     "mailbox\n"},
    {"route example.org {\n relay 192.0.2.1\n mailboxes listed\n}\n",
     "t.conf:1: the inner server says who exists: expected mailboxes ask or any with relay, and no "
     "mailbox\n"},
    {"route * example.org { relay 192.0.2.1 }\n",
     "t.conf:1: route * stands for every other domain: expected no domain beside it\n"},
    {"route * { maildir m }\n", "t.conf:1: route * leads to other hosts: expected relay or smtp\n"},
    {"listen 127.0.0.1:25\nroute example.org { relay 127.0.0.1:25 }\n",
     "t.conf:2: route example.org leads back to this gate, which listens on 127.0.0.1:25: expected another "
     "server\n"},
    {"route example.org { relay [::1]:25 }\n", "t.conf:1: route example.org leads back to this gate, which "
                                               "listens on [::1]:25: expected another server\n"},

    /* contradictions */
    {"log.to file\n" ROUTE, "t.conf:1: log.to is file, but no file is named: expected log.file FILE\n"},
    {ROUTE "retry { first 5h }\n",
     "t.conf:2: retry.first is longer than retry.most: expected at most as long\n"},
    {"export { access lists/\n}\n" ROUTE,
     "t.conf:1: export.access cannot be \"lists/\": expected a file's name in printable ASCII\n"},
    {"export {\n access a\n json a\n cidr b\n}\n" ROUTE,
     "t.conf:3: export.access and export.json would be written over each other: expected two names\n"},
    {"state-directory /var/s\nexport.cidr a.new\nexport.nftables /var/s/a\n" ROUTE,
     "t.conf:3: export.cidr and export.nftables would be written over each other: expected two names\n"},
    {"retry.expire 1d\nretry.warn 1d\n" ROUTE,
     "t.conf:2: retry.warn is as long as retry.expire or longer: expected less, or 0\n"},
    {"limits.message 64KiB\n" ROUTE,
     "t.conf: limits.header is larger than limits.message: expected at most as much\n"},

    /* grammar: the parser's own words, with their lines */
    {"banner \"a\n" ROUTE, "t.conf:1: this quoted string is not closed on its line\n"},
    {ROUTE "}\n", "t.conf:2: "},
    {"route example.org {\n relay 192.0.2.1\n", "t.conf:1: "},
    {"a\0b\n", "t.conf:1: "},

    /* includes */
    {"include\n", "t.conf:1: include wants one file: expected include FILE\n"},
    {"include \"\"\n", "t.conf:1: include wants one file: expected include FILE\n"},
    {"include a b\n", "t.conf:1: include wants one file: expected include FILE\n"},
    {"include no-such-file\n",
     "t.conf:1: include \"no-such-file\": the file cannot be read: No such file or directory\n"},
    {"include /\n", "t.conf:1: include \"/\": the file is no regular file\n"},

    /* all at once, in the order of lines */
    {"limits {\n errors x\n jumk 3\n}\nroute a.example {\n relay :\n}\nlisten x\ngates 65\n",
     "t.conf:2: limits.errors cannot be \"x\": expected a whole number, from 1 to 100000\n"
     "t.conf:3: limits knows no \"jumk\": did you mean limits.junk?\n"
     "t.conf:6: relay cannot be \":\": expected HOST:PORT, such as mail.example.net:25, 192.0.2.1:25 or "
     "[2001:db8::1]:25\n"
     "t.conf:8: listen cannot be \"x\": expected ADDRESS:PORT, such as 0.0.0.0:25 or [::]:25\n"
     "t.conf:9: gates cannot be \"65\": expected a whole number, from 0 to 64\n"},
};

/* A line that ends behind its place stands for any words of the parser's. */
static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        const struct slice text = slice_of(mistakes[i].text, strlen(mistakes[i].text));
        struct loaded loaded = load(text, CONF_CARE_TEXT);
        const struct slice got = buf_slice(&loaded.mistakes), wanted = slice_text(mistakes[i].lines);
        const bool begins = wanted.at[wanted.len - 1] == ' ';
        if (begins ? !slice_starts(got, wanted) : !slice_equal(got, wanted))
            fail_msg("%s\ngives\n%.*s\nnot\n%.*s", mistakes[i].text, SLICE_ARGS(got), SLICE_ARGS(wanted));
        assert_int_equal(slice_find(got, '\x1b'), SLICE_NOT_FOUND);
        drop(&loaded);
    }
}

/* --- warnings ------------------------------------------------------------------------------------------ */

static const struct row warnings[] = {
    {QUIET ROUTE, ""},
    {"host-name mx\n" ROUTE,
     "t.conf:1: the gate calls itself \"mx\", which has no dot: expected host-name with a full "
     "domain name\n"},
    {QUIET, "t.conf: there is no route: every recipient is refused\n"},
    {QUIET ROUTE "networks { own 0.0.0.0/0 }\n", "t.conf: networks own holds more than a million addresses: "
                                                 "whoever connects from one may relay through route *\n"
                                                 "t.conf:3: own 0.0.0.0/0 is a wide network: whoever "
                                                 "connects from it may relay through route *\n"},
    {QUIET ROUTE "networks { own ::/0 }\n",
     "t.conf:3: own ::/0 is a wide network: whoever connects from it may relay "
     "through route *\n"},
    {QUIET ROUTE
     "networks { own 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 127.0.0.0/8 ::1 198.51.0.0/16 }\n",
     ""},
    {QUIET ROUTE "networks { own 198.50.0.0/15 }\n",
     "t.conf:3: own 198.50.0.0/15 is a wide network: whoever connects from "
     "it may relay through route *\n"},
    {QUIET ROUTE "networks { xclient 198.51.0.0/23 10.0.0.0/8 }\n",
     "t.conf:3: xclient 198.51.0.0/23 is a wide network: whoever connects from it may pass for any address, "
     "your own "
     "networks' too\n"},
    {QUIET ROUTE "listen 192.0.2.9:25 { proxy 0.0.0.0/0 }\n",
     "t.conf:3: proxy 0.0.0.0/0 is a wide network: whoever connects from it may pass for any address, your "
     "own "
     "networks' too\n"},
    {QUIET "route .com { relay 192.0.2.1 }\n",
     "t.conf:2: route .com takes the mail of everybody's domains: strangers may relay through it to .com\n"},
    {QUIET "route .co.uk .example.org { relay 192.0.2.1 }\n",
     "t.conf:2: route .co.uk takes the mail of everybody's domains: strangers may relay through it to "
     ".co.uk\n"},
    {QUIET ROUTE "route * { relay 192.0.2.1 }\n",
     "t.conf:3: route * is never used: it serves our own networks only, and networks own names none\n"},
    {QUIET "networks { own 10.0.0.0/8 }\nroute * { relay 192.0.2.1 }\n",
     "t.conf: route * is the only route: mail from strangers is refused\n"},
    {QUIET "route example.org { maildir m }\nroute example.com { maildir m }\n",
     "t.conf:2: notifications about mail for example.org cannot leave: expected a route * with smtp to send "
     "them by\n"},
    {QUIET "route example.org { maildir m }\nroute * { smtp 192.0.2.1 }\n", ""},
    {QUIET "route * { smtp 192.0.2.1 }\nroute example.org {\n smtp 192.0.2.2\n mailboxes any\n}\n",
     "t.conf:3: route example.org takes mail for anybody: notifications about those who do not exist go to "
     "forged "
     "senders\n"},
    {QUIET ROUTE "limits {\n idle-time 1m\n data-rate 0\n junk 101\n}\n",
     "t.conf:4: limits.idle-time is below the 5 minutes of RFC 5321: slow senders may not get through\n"
     "t.conf:5: limits.data-rate is 0: a client may hold a connection with a message that never ends\n"
     "t.conf:6: limits.junk lets what is no SMTP client talk on\n"},
    {QUIET ROUTE "notify {\n classes software\n to joe@example.com\n}\n",
     "t.conf:5: notices cannot leave: expected notify.to to be an address that a route leads to\n"},
    {QUIET ROUTE "notify.classes software\n", ""},
    {QUIET ROUTE "limits.connections 60\n",
     "t.conf: limits.host-connections lets one address take more than half of limits.connections\n"},
};

static void test_warnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(warnings); i++) {
        struct loaded loaded = load(slice_text(warnings[i].text), CONF_CARE_TEXT);
        const struct slice got = buf_slice(&loaded.warnings), wanted = slice_text(warnings[i].lines);
        if (loaded.mistakes.len)
            fail_msg("%s\nis refused\n%.*s", warnings[i].text, SLICE_ARGS(buf_slice(&loaded.mistakes)));
        if (!slice_equal(got, wanted))
            fail_msg("%s\ngives\n%.*s\nnot\n%.*s", warnings[i].text, SLICE_ARGS(got), SLICE_ARGS(wanted));
        drop(&loaded);
    }
}

/* Halves of the world, each of them not so wide, are the world all the same. */
static void test_many_networks_are_wide_together(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1u << 20);
    (void)buf_add(&text, SLICE(QUIET ROUTE "networks {\n"));
    for (unsigned i = 1; i < 200; i++)
        (void)buf_add_format(&text, "own %u.%u.0.0/16\n", 20 + i % 10, i);
    (void)buf_add(&text, SLICE("}\n"));
    struct loaded loaded = load(buf_slice(&text), CONF_CARE_TEXT);
    assert_non_null(loaded.site);
    assert_int_equal(loaded.report.warnings.count, 1);
    assert_true(
        slice_starts(buf_slice(&loaded.warnings), SLICE("t.conf: networks own holds more than a million")));
    drop(&loaded);
    buf_drop(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_many_networks_are_wide_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
