/* Reads the configuration's files, follows includes, and makes the site. */
#include "daemon/conf.h"

#include "core/override.h"
#include "daemon/conf_make.h"
#include "io/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- files --------------------------------------------------------------------------------------------- */

static int read_all(int fd, char *at, size_t size, size_t *ret_size)
{
    size_t done = 0;

    while (done < size) {
        const ssize_t n = read(fd, at + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *ret_size = done;
    return 0;
}

static int file_read(struct conf_maker *maker, int fd, size_t size_max, struct slice *ret_text,
                     struct stat *ret_status, struct error *error)
{
    struct stat status;
    size_t size;

    if (fstat(fd, &status) < 0)
        return error_set(error, errno, "cannot be read");
    if (!S_ISREG(status.st_mode))
        return error_set(error, 0, "is no regular file");
    if ((uint64_t)status.st_size > size_max)
        return error_set(error, 0, "is too large: %zu octets are the most", size_max);
    char *at = arena_take(&maker->scratch, (size_t)status.st_size + 1);
    if (read_all(fd, at, (size_t)status.st_size, &size) < 0)
        return error_set(error, errno, "cannot be read");
    *ret_text = slice_of(at, size);
    if (ret_status)
        *ret_status = status;
    return 0;
}

int conf_file_read(struct conf_maker *maker, const char *path, size_t size_max, struct slice *ret_text,
                   struct stat *ret_status, struct error *error)
{
    /* Nothing may make this wait: a pipe opens at once, and is refused. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return error_set(error, errno, "cannot be read");
    const int result = file_read(maker, fd, size_max, ret_text, ret_status, error);
    (void)close(fd);
    return result;
}

/* --- paths --------------------------------------------------------------------------------------------- */

/* The absolute folder of a file; "/" where there is none. */
static struct slice folder_of(struct arena *arena, struct slice file)
{
    const size_t slash = slice_find_last(file, '/');
    const struct slice part = slash == SLICE_NOT_FOUND ? SLICE(".")
                              : slash == 0             ? SLICE("/")
                                                       : slice_head(file, slash);
    const struct slice folder = arena_copy(arena, part);
    char absolute[PATH_MAX];

    return arena_copy(arena, slice_text(realpath(folder.at, absolute) ? absolute : "/"));
}

struct slice conf_path(const struct conf_at *at, struct slice path)
{
    struct arena *arena = &at->maker->site->arena;
    struct slice part, rest = path;

    if (path.len && path.at[0] == '/')
        return arena_copy(arena, path);
    char *made = arena_take(arena, at->source->folder.len + path.len + 3);
    size_t len = slice_equal(at->source->folder, SLICE("/")) ? 0 : at->source->folder.len;
    memcpy(made, at->source->folder.at, len);
    while (slice_cut(&rest, '/', &part)) {
        if (part.len == 0 || slice_equal(part, SLICE(".")))
            continue;
        if (slice_equal(part, SLICE(".."))) {
            while (len > 0 && made[--len] != '/') {}
            continue;
        }
        made[len++] = '/';
        memcpy(made + len, part.at, part.len);
        len += part.len;
    }
    if (len == 0)
        made[len++] = '/';
    made[len] = '\0';
    return slice_of(made, len);
}

/* --- one file ------------------------------------------------------------------------------------------ */

static struct conf_source *source_new(struct conf_maker *maker, const struct conf_source *parent,
                                      struct slice name)
{
    struct conf_source *source = arena_take(&maker->scratch, sizeof *source);

    source->name = arena_copy(&maker->scratch, name);
    source->folder = folder_of(&maker->scratch, name);
    source->parent = parent;
    source->number = maker->source_count++;
    source->depth = parent ? parent->depth + 1 : 0;
    return source;
}

static unsigned line_of(struct slice text, size_t at)
{
    unsigned line = 1;

    for (size_t i = 0; i < at; i++)
        line += text.at[i] == '\n';
    return line;
}

static void source_read(struct conf_maker *maker, const struct conf_source *source, struct slice text,
                        const struct conf_walk *walk)
{
    struct conf_text conf;
    const size_t nul = slice_find(text, '\0');

    digest_openssl()->add(maker->digest, text);
    if (nul != SLICE_NOT_FOUND) {
        /* One mistake says more than a hundred about each octet of a program or a picture. */
        conf_mistake(maker, (struct conf_place){source, line_of(text, nul)},
                     "the file holds a NUL octet: expected text in UTF-8");
        return;
    }
    if (!conf_text_parse(text, &maker->scratch, &conf))
        for (const struct conf_error *error = conf.errors; error; error = error->next)
            conf_garbled(maker, (struct conf_place){source, error->line}, error->text);
    if (conf.error_count > CONF_ERRORS_MAX)
        maker->report->mistakes.count += conf.error_count - CONF_ERRORS_MAX;
    conf_walk_nodes(maker, source, conf.first, walk);
}

/* --- include ------------------------------------------------------------------------------------------- */

static bool leads_back(const struct conf_source *source, const struct stat *status)
{
    for (; source; source = source->parent)
        if (source->inode && source->device == status->st_dev && source->inode == status->st_ino)
            return true;
    return false;
}

static void include_read(const struct conf_at *at, const struct conf_walk *walk, struct slice name)
{
    const struct slice path = conf_path(at, name), shown = conf_shown(at->maker, name);
    const struct conf_place place = conf_place_of(at);
    struct error error;
    struct stat status;
    struct slice text;

    if (conf_file_read(at->maker, path.at, CONF_SIZE_MAX, &text, &status, &error) < 0) {
        conf_mistake(at->maker, place, "include \"%.*s\": the file %s", SLICE_ARGS(shown), error.text);
        return;
    }
    if (leads_back(at->source, &status)) {
        conf_mistake(at->maker, place,
                     "include \"%.*s\" leads back to a file that is being read: expected another file",
                     SLICE_ARGS(shown));
        return;
    }
    /* Named as the first file was: by its folder where that was given, else alone. */
    const size_t slash = slice_find_last(at->source->name, '/');
    const struct slice folder = slash == SLICE_NOT_FOUND ? SLICE_NONE
                                                         : slice_head(at->source->name, slash + 1);
    const bool absolute = name.at[0] == '/';
    struct conf_source *source = source_new(at->maker, at->source,
                                            absolute ? name : arena_join(&at->maker->scratch, folder, name));
    source->device = status.st_dev;
    source->inode = status.st_ino;
    source_read(at->maker, source, text, walk);
}

void conf_include(const struct conf_at *at, const struct conf_walk *walk)
{
    const struct conf_node *node = at->node;

    if (node->value_count != 1 || node->block || node->values[0].text.len == 0)
        conf_mistake(at->maker, conf_place_of(at), "include wants one file: expected include FILE");
    else if (at->source->depth + 1 >= CONF_INCLUDE_DEPTH)
        conf_mistake(at->maker, conf_place_of(at),
                     "includes go too deep: expected at most %d files within each other", CONF_INCLUDE_DEPTH);
    else if (at->maker->source_count >= CONF_INCLUDE_FILES)
        conf_mistake(at->maker, conf_place_of(at), "there are too many includes: expected at most %d files",
                     CONF_INCLUDE_FILES);
    else
        include_read(at, walk, node->values[0].text);
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void maker_begin(struct conf_maker *maker, enum conf_care care, struct conf_report *report)
{
    *maker = (struct conf_maker){.report = report, .care = care, .site = site_new()};
    arena_init(&maker->scratch, NULL, 0);
    table_init(&maker->firsts, 0); /* the administrator chooses the keys */
    maker->digest = digest_openssl()->start(DIGEST_SHA256);
}

static void digest_finish(struct conf_maker *maker)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t octets[DIGEST_SIZE_MAX];
    char *text = arena_take(&maker->site->arena, 2 * sizeof octets + 1);

    digest_openssl()->finish(maker->digest, octets);
    maker->digest = NULL;
    for (size_t i = 0; i < sizeof octets; i++) {
        text[2 * i] = digits[octets[i] >> 4];
        text[2 * i + 1] = digits[octets[i] & 15];
    }
    maker->site->digest = slice_of(text, 2 * sizeof octets);
}

static struct networks networks_finish(struct conf_maker *maker, struct conf_list *list)
{
    struct networks networks;

    networks.items = conf_list_finish(list, &maker->site->arena, &networks.count);
    networks_sort(&networks);
    return networks;
}

static void listens_preset(struct conf_maker *maker)
{
    static const char *const presets[] = {"0.0.0.0:25", "[::]:25"};

    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        struct listen listen = {.optional = i > 0};
        const struct conf_place place = {maker->first_source, 0};
        (void)address_port_parse(slice_text(presets[i]), 0, &listen.address);
        conf_list_add(&maker->listens, &listen, sizeof listen);
        conf_list_add(&maker->listen_places, &place, sizeof place);
    }
}

static void host_name_preset(struct site *site)
{
    char name[HOST_NAME_MAX + 1];

    if (site->set.host_name.len == 0)
        site->set.host_name = arena_copy(
            &site->arena, slice_text(gethostname(name, sizeof name) == 0 ? name : "localhost"));
}

/* Lists become arrays; from here on pointers into them hold. */
static void site_finish(struct conf_maker *maker)
{
    struct site *site = maker->site;

    if (maker->listens.count == 0)
        listens_preset(maker);
    site->listens = conf_list_finish(&maker->listens, &site->arena, &site->listen_count);
    site->certificates = conf_list_finish(&maker->certificates, &site->arena, &site->certificate_count);
    site->routes = conf_list_finish(&maker->routes, &site->arena, &site->route_count);
    site->banner = conf_list_finish(&maker->banner, &site->arena, &site->banner_count);
    site->own = networks_finish(maker, &maker->own);
    site->xclient = networks_finish(maker, &maker->xclient);
    site->bare_newline = networks_finish(maker, &maker->bare_newline);
    site->trusted = networks_finish(maker, &maker->trusted);
    site->overrides = conf_list_finish(&maker->overrides, &site->arena, &site->override_count);
    overrides_note(site);
    site->blocklists = conf_list_finish(&maker->blocklists, &site->arena, &site->blocklist_count);
    site->origin_files = conf_list_finish(&maker->origin_files, &site->arena, &site->origin_file_count);
    for (size_t i = 0; i < site->route_count; i++) {
        site->routes[i].number = (uint16_t)i;
        for (size_t n = 0; n < site->routes[i].domain_count; n++)
            (void)site_add_domain(site, &site->routes[i], site->routes[i].domains[n]);
    }
    host_name_preset(site);
    digest_finish(maker);
}

static void maker_end(struct conf_maker *maker)
{
    digest_openssl()->drop(maker->digest);
    buf_drop(&maker->listen_places.buf);
    buf_drop(&maker->route_places.buf);
    table_drop(&maker->firsts);
    arena_drop(&maker->scratch);
}

static struct site *site_make(struct conf_maker *maker, struct conf_source *source, struct slice text)
{
    const struct conf_walk walk = {&conf_site_words, maker, ++maker->block_count};

    maker->first_source = source;
    source_read(maker, source, text, &walk);
    site_finish(maker);
    conf_judge(maker);
    if (maker->report->mistakes.count == 0)
        return maker->site;
    maker->report->warnings = (struct conf_notes){0};
    site_free(maker->site);
    return NULL;
}

struct site *conf_load_text(struct slice text, const char *file, enum conf_care care,
                            struct conf_report *report)
{
    struct conf_maker maker;

    maker_begin(&maker, care, report);
    struct conf_source *source = source_new(&maker, NULL, slice_text(file));
    maker.site->file = arena_copy(&maker.site->arena, slice_text(file));
    struct site *site = site_make(&maker, source, text);
    maker_end(&maker);
    return site;
}

static struct site *load(struct conf_maker *maker, const char *file)
{
    struct conf_source *source = source_new(maker, NULL, slice_text(file));
    char absolute[PATH_MAX];
    struct error error;
    struct stat status;
    struct slice text;

    if (conf_file_read(maker, file, CONF_SIZE_MAX, &text, &status, &error) < 0) {
        conf_mistake(maker, (struct conf_place){source, 0}, "the configuration file %s", error.text);
        site_free(maker->site);
        return NULL;
    }
    source->device = status.st_dev;
    source->inode = status.st_ino;
    maker->site->file = arena_copy(&maker->site->arena,
                                   slice_text(realpath(file, absolute) ? absolute : file));
    return site_make(maker, source, text);
}

struct site *conf_load(const char *file, enum conf_care care, struct conf_report *report)
{
    struct conf_maker maker;

    maker_begin(&maker, care, report);
    struct site *site = load(&maker, file);
    maker_end(&maker);
    return site;
}
