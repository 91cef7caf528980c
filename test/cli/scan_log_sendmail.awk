# What postern scan-log counts, counted again without it: sendmail's log, also published excerpts that have "..."
# where the queue id was.
# usage: awk -f scan_log_sendmail.awk LOG
#
# An envelope is known by its id, else by the process. Without ids its last lines are from= and to=, so that a
# refusal behind them is the next one's.
function over(id) {
    if (!(id in code)) return
    if (peer[id] == "") clientless++
    else if (peer[id] ~ /^\[127\./) own++
    else { attempts++; verdicts[taken[id] && !whole[id] ? "accepted" : !code[id] ? "left" : code[id] ~ /^4/ ? "deferred" : "refused"]++ }
    delete code[id]; delete peer[id]; delete taken[id]; delete whole[id]; delete lost[id]; delete told[id]; delete wanted[id]
}
function begin(id) { if (!(id in code)) code[id] = "" }
function refuse(id, reply) { # the last refusal tells what came of it
    begin(id)
    code[id] = reply
    if (reply ~ /^4/) deferrals++; else refusals++
}
# The first address in brackets behind the word, which is the client's.
function host_in(text, word) {
    text = substr(text, index(text, word) + length(word))
    return match(text, /\[[0-9A-Za-z.:]+\]/) ? substr(text, RSTART, RLENGTH) : ""
}
function number_in(text, word) { return index(text, word) ? substr(text, index(text, word) + length(word)) + 0 : 0 }
{ lines++ }
$5 !~ /^(sm-mta|sendmail)/ { next }
{ id = $6 ~ /^[0-9A-Za-z]+:$/ && $6 != "NOQUEUE:" ? $6 : $5 }
/ reject=[45]/ {
    if (taken[id]) over(id)
    match($0, /reject=[45][0-9][0-9]/)
    refuse(id, substr($0, RSTART + 7, 3))
    if (index($0, " relay=")) peer[id] = host_in($0, " relay=")
    if ($0 !~ /check_rcpt|Milter: to=/) whole[id] = 1
    if ($0 ~ /check_relay/) over(id)
}
/\.\.\. User unknown$/ { refuse(id, "550") }
/ (lost input channel|rejecting commands) from / { begin(id); peer[id] = host_in($0, " from "); lost[id] = / lost / }
/ from=/ {
    begin(id)
    if (peer[id] == "") peer[id] = host_in($0, " relay=")
    wanted[id] = number_in($0, "nrcpts=")
    if (lost[id] || (/nrcpts=/ && !wanted[id])) { over(id); next }
    taken[id] = 1
    if (!whole[id] && peer[id] != "" && peer[id] !~ /^\[127\./) { messages++; octets += number_in($0, " size=") }
}
/ to=/ && !/ reject=/ {
    match($0, / to=[^ ]*/)
    count = split(substr($0, RSTART, RLENGTH), parts, ",") - 1 # the last comma ends the field
    if (/ stat=Sent/) sent += count
    else if (/ stat=Deferred/) deferred += count
    else if (/ stat=/) bounced += count
    told[id] += count
    if (taken[id] && wanted[id] && told[id] >= wanted[id]) over(id)
}
END {
    for (id in code) over(id)
    printf "lines %d\nconnections 0\nrefusals %d\ndeferrals %d\nmessages %d\noctets %.0f\n", lines, refusals, deferrals, messages, octets
    printf "sent %d\ndeferred %d\nbounced %d\nown %d\nclientless %d\nattempts %d\n", sent, deferred, bounced, own, clientless, attempts
    for (i = split("accepted deferred refused left", names); i; i--) printf "verdict-%s %d\n", names[i], verdicts[names[i]]
}
