#include "watch/shape.h"

#include "base/text.h"

/* What a run of letters and digits is made of. */
struct run {
    size_t letters;
    size_t digits;
    size_t turns; /* from letter to digit or back */
};

struct shape {
    char *at;
    size_t len;
};

static void shape_add(struct shape *shape, struct slice text)
{
    for (size_t i = 0; i < text.len && shape->len < SHAPE_SIZE - 1; i++)
        shape->at[shape->len++] = text_lower(text.at[i]);
}

static size_t run_take(struct slice text, struct run *ret_run)
{
    struct run run = {0};
    size_t len = 0;
    for (; len < text.len && text_is_alnum(text.at[len]); len++) {
        const bool digit = text_is_digit(text.at[len]);
        run.turns += len > 0 && digit != text_is_digit(text.at[len - 1]);
        run.digits += digit;
        run.letters += !digit;
    }
    *ret_run = run;
    return len;
}

/* desk98, mx2: a word that is kept and a number that is not. */
static bool is_numbered(const struct run *run, struct slice text)
{
    return run->turns == 1 && run->letters >= 2 && text_is_alpha(text.at[0]);
}

static void run_add(struct shape *shape, struct slice text, const struct run *run, bool alone)
{
    if (run->digits == 0)
        shape_add(shape, alone ? text : SLICE("[word]"));
    else if (run->letters == 0)
        shape_add(shape, SLICE("[n]"));
    else if (is_numbered(run, text)) {
        shape_add(shape, slice_head(text, run->letters));
        shape_add(shape, SLICE("[n]"));
    } else
        shape_add(shape, SLICE("[random]"));
}

/* Four numbers below 256, parted by the same octet, or a literal. */
static bool holds_address(struct slice helo)
{
    unsigned numbers = 0, value = 0, digits = 0;
    if (helo.len && helo.at[0] == '[')
        return true;
    for (size_t i = 0; i <= helo.len && numbers < 4; i++) {
        if (i < helo.len && text_is_digit(helo.at[i]) && digits < 3) {
            value = value * 10 + (unsigned)(helo.at[i] - '0');
            digits++;
            continue;
        }
        const bool parted = i == helo.len || helo.at[i] == '-' || helo.at[i] == '.';
        numbers = digits && value < 256 && (parted || numbers == 3) ? numbers + 1 : 0;
        value = digits = 0;
    }
    return numbers == 4;
}

size_t shape_helo(struct slice helo, char ret_shape[SHAPE_SIZE])
{
    struct shape shape = {ret_shape, 0};
    /* With a dot it is meant for a host's name: its words say whose, and stay. */
    const bool keeps = slice_find(helo, '.') != SLICE_NOT_FOUND;
    if (holds_address(helo))
        shape_add(&shape, SLICE("[address]"));
    else
        for (struct slice rest = helo; rest.len;) {
            struct run run;
            const size_t len = run_take(rest, &run);
            if (len)
                run_add(&shape, slice_head(rest, len), &run, keeps || len == helo.len);
            else
                shape_add(&shape, slice_head(rest, 1));
            rest = slice_from(rest, len ? len : 1);
        }
    ret_shape[shape.len] = 0;
    return shape.len;
}

bool shape_tells(struct slice shape)
{
    return shape.len > 0 && !slice_equal(shape, SLICE("[address]"));
}

size_t shape_local(struct slice local, char ret_shape[SHAPE_SIZE])
{
    struct shape shape = {ret_shape, 0};
    bool letters = false, digits = false;
    for (size_t i = 0; i < local.len; i++) {
        letters = letters || text_is_alpha(local.at[i]);
        digits = digits || text_is_digit(local.at[i]);
    }
    shape_add(&shape, letters && digits ? SLICE("[made-up]") : local);
    ret_shape[shape.len] = 0;
    return shape.len;
}
