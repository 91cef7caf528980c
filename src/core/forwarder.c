/* Trusted forwarders: who is behind them, by the Received fields of the message (RFC 5321 section 4.4).
 *
 * Each host puts its field on top, so the first is the forwarder's own. A field is as good as those above it:
 * where they name nobody but trusted hosts, and programs on these hosts, a trusted host has written it. The
 * first other address that such a field names is that of the client behind; what stands below may be the
 * client's invention, and is not looked at. Where a field is in doubt, nobody behind is judged. */
#include "core/machine.h"

#include "wire/received.h"

bool forwarder_is_read(const struct session *session)
{
    return session->trusted && session->world->site->set.trusted_received;
}

/* --- one field ----------------------------------------------------------------------------------------- */

enum hop {
    HOP_INNER,  /* between trusted hosts, or on one of them: on to the next */
    HOP_CLIENT, /* from outside */
    HOP_UNSURE  /* what stands below is not to be believed */
};

/* A program of the host has passed the message on, and names no client. A message that a user of the host has
 * made says so; it may begin with fields of his own. */
static bool is_inner(struct slice value)
{
    bool passed = slice_starts_fold(value, SLICE("by ")) || slice_starts(value, SLICE("(qmail "));
    return passed && slice_find_slice(value, SLICE("from userid ")) == SLICE_NOT_FOUND &&
           slice_find_slice(value, SLICE("invoked by uid ")) == SLICE_NOT_FOUND;
}

static enum hop hop_of(const struct site *site, struct slice value, struct received *ret_received,
                       const char **ret_problem)
{
    const struct address *client = &ret_received->address;
    if (is_inner(value))
        return HOP_INNER;
    bool read = received_parse(value, ret_received);
    if (!read || !client->family || !ret_received->by.len)
        *ret_problem = "a Received field of a trusted host names no client";
    else if (ret_received->several)
        *ret_problem = "a Received field of a trusted host names several addresses";
    else if (address_is_loopback(client) || networks_contain(&site->trusted, client))
        return HOP_INNER;
    else if (networks_contain(&site->own, client))
        *ret_problem = "the client behind is in our own networks";
    else if (address_is_private(client) || address_is_unspecified(client))
        *ret_problem = "a trusted host has it from a private address";
    else
        return HOP_CLIENT;
    return HOP_UNSURE;
}

/* --- all of them --------------------------------------------------------------------------------------- */

struct search {
    struct received received; /* of the client, or the last one that was looked at */
    uint32_t field;           /* which, from 1; 0: none */
    const char *problem;      /* NULL: found */
};

static void search_run(struct search *search, const struct site *site, const struct header *header)
{
    *search = (struct search){.problem = header->received_count
                                             ? "no Received field names a client from outside"
                                             : "there is no Received field"};
    while (search->field < header->received_count) {
        switch (hop_of(site, header->received[search->field++], &search->received, &search->problem)) {
        case HOP_INNER: break;
        case HOP_CLIENT: search->problem = NULL; return;
        case HOP_UNSURE: return;
        }
    }
}

static void record(struct step *step, const struct search *search)
{
    const struct received *received = &search->received;
    const struct transaction *transaction = &step->session->mail->transaction;
    if (search->problem)
        RECORD(step, forwarded, .transaction = transaction->number, .field = search->field,
               .problem = slice_text(search->problem));
    else
        RECORD(step, forwarded, .transaction = transaction->number, .client = received->address,
               .helo = slice_head(received->helo, 256), .by = slice_head(received->by, 256),
               .field = search->field);
}

static void look(struct step *step, const struct header *header)
{
    struct mail *mail = step->session->mail;
    struct search search;
    mail->behind = arena_take(&mail->arena, sizeof *mail->behind);
    search_run(&search, step->session->world->site, header);
    record(step, &search);
    mail->behind->client = search.problem ? (struct address){.family = ADDRESS_NONE}
                                          : search.received.address;
    mail->behind->helo = arena_copy(&mail->arena, search.received.helo);
}

/* --- and who that is ----------------------------------------------------------------------------------- */

static bool is_known(const struct site *site, const struct facts *facts)
{
    struct subject subject = {
        .peer = facts->peer,
        .by = {[OVERRIDE_HELO] = facts->helo, [OVERRIDE_SENDER] = facts->sender},
        .null_sender = !facts->sender.len,
    };
    struct stance stance;
    if (!site->override_count)
        return false;
    stance_make(site, &subject, &stance);
    return stance.known;
}

void forwarder_look(struct turn *turn)
{
    struct session *session = turn->step->session;
    struct mail *mail = session->mail;
    if (!forwarder_is_read(session))
        return;
    if (!mail->behind)
        look(turn->step, turn->facts.header);
    if (!mail->behind->client.family)
        return;
    struct facts *facts = turn->forwarded = arena_take(&turn->arena, sizeof *facts);
    *facts = turn->facts;
    facts->forwarder = turn->facts.peer;
    facts->peer = &mail->behind->client;
    facts->helo = mail->behind->helo;
    facts->peer_name = facts->pool = facts->fingerprint = facts->as = facts->country = SLICE_NONE;
    facts->auth_domain = facts->allowance = SLICE_NONE;
    facts->own = facts->trusted = facts->suspect = facts->tls = false;
    facts->known = is_known(facts->site, facts);
    turn->stance_good = false;
}

void forwarder_swap(struct turn *turn)
{
    struct facts facts = turn->facts;
    turn->facts = *turn->forwarded;
    *turn->forwarded = facts;
    turn->at_behind = !turn->at_behind;
}
