/* The numbers in the records that playing a session again takes: session_moved.what, octets_taken.what, and
 * the bits of session_opened.terms and line_received.shape. Numbers are for ever. */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

enum trace_moved {
    TRACE_TIME = 1,
    TRACE_PASSED,
    TRACE_DRIPPED,
    TRACE_TLS_UP,
    TRACE_TLS_FAILED,
    TRACE_STORED,
    TRACE_CLOSED,
    TRACE_STOP,
    TRACE_DRIPS
};
enum trace_taken {
    TRACE_CONTENT = 1,
    TRACE_CHUNK,
    TRACE_LONG_LINE,
    TRACE_LONG_LINE_END,
    TRACE_PROXY,
    TRACE_FOREIGN
};

#define TERMS_RECORDED  1u
#define TERMS_CARRIED   1 /* CARRY_ bits from this bit on */
#define TERMS_TLS       32u
#define TERMS_PROXY     64u
#define TERMS_NO_MEMORY 128u
#define TERMS_OWN_LIST  256u

#define SHAPE_SECRET    1u
#define SHAPE_NUL       2u
#define SHAPE_EIGHT_BIT 4u
#define SHAPE_CONTROL   8u
#define SHAPE_CR        16u
#define SHAPE_LF        32u
#define SHAPE_HEADER    64u
#define SHAPE_HTTP      128u
#define SHAPE_FOREIGN   256u

#endif
