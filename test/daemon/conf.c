/* Every mistake of a configuration is told at once, with its place and what was expected; what is right
 * becomes the site that was meant; and no file, however broken, does more than be refused. */
#include "unit.h"

#include "daemon/conf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#define ROUTE "route example.org { relay 192.0.2.1:25 }\n"

/* What all but the warnings' own tests put in front: with it there is nothing to warn of. */
#define QUIET "host-name mx.example.net\n"

struct loaded {
    struct conf_report report;
    struct site *site;
    struct buf mistakes, warnings;
};

static struct loaded load(struct slice text, enum conf_care care)
{
    struct loaded loaded = {0};

    conf_report_init(&loaded.report);
    loaded.site = conf_load_text(text, "t.conf", care, &loaded.report);
    buf_init(&loaded.mistakes, 1u << 20);
    buf_init(&loaded.warnings, 1u << 20);
    conf_notes_print(&loaded.report.mistakes, &loaded.mistakes);
    conf_notes_print(&loaded.report.warnings, &loaded.warnings);
    assert_int_equal(loaded.site == NULL, loaded.report.mistakes.count > 0);
    return loaded;
}

static void drop(struct loaded *loaded)
{
    site_free(loaded->site);
    conf_report_drop(&loaded->report);
    buf_drop(&loaded->mistakes);
    buf_drop(&loaded->warnings);
}

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
     "t.conf:1: networks knows no \"mine\": expected own, xclient or bare-newline\n"},
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
     "https://example.net/policy\n"},
    {"log.facility local8\n", "t.conf:1: log.facility cannot be \"local8\": expected a facility of "
                              "syslog(3), such as mail or local0\n"},
    {"deliver.separators a\n",
     "t.conf:1: deliver.separators cannot be \"a\": expected characters such as + or -, and no "
     "letters, digits or blanks\n"},
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
     "t.conf:4: tell cannot be \"all\": expected nothing, xclient or proxy\n"},
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
                                                 "connects from it may relay through route *, and is checked "
                                                 "less\n"},
    {QUIET ROUTE "networks { own ::/0 }\n",
     "t.conf:3: own ::/0 is a wide network: whoever connects from it may relay "
     "through route *, and is checked less\n"},
    {QUIET ROUTE
     "networks { own 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 127.0.0.0/8 ::1 198.51.0.0/16 }\n",
     ""},
    {QUIET ROUTE "networks { own 198.50.0.0/15 }\n",
     "t.conf:3: own 198.50.0.0/15 is a wide network: whoever connects from "
     "it may relay through route *, and is checked less\n"},
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

/* --- what is right ------------------------------------------------------------------------------------- */

static void test_empty(void **state)
{
    (void)state;
    struct loaded loaded = load(SLICE_NONE, CONF_CARE_FILES);
    char text[ADDRESS_PORT_TEXT_SIZE];

    assert_non_null(loaded.site);
    assert_int_equal(loaded.site->route_count, 0);
    assert_int_equal(loaded.site->listen_count, 2);
    (void)address_port_print(&loaded.site->listens[0].address, text);
    assert_string_equal(text, "0.0.0.0:25");
    assert_false(loaded.site->listens[0].optional);
    (void)address_port_print(&loaded.site->listens[1].address, text);
    assert_string_equal(text, "[::]:25");
    assert_true(loaded.site->listens[1].optional);
    assert_true(loaded.site->set.host_name.len > 0);
    assert_int_equal(loaded.site->digest.len, 64);
    drop(&loaded);
}

static void test_one_route_is_enough(void **state)
{
    (void)state;
    struct loaded loaded = load(SLICE(ROUTE), CONF_CARE_FILES);
    const struct route *route = site_route(loaded.site, SLICE("example.org"), false);

    assert_non_null(route);
    assert_ptr_equal(route, &loaded.site->routes[0]);
    assert_int_equal(route->kind, ROUTE_RELAY);
    assert_int_equal(route->mailboxes, ROUTE_MAILBOXES_ASK);
    assert_int_equal(route->target_count, 1);
    assert_slice_equal(route->targets[0].host, "192.0.2.1");
    assert_int_equal(route->targets[0].port, 25);
    assert_int_equal(route->targets[0].address.family, ADDRESS_IPV4);
    drop(&loaded);
}

static const char full[] =
    "host-name mx.example.net\n"
    "banner \"Welcome.\" \"No \\\"spam\\\" here.\"\n"
    "limits { recipients 200\n line 4KiB }\n"
    "limits.message 10MiB\n"
    "state-directory /srv/postern\n"
    "log { to file\n file log/mail.log }\n"
    "listen 192.0.2.1 { proxy 10.0.0.0/8 }\n"
    "listen [2001:db8::1]:2525 { optional yes }\n"
    "networks { own [ 10.0.0.0/8, 10.1.0.0/16,\n 127.0.0.1 ]\n xclient ::1\n bare-newline 10.9.0.0/16 }\n"
    "route Example.ORG .example.com \"[192.0.2.1]\" {\n"
    "  maildir \"../mail/%s\"\n"
    "  mailbox joe jill\n"
    "  mailbox Jack\n"
    "}\n"
    "route lmtp.example { lmtp unix:/run/dovecot/lmtp 127.0.0.1\n aliases ./aliases\n tls never }\n"
    "route smtp.example { smtp mail.example.net [2001:db8::2]:2526\n mailboxes any\n tls must }\n"
    "route relay.example { relay Inner.example:2527\n tell xclient\n mailbox postmaster }\n"
    "route * { smtp 192.0.2.25:587 }\n";

static void test_full(void **state)
{
    (void)state;
    struct loaded loaded = load(SLICE_NONE, CONF_CARE_TEXT);
    drop(&loaded);
    conf_report_init(&loaded.report);
    loaded.site = conf_load_text(slice_text(full), "/etc/postern.conf", CONF_CARE_TEXT, &loaded.report);
    const struct site *site = loaded.site;
    if (!site)
        fail_msg("%.*s", SLICE_ARGS(loaded.report.mistakes.first->text));

    assert_slice_equal(site->set.host_name, "mx.example.net");
    assert_int_equal(site->set.limit_recipients, 200);
    assert_int_equal(site->set.limit_line, 4096);
    assert_int_equal(site->set.limit_message, 10 * 1024 * 1024);
    assert_int_equal(site->set.log_to, LOG_TO_FILE);
    assert_slice_equal(site->set.log_file, "/etc/log/mail.log");
    assert_slice_equal(site->set.state_directory, "/srv/postern");
    assert_int_equal(site->banner_count, 2);
    assert_slice_equal(site->banner[1], "No \"spam\" here.");

    assert_int_equal(site->listen_count, 2);
    assert_int_equal(site->listens[0].address.port, 25);
    assert_int_equal(site->listens[0].proxy.count, 1);
    assert_true(site->listens[1].optional);
    assert_int_equal(site->own.count, 2);
    assert_int_equal(site->xclient.count, 1);
    assert_int_equal(site->bare_newline.count, 1);

    assert_int_equal(site->route_count, 5);
    const struct route *maildir = site_route(site, SLICE("example.org"), false);
    assert_int_equal(maildir->kind, ROUTE_MAILDIR);
    assert_slice_equal(maildir->maildir, "/mail/%s");
    assert_int_equal(maildir->mailboxes, ROUTE_MAILBOXES_LISTED);
    assert_int_equal(maildir->mailbox_count, 3);
    assert_slice_equal(maildir->mailbox_names[2], "Jack");
    assert_ptr_equal(site_route(site, SLICE("a.example.com"), false), maildir);
    assert_ptr_equal(site_route(site, SLICE("[192.0.2.1]"), false), maildir);
    assert_null(site_route(site, SLICE("example.com"), false));
    const struct route *lmtp = site_route(site, SLICE("lmtp.example"), false);
    assert_int_equal(lmtp->number, 1);
    assert_true(lmtp->targets[0].is_unix);
    assert_slice_equal(lmtp->targets[0].host, "/run/dovecot/lmtp");
    assert_int_equal(lmtp->targets[1].port, 24);
    assert_int_equal(lmtp->mailboxes, ROUTE_MAILBOXES_ASK);
    assert_int_equal(lmtp->tls, ROUTE_TLS_NEVER);
    assert_slice_equal(lmtp->alias_files[0], "/etc/aliases");
    const struct route *smtp = site_route(site, SLICE("smtp.example"), false);
    assert_int_equal(smtp->targets[0].address.family, ADDRESS_NONE);
    assert_int_equal(smtp->targets[0].port, 25);
    assert_int_equal(smtp->targets[1].port, 2526);
    assert_slice_equal(smtp->targets[1].host, "2001:db8::2");
    assert_int_equal(smtp->mailboxes, ROUTE_MAILBOXES_ANY);
    const struct route *relay = site_route(site, SLICE("relay.example"), false);
    assert_int_equal(relay->tell, ROUTE_TELL_XCLIENT);
    assert_int_equal(relay->mailboxes, ROUTE_MAILBOXES_LISTED);
    assert_null(site_route(site, SLICE("elsewhere.example"), false));
    assert_int_equal(site_route(site, SLICE("elsewhere.example"), true)->mailboxes, ROUTE_MAILBOXES_ANY);
    drop(&loaded);
}

static void test_digest_tells_texts_apart(void **state)
{
    (void)state;
    struct loaded a = load(SLICE(ROUTE), CONF_CARE_TEXT), b = load(SLICE(ROUTE "\n"), CONF_CARE_TEXT);
    struct loaded again = load(SLICE(ROUTE), CONF_CARE_TEXT);

    assert_false(slice_equal(a.site->digest, b.site->digest));
    assert_true(slice_equal(a.site->digest, again.site->digest));
    drop(&a);
    drop(&b);
    drop(&again);
}

/* --- files --------------------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder, "/tmp/postern-conf-XXXXXX", 25);
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int drop_folder(void **state)
{
    (void)state;

    if (chdir("/") < 0)
        return -1;
    static const char *const files[] = {"a.conf", "b.conf", "c.conf", "binary.conf", "aliases", "sub/d.conf",
                                        "sub",    "fifo",   "key",    "other.key",   "chain",   "old.chain"};
    for (size_t i = 0; i < COUNT(files); i++) {
        char path[sizeof folder + 32];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        (void)remove(path);
    }
    return remove(folder);
}

static void write_file(const char *name, struct slice text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    if (text.len)
        assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

static struct loaded load_file(const char *name, enum conf_care care)
{
    struct loaded loaded = {0};

    conf_report_init(&loaded.report);
    loaded.site = conf_load(name, care, &loaded.report);
    buf_init(&loaded.mistakes, 1u << 20);
    conf_notes_print(&loaded.report.mistakes, &loaded.mistakes);
    assert_int_equal(loaded.site == NULL, loaded.report.mistakes.count > 0);
    return loaded;
}

static void assert_mistakes(struct loaded *loaded, const char *lines)
{
    const struct slice got = buf_slice(&loaded->mistakes);

    if (!slice_equal(got, slice_text(lines)))
        fail_msg("\n%.*s\nis not\n%s", SLICE_ARGS(got), lines);
    drop(loaded);
}

static void test_no_file(void **state)
{
    (void)state;
    struct loaded loaded = load_file("none.conf", CONF_CARE_TEXT);
    assert_mistakes(&loaded, "none.conf: the configuration file cannot be read: No such file or directory\n");
    loaded = load_file(".", CONF_CARE_TEXT);
    assert_mistakes(&loaded, ".: the configuration file is no regular file\n");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    loaded = load_file("fifo", CONF_CARE_TEXT);
    assert_mistakes(&loaded, "fifo: the configuration file is no regular file\n");
}

static void test_includes(void **state)
{
    (void)state;
    assert_int_equal(mkdir("sub", 0700), 0);
    write_file(
        "a.conf",
        SLICE("limits { include sub/d.conf }\nroute example.org { relay 192.0.2.1 }\nlimits.junk x\n"));
    write_file("sub/d.conf", SLICE("recipients 300\ninclude ../b.conf\n"));
    write_file("b.conf", SLICE("errors 30\n"));
    struct loaded loaded = load_file("a.conf", CONF_CARE_TEXT);
    assert_mistakes(&loaded,
                    "a.conf:3: limits.junk cannot be \"x\": expected a whole number, from 1 to 100000\n");

    write_file("a.conf", SLICE("limits { include sub/d.conf }\nroute example.org { relay 192.0.2.1 }\n"));
    loaded = load_file("./a.conf", CONF_CARE_TEXT);
    assert_non_null(loaded.site);
    assert_int_equal(loaded.site->set.limit_recipients, 300);
    assert_int_equal(loaded.site->set.limit_errors, 30);
    assert_true(slice_starts(loaded.site->file, SLICE("/")));
    drop(&loaded);

    write_file("b.conf", SLICE("errors 0\nrecipients 200\n"));
    loaded = load_file("a.conf", CONF_CARE_TEXT);
    assert_mistakes(
        &loaded,
        "sub/../b.conf:1: limits.errors cannot be \"0\": expected a whole number, from 1 to 100000\n"
        "sub/../b.conf:2: limits.recipients stands twice: expected it once, and it is at sub/d.conf:1 "
        "already\n");
}

static void test_include_cycles(void **state)
{
    (void)state;
    write_file("a.conf", SLICE("include b.conf\n"));
    write_file("b.conf", SLICE("include c.conf\n"));
    write_file("c.conf", SLICE("include ./a.conf\n"));
    struct loaded loaded = load_file("a.conf", CONF_CARE_TEXT);
    assert_mistakes(
        &loaded, "c.conf:1: include \"./a.conf\" leads back to a file that is being read: expected another "
                 "file\n");
    write_file("a.conf", SLICE("include a.conf\n"));
    loaded = load_file("a.conf", CONF_CARE_TEXT);
    assert_mistakes(&loaded,
                    "a.conf:1: include \"a.conf\" leads back to a file that is being read: expected another "
                    "file\n");
}

/* A file that includes another many times is no cycle, and ends all the same. */
static void test_many_includes(void **state)
{
    (void)state;
    struct buf text;

    buf_init(&text, 1u << 16);
    for (unsigned i = 0; i < 2 * CONF_INCLUDE_FILES; i++)
        (void)buf_add(&text, SLICE("include b.conf\n"));
    write_file("a.conf", buf_slice(&text));
    write_file("b.conf", SLICE_NONE);
    struct loaded loaded = load_file("a.conf", CONF_CARE_TEXT);
    assert_int_equal(loaded.report.mistakes.count, CONF_INCLUDE_FILES + 1);
    assert_true(slice_starts(buf_slice(&loaded.mistakes),
                             SLICE("a.conf:100: there are too many includes: expected at most 100 files\n")));
    drop(&loaded);
    buf_drop(&text);
}

static void test_binary_and_huge(void **state)
{
    (void)state;
    static char huge[CONF_NOTES_MAX * 100 * 40];
    struct slice text = SLICE("\x7f"
                              "ELF\2\1\n\n\n\0\0\0");

    write_file("binary.conf", text);
    struct loaded loaded = load_file("binary.conf", CONF_CARE_TEXT);
    assert_mistakes(&loaded, "binary.conf:4: the file holds a NUL octet: expected text in UTF-8\n");

    /* far more mistakes than are kept: all are counted, the first are shown */
    for (size_t i = 0; i < sizeof huge; i += 40)
        memcpy(huge + i, "limits.recipients-of-nowhere-at-all xyz\n", 40);
    loaded = load(slice_of(huge, sizeof huge), CONF_CARE_TEXT);
    assert_int_equal(loaded.report.mistakes.count, CONF_NOTES_MAX * 100);
    assert_true(slice_ends_fold(buf_slice(&loaded.mistakes), SLICE("\nand 19800 more\n")));
    drop(&loaded);

    /* larger than is read at all: told by its size alone */
    write_file("a.conf", SLICE_NONE);
    assert_int_equal(truncate("a.conf", 5 * 1024 * 1024), 0);
    loaded = load_file("a.conf", CONF_CARE_TEXT);
    assert_mistakes(&loaded, "a.conf: the configuration file is too large: 4194304 octets are the most\n");
}

static void test_alias_files(void **state)
{
    (void)state;
    write_file("aliases", SLICE("recipes: joepublic\n: nobody\nx: |/bin/sh\n"));
    write_file("a.conf", SLICE("route example.org {\n maildir m\n aliases aliases\n aliases none \n}\n"));
    struct loaded loaded = load_file("a.conf", CONF_CARE_TEXT);
    assert_int_equal(loaded.report.mistakes.count, 0);
    drop(&loaded);
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_int_equal(loaded.report.mistakes.count, 3);
    assert_true(slice_starts(
        buf_slice(&loaded.mistakes),
        SLICE("a.conf:4: aliases \"none\": the file cannot be read: No such file or directory\n")));
    assert_true(slice_find_slice(buf_slice(&loaded.mistakes), SLICE("/aliases:2: ")) != SLICE_NOT_FOUND);
    assert_true(slice_find_slice(buf_slice(&loaded.mistakes), SLICE("/aliases:3: ")) != SLICE_NOT_FOUND);
    drop(&loaded);
}

static void write_key(const char *name, EVP_PKEY *key)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

static void write_certificate(const char *name, EVP_PKEY *key, long valid_seconds)
{
    X509 *certificate = X509_new();
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -1000));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), valid_seconds));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(certificate);
}

static void assert_one(struct loaded *loaded, const char *begins, const char *holds)
{
    const struct slice got = buf_slice(&loaded->mistakes);

    if (loaded->report.mistakes.count != 1 || !slice_starts(got, slice_text(begins)) ||
        slice_find_slice(got, slice_text(holds)) == SLICE_NOT_FOUND)
        fail_msg("%.*s", SLICE_ARGS(got));
    drop(loaded);
}

static void test_certificate_files(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");

    write_key("key", key);
    write_key("other.key", other);
    write_certificate("chain", key, 100 * 86400);
    write_certificate("old.chain", key, -10);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);

    write_file("a.conf", SLICE("certificate chain none.key\n" ROUTE));
    struct loaded loaded = load_file("a.conf", CONF_CARE_TEXT);
    assert_mistakes(&loaded, "");
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_one(&loaded, "a.conf:1: certificate: ", "/none.key: No such file or directory");
    write_file("a.conf", SLICE("certificate key key\n" ROUTE));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_one(&loaded, "a.conf:1: certificate: ", "/key");
    write_file("a.conf", SLICE("certificate chain other.key\n" ROUTE));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_one(&loaded, "a.conf:1: certificate: ", "the key does not belong to the certificate");

    write_file("a.conf", SLICE(QUIET "certificate chain key { name mx.example.net *.EXAMPLE.net }\n" ROUTE));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_int_equal(loaded.report.warnings.count, 0);
    assert_int_equal(loaded.site->certificate_count, 1);
    assert_slice_equal(loaded.site->certificates[0].names[1], "*.example.net");
    assert_mistakes(&loaded, "");
    write_file("a.conf", SLICE(QUIET "certificate old.chain key\n" ROUTE));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_int_equal(loaded.report.warnings.count, 1);
    assert_true(slice_ends_fold(loaded.report.warnings.first->text, SLICE("/old.chain has expired")));
    assert_mistakes(&loaded, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_many_networks_are_wide_together),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_one_route_is_enough),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_digest_tells_texts_apart),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_include_cycles),
        cmocka_unit_test(test_many_includes),
        cmocka_unit_test(test_binary_and_huge),
        cmocka_unit_test(test_alias_files),
        cmocka_unit_test(test_certificate_files),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
