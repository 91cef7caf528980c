/* Gates as children of the test, which write sessions until they are killed, and keepers that are killed,
 * too. */
#ifndef KEEPER_GATES_H
#define KEEPER_GATES_H

#include "base/random.h"
#include "journal/reader.h"
#include "keeper_rig.h"

/* Sessions without end, until it is killed. Says when the first ones are in the journal. */
static inline int gate_main(char **words, void (*session)(struct world *world, unsigned number))
{
    struct world world;
    const int fd = (int)strtol(words[2], NULL, 10);
    world_open(&world, words[1]);
    alarm(60);
    writer_begin(&world);
    for (unsigned i = 0;; i++) {
        session(&world, i);
        if (i % 20 == 0 && journal_writer_flush(world.writer, 10000))
            pause_ms(2); /* a storm would prove no more, and take longer to read */
        if (i == 20 && write(fd, "w", 1) != 1)
            return 1;
    }
}

/* This program again. Comes back when there are sessions. */
static inline pid_t gate_start(const struct world *world)
{
    int pipes[2];
    char out[16], octet;
    assert_int_equal(pipe(pipes), 0);
    snprintf(out, sizeof out, "%d", pipes[1]);
    const pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "gate", world->folder, out, "gate", (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &octet, 1), 1);
    close(pipes[0]);
    return child;
}

/* Eight times a keeper and a gate, and one of them is killed before the other; in the end a keeper reads all.
 */
static inline void keeper_and_gates_killed(struct world *world, struct random *random,
                                           unsigned first_within_ms, unsigned second_within_ms)
{
    assert_int_equal(mkdir(world->journal, 0750), 0);
    for (unsigned round = 0; round < 8; round++) {
        keeper_start(world);
        const pid_t gate = gate_start(world);
        pause_ms((unsigned)random_below(random, first_within_ms));
        const bool keeper_first = random_below(random, 2);
        if (keeper_first)
            keeper_kill(world);
        kill(gate, SIGKILL);
        assert_int_equal(waitpid(gate, NULL, 0), gate);
        pause_ms((unsigned)random_below(random, second_within_ms));
        if (!keeper_first)
            keeper_kill(world);
    }
    keeper_start(world);
    keeper_drain(world);
}

/* Every record that is in the journal. */
static inline void journal_walk(const struct world *world,
                                void (*visit)(void *data, const struct journal_item *item), void *data)
{
    struct journal_reader_settings settings = {
        .folder = world->journal, .from = JOURNAL_FROM_START, .unwatched = true};
    struct journal_reader *reader;
    struct journal_item item;
    assert_int_equal(journal_reader_open(&settings, &reader, NULL), 0);
    while (journal_reader_next(reader, &item))
        visit(data, &item);
    journal_reader_close(reader);
}

#endif
