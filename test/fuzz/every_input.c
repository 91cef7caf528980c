/* Runs a fuzz target over nothing, over each file of a folder, and over what is left of each file when it
 * breaks off at some place: the inputs that once were found keep being tried without a fuzzer. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_SIZE_MAX 65536U
#define CUTS_MAX       64U

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len);

/* The input stands at the end of memory of exactly its size, so that a sanitizer sees any step past it. */
static void run(const uint8_t *octets, size_t len)
{
    uint8_t *copy = malloc(len);

    if (len)
        memcpy(copy, octets, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void run_with_cuts(const uint8_t *octets, size_t len)
{
    const size_t step = len / CUTS_MAX + 1;

    for (size_t cut = 0; cut < len; cut += step)
        run(octets, cut);
    run(octets, len);
}

static bool run_file(const char *folder, const char *name)
{
    static uint8_t octets[INPUT_SIZE_MAX];
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        printf("# cannot open %s\n", path);
        return false;
    }
    const size_t len = fread(octets, 1, sizeof(octets), file);
    fclose(file);
    /* Written before, so that a crash names its input. */
    printf("# %s\n", path);
    fflush(stdout);
    run_with_cuts(octets, len);
    return true;
}

int main(int argc, char **argv)
{
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    unsigned count = 0;
    bool fine = true;

    run(NULL, 0);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        fine = run_file(argv[1], entry->d_name) && fine;
        count++;
    }
    if (folder)
        closedir(folder);
    printf("%sok 1 - %u inputs\n", fine ? "" : "not ", count);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
