/* Recipients lead where aliases, mailboxes and folders say; loops end, duplicates merge, nothing goes to a
 * domain without a route; and the published table says FOUND of just those that lead somewhere. */
#include "unit.h"

#include "../crash/sim.h"
#include "queue/book.h"
#include "queue/fold.h"
#include "queue/mailboxes.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char aliases[] = "recipes: joepublic\n"
                              "recipes@other.example: ann\n"
                              "team: joepublic, ann, joepublic, far@away.example\n"
                              "joepublic: joepublic, ann\n"
                              "ring: gnir\n"
                              "gnir: ring\n"
                              "out: x@nowhere.example\n"
                              "info@wild.example: joepublic\n"
                              "@catch.example: ann\n"
                              "bad entry without colon\n"
                              "postmaster@other.example: ann\n"
                              "\"quoted name\": ann\n"
                              "deep: team\n";

static struct sim *sim;
static struct site *site;
static struct route routes[5];
static struct slice listed[] = {{"joepublic", 9}, {"Ann", 3}, {"j\xc3\x96rg", 5}, {"plus+one", 8}};
static struct slice alias_file[] = {{"/etc/aliases", 12}};
static struct target target = {.host = {"inner.example", 13}, .port = 24};

static void add_route(unsigned i, enum route_kind kind, enum route_mailboxes mailboxes, const char *domains)
{
    struct slice rest = slice_text(domains);
    struct slice domain;

    routes[i] = (struct route){.kind = kind, .mailboxes = mailboxes, .number = (uint16_t)i};
    routes[i].domains = arena_take(&site->arena, 4 * sizeof(struct slice));
    while (slice_cut(&rest, ' ', &domain)) {
        routes[i].domains[routes[i].domain_count++] = domain;
        assert_null(site_add_domain(site, &routes[i], domain));
    }
    routes[i].name = routes[i].domains[0];
    if (kind != ROUTE_MAILDIR) {
        routes[i].targets = &target;
        routes[i].target_count = 1;
    }
}

static int setup(void **state)
{
    (void)state;
    sim = sim_new();
    sim_put(sim, "/etc/aliases", slice_of(aliases, sizeof(aliases) - 1));
    sim_put(sim, "/mail/folder/new/1", SLICE(""));
    sim_put(sim, "/mail/nofolder/x", SLICE(""));
    sim_put(sim, "/mail/.hidden/new/1", SLICE(""));
    site = site_new();
    add_route(0, ROUTE_MAILDIR, ROUTE_MAILBOXES_LISTED,
              "our.example other.example wild.example catch.example");
    routes[0].maildir = SLICE("/mail/%s");
    routes[0].mailbox_names = listed;
    routes[0].mailbox_count = COUNT(listed);
    routes[0].alias_files = alias_file;
    routes[0].alias_file_count = 1;
    add_route(1, ROUTE_MAILDIR, ROUTE_MAILBOXES_ANY, "any.example");
    routes[1].maildir = SLICE("/any/%s/Maildir");
    add_route(2, ROUTE_LMTP, ROUTE_MAILBOXES_ASK, "ask.example");
    add_route(3, ROUTE_SMTP, ROUTE_MAILBOXES_LISTED, "away.example");
    static struct slice far[] = {{"far", 3}};
    routes[3].mailbox_names = far;
    routes[3].mailbox_count = 1;
    add_route(4, ROUTE_RELAY, ROUTE_MAILBOXES_ASK, "inline.example");
    site->routes = routes;
    site->route_count = COUNT(routes);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(sim_open_descriptors(sim), 0);
    site_free(site);
    sim_free(sim);
    return 0;
}

/* "maildir:joepublic remote:far@away.example", in order. */
static void print_places(const struct book *book, const char *address, struct buf *text)
{
    static const char *const words[] = {"maildir", "remote", "nowhere", "unrouted"};
    struct arena arena;

    buf_clear(text);
    arena_init(&arena, NULL, 0);
    for (const struct place *p = book_expand(book, slice_text(address), NULL, &arena); p; p = p->next)
        buf_add_format(text, "%s%s:%.*s", text->len ? " " : "", words[p->kind], SLICE_ARGS(p->address));
    buf_add_octet(text, '\0');
    arena_drop(&arena);
}

static const struct {
    const char *address;
    const char *places;
} cases[] = {
    {"joepublic@wild.example", "maildir:joepublic maildir:Ann"},
    {"ANN@our.example", "maildir:Ann"},
    {"recipes@our.example", "maildir:joepublic maildir:Ann"},
    {"Recipes@OTHER.example", "maildir:Ann"},
    {"team@our.example", "maildir:joepublic maildir:Ann remote:far@away.example"},
    {"deep+detail@our.example", "maildir:joepublic maildir:Ann remote:far@away.example"},
    {"ann+lists@our.example", "maildir:Ann"},
    {"plus+one@our.example", "maildir:plus+one"},
    {"plus+two@our.example", "nowhere:plus+two@our.example"},
    {"ring@our.example", "nowhere:ring@our.example"},
    {"out@our.example", "nowhere:out@our.example"},
    {"nobody@our.example", "nowhere:nobody@our.example"},
    {"nobody@catch.example", "maildir:Ann"},
    {"info@wild.example", "maildir:joepublic maildir:Ann"},
    {"info@our.example", "nowhere:info@our.example"},
    {"folder@our.example", "maildir:folder"},
    {"nofolder@our.example", "nowhere:nofolder@our.example"},
    {"postmaster@our.example", "maildir:postmaster"},
    {"PostMaster@other.example", "maildir:Ann"},
    {"J\xc3\xb6Rg@our.example", "maildir:j\xc3\x96rg"},
    {"\"quoted name\"@our.example", "maildir:Ann"},
    {"\"ann\"@our.example", "maildir:Ann"},
    {"\"a\\nn\"@our.example", "maildir:Ann"},
    {"anybody@any.example", "maildir:anybody"},
    {"AnyBody+x@any.example", "maildir:anybody"},
    {"\"../../etc\"@any.example", "nowhere:\"../../etc\"@any.example"},
    {"\"..\"@any.example", "nowhere:\"..\"@any.example"},
    {"who+x@ask.example", "remote:who+x@ask.example"},
    {"far@away.example", "remote:far@away.example"},
    {"near@away.example", "nowhere:near@away.example"},
    {"x@inline.example", "remote:x@inline.example"},
    {"x@nowhere.example", "unrouted:x@nowhere.example"},
};

static void addresses_lead_where_they_should(void **state)
{
    struct book *book = book_make(site, sim_files(sim));
    struct buf text;

    (void)state;
    buf_init(&text, 10000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_places(book, cases[i].address, &text);
        assert_string_equal(text.at, cases[i].places);
    }
    buf_drop(&text);
    book_free(book);
}

static void folders_are_where_the_route_says(void **state)
{
    struct book *book = book_make(site, sim_files(sim));
    struct arena arena;

    (void)state;
    arena_init(&arena, NULL, 0);
    assert_slice_equal(book_expand(book, SLICE("ann@our.example"), NULL, &arena)->folder, "/mail/Ann");
    assert_slice_equal(book_expand(book, SLICE("x@any.example"), NULL, &arena)->folder, "/any/x/Maildir");
    assert_slice_equal(book_expand(book, SLICE("postmaster"), &routes[0], &arena)->folder,
                       "/mail/postmaster");
    arena_drop(&arena);
    book_free(book);
}

static void postmaster_goes_where_the_setting_says(void **state)
{
    struct buf text;
    struct book *book;

    (void)state;
    buf_init(&text, 10000);
    static const char *const settings[][2] = {{"joepublic", "maildir:joepublic maildir:Ann"},
                                              {"not-listed", "maildir:not-listed"},
                                              {"far@away.example", "remote:far@away.example"},
                                              {"postmaster@any.example", "maildir:postmaster"},
                                              {"postmaster@our.example", "maildir:postmaster"}};
    for (size_t i = 0; i < COUNT(settings); i++) {
        site->set.postmaster = slice_text(settings[i][0]);
        book = book_make(site, sim_files(sim));
        print_places(book, "postmaster@our.example", &text);
        assert_string_equal(text.at, settings[i][1]);
        book_free(book);
    }
    buf_drop(&text);
}

static void what_is_wrong_is_told(void **state)
{
    struct book *book = book_make(site, sim_files(sim));

    (void)state;
    const struct slice told = book_complaints(book);
    assert_true(slice_find_slice(told, SLICE("/etc/aliases:7: ")) != SLICE_NOT_FOUND);
    assert_true(slice_find_slice(told, SLICE("x@nowhere.example")) != SLICE_NOT_FOUND);
    assert_true(slice_find_slice(told, SLICE("/etc/aliases:10: ")) != SLICE_NOT_FOUND);
    assert_true(slice_find_slice(told, SLICE("/etc/aliases:1:")) == SLICE_NOT_FOUND);
    book_free(book);
    alias_file[0] = SLICE("/etc/missing");
    book = book_make(site, sim_files(sim));
    assert_true(slice_find_slice(book_complaints(book), SLICE("/etc/missing:0: ")) != SLICE_NOT_FOUND);
    book_free(book);
    alias_file[0] = SLICE("/etc/aliases");
}

static void change_is_seen(void **state)
{
    struct book *book = book_make(site, sim_files(sim));

    (void)state;
    assert_false(book_is_stale(book, sim_files(sim)));
    sim_put(sim, "/etc/aliases", SLICE("x: ann\n"));
    assert_true(book_is_stale(book, sim_files(sim)));
    book_free(book);
}

static void folding_knows_scripts(void **state)
{
    static const char *const pairs[][2] = {
        {"AbZ-9", "abz-9"},
        {"\xc3\x84\xc3\x96", "\xc3\xa4\xc3\xb6"},                 /* latin */
        {"\xce\xa3\xcf\x82", "\xcf\x83\xcf\x83"},                 /* greek */
        {"\xd0\x96\xd0\xb6", "\xd0\xb6\xd0\xb6"},                 /* cyrillic */
        {"\xc4\xb0", "\xc4\xb0"},                                 /* several */
        {"\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87"}, /* none */
        {"\xef\xbc\xa1", "\xef\xbd\x81"},                         /* wide */
        {"\xf0\x90\x90\x80", "\xf0\x90\x90\xa8"},                 /* deseret */
        {"\xff\xc3", "\xff\xc3"}};
    struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        buf_clear(&buf);
        assert_true(fold_add(&buf, slice_text(pairs[i][0])));
        assert_true(slice_equal(buf_slice(&buf), slice_text(pairs[i][1])));
    }
    buf_drop(&buf);
}

static void names_of_folders_are_safe(void **state)
{
    static const char *const good[] = {"joe", "j\xc3\xb6rg", "a b", "joe@x", "-x", "\xd0\xb6"};
    static const char *const bad[] = {"", ".", "..", ".joe", "a/b", "a\nb", "a\x7f", "\xff", "\xc2\x85x"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(mailbox_name_is_safe(slice_text(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(mailbox_name_is_safe(slice_text(bad[i])));
    assert_false(mailbox_name_is_safe(slice_of("a\0b", 3)));
    char longest[300];
    memset(longest, 'x', sizeof(longest));
    assert_false(mailbox_name_is_safe(slice_of(longest, 200)));
    assert_true(mailbox_name_is_safe(slice_of(longest, 199)));
}

/* --- the published table -------------------------------------------------------------------------------- */

static char folder[FOLDER_SIZE];
static char file[FOLDER_SIZE + 16];

static void publish(void)
{
    struct book *book = book_make(site, sim_files(sim));

    assert_int_equal(book_publish(book, &files_system, file, 99, NULL), 0);
    book_free(book);
}

static enum answer_status ask(struct mailboxes *mailboxes, const char *route, const char *address,
                              uint64_t now_ms)
{
    enum answer_status status;
    struct slice value;
    char key[200];

    size_t place = 0;
    while (place < site->route_count && !slice_equal(site->routes[place].name, slice_text(route)))
        place++;
    snprintf(key, sizeof(key), "%zu %s", place, address);
    if (!mailboxes_answer(mailboxes, site, slice_text(key), now_ms, &status, &value))
        return ANSWER_PENDING;
    assert_true((status == ANSWER_NONE) == (value.len == 0));
    return status;
}

static void table_and_book_agree(void **state)
{
    struct mailboxes *mailboxes;

    (void)state;
    publish();
    mailboxes = mailboxes_open(file);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *domain = strrchr(cases[i].address, '@') + 1;
        const struct route *route = site_route(site, slice_text(domain), false);
        if (!route || route->mailboxes == ROUTE_MAILBOXES_ASK)
            continue;
        char name[64];
        snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(route->name));
        const enum answer_status status = ask(mailboxes, name, cases[i].address, 1000);
        /* Aliases that lead in a ring are there all the same: what is wrong with them is told elsewhere. */
        const bool there = strncmp(cases[i].places, "nowhere", 7) != 0 ||
                           strncmp(cases[i].address, "ring", 4) == 0;
        assert_int_equal(status, there ? ANSWER_FOUND : ANSWER_NONE);
    }
    assert_int_equal(ask(mailboxes, "ask.example", "x@ask.example", 1000), ANSWER_PENDING);
    assert_int_equal(ask(mailboxes, "inline.example", "x@inline.example", 1000), ANSWER_PENDING);
    assert_int_equal(ask(mailboxes, "gone.example", "x@gone.example", 1000), ANSWER_FAILED);
    assert_int_equal(ask(mailboxes, "our.example", "postmaster", 1000), ANSWER_FOUND);
    mailboxes_close(mailboxes);
}

static void replaced_table_is_seen_at_once(void **state)
{
    struct mailboxes *mailboxes = mailboxes_open(file);

    (void)state;
    unlink(file);
    assert_int_equal(ask(mailboxes, "our.example", "ann@our.example", 1000), ANSWER_FAILED);
    publish();
    assert_int_equal(ask(mailboxes, "our.example", "ann@our.example", 1001), ANSWER_FAILED);
    assert_int_equal(ask(mailboxes, "our.example", "ann@our.example", 2000), ANSWER_FOUND);
    routes[0].mailbox_count = 1;
    publish();
    assert_int_equal(ask(mailboxes, "our.example", "ann@our.example", 2000), ANSWER_NONE);
    routes[0].mailbox_count = COUNT(listed);
    publish();
    assert_int_equal(ask(mailboxes, "our.example", "ann@our.example", 2000), ANSWER_FOUND);
    mailboxes_close(mailboxes);
}

static void spoilt_table_is_not_believed(void **state)
{
    struct mailboxes *mailboxes;
    FILE *spoilt;

    (void)state;
    publish();
    spoilt = fopen(file, "r+");
    fseek(spoilt, 200, SEEK_SET);
    fputs("spoilt", spoilt);
    fclose(spoilt);
    mailboxes = mailboxes_open(file);
    assert_int_equal(ask(mailboxes, "our.example", "ann@our.example", 1000), ANSWER_FAILED);
    publish();
    assert_int_equal(ask(mailboxes, "our.example", "ann@our.example", 3000), ANSWER_FOUND);
    mailboxes_close(mailboxes);
    mailboxes_close(NULL);
}

static int make_folder(void **state)
{
    (void)state;
    if (folder_new(folder, "book") < 0)
        return -1;
    snprintf(file, sizeof(file), "%s/mailboxes", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_lead_where_they_should, setup, teardown),
        cmocka_unit_test_setup_teardown(folders_are_where_the_route_says, setup, teardown),
        cmocka_unit_test_setup_teardown(postmaster_goes_where_the_setting_says, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(change_is_seen, setup, teardown),
        cmocka_unit_test(folding_knows_scripts),
        cmocka_unit_test(names_of_folders_are_safe),
        cmocka_unit_test_setup_teardown(table_and_book_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(replaced_table_is_seen_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(spoilt_table_is_not_believed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
