/* Proves that the mail log's lines reach a file (also when it is renamed), the system log and journald, and
 * that what nobody takes is counted. */
#include "unit.h"

#include "journal/log_output.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[FOLDER_SIZE];
static char path[96];

static int setup(void **state)
{
    (void)state;
    if (folder_new(folder, "log") < 0)
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char other[128];
    snprintf(other, sizeof other, "%s.1", path);
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

static struct log_output *open_output(enum log_to to)
{
    struct log_output_settings settings = {
        .to = to, .file = slice_text(path), .facility = SLICE("local3"), .host = SLICE("mx.example")};
    struct log_output *output = NULL;
    struct error error;
    assert_int_equal(log_output_open(&settings, &output, &error), 0);
    return output;
}

static size_t read_file(const char *name, char text[1024])
{
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, 1023, file);
    text[len] = '\0';
    fclose(file);
    return len;
}

static void a_file_has_host_and_program_in_each_line(void **state)
{
    (void)state;
    char text[1024];
    struct log_output *output = open_output(LOG_TO_FILE);
    log_output_write(output, 1059024945000000, false, SLICE("one"));
    log_output_write(output, 1059024945000000, true, SLICE("two"));
    log_output_close(output);
    read_file(path, text);
    char wanted[64];
    snprintf(wanted, sizeof wanted, " mx.example postern[%d]: one\n", (int)getpid());
    assert_non_null(strstr(text, wanted));
    assert_non_null(strstr(text, ": two\n"));
}

static void a_renamed_file_is_made_anew(void **state)
{
    (void)state;
    char text[1024], other[128];
    struct log_output *output = open_output(LOG_TO_FILE);
    log_output_write(output, 1059024945000000, false, SLICE("before"));
    log_output_flush(output);
    snprintf(other, sizeof other, "%s.1", path);
    assert_int_equal(rename(path, other), 0);
    log_output_write(output, 1059024945000000, false, SLICE("after"));
    struct stat made;
    for (int i = 0; i < 300 && stat(path, &made) < 0; i++) { /* the name is looked at once a second */
        log_output_write(output, 1059024945000000, false, SLICE("after"));
        log_output_flush(output);
        usleep(10000);
    }
    log_output_close(output);
    read_file(path, text);
    assert_non_null(strstr(text, "after"));
    assert_null(strstr(text, "before"));
}

static int listen_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void receives(int fd, const char *begin, const char *end)
{
    char text[1024];
    ssize_t len = recv(fd, text, sizeof text - 1, 0);
    assert_true(len > 0);
    text[len] = '\0';
    assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
    assert_string_equal(text + len - strlen(end), end);
}

static void the_system_log_gets_priority_and_tag(void **state)
{
    (void)state;
    int fd = listen_socket();
    struct log_output *output = open_output(LOG_TO_SYSLOG);
    log_output_write(output, 1059024945000000, false, SLICE("hello"));
    receives(fd, "<158>", ": hello"); /* local3 and info */
    log_output_write(output, 1059024945000000, true, SLICE("trouble"));
    receives(fd, "<156>", ": trouble");
    assert_int_equal(log_output_lost(output), 0);
    log_output_close(output);
    close(fd);
}

static void journald_gets_fields(void **state)
{
    (void)state;
    int fd = listen_socket();
    struct log_output *output = open_output(LOG_TO_JOURNALD);
    log_output_write(output, 1059024945000000, false, SLICE("hello"));
    receives(fd, "PRIORITY=6\nSYSLOG_FACILITY=19\nSYSLOG_IDENTIFIER=postern\n", "MESSAGE=hello\n");
    log_output_close(output);
    close(fd);
}

static void what_nobody_takes_is_counted_and_a_daemon_that_comes_back_is_found(void **state)
{
    (void)state;
    struct log_output *output = open_output(LOG_TO_SYSLOG);
    log_output_write(output, 1059024945000000, false, SLICE("lost"));
    assert_int_equal(log_output_lost(output), 1);
    int fd = listen_socket();
    log_output_write(output, 1059024945000000, false, SLICE("found"));
    receives(fd, "<158>", ": found");
    close(fd);
    unlink(path);
    fd = listen_socket();
    log_output_write(output, 1059024945000000, false, SLICE("again"));
    receives(fd, "<158>", ": again");
    assert_int_equal(log_output_lost(output), 1);
    log_output_close(output);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_has_host_and_program_in_each_line),
        TEST(a_renamed_file_is_made_anew),
        TEST(the_system_log_gets_priority_and_tag),
        TEST(journald_gets_fields),
        TEST(what_nobody_takes_is_counted_and_a_daemon_that_comes_back_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
