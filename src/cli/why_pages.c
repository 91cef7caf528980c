/* postern why --html: the replies as pages that a postmaster puts on a web server, for those who were
 * refused. What stands there is the catalogue and nothing else: neither settings nor names of this host. */
#include "cli/why.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_MAX        (1u << 20)
#define PATH_MAX_OCTETS 4096

static const char style_sheet[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1c1c1c;--dim:#5f6368;--rule:#dcdcdc;--link:#0b4db5;"
    "--mark:#fff3c4}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#16181b;--ink:#e6e6e6;--dim:#a3a7ad;--rule:#3a3d42;"
    "--link:#8ab8ff;--mark:#3b3418}}\n"
    "body{margin:0 auto;padding:1rem;max-width:46rem;background:var(--ground);color:var(--ink);"
    "font:1rem/1.5 system-ui,sans-serif}\n"
    "a{color:var(--link)}\nh1{font-size:1.4rem}\nh2{font-size:1.1rem;margin:2rem 0 .3rem;"
    "border-top:1px solid var(--rule);padding-top:1rem}\n"
    "h3{font-size:1rem;margin:.8rem 0 0}\np{margin:.2rem 0 .6rem}\n"
    "code{font:.95rem ui-monospace,monospace;overflow-wrap:anywhere}\n"
    ".kind,footer{color:var(--dim)}\nsection:target{background:var(--mark);padding:0 .6rem}\n"
    "ol{list-style:none;padding:0}\nli{margin:.15rem 0}\n";

struct page {
    struct buf buf;
    bool whole;
};

static void page_begin(struct page *page)
{
    buf_init(&page->buf, PAGE_MAX);
    page->whole = true;
}

static void put(struct page *page, const char *html)
{
    page->whole = buf_add(&page->buf, slice_text(html)) && page->whole;
}

static void put_number(struct page *page, unsigned number)
{
    page->whole = buf_add_format(&page->buf, "%u", number) && page->whole;
}

static void put_text(struct page *page, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        switch (text.at[i]) {
        case '&': put(page, "&amp;"); break;
        case '<': put(page, "&lt;"); break;
        case '>': put(page, "&gt;"); break;
        case '"': put(page, "&quot;"); break;
        default: page->whole = buf_add_octet(&page->buf, text.at[i]) && page->whole; break;
        }
}

static void put_head(struct page *page, const struct say_info *info)
{
    put(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
              "style-src 'unsafe-inline'\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    if (info) {
        put(page, "Reply #");
        put_number(page, info->number);
    } else {
        put(page, "Replies of this mail server");
    }
    put(page, "</title>\n<style>\n");
    put(page, style_sheet);
    put(page, "</style>\n</head>\n<body>\n");
}

static void put_foot(struct page *page)
{
    put(page,
        "<footer><p>If this does not help, write to the postmaster of the domain that your message was for, "
        "and quote the whole reply with its number and what stands in brackets behind it: it names the "
        "session. Mail to postmaster is taken unless the connection itself is refused.</p></footer>\n"
        "</body>\n</html>\n");
}

/* "550 5.7.1 we do not relay for <...>" */
static void put_reply_text(struct page *page, const struct say_info *info, struct arena *arena)
{
    put(page, "<code>");
    put_number(page, info->code);
    put(page, info->enhanced[0] ? " " : "");
    put(page, why_enhanced(info));
    put(page, " ");
    put_text(page, why_text(info, arena));
    put(page, "</code>");
}

static void put_part(struct page *page, const char *head, const char *text)
{
    put(page, "<h3>");
    put(page, head);
    put(page, "</h3>\n<p>");
    put_text(page, slice_text(text));
    put(page, "</p>\n");
}

static void put_reply(struct page *page, const struct say_info *info, struct arena *arena)
{
    put(page, "<section id=\"");
    put_number(page, info->number);
    put(page, "\">\n<h2>#");
    put_number(page, info->number);
    put(page, "</h2>\n<p>");
    put_reply_text(page, info, arena);
    put(page, "</p>\n<p class=\"kind\">");
    put_text(page, slice_text(why_kind(info->code)));
    put(page, "</p>\n");
    put_part(page, "What causes it", info->cause);
    put_part(page, "What you can do", info->remedy);
    put(page, "</section>\n");
}

/* Refusals first: who comes here was refused. */
static void put_list(struct page *page, bool files, struct arena *arena)
{
    static const struct {
        const char *head;
        unsigned low, high;
    } groups[] = {{"Refused for good", 500, 599}, {"Not now", 400, 499}, {"Taken", 200, 399}};

    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        put(page, "<h2>");
        put(page, groups[i].head);
        put(page, "</h2>\n<ol>\n");
        for (unsigned number = 0; number < SAY_LIMIT; number++) {
            const struct say_info *info = say_info(number);
            if (!info || info->code < groups[i].low || info->code > groups[i].high)
                continue;
            put(page, files ? "<li><a href=\"" : "<li><a href=\"#");
            put_number(page, number);
            put(page, files ? ".html\">#" : "\">#");
            put_number(page, number);
            put(page, "</a> ");
            put_reply_text(page, info, arena);
            put(page, "</li>\n");
        }
        put(page, "</ol>\n");
    }
}

/* `files`: the list alone, as each reply has a page of its own. */
static void page_all(struct page *page, bool files, struct arena *arena)
{
    page_begin(page);
    put_head(page, NULL);
    put(page,
        "<h1 id=\"index\">Replies of this mail server</h1>\n"
        "<p>A reply of this mail server ends in <code>#NUMBER (SESSION)</code>. Under the number stands what "
        "causes it, and what you can do about it.</p>\n");
    put_list(page, files, arena);
    for (unsigned number = 0; !files && number < SAY_LIMIT; number++)
        if (say_info(number))
            put_reply(page, say_info(number), arena);
    put_foot(page);
}

static void page_one(struct page *page, const struct say_info *info, struct arena *arena)
{
    page_begin(page);
    put_head(page, info);
    put(page, "<p><a href=\"index.html\">All replies of this mail server</a></p>\n");
    put_reply(page, info, arena);
    put_foot(page);
}

/* --- files --------------------------------------------------------------------------------------------- */

static int write_whole(int fd, struct slice octets)
{
    while (octets.len) {
        const ssize_t count = write(fd, octets.at, octets.len);
        if (count < 0)
            return -1;
        octets = slice_from(octets, (size_t)count);
    }
    return 0;
}

/* Beside it, and renamed: a web server never sees half a page. */
static int page_store(const struct cli *cli, struct page *page, const char *path)
{
    char beside[PATH_MAX_OCTETS + 8];
    const int len = snprintf(beside, sizeof beside, "%s.new", path);
    int status = CLI_OK;

    const int fd = len < (int)sizeof beside ? open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)
                                            : -1;
    if (fd < 0)
        return cli_fail(cli, "cannot write %s: %s", beside, strerror(errno));
    if (!page->whole || write_whole(fd, buf_slice(&page->buf)) < 0 || rename(beside, path) < 0) {
        status = cli_fail(cli, "cannot write %s: %s", path, strerror(errno));
        (void)unlink(beside);
    }
    (void)close(fd);
    return status;
}

static int store_in_folder(const struct cli *cli, const char *folder, const char *name, struct page *page)
{
    char path[PATH_MAX_OCTETS];
    const int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    const int status = len < (int)sizeof path ? page_store(cli, page, path)
                                              : cli_fail(cli, "the name of the folder is too long");
    buf_drop(&page->buf);
    return status;
}

static int pages_in_folder(const struct cli *cli, const char *folder, struct arena *arena)
{
    struct page page;
    unsigned count = 1;

    page_all(&page, true, arena);
    int status = store_in_folder(cli, folder, "index.html", &page);
    for (unsigned number = 0; number < SAY_LIMIT && status == CLI_OK; number++) {
        char name[16];
        if (!say_info(number))
            continue;
        page_one(&page, say_info(number), arena);
        (void)snprintf(name, sizeof name, "%u.html", number);
        status = store_in_folder(cli, folder, name, &page);
        count++;
    }
    if (status == CLI_OK)
        cli_print("%u pages are in %s\n", count, folder);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int why_pages(const struct cli *cli, const char *path)
{
    struct arena arena;
    struct page page;
    int status = CLI_OK;

    arena_init(&arena, NULL, 0);
    if (is_folder(path)) {
        status = pages_in_folder(cli, path, &arena);
    } else {
        page_all(&page, false, &arena);
        if (strcmp(path, "-") == 0)
            cli_print("%.*s", SLICE_ARGS(buf_slice(&page.buf)));
        else
            status = page_store(cli, &page, path);
        buf_drop(&page.buf);
    }
    arena_drop(&arena);
    return status;
}
