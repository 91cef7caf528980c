/* The Received field that we put before a message (RFC 5321 section 4.4, RFC 3848, RFC 6531 section 3.7.3).
 */
#include "core/machine.h"

#include "base/calendar.h"

static const char *protocol(const struct transaction *transaction)
{
    if (transaction->smtputf8)
        return transaction->tls ? "UTF8SMTPS" : "UTF8SMTP";
    if (transaction->tls)
        return "ESMTPS";
    return transaction->esmtp ? "ESMTP" : "SMTP";
}

/* With several recipients none is named: they must not learn of each other. */
static struct slice for_clause(const struct transaction *transaction, struct arena *arena)
{
    if (transaction->recipient_count != 1)
        return SLICE_NONE;
    return arena_format(arena, "\r\n\tfor <%.*s>", SLICE_ARGS(transaction->recipients->address));
}

static struct slice tls_clause(const struct session *session, struct arena *arena)
{
    if (!session->tls.len)
        return SLICE_NONE;
    struct slice rest = session->tls, version, cipher;
    slice_word(&rest, &version);
    slice_word(&rest, &cipher);
    return arena_format(arena, "\r\n\t(version=%.*s cipher=%.*s)", SLICE_ARGS(version), SLICE_ARGS(cipher));
}

struct slice received_field(const struct session *session, const struct transaction *transaction,
                            int64_t unix_us, struct arena *arena)
{
    char peer[ADDRESS_TEXT_SIZE], id[EVENT_ID_SIZE], date[CALENDAR_TEXT_SIZE];
    address_print(&session->peer, peer);
    event_id_print(session->id, id);
    calendar_print_mail(unix_us / 1000000, 0, date);
    const char *tag = session->peer.family == ADDRESS_IPV6 ? "IPv6:" : "";
    struct slice name = session->name.len ? session->name : SLICE("unknown");
    return arena_format(
        arena,
        "Received: from %.*s (%.*s [%s%s])\r\n\tby %.*s (Postern) with %s id %s.%u%.*s%.*s;\r\n\t%s\r\n",
        SLICE_ARGS(session->helo), SLICE_ARGS(name), tag, peer,
        SLICE_ARGS(session->world->site->set.host_name), protocol(transaction), id, transaction->number,
        SLICE_ARGS(tls_clause(session, arena)), SLICE_ARGS(for_clause(transaction, arena)), date);
}
