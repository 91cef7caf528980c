/* What is right in a configuration becomes the site that was meant, across files and includes; and no file,
 * however broken, does more than be refused. */
#include "loaded.h"
#include "wire/access.h"

#include "core/override.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

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
    "route relay.example { relay Inner.example:2527\n tell xclient\n mailboxes any }\n"
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
    assert_int_equal(relay->mailboxes, ROUTE_MAILBOXES_ANY);
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

static char folder[FOLDER_SIZE];

static int make_folder(void **state)
{
    (void)state;
    return folder_new(folder, "conf") < 0 ? -1 : chdir(folder);
}

static int drop_folder(void **state)
{
    (void)state;

    if (chdir("/") < 0)
        return -1;
    static const char *const files[] = {"a.conf",    "b.conf",     "c.conf",   "binary.conf", "aliases",
                                        "access",    "sub/d.conf", "sub",      "fifo",        "key",
                                        "other.key", "chain",      "old.chain"};
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
    buf_init(&loaded.warnings, 1u << 20);
    conf_notes_print(&loaded.report.mistakes, &loaded.mistakes);
    conf_notes_print(&loaded.report.warnings, &loaded.warnings);
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

static void test_blocklists(void **state)
{
    (void)state;
    struct loaded loaded = load(
        SLICE(ROUTE "blocklist first { zone KEY.List.example }\n"
                    "blocklist second {\n zone list.example\n weight -2\n reason no\n probe no\n"
                    " for ipv6\n code 127.0.0.2 127.0.*.4-7 9\n code 127.0.0.3 -1\n}\n"),
        CONF_CARE_TEXT);
    assert_non_null(loaded.site);
    assert_int_equal(loaded.site->blocklist_count, 2);
    const struct blocklist *list = loaded.site->blocklists;
    assert_slice_equal(list->name, "first");
    assert_slice_equal(list->zone, "key.list.example");
    assert_int_equal(list->weight, 5);
    assert_true(list->reasons && list->probes && list->ipv4 && list->ipv6);
    assert_int_equal(list->code_count, 0);
    list++;
    assert_int_equal(list->weight, -2);
    assert_false(list->reasons || list->probes || list->ipv4);
    assert_true(list->ipv6);
    assert_int_equal(list->code_count, 3);
    assert_int_equal(list->codes[1].weight, 9);
    assert_int_equal(list->codes[1].pattern.high[3], 7);
    assert_int_equal(list->codes[2].weight, -1);
    drop(&loaded);
}

static void test_access_files(void **state)
{
    (void)state;
    write_file("access", SLICE("# ours\nConnect:192.0.2 ERROR:5.7.1:550 Apparent open relay\nbad\n"));
    write_file("a.conf", SLICE(QUIET "user root\ngroup root\naccess access none\ntrap sandra@example.org\n"));
    struct loaded loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_int_equal(loaded.report.mistakes.count, 2);
    assert_true(slice_find_slice(buf_slice(&loaded.mistakes), SLICE("/access:3: the key is none")) ==
                SLICE_NOT_FOUND);
    assert_true(slice_find_slice(buf_slice(&loaded.mistakes), SLICE("/access:3: the value is none")) !=
                SLICE_NOT_FOUND);
    drop(&loaded);

    write_file("access", SLICE("Connect:192.0.2 ERROR:5.7.1:550 Apparent open relay\nfar.example OK\n"
                               "GreetPause:192.0.2 500\nfar.example REJECT\n"));
    write_file("a.conf",
               SLICE(QUIET ROUTE "user root\ngroup root\naccess access\ntrap sandra@example.org\n"));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_int_equal(loaded.report.mistakes.count, 0);
    assert_int_equal(loaded.report.warnings.count, 2);
    const struct access_rule *rule = site_access(loaded.site, ACCESS_CONNECT, SLICE("192.0.2.7"));
    assert_non_null(rule);
    assert_int_equal(rule->action, ACCESS_REJECT);
    assert_slice_equal(rule->enhanced, "5.7.1");
    assert_slice_equal(rule->text, "Apparent open relay");
    rule = site_access(loaded.site, ACCESS_FROM, SLICE("joe@mx.far.example"));
    assert_true(rule && rule->action == ACCESS_OK);
    assert_true(site_is_trap(loaded.site, SLICE("Sandra@Example.ORG")));
    assert_false(site_is_trap(loaded.site, SLICE("joe@example.org")));
    drop(&loaded);
}

/* What is no such file is a warning: gates do without it. */
static void test_origin_files(void **state)
{
    (void)state;
    write_file("aliases", SLICE("no database"));
    write_file("a.conf",
               SLICE(QUIET ROUTE "user root\ngroup root\norigin {\n file aliases\n zone origin.example\n}\n"
                                 "origin.file none.mmdb\n"));
    struct loaded loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_slice_equal(
        buf_slice(&loaded.warnings),
        "a.conf:6: origin.file \"aliases\": the file is no file in MaxMind's format, or is broken; "
        "the gates go on without it\na.conf:9: origin.file \"none.mmdb\": the file cannot be read: "
        "No such file or directory; the gates go on without it\n");
    assert_int_equal(loaded.site->origin_file_count, 2);
    assert_true(slice_ends_fold(loaded.site->origin_files[1], SLICE("/none.mmdb")));
    assert_slice_equal(loaded.site->set.origin_zone, "origin.example");
    drop(&loaded);
}

/* Where the keeper may not write is a warning: mail goes on. */
static void test_exports(void **state)
{
    char text[1024];

    (void)state;
    write_file("aliases", SLICE("no folder"));
    const int len = snprintf(text, sizeof text,
                             QUIET ROUTE "user nobody\ngroup nogroup\nstate-directory %s/state\nexport {\n"
                                         " access in-state\n cidr %s/none/cidr\n json %s/aliases/x\n"
                                         " nftables /proc/nft\n}\n",
                             folder, folder, folder);
    write_file("a.conf", slice_of(text, (size_t)len));
    struct loaded loaded = load_file("a.conf", CONF_CARE_FILES);
    const struct slice warnings = buf_slice(&loaded.warnings);
    assert_int_equal(loaded.report.mistakes.count, 0);
    assert_int_equal(slice_find_slice(warnings, SLICE("export.access")), SLICE_NOT_FOUND);
    assert_int_not_equal(slice_find_slice(warnings, SLICE("export.cidr cannot be written in ")),
                         SLICE_NOT_FOUND);
    assert_int_not_equal(slice_find_slice(warnings, SLICE("/none: No such file or directory; it is tried")),
                         SLICE_NOT_FOUND);
    assert_int_not_equal(slice_find_slice(warnings, SLICE("/aliases: Not a directory; it is tried")),
                         SLICE_NOT_FOUND);
    assert_int_not_equal(slice_find_slice(warnings, SLICE("export.nftables cannot be written in /proc: ")),
                         SLICE_NOT_FOUND);
    drop(&loaded);
}

static void test_exempt_file(void **state)
{
    (void)state;
    write_file("aliases", SLICE("# who may\nmail.example.net @news.example # both\r\n\n192.0.2.0/24\n"));
    write_file("a.conf", SLICE("message-id { exempt-file ./aliases }\n"));
    struct loaded loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_int_equal(loaded.report.mistakes.count, 0);
    assert_int_equal(loaded.site->message_id_exempt_count, 3);
    assert_slice_equal(loaded.site->message_id_exempt[0], "mail.example.net");
    assert_slice_equal(loaded.site->message_id_exempt[1], "@news.example");
    assert_slice_equal(loaded.site->message_id_exempt[2], "192.0.2.0/24");
    drop(&loaded);
    write_file("aliases", SLICE("fine.example\n-bad-\n"));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_mistakes(&loaded, "a.conf:1: exempt-file: the file has \"-bad-\": expected networks, ends of host "
                             "names, or senders such as joe@example.net or @example.net\n");
    write_file("a.conf", SLICE("\nmessage-id.exempt-file none\n"));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_mistakes(&loaded,
                    "a.conf:2: message-id.exempt-file \"none\": the file cannot be read: No such file "
                    "or directory\n");
}

static void test_aliases_that_lead_nowhere(void **state)
{
    (void)state;
    write_file("aliases",
               SLICE("x@other.example: joe\nsales: joe@elsewhere.example\nhelp: joe\nhelp: jill\n"));
    write_file(
        "a.conf",
        SLICE(QUIET "user root\ngroup root\nroute example.org {\n lmtp 192.0.2.1\n aliases aliases\n}\n"));
    struct loaded loaded = load_file("a.conf", CONF_CARE_FILES);
    struct buf warnings;
    buf_init(&warnings, 1u << 16);
    conf_notes_print(&loaded.report.warnings, &warnings);
    const struct slice text = buf_slice(&warnings);
    for (unsigned line = 1; line <= 4; line += line == 2 ? 2 : 1) {
        const char place[] = {'/', 'a', 'l', 'i', 'a', 's', 'e', 's', ':', (char)('0' + line),
                              ':', ' ', '\0'};
        if (slice_find_slice(text, slice_text(place)) == SLICE_NOT_FOUND)
            fail_msg("%s is missing in\n%.*s", place, SLICE_ARGS(text));
    }
    assert_int_equal(loaded.report.warnings.count, 4); /* and that notifications cannot leave */
    buf_drop(&warnings);
    assert_mistakes(&loaded, "");
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

    write_file(
        "a.conf",
        SLICE(QUIET
              "user root\ngroup root\ncertificate chain key { name mx.example.net *.EXAMPLE.net }\n" ROUTE));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_int_equal(loaded.report.warnings.count, 0);
    assert_int_equal(loaded.site->certificate_count, 1);
    assert_slice_equal(loaded.site->certificates[0].names[1], "*.example.net");
    assert_mistakes(&loaded, "");
    write_file("a.conf", SLICE(QUIET "user root\ngroup root\ncertificate old.chain key\n" ROUTE));
    loaded = load_file("a.conf", CONF_CARE_FILES);
    assert_int_equal(loaded.report.warnings.count, 1);
    assert_true(slice_ends_fold(loaded.report.warnings.first->text, SLICE("/old.chain has expired")));
    assert_mistakes(&loaded, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(test_blocklists),
        cmocka_unit_test(test_access_files),
        cmocka_unit_test(test_origin_files),
        cmocka_unit_test(test_exports),
        cmocka_unit_test(test_exempt_file),
        cmocka_unit_test(test_aliases_that_lead_nowhere),
        cmocka_unit_test(test_certificate_files),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
