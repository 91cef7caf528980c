#include "journal/log_output.h"

#include "base/buf.h"
#include "base/calendar.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define GATHERED_MAX    (1024u * 1024u)
#define GATHERED_ENOUGH (64u * 1024u)
#define PATH_SIZE       300

struct log_output {
    enum log_to to;
    unsigned facility;
    int fd; /* of the file or the socket; -1: none now */
    char path[PATH_SIZE];
    char host[256];
    struct buf gathered;
    uint64_t lost;
    uint64_t gathered_lines;
    int64_t second; /* for which `stamp` was made */
    char stamp[CALENDAR_TEXT_SIZE];
    int64_t looked; /* at the file's name, second */
};

/* RFC 5424 section 6.2.1 */
static unsigned facility_number(struct slice word)
{
    static const struct {
        const char *word;
        unsigned number;
    } words[] = {{"kern", 0},    {"user", 1},    {"mail", 2},    {"daemon", 3},  {"auth", 4},
                 {"syslog", 5},  {"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19},
                 {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal(word, slice_text(words[i].word)))
            return words[i].number;
    return 2;
}

static int file_open(struct log_output *output)
{
    output->fd = open(output->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    return output->fd;
}

static void socket_open(struct log_output *output)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, output->path, strnlen(output->path, sizeof address.sun_path - 1));
    output->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (output->fd >= 0 && connect(output->fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(output->fd);
        output->fd = -1;
    }
}

static void path_set(struct log_output *output, const struct log_output_settings *settings)
{
    struct slice path = settings->file;
    if (!path.len)
        path = settings->to == LOG_TO_SYSLOG ? SLICE("/dev/log") : SLICE("/run/systemd/journal/socket");
    snprintf(output->path, sizeof output->path, "%.*s", SLICE_ARGS(path));
}

int log_output_open(const struct log_output_settings *settings, struct log_output **ret_output,
                    struct error *error)
{
    struct log_output *output = memory_take(sizeof *output);
    output->to = settings->to;
    output->fd = -1;
    output->second = -1;
    output->facility = facility_number(settings->facility);
    buf_init(&output->gathered, GATHERED_MAX);
    path_set(output, settings);
    snprintf(output->host, sizeof output->host, "%.*s", SLICE_ARGS(settings->host));
    if (output->to == LOG_TO_FILE && file_open(output) < 0) {
        error_set(error, errno, "cannot open the mail log %s", output->path);
        log_output_close(output);
        return -1;
    }
    *ret_output = output;
    return 0;
}

/* Syslog's lines are in the machine's own time. */
static struct slice stamp(struct log_output *output, int64_t unix_us)
{
    int64_t second = unix_us / 1000000;
    if (second != output->second) {
        time_t time = (time_t)second;
        struct tm local;
        localtime_r(&time, &local);
        calendar_print_syslog(second, (int)(local.tm_gmtoff / 60), output->stamp);
        output->second = second;
    }
    return slice_text(output->stamp);
}

static void gather(struct log_output *output, struct slice stamp_text, struct slice line)
{
    if (!buf_room(&output->gathered, stamp_text.len + strlen(output->host) + line.len + 32)) {
        output->lost++;
        return;
    }
    buf_add(&output->gathered, stamp_text);
    buf_add_format(&output->gathered, " %s postern[%d]: ", output->host, (int)getpid());
    buf_add(&output->gathered, line);
    buf_add_octet(&output->gathered, '\n');
    output->gathered_lines++;
    if (output->gathered.len >= GATHERED_ENOUGH)
        log_output_flush(output);
}

static void datagram(struct log_output *output, struct slice text)
{
    for (int i = 0; i < 2; i++) {
        if (output->fd < 0)
            socket_open(output);
        if (output->fd < 0)
            break;
        if (send(output->fd, text.at, text.len, MSG_NOSIGNAL) >= 0)
            return;
        if (errno == EAGAIN || errno == EMSGSIZE || errno == ENOBUFS)
            break;
        close(output->fd); /* the log daemon has gone, perhaps it is back */
        output->fd = -1;
    }
    output->lost++;
}

static void to_syslog(struct log_output *output, int64_t unix_us, unsigned severity, struct slice line)
{
    struct buf text;
    buf_init(&text, 8192);
    struct slice time = stamp(output, unix_us);
    buf_add_format(&text, "<%u>%.*s postern[%d]: ", output->facility * 8 + severity, SLICE_ARGS(time),
                   (int)getpid());
    buf_add(&text, slice_head(line, 7000));
    datagram(output, buf_slice(&text));
    buf_drop(&text);
}

/* journald's native protocol: a field a line. The lines of the mail log hold no LF. */
static void to_journald(struct log_output *output, unsigned severity, struct slice line)
{
    struct buf text;
    buf_init(&text, 8192);
    buf_add_format(&text, "PRIORITY=%u\nSYSLOG_FACILITY=%u\nSYSLOG_IDENTIFIER=postern\nMESSAGE=", severity,
                   output->facility);
    buf_add(&text, slice_head(line, 7000));
    buf_add_octet(&text, '\n');
    datagram(output, buf_slice(&text));
    buf_drop(&text);
}

void log_output_write(struct log_output *output, int64_t unix_us, bool grave, struct slice line)
{
    unsigned severity = grave ? 4 : 6;
    switch (output->to) {
    case LOG_TO_SYSLOG: to_syslog(output, unix_us, severity, line); return;
    case LOG_TO_JOURNALD: to_journald(output, severity, line); return;
    case LOG_TO_FILE: gather(output, stamp(output, unix_us), line); return;
    case LOG_TO_NONE: return;
    }
}

static void look_at_name(struct log_output *output)
{
    struct stat named, open_one;
    int64_t now = (int64_t)time(NULL);
    if (now == output->looked)
        return;
    output->looked = now;
    if (output->fd >= 0 && fstat(output->fd, &open_one) == 0 && stat(output->path, &named) == 0 &&
        named.st_ino == open_one.st_ino && named.st_dev == open_one.st_dev)
        return;
    if (output->fd >= 0)
        close(output->fd);
    file_open(output);
}

void log_output_flush(struct log_output *output)
{
    struct slice rest = buf_slice(&output->gathered);
    if (output->to != LOG_TO_FILE || !rest.len)
        return;
    look_at_name(output);
    while (rest.len && output->fd >= 0) {
        ssize_t wrote = write(output->fd, rest.at, rest.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            break;
        rest = slice_from(rest, (size_t)wrote);
    }
    if (rest.len)
        output->lost += output->gathered_lines;
    output->gathered_lines = 0;
    buf_clear(&output->gathered);
}

uint64_t log_output_lost(const struct log_output *output)
{
    return output->lost;
}

void log_output_close(struct log_output *output)
{
    if (!output)
        return;
    log_output_flush(output);
    if (output->fd >= 0)
        close(output->fd);
    buf_drop(&output->gathered);
    memory_give(output, sizeof *output);
}
