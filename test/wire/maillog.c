/* Proves what is read of each form of line in the logs of sendmail, Postfix and postscreen, and that nothing
 * a stranger can write into a line is taken for what the server says. */
#include "base/buf.h"
#include "base/calendar.h"
#include "unit.h"
#include "wire/maillog_head.h"
#include "wire/maillog_postfix.h"
#include "wire/maillog_postscreen.h"
#include "wire/maillog_sendmail.h"

#include <stdio.h>

#define SEEN_MAX 8192

/* --- heads --------------------------------------------------------------------------------------------- */

struct head_case {
    const char *line;
    const char *seen; /* time, host, name, pid, program's number, message; NULL: no such line */
};

static const struct head_case heads[] = {
    {"Jul 24 01:11:45 janus sm-mta[1234]: h6O8: from=<>",
     "2003-07-24T01:11:45.000Z|janus|sm-mta|1234|sendmail|h6O8: from=<>"},
    {"Jul  4 01:11:45 janus sendmail[1]: x", "2003-07-04T01:11:45.000Z|janus|sendmail|1|sendmail|x"},
    {"Jul 04 01:11:45 janus sendmail[1]: x", "2003-07-04T01:11:45.000Z|janus|sendmail|1|sendmail|x"},
    {"Jul 24 01:11:45.125 mx postern[1]: x", "2003-07-24T01:11:45.125Z|mx|postern|1|sendmail|x"},
    {"Jul 24 1999 01:11:45 janus sendmail[1]: x", "1999-07-24T01:11:45.000Z|janus|sendmail|1|sendmail|x"},
    {"Jul 24 01:11:45 janus sm-mta ... ruleset=x",
     "2003-07-24T01:11:45.000Z|janus|sm-mta|0|sendmail|... ruleset=x"},
    {"Jul 24 01:11:45 <mail.info> janus sm-mta[1]: x", "2003-07-24T01:11:45.000Z|janus|sm-mta|1|sendmail|x"},
    {"Jul 24 01:11:45 sun sendmail[1]: [ID 801593 mail.info] x",
     "2003-07-24T01:11:45.000Z|sun|sendmail|1|sendmail|x"},
    {"<22>Jul 24 01:11:45 mx postfix/smtpd[7]: x", "2003-07-24T01:11:45.000Z|mx|postfix/smtpd|7|smtpd|x"},
    {"<22>1 2026-07-24T01:11:45.5Z mx postfix/qmgr 7 - - x",
     "2026-07-24T01:11:45.500Z|mx|postfix/qmgr|7|qmgr|x"},
    {"<22>1 2026-07-24T01:11:45Z mx postfix/qmgr 7 ID47 [a b=\"c\"] x",
     "2026-07-24T01:11:45.000Z|mx|postfix/qmgr|7|qmgr|x"},
    {"2026-07-24T01:11:45.123456+02:00 mx postfix/smtpd[7]: x",
     "2026-07-23T23:11:45.123Z|mx|postfix/smtpd|7|smtpd|x"},
    {"2026-07-24T01:11:45-0730 mx postfix/cleanup[7]: x",
     "2026-07-24T08:41:45.000Z|mx|postfix/cleanup|7|cleanup|x"},
    {"2026-07-24 01:11:45 mx postfix/smtp[7]: x", "2026-07-24T01:11:45.000Z|mx|postfix/smtp|7|delivery|x"},
    {"2026-07-24T01:11:45Z mx postfix/submission/smtpd[7]: x",
     "2026-07-24T01:11:45.000Z|mx|postfix/submission/smtpd|7|smtpd|x"},
    {"2026-07-24T01:11:45Z mx mx-in/postscreen[7]: x",
     "2026-07-24T01:11:45.000Z|mx|mx-in/postscreen|7|postscreen|x"},
    {"2026-07-24T01:11:45Z mx postfix/anvil[7]: x", "2026-07-24T01:11:45.000Z|mx|postfix/anvil|7|service|x"},
    {"Feb 29 00:00:00 mx cron[7]: x", "2003-03-01T00:00:00.000Z|mx|cron|7|other|x"},
    {"Dec 31 23:59:60 mx cron: x", "2004-01-01T00:00:00.000Z|mx|cron|0|other|x"},
    {"Jul 24 01:11:45 mx last message repeated 3 times",
     "2003-07-24T01:11:45.000Z|mx|last|0|other|message repeated 3 times"},
    {"", NULL},
    {"Jul", NULL},
    {"Jul 24 01:11:45", NULL},
    {"Jul 24 01:11:45 ", NULL},
    {"Jul 24 01:11:45 mx", NULL},
    {"Jul 32 01:11:45 mx sendmail[1]: x", NULL},
    {"Jul 00 01:11:45 mx sendmail[1]: x", NULL},
    {"Jux 24 01:11:45 mx sendmail[1]: x", NULL},
    {"Jul 24 24:11:45 mx sendmail[1]: x", NULL},
    {"Jul 24 01:61:45 mx sendmail[1]: x", NULL},
    {"Jul 24 0a:11:45 mx sendmail[1]: x", NULL},
    {"2026-13-24T01:11:45Z mx sendmail[1]: x", NULL},
    {"2026-07-24T01:11:45+2 mx sendmail[1]: x", NULL},
    {"2026-07-24T01:11:45Zmx sendmail[1]: x", NULL},
    {"<22>", NULL},
    {"<99999>Jul 24 01:11:45 mx sendmail[1]: x", NULL},
    {"Jul 24 01:11:45 mx sendmail[111111111111111111111111111111", NULL},
    {"nothing of the kind, but long enough to be a line of some log", NULL},
};

static const char *program_word(enum maillog_program program)
{
    static const char *const words[] = {"other", "sendmail", "smtpd",      "cleanup",
                                        "qmgr",  "delivery", "postscreen", "service"};

    return words[program];
}

static void head_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct maillog_head head;
        char seen[512], time[CALENDAR_TEXT_SIZE];

        const bool found = maillog_head_parse(slice_text(heads[i].line), 2003, &head);
        if (found != (heads[i].seen != NULL))
            print_message("%s\n", heads[i].line);
        assert_int_equal(found, heads[i].seen != NULL);
        if (!found)
            continue;
        calendar_print_iso(head.stamp.unix_ms, 0, time);
        (void)snprintf(seen, sizeof seen, "%s|%.*s|%.*s|%u|%s|%.*s", time, SLICE_ARGS(head.host),
                       SLICE_ARGS(head.name), head.pid, program_word(head.program), SLICE_ARGS(head.message));
        assert_string_equal(seen, heads[i].seen);
    }
}

/* Every beginning of a line is either no line, or one whose slices lie within it. */
static void cut_lines_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (size_t len = 0; len <= strlen(heads[i].line); len++) {
            struct maillog_head head;
            const struct slice line = slice_of(heads[i].line, len);
            if (maillog_head_parse(line, 2003, &head))
                assert_true(head.message.at >= line.at &&
                            head.message.at + head.message.len <= line.at + line.len);
        }
}

/* --- records ------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {"unknown", "nothing", "connected", "disconnected", "lost",
                                    "foreign", "early",   "client",    "message-id",   "from",
                                    "to",      "refused", "gone"};
static const char *const stages[] = {"connect", "helo", "mail", "rcpt", "data", "header", "end", "other"};
static const char *const deliveries[] = {"sent", "deferred", "bounced", "expired", "other"};

static void add_text(struct buf *buf, const char *name, struct slice text)
{
    (void)buf_add_format(buf, " %s=%.*s", name, SLICE_ARGS(text));
}

static void add_recipients(struct buf *buf, struct slice list)
{
    struct slice recipient;

    (void)buf_add(buf, SLICE(" to="));
    for (int i = 0; maillog_next_recipient(&list, &recipient); i++)
        (void)buf_add_format(buf, "%s%.*s", i ? "|" : "", SLICE_ARGS(recipient));
}

static void print_record(const struct maillog_record *record, struct buf *buf)
{
    char address[ADDRESS_PORT_TEXT_SIZE];

    (void)buf_add_format(buf, "%s", kinds[record->kind]);
    if (record->id.len)
        add_text(buf, "id", record->id);
    if (record->has & MAILLOG_HAS_CLIENT) {
        (void)(record->address.port ? address_port_print(&record->address, address)
                                    : address_print(&record->address, address));
        add_text(buf, "client", slice_text(address));
    }
    if (record->has & MAILLOG_HAS_NAME)
        add_text(buf, "name", record->name);
    if (record->has & MAILLOG_HAS_SENDER)
        add_text(buf, "from", record->sender);
    if (record->has & MAILLOG_HAS_RECIPIENTS)
        add_recipients(buf, record->recipients);
    if (record->has & MAILLOG_HAS_HELO)
        add_text(buf, "helo", record->helo);
    if (record->has & MAILLOG_HAS_SIZE)
        (void)buf_add_format(buf, " size=%llu", (unsigned long long)record->size);
    if (record->has & MAILLOG_HAS_COUNT)
        (void)buf_add_format(buf, " count=%u", record->recipient_count);
    if (record->has & MAILLOG_HAS_MESSAGE_ID)
        add_text(buf, "id", record->message_id);
    if (record->kind == MAILLOG_REFUSED)
        (void)buf_add_format(buf, " at=%s code=%u reply=%.*s", stages[record->stage], record->code,
                             SLICE_ARGS(record->reply));
    if (record->kind == MAILLOG_TO)
        add_text(buf, "delivery", slice_text(deliveries[record->delivery]));
    if (record->warning)
        (void)buf_add(buf, SLICE(" warning"));
    if (record->discarded)
        (void)buf_add(buf, SLICE(" discarded"));
    if (record->authenticated)
        (void)buf_add(buf, SLICE(" authenticated"));
}

struct record_case {
    enum maillog_program program;
    const char *message;
    const char *seen;
};

#define SENDMAIL   MAILLOG_SENDMAIL
#define SMTPD      MAILLOG_SMTPD
#define CLEANUP    MAILLOG_CLEANUP
#define QMGR       MAILLOG_QMGR
#define DELIVERY   MAILLOG_DELIVERY
#define POSTSCREEN MAILLOG_POSTSCREEN

static const struct record_case sendmail_cases[] = {
    /* the excerpt of 2003, as its author shortened it */
    {SENDMAIL,
     "... ruleset=check_eoh, ... relay=[61.77.232.38], reject=553 5.0.0 Unidentified messages are not "
     "acceptable "
     "here",
     "refused client=61.77.232.38 name= at=header code=553 reply=553 5.0.0 Unidentified messages are not "
     "acceptable here"},
    {SENDMAIL,
     "... ruleset=check_eoh, ... relay=12-237-128-54.client.attbi.com [12.237.128.54], reject=553 5.0.0 "
     "Unidentified messages are not acceptable here",
     "refused client=12.237.128.54 name=12-237-128-54.client.attbi.com at=header code=553 reply=553 5.0.0 "
     "Unidentified messages are not acceptable here"},
    {SENDMAIL, "... from=<5140ghxc at aci.net>, size=1762, ...", "from from=5140ghxc at aci.net size=1762"},
    {SENDMAIL, "... to=<LENNON at ONLINEROCK.COM>, ...", "to to=LENNON at ONLINEROCK.COM delivery=other"},
    /* whole lines */
    {SENDMAIL,
     "h6O8Bj01001234: from=<a@b.example>, size=1762, class=0, nrcpts=2, msgid=<1@b.example>, proto=ESMTP, "
     "daemon=MTA, relay=mx.b.example [192.0.2.7]",
     "from id=h6O8Bj01001234 client=192.0.2.7 name=mx.b.example from=a@b.example size=1762 count=2 "
     "id=1@b.example"},
    {SENDMAIL,
     "AAA01234: from=<a@b.example>, size=17, class=0, pri=30, nrcpts=1, proto=SMTP, relay=joe@pc.b.example "
     "[192.0.2.7] (may be forged)",
     "from id=AAA01234 client=192.0.2.7 name= from=a@b.example size=17 count=1"},
    {SENDMAIL,
     "5AL1abcd012345: from=<>, size=0, class=0, nrcpts=0, proto=SMTP, daemon=MTA-v6, "
     "relay=[IPv6:2001:db8::7]",
     "from id=5AL1abcd012345 client=2001:db8::7 name= from= size=0 count=0"},
    {SENDMAIL,
     "5AL1abcd012345: to=<c@d.example>,<\"x, y\"@d.example>, delay=00:00:01, xdelay=00:00:01, mailer=local, "
     "pri=1, "
     "dsn=2.0.0, stat=Sent",
     "to id=5AL1abcd012345 to=c@d.example|\"x, y\"@d.example delivery=sent"},
    {SENDMAIL, "5AL1abcd012345: to=joe, delay=00:00:01, mailer=local, dsn=5.1.1, stat=User unknown",
     "to id=5AL1abcd012345 to=joe delivery=bounced"},
    {SENDMAIL,
     "5AL1abcd012345: to=<c@d.example>, delay=1, mailer=esmtp, dsn=4.0.0, stat=Deferred: Connection refused "
     "by "
     "mx.d.example.",
     "to id=5AL1abcd012345 to=c@d.example delivery=deferred"},
    {SENDMAIL,
     "5AL1abcd012345: ruleset=check_rcpt, arg1=<c@d.example>, relay=host.example [192.0.2.7], reject=550 "
     "5.7.1 "
     "<c@d.example>... Relaying denied",
     "refused id=5AL1abcd012345 client=192.0.2.7 name=host.example to=c@d.example at=rcpt code=550 reply=550 "
     "5.7.1 "
     "<c@d.example>... Relaying denied"},
    {SENDMAIL,
     "5AL1abcd012345: ruleset=check_mail, arg1=<a@no.example>, relay=[192.0.2.7], reject=451 4.1.8 Domain of "
     "sender "
     "address a@no.example does not resolve",
     "refused id=5AL1abcd012345 client=192.0.2.7 name= from=a@no.example at=mail code=451 reply=451 4.1.8 "
     "Domain of "
     "sender address a@no.example does not resolve"},
    {SENDMAIL,
     "ruleset=check_relay, arg1=[192.0.2.7], arg2=192.0.2.7, relay=[192.0.2.7], reject=550 5.7.1 Access "
     "denied",
     "refused client=192.0.2.7 name= at=connect code=550 reply=550 5.7.1 Access denied"},
    {SENDMAIL,
     "h6O8Bj01001234: ruleset=CheckMessageId, arg1=<nonsense>, relay=[192.0.2.7], reject=553 5.0.0 "
     "Message-ID must "
     "be an addr-spec; see RFC 2822",
     "refused id=h6O8Bj01001234 client=192.0.2.7 name= at=header code=553 reply=553 5.0.0 Message-ID must be "
     "an "
     "addr-spec; see RFC 2822"},
    {SENDMAIL, "h6O8Bj01001234: ruleset=check_mail, arg1=<a@b.example>, relay=[192.0.2.7], discard",
     "refused id=h6O8Bj01001234 client=192.0.2.7 name= from=a@b.example at=mail code=0 reply= warning "
     "discarded"},
    {SENDMAIL, "h6O8Bj01001234: <bob@our.example>... User unknown",
     "refused id=h6O8Bj01001234 to=bob@our.example at=rcpt code=550 reply=User unknown"},
    {SENDMAIL, "5AL1abcd012345: Milter: to=<c@d.example>, reject=451 4.7.1 Greylisting in action",
     "refused id=5AL1abcd012345 to=c@d.example at=rcpt code=451 reply=451 4.7.1 Greylisting in action"},
    {SENDMAIL, "5AL1abcd012345: Milter: data, reject=554 5.7.1 infected",
     "refused id=5AL1abcd012345 at=end code=554 reply=554 5.7.1 infected"},
    {SENDMAIL, "5AL1abcd012345: milter=spamass, action=mail, reject=550 5.7.1 no",
     "refused id=5AL1abcd012345 at=mail code=550 reply=550 5.7.1 no"},
    {SENDMAIL, "5AL1abcd012345: Milter add: header: X-Spam: yes", "nothing id=5AL1abcd012345"},
    {SENDMAIL, "5AL1abcd012345: lost input channel from host.example [192.0.2.7] to MTA after rcpt",
     "lost id=5AL1abcd012345 client=192.0.2.7 name=host.example"},
    {SENDMAIL,
     "5AL1abcd012345: rejecting commands from host.example [192.0.2.7] due to pre-greeting traffic after 0 "
     "seconds",
     "early id=5AL1abcd012345 client=192.0.2.7 name=host.example"},
    {SENDMAIL, "5AL1abcd012345: [192.0.2.7] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
     "nothing id=5AL1abcd012345"},
    {SENDMAIL, "STARTTLS=server, relay=host.example [192.0.2.7], version=TLSv1.3, verify=NO, bits=256/256",
     "nothing"},
    {SENDMAIL, "NOQUEUE: [192.0.2.7] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA", "nothing"},
    {SENDMAIL, "starting daemon (8.17.1): SMTP+queueing@00:10:00", "nothing"},
    {SENDMAIL, "whatever this may be", "unknown"},
    {SENDMAIL, "", "unknown"},
    /* what Postern itself writes */
    {SENDMAIL,
     "0c8m4w0000g02.1: from=<a@b.example>, size=1285, class=0, nrcpts=1, proto=ESMTP, daemon=postern, "
     "relay=mx.b.example [192.0.2.7]",
     "from id=0c8m4w0000g02.1 client=192.0.2.7 name=mx.b.example from=a@b.example size=1285 count=1"},
    {SENDMAIL, "0c8m4w0000g02: relay=[192.0.2.7], reject=421 4.7.0 too much",
     "refused id=0c8m4w0000g02 client=192.0.2.7 name= at=other code=421 reply=421 4.7.0 too much"},
    {SENDMAIL, "0c8m4w0000g02 #721 end i=192.0.2.7 p=\"\" f=\"\" h=\"x\" m=0/1 b=1 R=1 t=2 l=\"\"",
     "nothing id=0c8m4w0000g02"},
    /* a stranger's words that look like ours */
    {SENDMAIL,
     "5AL1abcd012345: ruleset=check_mail, arg1=<\"a>, relay=[198.51.100.9], reject=550 x\"@b.example>, "
     "relay=[192.0.2.7], reject=550 5.7.1 no",
     "refused id=5AL1abcd012345 client=192.0.2.7 name= from=\"a>, relay=[198.51.100.9], reject=550 "
     "x\"@b.example at=mail "
     "code=550 reply=550 5.7.1 no"},
    {SENDMAIL,
     "5AL1abcd012345: from=<a@b.example>, size=1, nrcpts=1, msgid=<x, relay=[198.51.100.9]>, "
     "relay=[192.0.2.7]",
     "from id=5AL1abcd012345 client=192.0.2.7 name= from=a@b.example size=1 count=1 id=x, "
     "relay=[198.51.100.9]"},
    {SENDMAIL,
     "5AL1abcd012345: from=<a@b.example>, size=1, nrcpts=1, msgid=x, relay=[198.51.100.9], relay=[192.0.2.7]",
     "from id=5AL1abcd012345 client=192.0.2.7 name= from=a@b.example size=1 count=1 id=x"},
    {SENDMAIL, "5AL1abcd012345: from=<\"a", "from id=5AL1abcd012345 from=\"a"},
    {SENDMAIL, "5AL1abcd012345: from=<a@b.example>, size=99999999999999999999999, nrcpts=-1",
     "from id=5AL1abcd012345 from=a@b.example"},
};

static const struct record_case postfix_cases[] = {
    {SMTPD, "connect from host.example[192.0.2.7]", "connected client=192.0.2.7 name=host.example"},
    {SMTPD, "connect from unknown[2001:db8::7]:40000", "connected client=[2001:db8::7]:40000 name="},
    {SMTPD, "disconnect from unknown[192.0.2.7] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4",
     "disconnected client=192.0.2.7 name="},
    {SMTPD, "lost connection after RCPT from unknown[192.0.2.7]", "lost client=192.0.2.7 name="},
    {SMTPD, "timeout after END-OF-MESSAGE from host.example[192.0.2.7]",
     "lost client=192.0.2.7 name=host.example"},
    {SMTPD, "too many errors after RCPT from host.example[192.0.2.7]",
     "lost client=192.0.2.7 name=host.example"},
    {SMTPD, "improper command pipelining after EHLO from unknown[192.0.2.7]: MAIL FROM:<a@b.example>\\r\\n",
     "early client=192.0.2.7 name="},
    {SMTPD, "warning: non-SMTP command from unknown[192.0.2.7]: GET http://www.example/ HTTP/1.1",
     "foreign client=192.0.2.7 name="},
    {SMTPD, "warning: hostname host.example does not resolve to address 192.0.2.7", "nothing"},
    {SMTPD, "warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6", "nothing"},
    {SMTPD,
     "Anonymous TLS connection established from host.example[192.0.2.7]: TLSv1.3 with cipher X (256/256 "
     "bits)",
     "nothing"},
    {SMTPD, "something else", "unknown"},
    {SMTPD,
     "NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <c@d.example>: Relay access denied; "
     "from=<a@b.example> "
     "to=<c@d.example> proto=ESMTP helo=<friend>",
     "refused client=192.0.2.7 name= from=a@b.example to=c@d.example helo=friend at=rcpt code=554 reply=554 "
     "5.7.1 "
     "<c@d.example>: Relay access denied"},
    {SMTPD,
     "4F1B2C3D4E: reject: RCPT from host.example[192.0.2.7]: 550 5.1.1 <x@d.example>: Recipient address "
     "rejected: User "
     "unknown in virtual mailbox table; from=<> to=<x@d.example> proto=ESMTP helo=<host.example>",
     "refused id=4F1B2C3D4E client=192.0.2.7 name=host.example from= to=x@d.example helo=host.example "
     "at=rcpt "
     "code=550 reply=550 5.1.1 <x@d.example>: Recipient address rejected: User unknown in virtual mailbox "
     "table"},
    {SMTPD,
     "NOQUEUE: reject: CONNECT from unknown[192.0.2.7]: 554 5.7.1 <unknown[192.0.2.7]>: Client host "
     "rejected: no; "
     "proto=SMTP",
     "refused client=192.0.2.7 name= at=connect code=554 reply=554 5.7.1 <unknown[192.0.2.7]>: Client host "
     "rejected: no"},
    {SMTPD,
     "NOQUEUE: reject: EHLO from unknown[192.0.2.7]: 501 5.5.2 <x_y>: Helo command rejected: invalid; "
     "proto=SMTP "
     "helo=<x_y>",
     "refused client=192.0.2.7 name= helo=x_y at=helo code=501 reply=501 5.5.2 <x_y>: Helo command rejected: "
     "invalid"},
    {SMTPD,
     "NOQUEUE: reject_warning: RCPT from unknown[192.0.2.7]: 450 4.7.1 x; from=<a@b.example> "
     "to=<c@d.example> "
     "proto=SMTP helo=<y>",
     "refused client=192.0.2.7 name= from=a@b.example to=c@d.example helo=y at=rcpt code=450 reply=450 4.7.1 "
     "x warning"},
    {SMTPD,
     "NOQUEUE: milter-reject: RCPT from unknown[192.0.2.7]: 451 4.7.1 Service unavailable - try again later; "
     "from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<y>",
     "refused client=192.0.2.7 name= from=a@b.example to=c@d.example helo=y at=rcpt code=451 reply=451 4.7.1 "
     "Service "
     "unavailable - try again later"},
    {SMTPD, "4F1B2C3D4E: client=host.example[192.0.2.7]",
     "client id=4F1B2C3D4E client=192.0.2.7 name=host.example"},
    {SMTPD, "3ZzYxW2vTsz1: client=pc.example[192.0.2.7], sasl_method=PLAIN, sasl_username=joe",
     "client id=3ZzYxW2vTsz1 client=192.0.2.7 name=pc.example authenticated"},
    {SMTPD,
     "4F1B2C3D4E: client=localhost[127.0.0.1], orig_queue_id=4F0B2C3D4E, orig_client=host.example[192.0.2.7]",
     "client id=4F1B2C3D4E client=127.0.0.1 name=localhost"},
    {CLEANUP, "4F1B2C3D4E: message-id=<1@b.example>", "message-id id=4F1B2C3D4E id=1@b.example"},
    {CLEANUP, "4F1B2C3D4E: message-id=<>", "message-id id=4F1B2C3D4E id="},
    {CLEANUP, "4F1B2C3D4E: resent-message-id=<1@b.example>", "nothing id=4F1B2C3D4E"},
    {CLEANUP,
     "4F1B2C3D4E: reject: header Subject: buy from evil[198.51.100.9]; from=<v@w.example> from "
     "host.example[192.0.2.7]; "
     "from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<y>: 5.7.1 message content rejected",
     "refused id=4F1B2C3D4E at=header code=550 reply=5.7.1 message content rejected"},
    {CLEANUP,
     "4F1B2C3D4E: milter-reject: END-OF-MESSAGE from host.example[192.0.2.7]: 5.7.1 Blocked by SpamAssassin; "
     "from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<y>",
     "refused id=4F1B2C3D4E client=192.0.2.7 name=host.example from=a@b.example to=c@d.example helo=y at=end "
     "code=550 "
     "reply=5.7.1 Blocked by SpamAssassin"},
    {CLEANUP,
     "4F1B2C3D4E: warning: header Subject: x from host.example[192.0.2.7]; from=<a@b.example> "
     "to=<c@d.example>",
     "unknown id=4F1B2C3D4E"},
    {CLEANUP, "warning: something", "nothing"},
    {QMGR, "4F1B2C3D4E: from=<a@b.example>, size=1762, nrcpt=2 (queue active)",
     "from id=4F1B2C3D4E from=a@b.example size=1762 count=2"},
    {QMGR, "4F1B2C3D4E: from=<a@b.example>, status=expired, returned to sender",
     "to id=4F1B2C3D4E from=a@b.example delivery=expired"},
    {QMGR, "4F1B2C3D4E: removed", "gone id=4F1B2C3D4E"},
    {DELIVERY,
     "4F1B2C3D4E: to=<c@d.example>, relay=mx.d.example[192.0.2.9]:25, delay=1.2, delays=0.1/0/0.5/0.6, "
     "dsn=2.0.0, "
     "status=sent (250 2.0.0 Ok)",
     "to id=4F1B2C3D4E to=c@d.example delivery=sent"},
    {DELIVERY,
     "4F1B2C3D4E: to=<joe@inner.example>, orig_to=<c@d.example>, relay=local, delay=1, dsn=4.2.2, "
     "status=deferred (full)",
     "to id=4F1B2C3D4E to=c@d.example delivery=deferred"},
    {DELIVERY, "4F1B2C3D4E: to=<c@d.example>, relay=none, delay=1, dsn=5.1.1, status=bounced (no)",
     "to id=4F1B2C3D4E to=c@d.example delivery=bounced"},
    {DELIVERY, "4F1B2C3D4E: host mx.d.example[192.0.2.9] said: 450 4.2.0 later (in reply to RCPT TO command)",
     "nothing id=4F1B2C3D4E"},
    {DELIVERY, "connect to mx.d.example[192.0.2.9]:25: Connection timed out", "nothing"},
    {MAILLOG_SERVICE, "statistics: max connection rate 1/60s for (smtp:192.0.2.7) at Nov  1 00:00:00",
     "nothing"},
    /* a stranger's words that look like ours */
    {SMTPD,
     "NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 no; from=<\"x> to=<v@w.example> "
     "helo=<z\"@b.example> "
     "to=<c@d.example> proto=ESMTP helo=<x> to=<v@w.example>",
     "refused client=192.0.2.7 name= from=\"x> to=<v@w.example> helo=<z\"@b.example to=v@w.example helo=x "
     "at=rcpt code=554 "
     "reply=554 5.7.1 no"},
    {DELIVERY,
     "4F1B2C3D4E: to=<\"a>, orig_to=<v@w.example>, status=sent \"@d.example>, relay=local, status=bounced "
     "(x)",
     "to id=4F1B2C3D4E to=\"a>, orig_to=<v@w.example>, status=sent \"@d.example delivery=bounced"},
    {SMTPD, "NOQUEUE: reject: RCPT from", "unknown"},
    {SMTPD, "connect from nowhere", "unknown"},
    {SMTPD, "connect from x[300.0.0.1]", "unknown"},
    {QMGR, "4F1B2C3D4E: from=<a@b.example>, size=18446744073709551616, nrcpt=1 (queue active)",
     "from id=4F1B2C3D4E from=a@b.example"},
};

static const struct record_case postscreen_cases[] = {
    {POSTSCREEN, "CONNECT from [192.0.2.7]:40000 to [198.51.100.1]:25", "connected client=192.0.2.7:40000"},
    {POSTSCREEN, "PREGREET 11 after 0.08 from [192.0.2.7]:40000: EHLO friend\\r\\n",
     "early client=192.0.2.7:40000"},
    {POSTSCREEN, "PREGREET 11 after 0.08 from [192.0.2.7]:40000: X from [198.51.100.9]:1",
     "early client=192.0.2.7:40000"},
    {POSTSCREEN, "DNSBL rank 7 for [192.0.2.7]:40000", "nothing"},
    {POSTSCREEN, "HANGUP after 0.5 from [2001:db8::7]:40000 in tests after SMTP handshake",
     "lost client=[2001:db8::7]:40000"},
    {POSTSCREEN, "NON-SMTP COMMAND from [192.0.2.7]:40000 after CONNECT: GET / HTTP/1.1",
     "foreign client=192.0.2.7:40000"},
    {POSTSCREEN, "COMMAND PIPELINING from [192.0.2.7]:40000 after HELO: x", "early client=192.0.2.7:40000"},
    {POSTSCREEN, "PASS NEW [192.0.2.7]:40000", "disconnected client=192.0.2.7:40000"},
    {POSTSCREEN, "DISCONNECT [192.0.2.7]:40000", "disconnected client=192.0.2.7:40000"},
    {POSTSCREEN,
     "NOQUEUE: reject: RCPT from [192.0.2.7]:40000: 550 5.7.1 Service unavailable; client [192.0.2.7] "
     "blocked using "
     "dnsbl.example; from=<a@b.example>, to=<c@d.example>, proto=ESMTP, helo=<friend>",
     "refused client=192.0.2.7:40000 from=a@b.example to=c@d.example helo=friend at=rcpt code=550 reply=550 "
     "5.7.1 "
     "Service unavailable; client [192.0.2.7] blocked using dnsbl.example"},
    {POSTSCREEN, "NOQUEUE: reject: CONNECT from [192.0.2.7]:40000: too many connections",
     "refused client=192.0.2.7:40000 at=connect code=0 reply=too many connections"},
    {POSTSCREEN, "WHITELISTED [192.0.2.7]:40000", "nothing"},
    {POSTSCREEN, "what is this", "unknown"},
};

static void parse(enum maillog_program program, struct slice message, struct maillog_record *record)
{
    if (program == MAILLOG_SENDMAIL)
        maillog_sendmail_parse(message, record);
    else if (program == MAILLOG_POSTSCREEN)
        maillog_postscreen_parse(message, record);
    else
        maillog_postfix_parse(program, message, record);
}

static void run_cases(const struct record_case *cases, size_t count)
{
    struct buf seen;

    buf_init(&seen, SEEN_MAX);
    for (size_t i = 0; i < count; i++) {
        struct maillog_record record;
        const struct slice whole = slice_text(cases[i].message);

        for (size_t len = 0; len < whole.len; len++) /* cut short it does no harm */
            parse(cases[i].program, slice_head(whole, len), &record);
        parse(cases[i].program, whole, &record);
        buf_clear(&seen);
        print_record(&record, &seen);
        (void)buf_add_octet(&seen, '\0');
        if (strcmp(seen.at, cases[i].seen) != 0)
            print_message("%s\n", cases[i].message);
        assert_string_equal(seen.at, cases[i].seen);
    }
    buf_drop(&seen);
}

static void sendmail_is_read(void **state)
{
    (void)state;
    run_cases(sendmail_cases, sizeof sendmail_cases / sizeof *sendmail_cases);
}

static void postfix_is_read(void **state)
{
    (void)state;
    run_cases(postfix_cases, sizeof postfix_cases / sizeof *postfix_cases);
}

static void postscreen_is_read(void **state)
{
    (void)state;
    run_cases(postscreen_cases, sizeof postscreen_cases / sizeof *postscreen_cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_is_read),       cmocka_unit_test(cut_lines_do_no_harm),
        cmocka_unit_test(sendmail_is_read),   cmocka_unit_test(postfix_is_read),
        cmocka_unit_test(postscreen_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
