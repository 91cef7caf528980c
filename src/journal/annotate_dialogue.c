/* The annotated view's comments over what was said, and how the conversation began and ended. */
#include "journal/annotate.h"

#include "base/text.h"
#include "core/trace.h"
#include "journal/phrase.h"
#include "journal/words.h"

#define PATIENCE_MS 2000 /* a wait that is worth a word */
#define BANNER_MAX  12   /* lines of a greeting that are told one by one */

static void opened(struct annotate *annotate)
{
    const struct event_session_opened *opened = &annotate->event->body.session_opened;
    annotate->peer = opened->peer;
    annotate->asked_us = (uint64_t)annotate->event->stamp.unix_us;
    annotate_note(annotate,
                  "First, somebody calls us: a computer at the address %s. That is all that we know of "
                  "it, as of a telephone call the number.",
                  annotate_peer(annotate));
    if (opened->slots_max)
        annotate_note(annotate, "We open a line for it: %s of our %s lines %s in use now.",
                      annotate_number(annotate, opened->slots_used),
                      annotate_number(annotate, opened->slots_max), opened->slots_used == 1 ? "is" : "are");
    if (opened->host_used > 1)
        annotate_note(annotate, "%s of them serve this very address.",
                      annotate_number(annotate, opened->host_used));
}

static void proxied(struct annotate *annotate)
{
    const struct event_session_proxied *proxied = &annotate->event->body.session_proxied;
    annotate->peer = proxied->peer;
    annotate->name = proxied->name;
    annotate_note(annotate, "%s It is %s.", phrase_event(EVENT_KIND_session_proxied),
                  annotate_peer(annotate));
}

/* --- what they say ------------------------------------------------------------------------------------- */

static bool is_literal(struct slice name)
{
    return name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']';
}

static void greeting(struct annotate *annotate, const struct command *command)
{
    struct slice rest = command->argument, name = SLICE_NONE;
    slice_word(&rest, &name);
    const bool again = annotate->helo.len && !slice_equal_fold(annotate->helo, name);
    if (again)
        annotate_note(annotate, "Before, they called themselves \"%s\", now it is \"%s\".",
                      annotate_shown(annotate, annotate->helo), annotate_shown(annotate, name));
    else if (is_literal(name))
        annotate_note(annotate,
                      "Instead of a name they give an address in brackets, which is allowed where there "
                      "is no name.");
    else if (name.len)
        annotate_note(annotate,
                      "The name is \"%s\"; it should be the name of their computer, such as "
                      "mail.example.org. So far it is only a claim.",
                      annotate_shown(annotate, name));
    annotate->helo = name;
}

static struct slice path_of(struct slice argument)
{
    const size_t from = slice_find(argument, '<'), to = slice_find(argument, '>');
    if (from == SLICE_NOT_FOUND || to == SLICE_NOT_FOUND || to < from)
        return SLICE_NONE;
    return slice_of(argument.at + from + 1, to - from - 1);
}

static void sender(struct annotate *annotate, const struct command *command)
{
    const struct slice path = path_of(command->argument);
    annotate->transactions++;
    annotate->recipients = 0;
    annotate->sender = path;
    if (annotate->transactions > 1)
        annotate_note(annotate, "It is the message number %s of this conversation.",
                      annotate_number(annotate, annotate->transactions));
    if (path.len) {
        annotate_note(annotate, "It is said to be %s.", annotate_shown(annotate, path));
        annotate_note_once(annotate, &annotate->said_verb[VERB_MAIL],
                           "That is like the sender on an envelope: anybody can write anything there.");
    } else if (slice_find_slice(command->argument, SLICE("<>")) != SLICE_NOT_FOUND) {
        annotate_note(annotate, "The sender is left empty: so are reports that another message could not be "
                                "delivered, lest they be answered in turn.");
    }
}

static void recipient(struct annotate *annotate, const struct command *command)
{
    const struct slice path = path_of(command->argument);
    const struct slice text = path.len ? path : command->argument;
    annotate_note(annotate, annotate->recipients++ ? "It is one more recipient: %s." : "It is %s.",
                  annotate_shown(annotate, text));
}

static void waited(struct annotate *annotate, uint64_t ms)
{
    if (ms >= PATIENCE_MS)
        annotate_note(annotate, "It took them %s.", annotate_time(annotate, ms));
}

static void line(struct annotate *annotate)
{
    const struct event_line_received *line = &annotate->event->body.line_received;
    struct command command;
    command_parse(line->text, &command);
    const char *phrase = phrase_command(command.verb);
    if (slice_equal(line->text, SLICE("****")))
        phrase = "What they send here belongs to a password; it is never recorded.";
    if (command.verb == VERB_RCPT && annotate->recipients)
        phrase = "They go on with the same message.";
    annotate->asked_us = (uint64_t)annotate->event->stamp.unix_us;
    annotate_note(annotate, "%s", phrase ? phrase : phrase_event(EVENT_KIND_line_received));
    switch (command.verb) {
    case VERB_HELO:
    case VERB_EHLO: greeting(annotate, &command); break;
    case VERB_MAIL: sender(annotate, &command); break;
    case VERB_RCPT: recipient(annotate, &command); break;
    case VERB_UNKNOWN:
        if (command.header_like)
            annotate_note(annotate,
                          "It looks like a line of a message's head, or of a request to a web server.");
        break;
    default: break;
    }
    waited(annotate, line->waited_ms);
}

void annotate_client_line(struct annotate *annotate)
{
    const struct event_line_received *line = &annotate->event->body.line_received;
    char time[VIEW_TIME_SIZE];
    struct document_line shown = {
        .style = DOCUMENT_CLIENT,
        .unix_us = annotate->event->stamp.unix_us,
        .moment = view_time(annotate->settings, annotate->event->stamp.unix_us, time),
        .lead = SLICE("they say: "),
        .text = document_shown(annotate->document, line->text),
    };
    document_add(annotate->document, &shown);
}

/* --- what we say --------------------------------------------------------------------------------------- */

/* "220-mx.example.net ESMTP welcome" without its code. */
static struct slice words_of(struct slice line)
{
    return slice_trim(slice_from(line, 4));
}

static bool reply_line(struct slice *text, struct slice *ret_line)
{
    if (!slice_cut(text, '\n', ret_line))
        return false;
    if (ret_line->len && ret_line->at[ret_line->len - 1] == '\r')
        ret_line->len--;
    return true;
}

static void banner(struct annotate *annotate, struct slice text)
{
    struct slice line, rest = text;
    unsigned lines = 0, number = 0;
    while (reply_line(&rest, &line))
        lines++;
    if (lines < 2)
        return;
    annotate_note(annotate, "Then we tell them %s:", lines == 2 ? "one thing more" : "some things more");
    rest = text;
    (void)reply_line(&rest, &line);
    while (reply_line(&rest, &line) && number < BANNER_MAX) {
        const struct slice words = words_of(line);
        const bool ended = words.len && strchr(".!?", words.at[words.len - 1]);
        annotate_note(annotate, "(%u) %s%s", ++number, annotate_shown(annotate, words), ended ? "" : ".");
    }
    annotate_note(annotate, "A hyphen behind the number says that another line follows; programs that do not "
                            "know this give themselves away.");
}

static void offers(struct annotate *annotate, struct slice text)
{
    struct slice line, rest = text;
    struct buf list;
    buf_init(&list, 1024);
    (void)reply_line(&rest, &line);
    while (reply_line(&rest, &line)) {
        buf_add(&list, list.len ? SLICE(", ") : SLICE_NONE);
        buf_add(&list, words_of(line));
    }
    if (list.len)
        annotate_note(annotate, "It is: %s.", annotate_shown(annotate, buf_slice(&list)));
    buf_drop(&list);
}

static void digit(struct annotate *annotate, uint64_t code)
{
    const char *phrase = phrase_code(code);
    if (!phrase || annotate->said_digit[code / 100])
        return;
    annotate->said_digit[code / 100] = true;
    annotate_note(annotate, "%s", phrase);
}

/* What the sender can do: said once for each refusal, in the words of what decided. */
static void remedy(struct annotate *annotate, const struct event_reply_sent *reply)
{
    const struct say_info *info = reply->number < SAY_LIMIT ? say_info((unsigned)reply->number) : NULL;
    const struct finding_phrase *phrase = annotate->judged ? phrase_finding(annotate->decided) : NULL;
    const char *text = phrase ? phrase->remedy : info ? info->remedy : NULL;
    const bool last = reply->number == annotate->summary->cause.number; /* it is said at the end */
    if (reply->code >= 400 && text && !last && reply->number < SAY_LIMIT &&
        !annotate->said_reply[reply->number])
        annotate_note(annotate, "What the sender can do: %s", text);
    if (reply->code >= 400 && slice_find(reply->text, '#') != SLICE_NOT_FOUND)
        annotate_note_once(
            annotate, &annotate->said_number,
            "The number behind # names the reason, and the word in brackets this conversation: "
            "the sender's postmaster can quote both.");
}

/* How long this reply took to go out octet by octet; 0: it went out at once. */
static uint64_t slow_ms(const struct annotate *annotate)
{
    const struct history *history = annotate->history;
    for (size_t i = (size_t)(annotate->event - history->events) + 1; i < history->count; i++) {
        const struct event *event = &history->events[i];
        if (event->kind == EVENT_KIND_reply_sent || event->kind == EVENT_KIND_line_received)
            return 0;
        if (event->kind == EVENT_KIND_session_moved && event->body.session_moved.what == TRACE_DRIPPED)
            return (uint64_t)(event->stamp.unix_us - annotate->event->stamp.unix_us) / 1000;
    }
    return 0;
}

static void reply(struct annotate *annotate)
{
    const struct event_reply_sent *reply = &annotate->event->body.reply_sent;
    const uint64_t now = (uint64_t)annotate->event->stamp.unix_us;
    const char *phrase = phrase_reply(reply->number);
    if (annotate->sheds && reply->code < 300)
        phrase = "We say yes, so that they learn nothing. In truth the mail will be thrown away.";
    annotate->sheds = false;
    annotate_note(annotate, "%s", phrase ? phrase : phrase_event(EVENT_KIND_reply_sent));
    if (reply->number == SAY_BANNER)
        banner(annotate, reply->text);
    else if (reply->number == SAY_EHLO || reply->number == SAY_EHLO_UNVERIFIED)
        offers(annotate, reply->text);
    digit(annotate, reply->code);
    remedy(annotate, reply);
    if (annotate->asked_us && now > annotate->asked_us && (now - annotate->asked_us) / 1000 >= PATIENCE_MS)
        annotate_note(annotate, "We let them wait %s for this.",
                      annotate_time(annotate, (now - annotate->asked_us) / 1000));
    const uint64_t slowly = slow_ms(annotate);
    if (slowly >= PATIENCE_MS)
        annotate_note(annotate, "It goes out letter by letter, which takes %s: suspects are served slowly.",
                      annotate_time(annotate, slowly));
    if (reply->number < SAY_LIMIT)
        annotate->said_reply[reply->number] = true;
    annotate->asked_us = 0;
    annotate->judged = false;
}

void annotate_server_lines(struct annotate *annotate)
{
    struct slice rest = annotate->event->body.reply_sent.text, line;
    char time[VIEW_TIME_SIZE];
    struct document_line shown = {
        .style = DOCUMENT_SERVER,
        .unix_us = annotate->event->stamp.unix_us,
        .moment = view_time(annotate->settings, annotate->event->stamp.unix_us, time),
        .lead = SLICE("we say:   "),
    };
    while (reply_line(&rest, &line)) {
        shown.text = document_shown(annotate->document, line);
        document_add(annotate->document, &shown);
        shown.lead = SLICE("          ");
    }
}

/* --- the rest ------------------------------------------------------------------------------------------ */

static void http(struct annotate *annotate)
{
    const struct event_http_request *request = &annotate->event->body.http_request;
    annotate_note(annotate, "%s", phrase_event(EVENT_KIND_http_request));
    if (request->commands)
        annotate_note(annotate,
                      "There are mail commands in it: whoever is behind it wanted to send mail from %s to "
                      "%s %s through somebody else's web proxy.",
                      request->sender.len ? annotate_shown(annotate, request->sender) : "nobody",
                      annotate_number(annotate, request->recipient_count),
                      request->recipient_count == 1 ? "recipient" : "recipients");
    if (request->forwarded_for.len)
        annotate_note(annotate,
                      "The proxy says that it does this for %s; nobody can tell whether that is true.",
                      annotate_shown(annotate, request->forwarded_for));
}

static void ended(struct annotate *annotate)
{
    const struct event_session_ended *ended = &annotate->event->body.session_ended;
    const char *phrase = phrase_ending(ended->why);
    annotate_note(annotate, "%s The line is closed, and everything that was opened for it is put away.",
                  phrase ? phrase : phrase_event(EVENT_KIND_session_ended));
    annotate_note(annotate, "It lasted %s. They sent %s octets (characters), we sent %s.",
                  annotate_time(annotate, ended->took_ms), annotate_number(annotate, ended->octets_in),
                  annotate_number(annotate, ended->octets_out));
    if (!ended->tried)
        annotate_note(annotate, "It never came as far as a message.");
    else if (ended->tried == 1)
        annotate_note(annotate, ended->accepted ? "The message was taken." : "The message was not taken.");
    else
        annotate_note(annotate, "Of %s messages %s were taken.", annotate_number(annotate, ended->tried),
                      ended->accepted ? annotate_number(annotate, ended->accepted) : "none");
}

static void tls(struct annotate *annotate)
{
    const struct event_tls_started *tls = &annotate->event->body.tls_started;
    annotate_note(annotate, "%s To agree on how took %s.", phrase_event(EVENT_KIND_tls_started),
                  annotate_time(annotate, tls->took_ms));
}

void annotate_dialogue(struct annotate *annotate)
{
    const struct event *event = annotate->event;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: opened(annotate); break;
    case EVENT_KIND_session_proxied: proxied(annotate); break;
    case EVENT_KIND_line_received: line(annotate); break;
    case EVENT_KIND_reply_sent: reply(annotate); break;
    case EVENT_KIND_tls_started: tls(annotate); break;
    case EVENT_KIND_http_request: http(annotate); break;
    case EVENT_KIND_session_ended: ended(annotate); break;
    case EVENT_KIND_state_changed: {
        const char *phrase = phrase_state(event->body.state_changed.to);
        annotate_note(annotate, "%s", phrase ? phrase : phrase_event(EVENT_KIND_state_changed));
        break;
    }
    default: annotate_note(annotate, "%s", phrase_event(event->kind)); break;
    }
}
