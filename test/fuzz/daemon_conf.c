/* Whatever a configuration says: it is refused with mistakes or becomes a site that is whole, its words
 * cannot steer a terminal, saying it again gives the same, and nothing of it is left behind. */
#include "daemon/conf.h"
#include "property.h"

static void notes_are_sound(const struct conf_notes *notes, struct buf *buf)
{
    const struct conf_note *before = NULL;
    size_t count = 0;

    for (const struct conf_note *note = notes->first; note; note = note->next, count++) {
        assert(note->text.len > 0 && note->file.len > 0);
        assert(!before || before->order < note->order ||
               (before->order == note->order && before->line <= note->line));
        before = note;
    }
    assert(count <= notes->count && count <= CONF_NOTES_MAX); /* the grammar keeps fewer of its own */
    conf_notes_print(notes, buf);
    for (size_t i = 0; i < buf->len; i++)
        assert((unsigned char)buf->at[i] >= 0x20 || buf->at[i] == '\n');
}

static void route_is_sound(const struct site *site, const struct route *route)
{
    assert(route->domain_count > 0);
    assert(route == &site->routes[route->number]);
    assert(route->kind == ROUTE_MAILDIR ? route->maildir.len && route->maildir.at[0] == '/'
                                        : route->target_count > 0);
    for (size_t i = 0; i < route->domain_count; i++)
        assert(table_get(&site->routes_by_domain, route->domains[i]) == route);
    for (size_t i = 0; i < route->target_count; i++)
        assert(route->targets[i].host.len > 0 && (route->targets[i].is_unix || route->targets[i].port > 0));
}

static void site_is_sound(const struct site *site)
{
    assert(site->listen_count > 0 && site->set.host_name.len > 0 && site->digest.len == 64);
    for (size_t i = 0; i < site->route_count; i++)
        route_is_sound(site, &site->routes[i]);
    for (size_t i = 0; i < site->listen_count; i++)
        assert(site->listens[i].address.port > 0);
    for (size_t i = 0; i < site->own.count; i++)
        assert(networks_contain(&site->own, &site->own.items[i].network));
    /* nobody but our own networks may send anywhere */
    assert(!site_route(site, SLICE("*"), false));
}

static void load(struct slice text, struct buf *ret_said)
{
    struct conf_report report;

    conf_report_init(&report);
    buf_init(ret_said, 1u << 20);
    struct site *site = conf_load_text(text, "/no-such-folder/f.conf", CONF_CARE_TEXT, &report);
    assert((site == NULL) == (report.mistakes.count > 0));
    assert(site || report.warnings.count == 0);
    notes_are_sound(&report.mistakes, ret_said);
    notes_are_sound(&report.warnings, ret_said);
    if (site)
        site_is_sound(site);
    site_free(site);
    conf_report_drop(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice text = slice_of((const char *)octets, len);
    const size_t before = memory_in_use();
    struct buf said, again;

    load(text, &said);
    load(text, &again);
    assert(slice_equal(buf_slice(&said), buf_slice(&again)));
    buf_drop(&said);
    buf_drop(&again);
    assert(memory_in_use() == before);
    return 0;
}
