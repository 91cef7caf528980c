#include "io/origin_file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <maxminddb.h>

struct origin_file {
    MMDB_s database;
};

/* --- its life ------------------------------------------------------------------------------------------ */

/* libmaxminddb would wait for ever at the end of a pipe. */
static int is_regular(const char *file, struct error *error)
{
    struct stat status;
    if (stat(file, &status) < 0)
        return error_set(error, errno, "cannot be read");
    if (!S_ISREG(status.st_mode))
        return error_set(error, 0, "is no regular file");
    return 0;
}

struct origin_file *origin_file_open(const char *file, struct error *error)
{
    if (is_regular(file, error) < 0)
        return NULL;
    struct origin_file *opened = memory_take(sizeof *opened);
    const int result = MMDB_open(file, MMDB_MODE_MMAP, &opened->database);
    if (result == MMDB_SUCCESS)
        return opened;
    if (result == MMDB_FILE_OPEN_ERROR || result == MMDB_IO_ERROR)
        error_set(error, errno, "cannot be read");
    else
        error_set(error, 0, "is no file in MaxMind's format, or is broken");
    memory_give(opened, sizeof *opened);
    return NULL;
}

void origin_file_close(struct origin_file *file)
{
    if (!file)
        return;
    MMDB_close(&file->database);
    memory_give(file, sizeof *file);
}

/* --- fields -------------------------------------------------------------------------------------------- */

static void enter_number(struct origin *origin, const MMDB_entry_data_s *data, struct arena *arena)
{
    uint64_t number = 0;
    (void)arena;
    switch (data->type) {
    case MMDB_DATA_TYPE_UINT16: number = data->uint16; break;
    case MMDB_DATA_TYPE_UINT32: number = data->uint32; break;
    case MMDB_DATA_TYPE_UINT64: number = data->uint64; break;
    case MMDB_DATA_TYPE_UTF8_STRING: {
        const struct slice text = slice_of(data->utf8_string, data->data_size);
        if (!text_parse_u64(slice_from(text, slice_starts_fold(text, SLICE("AS")) ? 2 : 0), &number))
            return;
        break;
    }
    default: return;
    }
    if (!origin->as_count)
        origin_add_as(origin, number);
}

static struct slice text_of(const MMDB_entry_data_s *data)
{
    return data->type == MMDB_DATA_TYPE_UTF8_STRING ? slice_of(data->utf8_string, data->data_size)
                                                    : SLICE_NONE;
}

static void enter_name(struct origin *origin, const MMDB_entry_data_s *data, struct arena *arena)
{
    origin_set_name(origin, text_of(data), arena);
}

static void enter_country(struct origin *origin, const MMDB_entry_data_s *data, struct arena *arena)
{
    (void)arena;
    origin_set_country(origin, text_of(data));
}

static void enter_country_name(struct origin *origin, const MMDB_entry_data_s *data, struct arena *arena)
{
    origin_set_country_name(origin, text_of(data), arena);
}

/* In this order: what was entered first stays. */
static const struct {
    const char *path[4];
    void (*enter)(struct origin *origin, const MMDB_entry_data_s *data, struct arena *arena);
} fields[] = {
    {{"autonomous_system_number"}, enter_number},
    {{"asn"}, enter_number},
    {{"autonomous_system_organization"}, enter_name},
    {{"as_name"}, enter_name},
    {{"isp"}, enter_name},
    {{"organization"}, enter_name},
    {{"country", "iso_code"}, enter_country},
    {{"country", "names", "en"}, enter_country_name},
    {{"registered_country", "iso_code"}, enter_country},
    {{"registered_country", "names", "en"}, enter_country_name},
    {{"country_code"}, enter_country},
    {{"country"}, enter_country_name},
};

static bool is_entered(const struct origin *origin, size_t field)
{
    if (fields[field].enter == enter_number)
        return origin->as_count;
    if (fields[field].enter == enter_name)
        return origin->name.len;
    if (fields[field].enter == enter_country)
        return origin->country[0];
    return origin->country_name.len;
}

/* What is not there is no error, nor what is there in another form. */
static int fields_enter(MMDB_entry_s *entry, struct arena *arena, struct origin *origin)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        MMDB_entry_data_s data;
        if (is_entered(origin, i))
            continue;
        const int result = MMDB_aget_value(entry, &data, fields[i].path);
        if (result == MMDB_SUCCESS && data.has_data)
            fields[i].enter(origin, &data, arena);
        else if (result != MMDB_SUCCESS && result != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
            return result;
    }
    return MMDB_SUCCESS;
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

static void merge(struct origin *origin, const struct origin *said, const struct prefix *netblock)
{
    struct origin merged = *said;
    if (origin->as_count) {
        memcpy(merged.as, origin->as, sizeof merged.as);
        merged.as_count = origin->as_count;
    }
    if (origin->name.len)
        merged.name = origin->name;
    if (origin->country[0])
        memcpy(merged.country, origin->country, sizeof merged.country);
    if (origin->country_name.len)
        merged.country_name = origin->country_name;
    const bool numbers = said->as_count && !origin->as_count;
    const bool blank = origin->netblock.network.family == ADDRESS_NONE;
    merged.netblock = numbers || blank ? *netblock : origin->netblock;
    *origin = merged;
}

const char *origin_file_look(const struct origin_file *file, const struct address *address,
                             struct arena *arena, struct origin *origin)
{
    struct origin said = {.as_count = 0};
    int result;
    MMDB_lookup_result_s found = look_up(file, address, &result);
    if (result == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR || (result == MMDB_SUCCESS && !found.found_entry))
        return NULL;
    if (result == MMDB_SUCCESS)
        result = fields_enter(&found.entry, arena, &said);
    if (result != MMDB_SUCCESS)
        return MMDB_strerror(result);
    const struct prefix netblock = netblock_of(file, address, found.netmask);
    if (!origin_is_empty(&said))
        merge(origin, &said, &netblock);
    return NULL;
}
