#include "journal/finder_days.h"

#include "base/memory.h"
#include "journal/crew.h"
#include "journal/day_keys.h"

#define MEMBERS_MAX (64u << 20)

struct finder_days {
    const char *folder;
    const struct filter *filter;
    const int64_t *days;
    size_t count;
    size_t wanted;
    struct sought *sought; /* the newest first */
    size_t taken;          /* of them */
    size_t found;          /* sessions, in those that were taken, as far as they were looked for */
    struct crew *crew;
};

/* --- which days ---------------------------------------------------------------------------------------- */

static bool has_member(const struct filter *filter, int64_t day)
{
    for (size_t i = 0; i < filter->member_count; i++) {
        int64_t began = day_of(event_id_unix_ms(filter->members[i]) * 1000);
        if (began == day || began + 1 == day)
            return true;
    }
    return false;
}

static bool is_wanted(const struct filter *filter, bool campaign, int64_t day)
{
    return (filter->since_us == INT64_MIN || day >= day_of(filter->since_us)) &&
           (filter->until_us == INT64_MAX || day <= day_of(filter->until_us)) &&
           (!campaign || has_member(filter, day));
}

static size_t days_choose(const struct finder_days_settings *settings)
{
    const struct filter *filter = settings->filter;
    bool campaign = false;
    size_t kept = 0;
    for (size_t i = 0; i < filter->count; i++)
        campaign = campaign || filter->terms[i].kind == TRAIT_CAMPAIGN;
    for (size_t i = 0; i < *settings->count; i++)
        if (is_wanted(filter, campaign, settings->days[i]))
            settings->days[kept++] = settings->days[i];
    return day_keys_sift(settings->folder, filter, settings->days, kept);
}

/* --- a day --------------------------------------------------------------------------------------------- */

static void sought_prime(struct sought *sought, size_t wanted)
{
    size_t most = wanted < SOUGHT_HITS ? wanted : SOUGHT_HITS;
    while (sought->hit_count < most && day_find_next(sought->find, &sought->hits[sought->hit_count]))
        sought->hit_count++;
}

static void sought_run(void *data, size_t number, unsigned worker)
{
    struct finder_days *days = data;
    struct sought *sought = &days->sought[number];
    (void)worker;
    day_find_announce(days->folder, sought->day);
    sought->status = day_find_open(days->folder, sought->day, days->filter, &sought->find, &sought->error);
    if (sought->status != DAY_GOOD)
        return;
    sought->partial = day_find_is_partial(sought->find);
    if (days->wanted)
        sought_prime(sought, days->wanted);
    else
        sought->count = day_find_count(sought->find);
    sought->status = day_find_status(sought->find, &sought->error);
}

bool sought_next(struct sought *sought, struct day_hit *ret_hit)
{
    if (sought->hit_given < sought->hit_count) {
        *ret_hit = sought->hits[sought->hit_given++];
        return true;
    }
    if (!sought->find || !day_find_next(sought->find, ret_hit)) {
        if (sought->find)
            sought->status = day_find_status(sought->find, &sought->error);
        return false;
    }
    return true;
}

static void sought_close(struct sought *sought)
{
    day_find_close(sought->find);
    sought->find = NULL;
}

/* --- all ----------------------------------------------------------------------------------------------- */

struct finder_days *finder_days_new(const struct finder_days_settings *settings)
{
    struct finder_days *days = memory_take(sizeof *days);
    *settings->count = days_choose(settings);
    *days = (struct finder_days){.folder = settings->folder,
                                 .filter = settings->filter,
                                 .days = settings->days,
                                 .count = *settings->count,
                                 .wanted = settings->wanted};
    days->sought = memory_take((days->count + 1) * sizeof *days->sought);
    for (size_t i = 0; i < days->count; i++)
        days->sought[i].day = days->days[days->count - 1 - i];
    days->crew = crew_new(&(struct crew_work){sought_run, days, days->count});
    return days;
}

/* The newest day may have all that is wanted: none is opened with it. Then as many as it will take, if the
 * older days are like those that were seen. */
static void look_ahead(struct finder_days *days)
{
    if (!days->wanted) {
        crew_allow(days->crew, days->count);
    } else if (days->taken) {
        size_t a_day = days->found / days->taken;
        size_t missing = days->wanted > days->found ? days->wanted - days->found : 1;
        crew_allow(days->crew, days->taken + missing / (a_day + 1) + 1);
    }
}

struct sought *finder_days_next(struct finder_days *days)
{
    if (days->taken)
        sought_close(&days->sought[days->taken - 1]);
    if (days->taken == days->count)
        return NULL;
    look_ahead(days);
    struct sought *sought = &days->sought[days->taken];
    crew_wait(days->crew, days->taken++);
    days->found += sought->hit_count;
    return sought;
}

bool finder_days_peek(const struct finder_days *days, int64_t *ret_day)
{
    if (days->taken == days->count)
        return false;
    *ret_day = days->sought[days->taken].day;
    return true;
}

void finder_days_free(struct finder_days *days)
{
    if (!days)
        return;
    crew_free(days->crew);
    for (size_t i = 0; i < days->count; i++)
        sought_close(&days->sought[i]);
    memory_give(days->sought, (days->count + 1) * sizeof *days->sought);
    memory_give(days, sizeof *days);
}

/* --- campaigns ----------------------------------------------------------------------------------------- */

struct asking {
    const char *folder;
    const int64_t *days;
    uint64_t campaign;
    struct buf *members; /* of each day */
};

static void members_run(void *data, size_t number, unsigned worker)
{
    const struct asking *asking = data;
    (void)worker;
    day_find_announce(asking->folder, asking->days[number]);
    (void)day_find_members(asking->folder, asking->days[number], asking->campaign, &asking->members[number],
                           NULL);
}

void finder_days_members(const char *folder, const int64_t *days, size_t count, uint64_t campaign,
                         struct buf *sessions)
{
    int64_t *chosen = memory_take((count + 1) * sizeof *chosen);
    for (size_t i = 0; i < count; i++)
        chosen[i] = days[i];
    size_t left = day_keys_sift_campaign(folder, campaign, chosen, count);
    struct asking asking = {folder, chosen, campaign, memory_take((left + 1) * sizeof(struct buf))};
    for (size_t i = 0; i < left; i++)
        buf_init(&asking.members[i], MEMBERS_MAX);
    struct crew *crew = crew_new(&(struct crew_work){members_run, &asking, left});
    crew_allow(crew, left);
    for (size_t i = 0; i < left; i++) {
        crew_wait(crew, i);
        (void)buf_add(sessions, buf_slice(&asking.members[i]));
        buf_drop(&asking.members[i]);
    }
    crew_free(crew);
    memory_give(asking.members, (left + 1) * sizeof(struct buf));
    memory_give(chosen, (count + 1) * sizeof *chosen);
}
