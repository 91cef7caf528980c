/* CRC-32C (Castagnoli), for records on disk: it finds torn and rotten octets, it keeps nobody out. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/slice.h"

uint32_t checksum_add(uint32_t checksum, struct slice s); /* start with 0 */
/* The same without the processor's own instruction for it. */
uint32_t checksum_add_by_tables(uint32_t checksum, struct slice s);

#endif
