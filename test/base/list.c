/* Proves that a list keeps its order, and that taking an item out twice does no harm. */
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

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
