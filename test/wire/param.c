/* Proves that the parameters of MAIL and RCPT are read, and that each way of being wrong has its own status.
 */
#include "unit.h"
#include "wire/param.h"

#include <stdio.h>

#define X50 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

struct params_case {
    const char *text;
    enum params_status status;
    const char *wanted; /* what was read, or who is wrong */
};

static const struct params_case mail_cases[] = {
    {"", PARAMS_DONE, "0 0 body= utf8=0 ret=0 envid="},
    {"SIZE=1762", PARAMS_DONE, "1 1762 body= utf8=0 ret=0 envid="},
    {"size=0 body=8bitmime", PARAMS_DONE, "1 0 body=8BITMIME utf8=0 ret=0 envid="},
    {"BODY=7BIT SMTPUTF8", PARAMS_DONE, "0 0 body=7BIT utf8=1 ret=0 envid="},
    {"BODY=BINARYMIME  RET=HDRS", PARAMS_DONE, "0 0 body=BINARYMIME utf8=0 ret=2 envid="},
    {"RET=full ENVID=QQ314159+20x", PARAMS_DONE, "0 0 body= utf8=0 ret=1 envid=QQ314159+20x"},
    {"ENVID=" X50 X50, PARAMS_DONE, "0 0 body= utf8=0 ret=0 envid=" X50 X50},
    {"SIZE=99999999999999999999", PARAMS_DONE, "1 18446744073709551615 body= utf8=0 ret=0 envid="},
    {"SIZE=999999999999999999999", PARAMS_VALUE, "SIZE"},
    {"SIZE", PARAMS_VALUE, "SIZE"},
    {"SIZE=", PARAMS_SYNTAX, "SIZE="},
    {"SIZE=-1", PARAMS_VALUE, "SIZE"},
    {"SIZE=1 SIZE=1", PARAMS_DUPLICATE, "SIZE"},
    {"size=1 SIZE=2", PARAMS_DUPLICATE, "SIZE"},
    {"BODY=9BIT", PARAMS_VALUE, "BODY"},
    {"BODY", PARAMS_VALUE, "BODY"},
    {"SMTPUTF8=1", PARAMS_VALUE, "SMTPUTF8"},
    {"RET=NONE", PARAMS_VALUE, "RET"},
    {"ENVID=a+2", PARAMS_VALUE, "ENVID"},
    {"ENVID=" X50 X50 "x", PARAMS_VALUE, "ENVID"},
    {"AUTH=<>", PARAMS_UNKNOWN, "AUTH"},
    {"NOTIFY=NEVER", PARAMS_UNKNOWN, "NOTIFY"},
    {"XYZZY", PARAMS_UNKNOWN, "XYZZY"},
    {"=1", PARAMS_SYNTAX, "=1"},
    {"A=1=2", PARAMS_SYNTAX, "A=1=2"},
    {"-A=1", PARAMS_SYNTAX, "-A=1"},
    {"A_B", PARAMS_SYNTAX, "A_B"},
    {"A=\x01", PARAMS_SYNTAX, "A=\x01"},
    {"A=\xff", PARAMS_SYNTAX, "A=\xff"},
};

static const struct params_case rcpt_cases[] = {
    {"", PARAMS_DONE, "notify=0 orcpt=|"},
    {"NOTIFY=NEVER", PARAMS_DONE, "notify=1 orcpt=|"},
    {"NOTIFY=success,FAILURE,Delay", PARAMS_DONE, "notify=14 orcpt=|"},
    {"ORCPT=rfc822;Bob+2B1@b.example NOTIFY=DELAY", PARAMS_DONE, "notify=8 orcpt=rfc822|Bob+2B1@b.example"},
    {"ORCPT=utf-8;b\xc3\xbc@b.example", PARAMS_DONE, "notify=0 orcpt=utf-8|b\xc3\xbc@b.example"},
    {"ORCPT=utf-8;b\\x{FC}@b.example", PARAMS_DONE, "notify=0 orcpt=utf-8|b\\x{FC}@b.example"},
    {"NOTIFY=", PARAMS_SYNTAX, "NOTIFY="},
    {"NOTIFY=NEVER,DELAY", PARAMS_VALUE, "NOTIFY"},
    {"NOTIFY=DELAY,", PARAMS_VALUE, "NOTIFY"},
    {"NOTIFY=,DELAY", PARAMS_VALUE, "NOTIFY"},
    {"NOTIFY=SOON", PARAMS_VALUE, "NOTIFY"},
    {"ORCPT=rfc822;", PARAMS_VALUE, "ORCPT"},
    {"ORCPT=;a", PARAMS_VALUE, "ORCPT"},
    {"ORCPT=a@b.example", PARAMS_VALUE, "ORCPT"},
    {"ORCPT=rfc822;b\xc3\xbc@b.example", PARAMS_VALUE, "ORCPT"},
    {"ORCPT=rfc822;a+zz", PARAMS_VALUE, "ORCPT"},
    {"ORCPT=a/b;x", PARAMS_VALUE, "ORCPT"},
    {"SIZE=1", PARAMS_UNKNOWN, "SIZE"},
};

static void fails_unless(const struct params_case *row, enum params_status status, struct slice culprit,
                         const char *read)
{
    bool good = status == PARAMS_DONE;
    bool same = good ? strcmp(read, row->wanted) == 0 : slice_equal(culprit, slice_text(row->wanted));
    if (status != row->status || !same || (good && culprit.len > 0))
        fail_msg("%s: %d %.*s %s", row->text, (int)status, SLICE_ARGS(culprit), read);
}

static void mail_parameters_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mail_cases); i++) {
        struct mail_params p;
        struct slice culprit;
        char read[512];
        enum params_status status = mail_params_parse(slice_text(mail_cases[i].text), &p, &culprit);
        snprintf(read, sizeof read, "%d %llu body=%.*s utf8=%d ret=%d envid=%.*s", p.has_size,
                 (unsigned long long)p.size, SLICE_ARGS(body_kind_name(p.body)), p.smtputf8, (int)p.ret,
                 SLICE_ARGS(p.envid));
        fails_unless(&mail_cases[i], status, culprit, read);
    }
}

static void rcpt_parameters_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rcpt_cases); i++) {
        struct rcpt_params p;
        struct slice culprit;
        char read[512];
        enum params_status status = rcpt_params_parse(slice_text(rcpt_cases[i].text), &p, &culprit);
        snprintf(read, sizeof read, "notify=%u orcpt=%.*s|%.*s", p.notify, SLICE_ARGS(p.orcpt_type),
                 SLICE_ARGS(p.orcpt));
        fails_unless(&rcpt_cases[i], status, culprit, read);
        assert_true(p.orcpt_whole.len == 0 || p.orcpt_whole.len == p.orcpt_type.len + 1 + p.orcpt.len);
    }
}

static void an_orcpt_is_bounded(void **state)
{
    char text[600] = "ORCPT=rfc822;";
    struct rcpt_params p;
    struct slice culprit;
    (void)state;
    memset(text + strlen(text), 'a', 500 - 7);
    assert_int_equal(rcpt_params_parse(slice_text(text), &p, &culprit), PARAMS_DONE);
    text[strlen(text)] = 'a';
    assert_int_equal(rcpt_params_parse(slice_text(text), &p, &culprit), PARAMS_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_parameters_are_read),
        cmocka_unit_test(rcpt_parameters_are_read),
        cmocka_unit_test(an_orcpt_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
