/* month SEED [BACKGROUND [CAMPAIGNS]] : prints a synthetic month, a line an attempt as attempt_parse reads
 * it, with the truth at its end: campaign=NUMBER kind=WORD, or role=WORD of a host that is of no campaign. */
#include "month.h"

#include "base/text.h"

#include <stdio.h>

static uint32_t argument(int argc, char **argv, int index, uint32_t otherwise)
{
    uint64_t value;
    return argc > index && text_parse_u64(slice_text(argv[index]), &value) && value <= 20000000
               ? (uint32_t)value
               : otherwise;
}

static void truth_print(const struct month *month, const struct attempt *attempt, uint32_t campaign)
{
    static const char *const roles[] = {"nobody", "innocent", "stray", "guilty"};
    if (campaign)
        printf(" campaign=%u kind=%s\n", campaign, month_kind_word(month_truth(month, campaign)->kind));
    else
        printf(" role=%s\n", roles[month_role(month, &attempt->peer)]);
}

int main(int argc, char **argv)
{
    const struct month_settings settings = {.seed = argument(argc, argv, 1, 1),
                                            .background = argument(argc, argv, 2, 2000000),
                                            .campaigns = argument(argc, argv, 3, 200)};
    struct month *month = month_new(&settings);
    struct attempt attempt;
    struct buf line;
    uint32_t campaign;
    buf_init(&line, ATTEMPT_LINE_MAX);
    while (month_next(month, &attempt, &campaign)) {
        buf_clear(&line);
        if (attempt_print(&attempt, &line)) {
            printf("%.*s", SLICE_ARGS(buf_slice(&line)));
            truth_print(month, &attempt, campaign);
        }
    }
    buf_drop(&line);
    month_free(month);
    return 0;
}
