/* A campaign packed and unpacked is the same, however large it grew; what is no packed campaign is refused.
 */
#include "rig.h"

#include "base/random.h"

static void grow(struct rig *rig, int hosts)
{
    for (int i = 0; i < hosts; i++)
        rig_atf(rig, i,
                "address=198.%d.%d.1 name=dyn%d.isp.example generic=yes as=64500 owner=Example%%20Net "
                "from=12ab%d@free.example to=a@house.example octets=%d body=77 helo=friend",
                20 + i / 200, i % 200, i, i, 4000 + i % 100);
}

static void packed_is_unpacked(void **state)
{
    static const int sizes[] = {3, 20, 600};
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct rig rig;
        struct campaign campaign;
        struct buf once, again;
        rig_begin(&rig);
        grow(&rig, sizes[i]);
        buf_init(&once, CAMPAIGN_PACKED_MAX);
        buf_init(&again, CAMPAIGN_PACKED_MAX);
        assert_true(campaign_pack(rig_campaign(&rig), &once));
        assert_true(campaign_unpack(buf_slice(&once), &campaign));
        assert_int_equal(campaign.attempts, sizes[i]);
        assert_int_equal(campaign.host_total, sizes[i]);
        assert_int_equal(campaign.host_count, sizes[i] < 256 ? sizes[i] : 256);
        assert_true(campaign_pack(&campaign, &again));
        assert_true(slice_equal(buf_slice(&once), buf_slice(&again)));
        campaign_done(&campaign);
        buf_drop(&once);
        buf_drop(&again);
        rig_end(&rig);
    }
}

static void damage_is_refused_or_harmless(void **state)
{
    struct rig rig;
    struct buf packed;
    struct random random = {5};
    (void)state;
    rig_begin(&rig);
    grow(&rig, 40);
    buf_init(&packed, CAMPAIGN_PACKED_MAX);
    assert_true(campaign_pack(rig_campaign(&rig), &packed));
    for (uint32_t len = 0; len < packed.len; len += 7) {
        struct campaign campaign;
        assert_false(campaign_unpack(slice_of(packed.at, len), &campaign));
    }
    for (int i = 0; i < 5000; i++) {
        struct campaign campaign;
        const uint32_t at = (uint32_t)random_below(&random, packed.len);
        const char before = packed.at[at];
        packed.at[at] = (char)random_next(&random);
        if (campaign_unpack(buf_slice(&packed), &campaign)) {
            buf_clear(&rig.sentence);
            campaign_sentence(&campaign, &rig.sentence);
            campaign_done(&campaign);
        }
        packed.at[at] = before;
    }
    buf_drop(&packed);
    rig_end(&rig);
}

/* The first moments and the latest are kept, in their order. */
static void moments_are_in_order(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    grow(&rig, 600);
    const struct campaign *campaign = rig_campaign(&rig);
    assert_int_equal(campaign->moment_count, CAMPAIGN_MOMENTS_MAX);
    for (uint32_t i = 0; i < CAMPAIGN_MOMENTS_MAX; i++) {
        const uint32_t wanted = i < CAMPAIGN_MOMENTS_HEAD ? i : 600 - CAMPAIGN_MOMENTS_MAX + i;
        assert_int_equal(campaign_moment(campaign, i)->start_ms, START_MS + (int64_t)wanted * 1000);
    }
    rig_end(&rig);
}

static void kinds_have_words(void **state)
{
    (void)state;
    for (unsigned i = 1; i < CAMPAIGN_KIND_LIMIT; i++) {
        enum campaign_kind kind;
        assert_true(campaign_kind_parse(slice_text(campaign_kind_word((enum campaign_kind)i)), &kind));
        assert_int_equal(kind, i);
        assert_true(campaign_reason(kind)[0]);
    }
    enum campaign_kind kind;
    assert_false(campaign_kind_parse(SLICE("none"), &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_is_unpacked),
        cmocka_unit_test(damage_is_refused_or_harmless),
        cmocka_unit_test(moments_are_in_order),
        cmocka_unit_test(kinds_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
