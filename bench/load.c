/*
 * bench-load - SMTP load from one thread
 *
 *   bench-load -p PORT -m MODE [options]
 *
 *   -a ADDRESS   of the server (127.0.0.1)
 *   -p PORT
 *   -m MODE      reject, accept, mail, mail50, idle, drip: see enum client_mode; mail50 is 50 messages a
 *                session
 *   -n CLIENTS   at once (100)
 *   -t SECONDS   of measuring (5); with idle and drip: how long to hold once all are open, 0: until SIGTERM
 *   -w SECONDS   of warm-up before (1)
 *   -N SESSIONS  end after this many instead of by time
 *   -M MESSAGES  a session, instead of the mode's
 *   -s OCTETS    a message (4096)
 *   -b MAILBOXES recipients b0@example.net to b(MAILBOXES - 1)@example.net in turn (100)
 *   -f NUMBER    of the first message (0): keep the ranges of runs apart, so that a sink can tell what came
 *   -o OPENING   idle and drip: so many connections at once may wait for banner and EHLO (64)
 *   -T SECONDS   to wait for one reply (30)
 *
 * Client addresses are 200 of 127.0.1-3.x in turn. The result is one JSON object on standard output; with
 * idle and drip a line "ready HELD" comes before it, when all connections have been tried. Errors stand as
 * "STEP KIND": count; the exit status is 0 all the same, 64 for wrong usage.
 */
#include "client.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile bool stop;

static void on_signal(int signal)
{
    (void)signal;
    stop = true;
}

static void usage(void)
{
    fprintf(stderr,
            "usage: bench-load -p PORT -m reject|accept|mail|mail50|idle|drip [-a ADDRESS] [-n CLIENTS]\n"
            "       [-t SECONDS] [-w SECONDS] [-N SESSIONS] [-M MESSAGES] [-s OCTETS] [-b MAILBOXES]\n"
            "       [-f NUMBER] [-o OPENING] [-T SECONDS]\n");
    exit(64);
}

static const char *const MODE_NAMES[] = {[MODE_REJECT] = "reject",
                                         [MODE_ACCEPT] = "accept",
                                         [MODE_MAIL] = "mail",
                                         [MODE_IDLE] = "idle",
                                         [MODE_DRIP] = "drip"};

static double number_of(const char *text, double min, double max)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || value < min || value > max)
        usage();
    return value;
}

static void mode_set(struct client_plan *plan, const char *name)
{
    if (strcmp(name, "mail50") == 0) {
        plan->mode = MODE_MAIL;
        plan->messages = 50;
        return;
    }
    for (size_t i = 0; i < sizeof MODE_NAMES / sizeof *MODE_NAMES; i++) {
        if (strcmp(name, MODE_NAMES[i]) == 0) {
            plan->mode = (enum client_mode)i;
            return;
        }
    }
    usage();
}

static void option_set(struct client_plan *plan, int option, const char *value)
{
    switch (option) {
    case 'a':
        if (inet_pton(AF_INET, value, &plan->server.sin_addr) != 1)
            usage();
        return;
    case 'p': plan->server.sin_port = htons((uint16_t)number_of(value, 1, 65535)); return;
    case 'm': mode_set(plan, value); return;
    case 'n': plan->concurrency = (unsigned)number_of(value, 1, 1e6); return;
    case 't': plan->run_us = (uint64_t)(number_of(value, 0, 1e5) * 1e6); return;
    case 'w': plan->warm_us = (uint64_t)(number_of(value, 0, 1e5) * 1e6); return;
    case 'N': plan->sessions_max = (uint64_t)number_of(value, 1, 1e12); return;
    case 'M': plan->messages = (unsigned)number_of(value, 1, 1e6); return;
    case 's': plan->message_size = (size_t)number_of(value, 512, 1e9); return;
    case 'b': plan->mailboxes = (unsigned)number_of(value, 1, 1e9); return;
    case 'f': plan->number = (uint64_t)number_of(value, 0, 9999999999); return;
    case 'o': plan->opening_max = (unsigned)number_of(value, 1, 1e6); return;
    case 'T': plan->step_ms = (uint64_t)(number_of(value, 0.1, 1e5) * 1e3); return;
    default: usage();
    }
}

static struct client_plan plan_read(int argc, char **argv)
{
    struct client_plan plan = {.mode = (enum client_mode) - 1,
                               .concurrency = 100,
                               .opening_max = 64,
                               .messages = 1,
                               .message_size = 4096,
                               .mailboxes = 100,
                               .warm_us = 1000000,
                               .run_us = 5000000,
                               .step_ms = 30000};
    bool timed = false;
    plan.server.sin_family = AF_INET;
    plan.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int option; (option = getopt(argc, argv, "a:p:m:n:t:w:N:M:s:b:f:o:T:")) != -1;) {
        option_set(&plan, option, optarg);
        timed |= option == 't';
    }
    if (optind < argc || !plan.server.sin_port || plan.mode == (enum client_mode) - 1)
        usage();
    if (plan.sessions_max && !timed)
        plan.run_us = 0;
    if (!plan.run_us && !plan.sessions_max && plan.mode < MODE_IDLE)
        usage();
    return plan;
}

static void ready_tell(const struct client_totals *totals)
{
    printf("ready %llu\n", (unsigned long long)totals->held);
    fflush(stdout);
}

static void latency_print(const char *name, const struct histogram *histogram)
{
    uint64_t mean = histogram->count ? histogram->sum_us / histogram->count : 0;
    printf(", \"%s\": {\"count\": %llu, \"mean\": %llu, \"p50\": %llu, \"p95\": %llu, \"p99\": %llu, "
           "\"max\": %llu}",
           name, (unsigned long long)histogram->count, (unsigned long long)mean,
           (unsigned long long)histogram_at(histogram, 0.50),
           (unsigned long long)histogram_at(histogram, 0.95),
           (unsigned long long)histogram_at(histogram, 0.99), (unsigned long long)histogram->max_us);
}

static void errors_print(const struct client_totals *totals)
{
    static const char *const steps[] = {"connect", "ehlo", "mail", "rcpt", "data", "dot", "quit", "hold"};
    static const char *const kinds[] = {"system",    "refused",   "reset", "closed",    "timeout",
                                        "temporary", "permanent", "odd",   "malformed", "unasked"};
    const char *comma = "";
    uint64_t sum = 0;
    printf(", \"errors\": {");
    for (size_t i = 0; i < STEP_COUNT; i++) {
        for (size_t j = 0; j < ERROR_COUNT; j++) {
            if (!totals->errors[i][j])
                continue;
            printf("%s\"%s %s\": %llu", comma, steps[i], kinds[j], (unsigned long long)totals->errors[i][j]);
            comma = ", ";
            sum += totals->errors[i][j];
        }
    }
    printf("}, \"error_count\": %llu, \"samples\": [", (unsigned long long)sum);
    comma = "";
    for (size_t i = 0; i < sizeof totals->samples / sizeof *totals->samples && *totals->samples[i]; i++) {
        printf("%s\"%s\"", comma, totals->samples[i]);
        comma = ", ";
    }
    printf("]");
}

static void totals_print(const struct client_totals *t)
{
    double seconds = (double)t->window_us / 1e6;
    printf("{\"started\": %llu, \"sessions\": %llu, \"accepted\": %llu, \"window_seconds\": %.3f, "
           "\"window_sessions\": %llu, \"window_messages\": %llu, \"sessions_per_second\": %.1f, "
           "\"messages_per_second\": %.1f, \"held\": %llu, \"dripped\": %llu, \"heard\": %llu",
           (unsigned long long)t->started, (unsigned long long)t->sessions, (unsigned long long)t->messages,
           seconds, (unsigned long long)t->window_sessions, (unsigned long long)t->window_messages,
           seconds > 0 ? (double)t->window_sessions / seconds : 0,
           seconds > 0 ? (double)t->window_messages / seconds : 0, (unsigned long long)t->held,
           (unsigned long long)t->octets, (unsigned long long)t->heard);
    latency_print("session_us", &t->session_us);
    latency_print("message_us", &t->message_us);
    errors_print(t);
    printf("}\n");
}

int main(int argc, char **argv)
{
    struct client_plan plan = plan_read(argc, argv);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct herd *herd = herd_new(&plan);
    herd_run(herd, &stop, ready_tell);
    totals_print(herd_totals(herd));
    herd_free(herd);
    return 0;
}
