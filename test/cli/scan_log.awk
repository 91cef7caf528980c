# What postern scan-log counts, counted again without it: Postfix's log, syslog's time stamps.
# usage: awk -f scan_log.awk LOG
function word_in(text, before, after,    at) {
    at = index(text, before)
    if (!at) return ""
    text = substr(text, at + length(before))
    at = index(text, after)
    return at ? substr(text, 1, at - 1) : text
}
{ lines++; service = $5; id = $6; sub(/:$/, "", id) }
service ~ /\/(smtpd|postscreen)\[/ && $6 ~ /^(connect|CONNECT)$/ {
    connections++
    session[service]++
}
/: (milter-)?reject: / {
    code = match($0, /\]: [45][0-9][0-9] /) ? substr($0, RSTART + 3, 1) : 5
    if (code == 4) deferrals++; else refusals++
    if (id == "NOQUEUE") {
        port = word_in($0, " from [", ": ")
        name = service ~ /postscreen/ ? "[" port : service " " session[service]
        envelopes[name " " word_in($0, "; from=<", ">")] = 1
        screened[name] = 1
    }
}
/: PREGREET / { early["[" word_in($0, " from [", ": ")] = 1 }
/: client=/ {
    if ($0 ~ /sasl_username=|\[127\.0\.0\.1\]/) { own++; ours[id] = 1 }
    else { clients[id] = 1; taken++ }
}
/: from=<.*\(queue active\)/ && id in clients {
    messages++
    octets += word_in($0, ", size=", ",")
    delete clients[id]
}
/ status=sent / { sent++ }
/ status=deferred / { deferred++ }
/ status=bounced / { bounced++ }
END {
    for (name in envelopes) attempts++
    for (name in early) if (!(name in screened)) attempts++
    attempts += taken
    printf "lines %d\nconnections %d\nrefusals %d\ndeferrals %d\nmessages %d\noctets %.0f\nsent %d\ndeferred %d\n", \
        lines, connections, refusals, deferrals, messages, octets, sent, deferred
    printf "bounced %d\nown %d\nattempts %d\n", bounced, own, attempts
}
