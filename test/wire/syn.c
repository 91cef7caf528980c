/* Proves that the headers of a TCP client's first packet give the signature that p0f v3 would write, that no
 * part of a packet, and no packet with any octet changed, is read past its end, and which signatures a
 * pattern of p0f's database describes. */
#include "unit.h"
#include "wire/syn.h"
#include "wire/syn_match.h"

#define TCP_HEAD "\x9c\x40\x00\x19\x01\x02\x03\x04\x00\x00\x00\x00"

struct syn_case {
    struct slice packet;
    const char *wanted; /* NULL: none */
};

#define CASE(packet, wanted)                                                                                 \
    {                                                                                                        \
        {"" packet, sizeof(packet) - 1}, wanted                                                              \
    }

static const struct syn_case cases[] = {
    /* Linux on an Ethernet, over IPv4 and IPv6 */
    CASE("\x45\x00\x00\x3c\x1c\x46\x40\x00\x40\x06\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19" TCP_HEAD
         "\xa0\x02\xfa\xf0\x00\x00\x00\x00\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x00"
         "\x01\x03\x03\x07",
         "4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0"),
    CASE("\x60\x0a\xbc\xde\x00\x28\x06\x36\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
         "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02" TCP_HEAD
         "\xa0\x02\xfd\x20\x00\x00\x00\x00\x02\x04\x05\xa0\x04\x02\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x00"
         "\x01\x03\x03\x07",
         "6:54+10:0:1440:mss*45,7:mss,sok,ts,nop,ws:flow:0"),
    /* Windows, ten routers away: no timestamp, an id beside DF */
    CASE("\x45\x00\x00\x34\x12\x34\x40\x00\x76\x06\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19" TCP_HEAD
         "\x80\x02\xfa\xf0\x00\x00\x00\x00\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02",
         "4:118+10:0:1460:mss*44,8:mss,nop,ws,nop,nop,sok:df,id+:0"),
    /* a scanner: no options, no DF, no id, no sequence number, a payload */
    CASE("\x45\x00\x00\x28\x00\x00\x00\x00\xf0\x06\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19"
         "\x9c\x40\x00\x19\x00\x00\x00\x00\x00\x00\x00\x00\x50\x02\x04\x00\x00\x00\x00\x00payload",
         "4:240+15:0:0:1024,0::id-,seq-:+"),
    /* options that end early, with something behind the end; ECN; an urgent pointer and an ACK number */
    CASE("\x46\x01\x00\x34\x00\x01\x00\x00\x5b\x06\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19\x01\x01\x01\x01"
         "\x9c\x40\x00\x19\x01\x02\x03\x04\x00\x00\x00\x09\x70\xca\x00\x00\x00\x00\x00\x02"
         "\x02\x04\x02\x18\x00\x00\x01\x00",
         "4:91+?:4:536:0,0:mss,eol+3:ecn,ack+,uptr+,pushf+,opt+:0"),
    /* an option that is too long; an unknown one; a scale that is none */
    CASE("\x45\x00\x00\x30\x00\x01\x00\x00\x20\x06\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19" TCP_HEAD
         "\x70\x02\x10\x00\x00\x00\x00\x00\x1e\x02\x03\x03\x0f\x08\x0a\x00",
         "4:32+0:0:0:4096,15:?30,ws,ts:exws,bad:0"),
    CASE("", NULL),
    CASE("\x45", NULL),
    CASE("\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", NULL),
    /* UDP; an IP header longer than the packet; a TCP header longer than the packet, and one too short */
    CASE("\x45\x00\x00\x28\x00\x00\x00\x00\xf0\x11\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19" TCP_HEAD
         "\x50\x02\x04\x00\x00\x00\x00\x00",
         NULL),
    CASE("\x4f\x00\x00\x28\x00\x00\x00\x00\xf0\x06\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19" TCP_HEAD
         "\x50\x02\x04\x00\x00\x00\x00\x00",
         NULL),
    CASE("\x45\x00\x00\x28\x00\x00\x00\x00\xf0\x06\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19" TCP_HEAD
         "\x60\x02\x04\x00\x00\x00\x00\x00",
         NULL),
    CASE("\x45\x00\x00\x28\x00\x00\x00\x00\xf0\x06\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x19" TCP_HEAD
         "\x40\x02\x04\x00\x00\x00\x00\x00",
         NULL),
};

static void test_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct syn syn;
        char text[SYN_TEXT];
        bool read = syn_parse(cases[i].packet, &syn);
        assert_int_equal(read, cases[i].wanted != NULL);
        if (read)
            assert_printed(syn_print(&syn, text), text, cases[i].wanted);
    }
}

/* Every packet with every octet of it at every value, cut at every place: in memory of its own, so that a
 * sanitizer sees a step too far. */
static void test_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice packet = cases[i].packet;
        for (size_t cut = 0; cut <= packet.len; cut++) {
            char *copy = test_malloc(cut + 1);
            memcpy(copy, packet.at ? packet.at : "", cut);
            for (size_t at = 0; at < cut; at++) {
                char was = copy[at];
                for (unsigned value = 0; value < 256; value += cut == packet.len ? 1 : 51) {
                    struct syn syn;
                    char text[SYN_TEXT];
                    copy[at] = (char)value;
                    if (syn_parse(slice_of(copy, cut), &syn))
                        assert_true(syn_print(&syn, text) < SYN_TEXT);
                }
                copy[at] = was;
            }
            test_free(copy);
        }
    }
}

/* The longest text that can come: as many options as fit, of kinds with three digits, all quirks. */
static void test_longest(void **state)
{
    (void)state;
    struct syn syn = {.version = 6,
                      .ttl = 255,
                      .quirks = ~UINT32_C(0),
                      .option_count = SYN_OPTIONS,
                      .mss = 65535,
                      .window = 65534,
                      .scale = 255,
                      .ip_options = 40,
                      .payload = 1};
    memset(syn.options, 255, sizeof syn.options);
    char text[SYN_TEXT];
    size_t len = syn_print(&syn, text);
    assert_true(len < SYN_TEXT);
    assert_int_equal(strlen(text), len);
}

#define LINUX   "4:52+12:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0"
#define LINUX6  "6:54+10:0:1440:mss*45,7:mss,sok,ts,nop,ws:flow:0"
#define SCANNER "4:240+15:0:0:1024,0::id-,seq-:+"
#define WEIRD   "4:91+?:4:536:0,0:mss,eol+3:ecn,ack+:0"

static const struct {
    const char *pattern, *signature;
    bool matches;
} match_cases[] = {
    {"*:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, true},
    {"4:64-:0:1460:mss*44,*:mss,sok,ts,nop,ws:id+,df:*", LINUX, true},
    {"*:*:*:*:*,*:*:*:*", LINUX, true},
    {"*:*:*:*:*:*:*:*", SCANNER, true},
    {LINUX, LINUX, true},
    {"4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, true},
    {"4:64:0:1460:64240,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, true},
    {"4:64:0:1460:%1460,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, true},
    {"*:64:0:*:mss*45,7:mss,sok,ts,nop,ws:df,id+:0", LINUX6, true},
    {"*:64:0:*:mss*45,7:mss,sok,ts,nop,ws:df,id+,flow:0", LINUX6, true},
    {"*:255:0:0:1024,0::id-,seq-:+", SCANNER, true},
    {"*:255:0:0:%512,0::seq-,id-:+", SCANNER, true},
    {"4:91:4:536:0,0:mss,eol+3:*:0", WEIRD, true},
    {"4:128-:4:536:0,0:mss,eol+3:*:0", WEIRD, true},
    {"6:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, false},
    {"*:128:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, false},
    {"*:63-:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, false},
    {"*:64:4:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, false},
    {"*:64:0:1400:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, false},
    {"*:64:0:*:mtu*44,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, false},
    {"*:64:0:*:mss*44,8:mss,sok,ts,nop,ws:df,id+:0", LINUX, false},
    {"*:64:0:*:64241,7:mss,sok,ts,nop,ws:df,id+:0", LINUX, false},
    {"*:64:0:*:mss*44,7:mss,sok,ts,nop:df,id+:0", LINUX, false},
    {"*:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df:0", LINUX, false},
    {"*:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+,ecn:0", LINUX, false},
    {"*:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:+", LINUX, false},
    {"4:91:4:536:0,0:mss,eol+3:ecn:0", WEIRD, false},
    {"*", LINUX, false},
    {"", LINUX, false},
    {LINUX, "", false},
};

static void test_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof match_cases / sizeof *match_cases; i++) {
        const struct slice pattern = slice_text(match_cases[i].pattern);
        if (syn_matches(pattern, slice_text(match_cases[i].signature)) != match_cases[i].matches)
            fail_msg("%s, %s: expected %s", match_cases[i].pattern, match_cases[i].signature,
                     match_cases[i].matches ? "a match" : "none");
    }
}

static void test_patterns(void **state)
{
    (void)state;
    const char *const bad[] = {"",
                               "*",
                               "5:64:0:*:*,*:mss:df:0",
                               "4::0:*:*,*:mss:df:0",
                               "4:x:0:*:*,*:mss:df:0",
                               "4:64+x:0:*:*,*:mss:df:0",
                               "4:64::*:*,*:mss:df:0",
                               "4:64:0:-1:*,*:mss:df:0",
                               "4:64:0:*:*:mss:df",
                               "4:64:0:*:%0,*:mss:df:0",
                               "4:64:0:*:mss*,*:mss:df:0",
                               "4:64:0:*:*,x:mss:df:0",
                               "4:64:0:*:*,*:MSS:df:0",
                               "4:64:0:*:*,*:mss:df\x01:0",
                               "4:64:0:*:*,*:mss:df:1",
                               "4:64:0:*:*,*:mss:df:0:",
                               "4:99999999999:0:*:*,*:mss:df:0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (syn_pattern_check(slice_text(bad[i])))
            fail_msg("\"%s\" is taken for a signature", bad[i]);
    for (size_t i = 0; i < sizeof match_cases / sizeof *match_cases; i++)
        if (match_cases[i].matches && !syn_pattern_check(slice_text(match_cases[i].pattern)))
            fail_msg("\"%s\" is not taken for a signature", match_cases[i].pattern);
    char longest[SYN_TEXT + 1];
    memset(longest, 'a', sizeof longest);
    assert_false(syn_pattern_check(slice_of(longest, sizeof longest)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_damage),   cmocka_unit_test(test_longest),
        cmocka_unit_test(test_matches),    cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
