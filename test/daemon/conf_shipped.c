/* The configurations that come with the program are right: postern.conf names each setting with its default
 * and holds nothing that is unknown, switched on or off; demo.conf serves what the guide says. */
#include "loaded.h"

#include "wire/conf_text.h"

#include <stdio.h>
#include <string.h>

static const char *folder; /* etc of the source */

static struct slice read_file(struct buf *buf, const char *name)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    buf_init(buf, 1u << 20);
    size_t len;
    do {
        char *room = buf_room(buf, 4096);
        assert_non_null(room);
        len = fread(room, 1, 4096, file);
        buf_grow(buf, len);
    } while (len);
    assert_int_equal(fclose(file), 0);
    return buf_slice(buf);
}

/* All that is switched off by a # right before it is switched on; `#include` stays off, for there is no such
 * file. */
static struct slice switch_on(struct buf *buf, struct slice text)
{
    struct slice line;

    buf_init(buf, 1u << 20);
    while (slice_cut(&text, '\n', &line)) {
        const bool off = line.len > 1 && line.at[0] == '#' &&
                         (line.at[1] != ' ' || slice_starts(line, SLICE("#    ")));
        if (off && !slice_starts(line, SLICE("#include")))
            line = slice_from(line, 1);
        assert_true(buf_add(buf, line) && buf_add_octet(buf, '\n'));
    }
    return buf_slice(buf);
}

static void test_each_setting_stands_there(void **state)
{
    struct buf file, on;
    struct arena arena;
    struct conf_text conf;
    struct site *presets = site_new();

    (void)state;
    arena_init(&arena, NULL, 0);
    assert_true(conf_text_parse(switch_on(&on, read_file(&file, "postern.conf")), &arena, &conf));
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_info *info = &setting_infos[i];
        unsigned count = 0;
        for (const struct conf_node *node = conf.first; node; node = node->next) {
            if (!slice_equal(node->name, slice_text(info->name)))
                continue;
            struct settings set = presets->set;
            struct slice expected;
            count++;
            assert_int_equal(node->value_count, 1);
            assert_true(setting_set(&set, info, node->values[0].text, &arena, &expected));
            if (!slice_equal(setting_print(&set, info, &arena), setting_print(&presets->set, info, &arena)))
                fail_msg("%s has another default than the program", info->name);
        }
        if (count != 1)
            fail_msg("%s stands there %u times", info->name, count);
    }
    arena_drop(&arena);
    site_free(presets);
    buf_drop(&file);
    buf_drop(&on);
}

static void test_all_switched_on_is_right(void **state)
{
    struct buf file, on;

    (void)state;
    struct loaded loaded = load(switch_on(&on, read_file(&file, "postern.conf")), CONF_CARE_TEXT);
    if (!loaded.site)
        fail_msg("%.*s", SLICE_ARGS(buf_slice(&loaded.mistakes)));
    assert_int_equal(loaded.site->route_count, 4);
    assert_int_equal(loaded.site->listen_count, 2);
    assert_int_equal(loaded.site->certificate_count, 1);
    assert_int_equal(loaded.site->banner_count, 3);
    assert_true(loaded.site->own.count > 0 && loaded.site->xclient.count > 0 &&
                loaded.site->bare_newline.count > 0);
    drop(&loaded);
    buf_drop(&file);
    buf_drop(&on);
}

static void test_as_shipped_nothing_is_set(void **state)
{
    struct buf file;

    (void)state;
    struct loaded loaded = load(read_file(&file, "postern.conf"), CONF_CARE_TEXT),
                  empty = load(SLICE_NONE, CONF_CARE_TEXT);
    assert_non_null(loaded.site);
    for (size_t i = 0; i < setting_count; i++)
        assert_true(slice_equal(setting_print(&loaded.site->set, &setting_infos[i], &loaded.site->arena),
                                setting_print(&empty.site->set, &setting_infos[i], &empty.site->arena)));
    assert_int_equal(loaded.site->route_count, 0);
    drop(&loaded);
    drop(&empty);
    buf_drop(&file);
}

static void test_demo(void **state)
{
    struct conf_report report;
    char path[1024];

    (void)state;
    snprintf(path, sizeof path, "%s/demo.conf", folder);
    conf_report_init(&report);
    struct site *site = conf_load(path, CONF_CARE_FILES, &report);
    if (!site)
        fail_msg("%.*s", SLICE_ARGS(report.mistakes.first->text));
    assert_slice_equal(site->set.host_name, "mx.demo.example");
    assert_true(slice_ends_fold(site->set.state_directory, SLICE("/var")));
    assert_int_equal(slice_find_slice(site->set.state_directory, SLICE("..")), SLICE_NOT_FOUND);
    assert_int_equal(site->banner_count, 3);
    for (size_t i = 0; i < site->listen_count; i++)
        assert_true(address_is_loopback(&site->listens[i].address) && site->listens[i].address.port == 2525);
    assert_int_equal(site->own.count, 0);
    assert_null(site_route(site, SLICE("elsewhere.example"), true));
    assert_int_equal(site_route(site, SLICE("demo.example"), false)->mailbox_count, 4);
    assert_ptr_equal(site_route(site, SLICE("hypertouch.com"), false),
                     site_route(site, SLICE("demo.example"), false));
    /* the only thing to say against it is that its notifications stay here */
    assert_int_equal(report.warnings.count, 1);
    assert_true(
        slice_starts(report.warnings.first->text, SLICE("notifications about mail for demo.example cannot")));
    site_free(site);
    conf_report_drop(&report);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_setting_stands_there),
        cmocka_unit_test(test_all_switched_on_is_right),
        cmocka_unit_test(test_as_shipped_nothing_is_set),
        cmocka_unit_test(test_demo),
    };

    if (argc < 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
