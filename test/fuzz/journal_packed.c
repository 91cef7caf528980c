/* A packed journal file of any octets is read without harm: what is unpacked has the size that was told,
 * frames follow one another without a gap, and what is packed of any octets unpacks to them. */
#include "journal/packed.h"

#include "property.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char octets[2 * PACKED_FRAME];

static int file_of(struct slice content)
{
    int fd = memfd_create("packed", MFD_CLOEXEC);
    if (fd < 0 || write(fd, content.at, content.len) != (ssize_t)content.len)
        abort();
    return fd;
}

static void read_any(struct slice input)
{
    struct packed *packed;
    int fd = file_of(input);
    if (packed_open(fd, &packed, NULL) == 0) {
        uint64_t size = packed_size(packed), at = 0;
        for (unsigned reads = 0; at < size && reads < 64; reads++) {
            assert(packed_frame_start(packed, at) == at);
            size_t n = packed_read(packed, at, octets, sizeof octets);
            assert(n > 0 && at + n <= size);
            assert(packed_frame_start(packed, at + n - 1) < at + n);
            at += n;
        }
        packed_close(packed);
    }
    close(fd);
}

static void pack_and_unpack(struct slice input)
{
    struct packer *packer = packer_new(1);
    struct packed *packed;
    struct buf out;
    buf_init(&out, 8u << 20);
    for (struct slice rest = input; rest.len; rest = slice_from(rest, 1000))
        assert(packer_add(packer, slice_head(rest, 1000), &out, NULL) == 0);
    assert(packer_end(packer, &out, NULL) == 0);
    int fd = file_of(buf_slice(&out));
    assert(packed_open(fd, &packed, NULL) == 0 && packed_size(packed) == input.len);
    for (uint64_t at = 0; at < input.len;) {
        size_t n = packed_read(packed, at, octets, sizeof octets);
        assert(n > 0 && memcmp(octets, input.at + at, n) == 0);
        at += n;
    }
    packed_close(packed);
    close(fd);
    packer_free(packer);
    buf_drop(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    read_any(input);
    if (input.len)
        pack_and_unpack(input);
    return 0;
}
