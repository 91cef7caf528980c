/* Documents as one HTML page that needs nothing else, and that no text in it can make do anything: there is
 * no script, a policy forbids what would be one, and every text is guarded and escaped. */
#include "journal/document.h"

#include "core/event.h"

/* Three styles, in both lights: client bold red, gate underlined blue, comments italic green. Their colours
 * stand out from the ground by 4.5 to 1 at least. */
static const char style_sheet[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1c1c1c;--dim:#5f6368;--rule:#dcdcdc;--box:#f6f6f4;"
    "--client:#b3001b;--server:#0b4db5;--comment:#1b6b2b;--finding:#7a4a00}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#16181b;--ink:#e6e6e6;--dim:#a3a7ad;--rule:#3a3d42;"
    "--box:#1f2226;--client:#ff8a8f;--server:#8ab8ff;--comment:#8fd19a;--finding:#e8b04b}}\n"
    "body{margin:0 auto;padding:1rem;max-width:58rem;background:var(--ground);color:var(--ink);"
    "font:1rem/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.15rem;margin:0;overflow-wrap:anywhere}\n"
    "h2{font-size:1rem;margin:1.6rem 0 .4rem;border-bottom:1px solid var(--rule)}\n"
    ".date{color:var(--dim);margin:.1rem 0 .8rem}\n"
    ".sentence{font-size:1.1rem;margin:.6rem 0;overflow-wrap:anywhere}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;margin:.8rem 0;"
    "padding:.6rem .8rem;background:var(--box);border-radius:.4rem}\n"
    "dt{color:var(--dim)}\ndd{margin:0;overflow-wrap:anywhere}\n"
    "figure{margin:1rem 0}\nfigcaption{color:var(--dim);font-size:.85rem}\n"
    "svg{display:block;width:100%;overflow:visible}\nsvg text{font:12px "
    "system-ui,sans-serif;fill:var(--dim)}\n"
    ".lane-client{fill:var(--client)}.lane-gate{fill:var(--server)}.lane-question{fill:var(--finding)}"
    ".ground{fill:var(--box)}.tick{stroke:var(--rule)}\n"
    ".line{display:grid;grid-template-columns:var(--moment) 1fr;gap:0 .8rem;margin:.15rem 0;"
    "font:.9rem/1.45 ui-monospace,monospace}\n"
    ".line time{color:var(--dim);font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".line>span{white-space:pre-wrap;overflow-wrap:anywhere}\n.lead{color:var(--dim)}\n"
    ".client b{font-weight:bold;color:var(--client)}\n"
    ".server u{color:var(--server);text-underline-offset:.15em}\n"
    ".finding b,.failure b{color:var(--finding)}\n"
    ".comment{font-style:italic;color:var(--comment);margin:.7rem 0 .1rem;overflow-wrap:anywhere}\n"
    ".comment+.comment{margin-top:.5rem}\n"
    "footer{color:var(--dim);font-size:.85rem;margin-top:2rem}\n"
    "@media(max-width:34rem){body{padding:.7rem}.line{grid-template-columns:1fr;margin:.35rem 0}"
    "dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}}\n"
    "@media print{:root{--ground:#fff;--ink:#000;--dim:#444;--rule:#bbb;--box:#fff;--client:#b3001b;"
    "--server:#0b4db5;--comment:#1b6b2b;--finding:#7a4a00}body{max-width:none;padding:0;font-size:10pt}"
    ".line,.comment,figure{break-inside:avoid}.comment{break-after:avoid}"
    "svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

struct page {
    struct buf *out;
    bool whole;
};

static void put(struct page *page, const char *html)
{
    page->whole = buf_add(page->out, slice_text(html)) && page->whole;
}

static void put_text(struct page *page, struct slice text)
{
    page->whole = document_html_text(page->out, text) && page->whole;
}

static bool escape(struct buf *out, struct slice text)
{
    bool whole = true;
    for (size_t i = 0; i < text.len && whole; i++) {
        switch (text.at[i]) {
        case '&': whole = buf_add(out, SLICE("&amp;")); break;
        case '<': whole = buf_add(out, SLICE("&lt;")); break;
        case '>': whole = buf_add(out, SLICE("&gt;")); break;
        case '"': whole = buf_add(out, SLICE("&quot;")); break;
        case '\'': whole = buf_add(out, SLICE("&#39;")); break;
        default: whole = buf_add_octet(out, text.at[i]); break;
        }
    }
    return whole;
}

bool document_html_text(struct buf *out, struct slice text)
{
    const uint32_t before = out->len;
    struct buf guarded;
    buf_init(&guarded, 4 * text.len + 1);
    const bool whole = document_guard(&guarded, text) && escape(out, buf_slice(&guarded));
    buf_drop(&guarded);
    if (!whole)
        out->len = before;
    return whole;
}

/* --- the head ------------------------------------------------------------------------------------------ */

static void put_title(struct page *page, const struct document *document)
{
    char id[EVENT_ID_SIZE];
    event_id_print(document->session, id);
    put(page, "Session ");
    put(page, id);
    put(page, " (");
    put(page, document->view);
    put(page, ")");
}

/* The column of times is as wide as the longest. */
static void put_moments(struct page *page, const struct document *document)
{
    size_t widest = 0;
    for (size_t i = 0; i < document->line_count; i++)
        if (document->lines[i].moment.len > widest)
            widest = document->lines[i].moment.len;
    if (!buf_add_format(page->out, ":root{--moment:%zuch}\n", widest))
        page->whole = false;
}

static void put_head(struct page *page, const struct document *document)
{
    put(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
              "style-src 'unsafe-inline'\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    put_title(page, document);
    put(page, "</title>\n<style>\n");
    put(page, style_sheet);
    put_moments(page, document);
    put(page, "</style>\n</head>\n");
}

static void put_facts(struct page *page, const struct document *document)
{
    if (!document->fact_count)
        return;
    put(page, "<dl>\n");
    for (size_t i = 0; i < document->fact_count; i++) {
        put(page, "<dt>");
        put_text(page, document->facts[i].name);
        put(page, "</dt><dd>");
        put_text(page, document->facts[i].value);
        put(page, "</dd>\n");
    }
    put(page, "</dl>\n");
}

static void put_beginning(struct page *page, const struct document *document)
{
    char date[DOCUMENT_DATE_SIZE];
    put(page, "<header>\n<h1>");
    put_title(page, document);
    put(page, "</h1>\n<p class=\"date\">");
    put_text(page, document_date(document, date));
    put(page, "</p>\n");
    if (document->sentence.len) {
        put(page, "<p class=\"sentence\">");
        put_text(page, document->sentence);
        put(page, "</p>\n");
    }
    put_facts(page, document);
    put(page, "</header>\n");
}

/* --- lines --------------------------------------------------------------------------------------------- */

static void put_moment(struct page *page, const struct document_line *line)
{
    put(page, "<time>");
    put_text(page, line->moment);
    put(page, "</time><span>");
    if (line->lead.len) {
        put(page, "<span class=\"lead\">");
        put_text(page, line->lead);
        put(page, "</span>");
    }
}

static void put_words(struct page *page, const struct document_line *line)
{
    const char *tag = "";
    if (line->style == DOCUMENT_SERVER)
        tag = "u";
    else if (line->style != DOCUMENT_PLAIN)
        tag = "b";
    if (*tag && !buf_add_format(page->out, "<%s>", tag))
        page->whole = false;
    put_text(page, line->text);
    if (*tag && !buf_add_format(page->out, "</%s>", tag))
        page->whole = false;
}

static void put_line(struct page *page, const struct document_line *line)
{
    if (line->style == DOCUMENT_COMMENT || line->style == DOCUMENT_HEADING) {
        const bool heading = line->style == DOCUMENT_HEADING;
        put(page, heading ? "<h2>" : "<p class=\"comment\">");
        put_text(page, line->text);
        put(page, heading ? "</h2>\n" : "</p>\n");
        return;
    }
    put(page, "<div class=\"line ");
    put(page, document_style_word(line->style));
    put(page, "\">");
    put_moment(page, line);
    put_words(page, line);
    put(page, "</span></div>\n");
}

bool document_html(const struct document *document, struct buf *out)
{
    const uint32_t before = out->len;
    struct page page = {out, true};
    put_head(&page, document);
    put(&page, "<body>\n");
    put_beginning(&page, document);
    page.whole = document_timeline(document, out) && page.whole;
    put(&page, "<main>\n");
    for (size_t i = 0; i < document->line_count; i++)
        put_line(&page, &document->lines[i]);
    put(&page, "</main>\n<footer>Written by Postern.</footer>\n</body>\n</html>\n");
    if (!page.whole)
        out->len = before;
    return page.whole;
}
