/* origin.file FILE …: files in MaxMind's format that know where addresses belong in the net. */
#include "daemon/conf_make.h"

#include "io/origin.h"

/* A gate does without a file that it cannot use, so that is no mistake. */
static void file_check(const struct conf_at *at, size_t index, struct slice file)
{
    const struct slice shown = conf_shown(at->maker, at->node->values[index].text);
    struct error error;

    if (at->maker->care == CONF_CARE_FILES && origin_file_check(file.at, &error) < 0)
        conf_warning(at->maker, conf_place_of_value(at, index),
                     "origin.file \"%.*s\": the file %s; the gates go on without it", SLICE_ARGS(shown),
                     error.text);
}

void conf_origin_read(const struct conf_at *at)
{
    struct conf_maker *maker = at->maker;

    for (size_t i = 0; i < at->node->value_count; i++) {
        if (!at->node->values[i].text.len) {
            conf_bad_value(at, i, "a file in MaxMind's format");
            continue;
        }
        const struct slice file = conf_path(at, at->node->values[i].text);
        if (!conf_is_first(at, "origin.file", file))
            continue;
        if (maker->origin_files.count == ORIGIN_FILES_MAX) {
            conf_mistake(maker, conf_place_of_value(at, i),
                         "there are too many files of origins: expected at most %d", ORIGIN_FILES_MAX);
            return;
        }
        conf_list_add(&maker->origin_files, &file, sizeof file);
        file_check(at, i, file);
    }
}
