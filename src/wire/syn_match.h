/* Whether the raw signature of a client's first packet (wire/syn.h) is one that a signature of p0f's database
 * describes, as its "sig" lines have it:
 *
 *     version:ttl:options-length:mss:window,scale:layout:quirks:payload
 *     *:64:0:*:mss*20,10:mss,sok,ts,nop,ws:df,id+:0
 *
 * A "*" fits whatever a field has. ttl is the one the system begins with; "64-" also fits any below; "52+12",
 * as a raw signature has it, is 64. A window is a number, "mss*N", "mtu*N", or "%N" for its multiples. Of a
 * signature for both versions ("*") flow labels do not matter, nor, over IPv6, what IPv4's header alone has.
 */
#ifndef WIRE_SYN_MATCH_H
#define WIRE_SYN_MATCH_H

#include "base/slice.h"

/* Whether that is a signature; one of at most SYN_TEXT octets. */
bool syn_pattern_check(struct slice pattern);
/* Both are such texts; whatever is none matches nothing. */
bool syn_matches(struct slice pattern, struct slice signature);

#endif
