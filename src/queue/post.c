#include "queue/post.h"

#include "queue/segment.h"
#include "queue/waiting.h"

#include <stdio.h>

static int path_of(const char *spool, const char *folder, const struct post *post, const char *suffix,
                   char path[FILES_PATH_MAX], struct error *error)
{
    char id[QUEUE_ID_SIZE], name[QUEUE_ID_SIZE + 32];

    queue_id_print(post->session, 0, id);
    (void)snprintf(name, sizeof name, "%s/%s%s", folder, id, suffix);
    return files_join(path, spool, name, error);
}

static bool is_there(struct files *files, const char *spool, const char *folder, const struct post *post)
{
    struct files_status status;
    char path[FILES_PATH_MAX];

    return path_of(spool, folder, post, MESSAGE_SUFFIX, path, NULL) == 0 &&
           files->status(files, path, &status, NULL) == 0;
}

static int write_file(struct files *files, const char *path, const struct post *post, struct error *error)
{
    struct recipient recipient = {.address = post->to};
    const struct transaction transaction = {.session = post->session,
                                            .sender = post->sender,
                                            .recipients = &recipient,
                                            .recipient_count = 1,
                                            .body = BODY_7BIT,
                                            .octets = post->content.len,
                                            .received_unix_ms = post->now_unix_ms,
                                            .esmtp = true};
    const struct schedule schedule = {.next_unix_ms = post->now_unix_ms};
    const struct waiting_new new = {.path = path,
                                    .mark = post->mark,
                                    .transaction = &transaction,
                                    .before = post->content,
                                    .schedule = &schedule};
    return waiting_write(files, &new, error);
}

int post_message(struct files *files, const char *spool, const struct post *post, struct error *error)
{
    char temporary[FILES_PATH_MAX], path[FILES_PATH_MAX], folder[FILES_PATH_MAX];

    if (path_of(spool, "incoming", post, TEMP_SUFFIX, temporary, error) < 0 ||
        path_of(spool, "incoming", post, MESSAGE_SUFFIX, path, error) < 0 ||
        files_join(folder, spool, "incoming", error) < 0)
        return -1;
    if (is_there(files, spool, "incoming", post) || is_there(files, spool, "queue", post))
        return files->sync_folder(files, folder, error);
    if (write_file(files, temporary, post, error) < 0)
        return -1;
    if (files->rename(files, temporary, path, error) < 0) {
        (void)files->remove(files, temporary, NULL);
        return -1;
    }
    return files->sync_folder(files, folder, error);
}
