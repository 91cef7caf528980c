/* The shape of a name that a program makes up anew each time: what stays in it when the rest is drawn by lot.
 *
 *   Amber-Fields-desk98   [word]-[word]-desk[n]
 *   friend                friend
 *   x7k2q9p               [random]
 *   192-0-2-7.isp.example [address]
 *
 * Two names of one shape come from one program, or may well do so; shapes that most honest names have tell
 * nothing, and shape_tells says so. */
#ifndef WATCH_SHAPE_H
#define WATCH_SHAPE_H

#include "base/slice.h"

#define SHAPE_SIZE 96 /* octets of a shape and its NUL; what is longer is cut */

/* The shape of a HELO name as text. Returns the length written. */
size_t shape_helo(struct slice helo, char ret_shape[SHAPE_SIZE]);
/* Whether two clients of one such shape have that in common: not an address, not empty. */
bool shape_tells(struct slice shape);
/* The shape of a local part: [made-up] where letters and digits are mixed, else the local part itself in
 * lower case. */
size_t shape_local(struct slice local, char ret_shape[SHAPE_SIZE]);

#endif
