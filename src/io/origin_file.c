#include "io/origin_file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <maxminddb.h>

struct origin_file {
    MMDB_s database;
    int fd;             /* of the same file, to see whether it is as it was */
    struct stat status; /* when it was opened */
    uint64_t seen_ms;   /* when it was last seen to be so */
    bool changed;
};

#define SEEN_MS 10 /* to look at each question would cost as much as the answer */

/* --- its life ------------------------------------------------------------------------------------------ */

/* libmaxminddb would wait for ever at the end of a pipe. */
static int regular_open(const char *file, struct stat *ret_status, struct error *error)
{
    const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, errno, "cannot be read");
    if (fstat(fd, ret_status) == 0 && S_ISREG(ret_status->st_mode))
        return fd;
    (void)close(fd);
    return error_set(error, 0, "is no regular file");
}

struct origin_file *origin_file_open(const char *file, struct error *error)
{
    struct stat status;
    const int fd = regular_open(file, &status, error);
    if (fd < 0)
        return NULL;
    struct origin_file *opened = memory_take(sizeof *opened);
    opened->fd = fd;
    opened->status = status;
    if (MMDB_open(file, MMDB_MODE_MMAP, &opened->database) == MMDB_SUCCESS)
        return opened;
    error_set(error, 0, "is no file in MaxMind's format, or is broken");
    (void)close(fd);
    memory_give(opened, sizeof *opened);
    return NULL;
}

void origin_file_close(struct origin_file *file)
{
    if (!file)
        return;
    MMDB_close(&file->database);
    (void)close(file->fd);
    memory_give(file, sizeof *file);
}

static uint64_t coarse_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What was cut short in its place is mapped no more: to read there would end the process. */
static bool is_as_it_was(struct origin_file *file)
{
    const struct stat *then = &file->status;
    const uint64_t now_ms = coarse_ms();
    struct stat now;
    if (file->changed || now_ms < file->seen_ms + SEEN_MS)
        return !file->changed;
    file->changed = fstat(file->fd, &now) < 0 || now.st_size != then->st_size ||
                    now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
                    now.st_mtim.tv_nsec != then->st_mtim.tv_nsec;
    file->seen_ms = now_ms;
    return !file->changed;
}

/* --- fields -------------------------------------------------------------------------------------------- */

/* One map of a record, or a map within it. What was found is counted, so that nothing is looked for in vain
 * once all is found: that is what takes time. */
struct map {
    MMDB_entry_s entry;
    uint32_t left; /* fields that were not found yet */
    int trouble;   /* what is wrong with the file, an MMDB_ number */
};

static bool map_get(struct map *map, const char *name, MMDB_entry_data_s *ret_data)
{
    const char *const path[] = {name, NULL};
    if (!map->left || map->trouble != MMDB_SUCCESS)
        return false;
    const int result = MMDB_aget_value(&map->entry, ret_data, path);
    if (result == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) /* it is not there */
        return false;
    map->trouble = result;
    if (result != MMDB_SUCCESS || !ret_data->has_data)
        return false;
    map->left--;
    return true;
}

static bool map_text(struct map *map, const char *name, struct slice *ret_text)
{
    MMDB_entry_data_s data;
    if (!map_get(map, name, &data) || data.type != MMDB_DATA_TYPE_UTF8_STRING)
        return false;
    *ret_text = slice_of(data.utf8_string, data.data_size);
    return true;
}

static struct map map_of(const struct map *whole, const MMDB_entry_data_s *data)
{
    return (struct map){.entry = {whole->entry.mmdb, data->offset}, .left = data->data_size};
}

static bool map_within(struct map *map, const char *name, struct map *ret_within)
{
    MMDB_entry_data_s data;
    if (!map_get(map, name, &data) || data.type != MMDB_DATA_TYPE_MAP)
        return false;
    *ret_within = map_of(map, &data);
    return true;
}

/* What went wrong within it is the whole's trouble. */
static void map_end(struct map *whole, const struct map *within)
{
    if (whole->trouble == MMDB_SUCCESS)
        whole->trouble = within->trouble;
}

/* A number, or text such as "AS64500". */
static void number_enter(struct map *map, const char *name, struct origin *origin)
{
    MMDB_entry_data_s data;
    uint64_t number = 0;
    if (origin->as_count || !map_get(map, name, &data))
        return;
    if (data.type == MMDB_DATA_TYPE_UINT32)
        number = data.uint32;
    else if (data.type == MMDB_DATA_TYPE_UINT16)
        number = data.uint16;
    else if (data.type == MMDB_DATA_TYPE_UINT64)
        number = data.uint64;
    else if (data.type == MMDB_DATA_TYPE_UTF8_STRING) {
        const struct slice text = slice_of(data.utf8_string, data.data_size);
        const size_t letters = slice_starts_fold(text, SLICE("AS")) ? 2 : 0;
        if (!text_parse_u64(slice_from(text, letters), &number))
            return;
    }
    origin_add_as(origin, number);
}

static void name_enter(struct map *map, const char *name, struct arena *arena, struct origin *origin)
{
    struct slice text;
    if (!origin->name.len && map_text(map, name, &text))
        origin_set_name(origin, text, arena);
}

/* Providers stand beside the number of their AS. */
static void provider_enter(struct map *map, struct arena *arena, struct origin *origin)
{
    number_enter(map, "autonomous_system_number", origin);
    name_enter(map, "autonomous_system_organization", arena, origin);
    if (!origin->as_count)
        return;
    name_enter(map, "isp", arena, origin);
    name_enter(map, "organization", arena, origin);
}

/* { "iso_code": "NZ", "names": { "en": "New Zealand" } } */
static void country_enter(struct map *country, struct arena *arena, struct origin *origin)
{
    struct map names;
    struct slice text;
    if (map_text(country, "iso_code", &text))
        origin_set_country(origin, text);
    if (!map_within(country, "names", &names))
        return;
    if (map_text(&names, "en", &text))
        origin_set_country_name(origin, text, arena);
    map_end(country, &names);
}

/* As others than MaxMind name them: texts, and no maps. */
static void texts_enter(struct map *record, struct arena *arena, struct origin *origin)
{
    struct slice text;
    number_enter(record, "asn", origin);
    name_enter(record, "as_name", arena, origin);
    if (!origin->country[0] && map_text(record, "country_code", &text))
        origin_set_country(origin, text);
}

static void within_enter(struct map *record, const char *name, struct arena *arena, struct origin *origin,
                         void (*enter)(struct map *map, struct arena *arena, struct origin *origin))
{
    struct map within;
    if (!map_within(record, name, &within))
        return;
    enter(&within, arena, origin);
    map_end(record, &within);
}

/* False: the country is no map. */
static bool country_find(struct map *record, struct arena *arena, struct origin *origin)
{
    MMDB_entry_data_s data;
    if (!map_get(record, "country", &data))
        return false;
    if (data.type == MMDB_DATA_TYPE_UTF8_STRING)
        origin_set_country_name(origin, slice_of(data.utf8_string, data.data_size), arena);
    if (data.type != MMDB_DATA_TYPE_MAP)
        return false;
    struct map country = map_of(record, &data);
    country_enter(&country, arena, origin);
    map_end(record, &country);
    return true;
}

static int record_enter(MMDB_entry_s *entry, struct arena *arena, struct origin *origin)
{
    static const char *const itself[] = {NULL};
    struct map record = {.entry = *entry};
    MMDB_entry_data_s data;
    bool maps = false;
    record.trouble = MMDB_aget_value(entry, &data, itself);
    if (record.trouble != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_MAP)
        return record.trouble;
    record.left = data.data_size;
    if (!origin->country[0] || !origin->country_name.len)
        maps = country_find(&record, arena, origin);
    if (maps) /* few of these have providers, and all of them with the number */
        number_enter(&record, "autonomous_system_number", origin);
    if (!maps || origin->as_count)
        provider_enter(&record, arena, origin);
    if (!maps)
        texts_enter(&record, arena, origin);
    if (!origin->country[0])
        within_enter(&record, "registered_country", arena, origin, country_enter);
    if (!origin->as_count && !origin->name.len)
        within_enter(&record, "traits", arena, origin, provider_enter);
    return record.trouble;
}

/* --- addresses ----------------------------------------------------------------------------------------- */

static MMDB_lookup_result_s look_up(const struct origin_file *file, const struct address *address,
                                    int *ret_result)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    if (address->family == ADDRESS_IPV4) {
        memcpy(&four.sin_addr, address->octets, 4);
        return MMDB_lookup_sockaddr(&file->database, (const struct sockaddr *)&four, ret_result);
    }
    memcpy(&six.sin6_addr, address->octets, 16);
    return MMDB_lookup_sockaddr(&file->database, (const struct sockaddr *)&six, ret_result);
}

/* In a file of both families the bits of an IPv4 address are counted from the front of the IPv6 form. A block
 * wider than all of IPv4 says nothing. */
static struct prefix netblock_of(const struct origin_file *file, const struct address *address, unsigned bits)
{
    const unsigned before = address->family == ADDRESS_IPV4 && file->database.metadata.ip_version == 6 ? 96
                                                                                                       : 0;
    if (bits <= before)
        return (struct prefix){.bits = 0};
    return (struct prefix){address_network(address, bits - before), (uint8_t)(bits - before)};
}

const char *origin_file_look(struct origin_file *file, const struct address *address, struct arena *arena,
                             struct origin *origin)
{
    struct origin more = *origin;
    int result;
    if (!is_as_it_was(file))
        return "the file was changed in its place; a reload reads it again";
    MMDB_lookup_result_s found = look_up(file, address, &result);
    if (result == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR || (result == MMDB_SUCCESS && !found.found_entry))
        return NULL;
    if (result == MMDB_SUCCESS)
        result = record_enter(&found.entry, arena, &more);
    if (result != MMDB_SUCCESS)
        return MMDB_strerror(result);
    const bool numbers = more.as_count && !origin->as_count;
    if (numbers || (origin_is_empty(origin) && !origin_is_empty(&more)))
        more.netblock = netblock_of(file, address, found.netmask);
    *origin = more;
    return NULL;
}
