/* The rest of a reply that goes out octet by octet. */
#ifndef CORE_SLOW_H
#define CORE_SLOW_H

struct drip;
void drip_free(struct drip *drip); /* NULL is taken */

#endif
