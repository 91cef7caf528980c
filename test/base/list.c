/* Proves that a list keeps its order, is put in another, and that taking an item out twice does no harm. */
#include "base/list.h"
#include "unit.h"

struct item {
    char name;
    struct link link;
};

static void expect(const struct link *head, const char *names)
{
    size_t n = 0;

    for (const struct link *at = head->next; at != head; at = at->next, n++) {
        assert_int_equal(LIST_OF(at, const struct item, link)->name, names[n]);
        assert_ptr_equal(at->next->prev, at);
    }
    assert_int_equal(names[n], '\0');
}

static void keeps_order(void **state)
{
    struct link head;
    struct item a = {'a', {0}}, b = {'b', {0}}, c = {'c', {0}};

    (void)state;
    list_init(&head);
    assert_true(list_is_empty(&head));
    list_add_last(&head, &b.link);
    list_add_last(&head, &c.link);
    list_add_first(&head, &a.link);
    expect(&head, "abc");
    list_remove(&b.link);
    list_remove(&b.link);
    expect(&head, "ac");
    list_add_last(&a.link, &b.link);
    expect(&head, "bac");
    list_remove(&a.link);
    list_remove(&b.link);
    list_remove(&c.link);
    assert_true(list_is_empty(&head));
}

static bool name_before(const struct link *a, const struct link *b)
{
    return LIST_OF(a, const struct item, link)->name < LIST_OF(b, const struct item, link)->name;
}

/* Of any length; equal items stay as they stood, which their places in the array tell. */
static void sorts(void **state)
{
    (void)state;
    for (unsigned count = 0; count < 70; count++) {
        struct item items[70];
        struct link head;
        unsigned seen = 0;
        list_init(&head);
        for (unsigned i = 0; i < count; i++) {
            items[i].name = (char)('a' + i * 7 % 11);
            list_add_last(&head, &items[i].link);
        }
        list_sort(&head, name_before);
        for (const struct link *at = head.next; at != &head; at = at->next, seen++) {
            assert_ptr_equal(at->next->prev, at);
            if (at->next != &head)
                assert_true(name_before(at, at->next) || (!name_before(at->next, at) && at < at->next));
        }
        assert_int_equal(seen, count);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_order), cmocka_unit_test(sorts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
