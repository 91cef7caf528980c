/* Whether the mail servers that routes name greet whoever connects. */
#include "daemon/survey.h"

#include "daemon/survey_part.h"
#include "io/net.h"
#include "io/resolve.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GREETING_MAX 512

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool await(int fd, short what, uint64_t due_ms)
{
    struct pollfd one = {.fd = fd, .events = what};
    for (uint64_t now = now_ms(); now < due_ms; now = now_ms()) {
        const uint64_t left = due_ms - now;
        const int ready = poll(&one, 1, left > 60000 ? 60000 : (int)left);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return ready > 0;
    }
    return false;
}

/* --- where it is --------------------------------------------------------------------------------------- */

struct places {
    bool here;
    size_t count;
    struct address addresses[RESOLVE_ADDRESSES];
    char trouble[200];
};

static void places_keep(struct places *places, const struct resolve_answer *answer)
{
    places->here = true;
    places->count = answer->count;
    memcpy(places->addresses, answer->addresses, sizeof places->addresses);
    snprintf(places->trouble, sizeof places->trouble, "%.*s", SLICE_ARGS(slice_head(answer->trouble, 190)));
}

static void places_came(void *whom, uint64_t number, const struct resolve_answer *answer)
{
    (void)number;
    places_keep(whom, answer);
}

static void places_find(struct survey *survey, struct loop *loop, const struct target *target,
                        struct places *places)
{
    struct resolve_answer answer;
    *places = (struct places){.here = true, .count = 1, .addresses = {target->address}};
    if (target->address.family == ADDRESS_NONE) {
        places->here = false;
        if (resolve_ask(survey->names, target->host, 1, places_came, places, &answer))
            places_keep(places, &answer);
        while (!places->here)
            loop_turn(loop, 1000);
    }
    for (size_t i = 0; i < places->count; i++)
        places->addresses[i].port = target->port;
}

/* --- what it says -------------------------------------------------------------------------------------- */

static bool connected(int fd, uint64_t due_ms, char words[SURVEY_WORDS])
{
    struct error error;
    if (!await(fd, POLLOUT, due_ms))
        snprintf(words, SURVEY_WORDS, "does not answer in time");
    else if (net_connect_result(fd, &error) < 0)
        snprintf(words, SURVEY_WORDS, "does not answer (%.200s)", error.text);
    else
        return true;
    return false;
}

/* Octets of the first line; without its end: it never came. */
static size_t line_read(int fd, uint64_t due_ms, char line[GREETING_MAX])
{
    size_t len = 0;
    while (len < GREETING_MAX && !memchr(line, '\n', len) && await(fd, POLLIN, due_ms)) {
        const ssize_t got = read(fd, line + len, GREETING_MAX - len);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            break;
        len += got > 0 ? (size_t)got : 0;
    }
    return len;
}

/* RFC 5321 section 3.1, RFC 2033 section 4. */
static bool greets(int fd, uint64_t due_ms, char words[SURVEY_WORDS])
{
    char line[GREETING_MAX];
    struct slice rest = slice_of(line, line_read(fd, due_ms, line)), greeting;
    const bool whole = slice_find(rest, '\n') != SLICE_NOT_FOUND;
    slice_cut(&rest, '\n', &greeting);
    if (greeting.len && greeting.at[greeting.len - 1] == '\r')
        greeting.len--;
    if (!whole) {
        snprintf(words, SURVEY_WORDS, "takes the connection and says nothing");
        return false;
    }
    (void)net_send_last(fd, SLICE("QUIT\r\n"));
    const bool fine = slice_starts(greeting, SLICE("220"));
    snprintf(words, SURVEY_WORDS, "%s: %.*s", fine ? "greets" : "does not greet",
             SLICE_ARGS(slice_head(greeting, 200)));
    return fine;
}

static bool visit(const struct settings *set, int fd, char words[SURVEY_WORDS])
{
    const bool fine = connected(fd, now_ms() + set->relay_connect_time, words) &&
                      greets(fd, now_ms() + set->relay_reply_time, words);
    close(fd);
    return fine;
}

static bool visit_each(const struct survey *survey, const struct places *places, char words[SURVEY_WORDS])
{
    struct error error;
    snprintf(words, SURVEY_WORDS, "has no address: %s", places->trouble);
    for (size_t i = 0; i < places->count; i++) {
        const int fd = net_connect(&places->addresses[i], NULL, &error);
        if (fd < 0)
            snprintf(words, SURVEY_WORDS, "does not answer (%.200s)", error.text);
        else if (visit(&survey->site->set, fd, words))
            return true;
    }
    return false;
}

static bool visit_unix(const struct survey *survey, struct slice path, char words[SURVEY_WORDS])
{
    struct error error;
    const int fd = net_connect_unix(path, &error);
    if (fd >= 0)
        return visit(&survey->site->set, fd, words);
    snprintf(words, SURVEY_WORDS, "does not answer (%.200s)", error.text);
    return false;
}

/* --- all of them --------------------------------------------------------------------------------------- */

static void target_survey(struct survey *survey, struct loop *loop, const struct target *target)
{
    struct survey_row row = {.kind = "mail server"};
    struct places places;
    char words[SURVEY_WORDS], name[300];
    const uint64_t begun_ms = now_ms();
    const int len = target->is_unix
                        ? snprintf(name, sizeof name, "unix:%.*s", SLICE_ARGS(slice_head(target->host, 200)))
                        : snprintf(name, sizeof name, "%.*s:%u", SLICE_ARGS(slice_head(target->host, 255)),
                                   target->port);
    row.name = slice_of(name, (size_t)len);
    if (target->is_unix) {
        row.fine = visit_unix(survey, target->host, words);
    } else {
        places_find(survey, loop, target, &places);
        row.fine = visit_each(survey, &places, words);
    }
    row.took_ms = now_ms() - begun_ms;
    survey_row_say(survey, row, words);
}

void survey_inner(struct survey *survey, struct loop *loop)
{
    survey->names = resolve_new(loop);
    for (size_t i = 0; i < survey->site->route_count; i++)
        for (size_t j = 0; j < survey->site->routes[i].target_count; j++)
            target_survey(survey, loop, &survey->site->routes[i].targets[j]);
    resolve_free(survey->names);
    survey->names = NULL;
}
