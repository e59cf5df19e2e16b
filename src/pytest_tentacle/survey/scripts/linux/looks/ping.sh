# Pings: the probe of a link again and again, all links side by side. Only where the request asks for it. What the time
# did not allow for is simply not among the attempts.

# Each attempt is a dozen processes: more at once would be a load, and their times would be ours.
pingers=4

# Seconds that are kept for what comes after the pings.
ping_reserve=3

# Targets (lines `pinged <link> <host> <port> <by>` of the request, and `polled ...` of the machine's own
# settings, each host and port once) and the order (attempts or 0, seconds, milliseconds from one attempt to the next,
# bytes, and 1 where the seconds are a duration that was asked for: else they are what so many links as there are workers
# need, and more links have more); prints the series as JSON, with commas.
ping_all() {
    choose_targets pinged "$1"
    if [ "$total" -eq 0 ]; then return; fi
    pinged=$chosen
    # shellcheck disable=SC2086  # five numbers
    set -- "$pinged" $2
    ping_count=$2 ping_seconds=$3 ping_pause=$4 ping_bytes=$5 ping_fixed=$6
    identity=0
    choose_client
    why_not=
    if [ -z "$client" ]; then
        why_not='this machine has no TLS client (openssl 1.0.2 or newer, or curl)'
    elif [ "$client" = curl ] && [ "$ping_bytes" -gt 0 ]; then
        why_not='curl, the only TLS client here, cannot send the payload'
    elif [ "$remaining_budget" -le $((ping_reserve + probe_seconds)) ]; then
        why_not='no time was left for the pings'
    fi
    pieces=
    if [ -z "$why_not" ]; then
        if [ "$ping_bytes" -gt 0 ]; then payload=$(awk -v n="$ping_bytes" 'BEGIN { s = "A"; while (length(s) < n) s = s s; print substr(s, 1, n) "\\r\\n" }'); fi
        fine_sleep=
        if sleep 0.01 2>/dev/null; then fine_sleep=yes; fi
        if [ "$ping_fixed" -eq 0 ]; then ping_seconds=$((ping_seconds * ((total + pingers - 1) / pingers))); fi
        clock
        ping_end=$((now + ping_seconds))
        if [ "$ping_end" -gt $((started + budget - ping_reserve - probe_seconds)) ]; then ping_end=$((started + budget - ping_reserve - probe_seconds)); fi
        now_ms
        ping_began=$ms
        pieces=$(
            worker=0
            while [ "$worker" -lt "$pingers" ] && [ "$worker" -lt "$total" ]; do
                ping_some "$worker" </dev/null 2>/dev/null &
                worker=$((worker + 1))
            done
            wait
        )
    fi
    printf '%s%s\n' "$pinged" "$pieces" | awk -F '\t' -v wanted="$ping_count" -v payload_size="$ping_bytes" -v why="$why_not" "$json$series_writer"
}

# One worker: every fourth link, one after the other, round after round. Attempts start in pairs, the second half a
# second after the first, whether that one has ended or not: a row of connections that are a second or more apart, as
# Halibut's own attempts are, never comes of it, however slow the link. The next to read that log would take it for a
# server that is not let in. Prints what ping_once does.
ping_some() {
    mine=
    place=0
    old_ifs=$IFS
    IFS=$newline
    for line in $pinged; do
        place=$((place + 1))
        if [ $(((place - 1) % pingers)) -ne "$1" ]; then continue; fi
        line=${line#*"$tab"*"$tab"}
        mine=$mine$place$tab${line%"$tab"*}$newline
    done
    IFS=$old_ifs
    number=0
    while [ "$ping_count" -eq 0 ] || [ "$number" -lt "$ping_count" ]; do
        old_ifs=$IFS
        IFS=$newline
        for line in $mine; do
            IFS=$old_ifs
            place=${line%%"$tab"*}
            line=${line#*"$tab"}
            for turn in 1 2; do
                clock
                if [ "$now" -ge "$ping_end" ]; then
                    wait
                    return
                fi
                if [ $((number + turn)) -le "$ping_count" ] || [ "$ping_count" -eq 0 ]; then
                    now_10ms
                    pair_began=$ms
                    ping_once "$place" "$((number + turn))" "${line%"$tab"*}" "${line##*"$tab"}" &
                    if [ $((number + turn)) -ne "$ping_count" ]; then ping_rest "$pair_began"; fi
                fi
            done
            wait
            IFS=$newline
        done
        IFS=$old_ifs
        number=$((number + 2))
    done
}

# Place, number, host, port: one attempt. Prints `<place> <number> a <resolve> <connect> <tls> <page> <stage> <error> <at>
# <lag>` and the certificate as `<place> <number> c <piece>`, in lines short enough to be written at once. Two looks at the
# clock say how late this machine sees what has happened.
ping_once() {
    decode "$3"
    now_ms
    looked=$ms
    now_ms
    elapsed "$looked" "$ms"
    lag=$passed
    elapsed "$ping_began" "$ms"
    {
        printf 'link -\nhost -\nport 0\nby name\n'
        probe_target "$decoded" "$4" "$probe_seconds" </dev/null
    } | awk -v nonce="$nonce" -v most="$most_certificate" -v brief=ping -v prefix="$1$tab$2$tab" -v suffix="$tab$passed$tab$lag" "$json$probe_reader"
}

# Sleeps for what is left of the pause since the round began; whole seconds where sleep knows no others.
ping_rest() {
    now_10ms
    elapsed "$1" "$ms"
    rest=$((ping_pause - ${passed:-0}))
    if [ "$rest" -le 0 ]; then return; fi
    if [ "$rest" -gt 999 ]; then rest=999; fi
    rest=$((1000 + rest))
    if [ -n "$fine_sleep" ]; then sleep "0.${rest#1}"; else sleep 1; fi
}

# shellcheck disable=SC2016  # awk's own dollars
series_writer='
function known(name, value) { return value == "" || value == "-" ? "" : ",\"" name "\":" value }
$1 == "pinged" || $1 == "polled" { link[++count] = decoded($2); host[count] = decoded($3); port[count] = $4; by[count] = $5; next }
$3 == "a" {
    if ($2 + 0 > sent[$1] + 0) sent[$1] = $2 + 0
    attempt[$1, $2] = "{\"at\":" ($10 == "" ? "null" : sprintf("%.3f", $10 / 1000)) known("resolve", $4) known("connect", $5) known("tls", $6) \
        known("page", $7) ($8 == "-" ? "" : ",\"stage\":\"" $8 "\",\"error\":\"" $9 "\"") known("lag", $11)
    next
}
# Of a peer that shows another certificate each time, so many as fit into this; of the others it is not told which they were.
$3 == "c" { certificate[$1, $2] = certificate[$1, $2] $4; next }
END { for (i = 1; i <= count; i++) {
    printf "%s{\"link\":%s,\"host\":%s,\"port\":%s,\"by\":%s", (i > 1 ? "," : ""), link[i], text(host[i]), port[i], text(by[i])
    if (wanted > 0) printf ",\"wanted\":%d", wanted
    printf ",\"payload_bytes\":%d", payload_size
    if (why != "") printf ",\"unavailable\":%s", text(why)
    held = listed = ""; seen = separator = 0
    for (n = 1; n <= sent[i]; n++) {
        if (!((i, n) in attempt)) continue
        own = certificate[i, n]
        if (!((i, own) in index_of) && length(held) + length(own) > 33000) own = ""
        if (own != "" && !((i, own) in index_of)) { held = held (seen ? "," : "") text(own); index_of[i, own] = seen++ }
        listed = listed (separator++ ? "," : "") attempt[i, n] (own == "" ? "" : ",\"certificate\":" index_of[i, own]) "}"
    }
    printf ",\"certificates\":[%s],\"attempts\":[%s]}", held, listed
} }'
