# What postern scan-log counts, counted again without it: the log of Postfix's smtpd and postscreen.
# usage: awk -f scan_log_postfix.awk LOG
#
# An envelope is known by its queue id; before it has one, by what serves its client: the process of smtpd, or
# at postscreen, where one serves all, the client's address and port.
function word_in(text, before, after,    at) {
    at = index(text, before)
    if (!at) return ""
    text = substr(text, at + length(before))
    at = index(text, after)
    return at ? substr(text, 1, at - 1) : text
}
function over(key) {
    if (key in outcome) { attempts++; verdicts[outcome[key]]++ }
    delete outcome[key]; delete sender[key]
}
{
    lines++
    first = $1 ~ /T/ ? 3 : 5 # behind the stamp and the host's name
    service = $first; verb = $(first + 1)
    id = verb; sub(/:$/, "", id)
    client = service
    if (service ~ /postscreen/ && match($0, /\[[0-9a-f.:]+\]:[0-9]+/)) client = substr($0, RSTART, RLENGTH)
}
service !~ /postfix\// { next }
verb ~ /^(connect|CONNECT)$/ { connections++; over(client) }
verb ~ /^(disconnect|DISCONNECT)$/ { over(client) }
/: (PREGREET |improper command pipelining )/ && !(client in outcome) { outcome[client] = "left" }
/: non-SMTP command / { outcome[client] = "refused" }
/: (milter-)?reject: / {
    code = match($0, /\]:([0-9]+:)? [45][0-9][0-9] /) ? substr($0, RSTART + RLENGTH - 4, 1) : 5
    if (code == 4) deferrals++; else refusals++
    key = id == "NOQUEUE" ? client : id
    from = word_in($0, "; from=<", ">")
    if (key in sender && sender[key] != from) over(key)
    sender[key] = from
    outcome[key] = code == 4 ? "deferred" : "refused"
}
/: client=/ {
    over(id)
    if ($0 ~ /sasl_username=|client=[^ ]*\[127\.0\.0\.1\]/) { own++; next }
    outcome[id] = client in outcome ? outcome[client] : "left" # refused recipients came before the first that was taken
    if (client in sender) sender[id] = sender[client]
    delete outcome[client]; delete sender[client]
}
/: from=<.*\(queue active\)/ && id in outcome && outcome[id] != "accepted" {
    if (id in sender && sender[id] != word_in($0, "from=<", ">")) over(id) # they were another's
    outcome[id] = "accepted"
    messages++; octets += word_in($0, ", size=", ",")
}
/ status=sent / { sent++ }
/ status=deferred / { deferred++ }
/ status=bounced / { bounced++ }
END {
    for (key in outcome) over(key)
    printf "lines %d\nconnections %d\nrefusals %d\ndeferrals %d\nmessages %d\noctets %.0f\n", lines, connections, refusals, deferrals, messages, octets
    printf "sent %d\ndeferred %d\nbounced %d\nown %d\nclientless 0\nattempts %d\n", sent, deferred, bounced, own, attempts
    for (i = split("accepted deferred refused left", names); i; i--) printf "verdict-%s %d\n", names[i], verdicts[names[i]]
}
