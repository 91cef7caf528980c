/* export.FORM FILE: whether the keeper can write the files that are named. */
#include "daemon/conf_make.h"

#include "daemon/guard.h"
#include "daemon/keeper_exports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct named {
    enum export_form form;
    struct slice path;
    struct conf_place place;
};

static struct conf_place place_of(struct conf_maker *maker, enum export_form form)
{
    char name[32];
    const int len = snprintf(name, sizeof name, "export.%s", export_form_word(form));
    const struct conf_place *place = conf_find(maker, 0, "", slice_of(name, (size_t)len));

    return place ? *place : (struct conf_place){maker->first_source, 0};
}

/* Each is written under its name with .new behind it first. */
static bool collide(struct slice one, struct slice other)
{
    return slice_equal(one, other) ||
           (slice_starts(other, one) && slice_equal(slice_from(other, one.len), SLICE(".new")));
}

static void judge_names(struct conf_maker *maker, const struct named *named, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (collide(named[i].path, named[k].path) || collide(named[k].path, named[i].path))
                conf_mistake(maker, named[i].place,
                             "export.%s and export.%s would be written over each other: expected two names",
                             export_form_word(named[k].form), export_form_word(named[i].form));
}

/* The user as which the keeper runs; false: whoever asks now. */
static bool user_find(const struct site *site, struct guard_user *ret_user)
{
    struct error error;

    return geteuid() == 0 && guard_user_find(site->set.user, site->set.group, ret_user, &error) == 0;
}

/* By its mode alone: the user has no other groups. */
static bool may_write(const struct guard_user *user, const struct stat *status)
{
    const mode_t both = S_IWOTH | S_IXOTH;
    const mode_t mode = user->uid == status->st_uid   ? status->st_mode >> 6
                        : user->gid == status->st_gid ? status->st_mode >> 3
                                                      : status->st_mode;

    return user->uid == 0 || (mode & both) == both;
}

/* NULL: it can be written there. */
static const char *folder_problem(const struct site *site, const char *folder)
{
    struct guard_user user;
    struct stat status;

    if (stat(folder, &status) < 0)
        return strerror(errno);
    if (!S_ISDIR(status.st_mode))
        return strerror(ENOTDIR);
    if (user_find(site, &user))
        return may_write(&user, &status) ? NULL : "the user of the gate may not write there";
    return access(folder, W_OK | X_OK) < 0 ? strerror(errno) : NULL;
}

/* Mail goes on without it. The state directory is made at the start, and is not there before. */
static void judge_folder(struct conf_maker *maker, const struct named *named)
{
    const struct site *site = maker->site;
    const size_t slash = slice_find_last(named->path, '/');
    const struct slice folder = arena_copy(&maker->scratch, slice_head(named->path, slash ? slash : 1));
    struct stat status;

    if (slice_equal(folder, site->set.state_directory))
        return;
    const char *problem = folder_problem(site, folder.at);
    if (!problem && stat(named->path.at, &status) == 0 && S_ISDIR(status.st_mode))
        problem = strerror(EISDIR);
    if (problem)
        conf_warning(maker, named->place,
                     "export.%s cannot be written in %.*s: %s; it is tried again and again",
                     export_form_word(named->form), SLICE_ARGS(conf_shown(maker, folder)), problem);
}

void conf_judge_exports(struct conf_maker *maker)
{
    struct named named[EXPORT_FORM_COUNT];
    size_t count = 0;

    for (int form = 0; form < EXPORT_FORM_COUNT; form++) {
        const struct slice path = keeper_exports_file(maker->site, (enum export_form)form, &maker->scratch);
        if (path.len)
            named[count++] = (struct named){(enum export_form)form, path,
                                            place_of(maker, (enum export_form)form)};
    }
    judge_names(maker, named, count);
    for (size_t i = 0; i < count && maker->care == CONF_CARE_FILES; i++)
        judge_folder(maker, &named[i]);
}
