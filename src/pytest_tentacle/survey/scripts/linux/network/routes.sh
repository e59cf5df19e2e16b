# The way to each peer, as the kernel would take it: a link needs one in both directions.

route_limit=60

# $peers: hosts in lines, percent-encoded. For each: `route <peer> <address> <exit code> <ip's words>`, then what the
# neighbours' table and the reverse path filter say of it.
section_routes() {
    if ! has ip; then
        unknown 'this machine has no ip to ask for its routes'
        return
    fi
    asks_by_port
    {
        old_ifs=$IFS
        IFS=$newline
        count=0
        called=
        for peer in $peers; do
            if [ "$count" -ge "$route_limit" ]; then break; fi
            count=$((count + 1))
            case $peer in
                *%* | -*) continue ;;
                *:*) addresses=$peer ;;
                *[!0-9.]*)
                    first_words "$(bounded_last 3 getent ahosts "$peer" 2>/dev/null </dev/null)" 4
                    addresses=$firsts
                    ;;
                *) addresses=$peer ;;
            esac
            for address in $addresses; do
                words=$(ip -o route get "$address" 2>&1 </dev/null)
                code=$?
                from_own_address
                via=${words#* via }
                if [ "$via" = "$words" ]; then
                    case $code,$words in 0,*' dev lo '* | 0,local* | [!0]*) ;; *) called="$called$address$newline" ;; esac
                else
                    called="${via%% *}$newline$called"
                fi
                printf 'route %s %s %s %s\n' "$peer" "$address" "$code" "${words%%"$newline"*}"
            done
        done
        IFS=$old_ifs
        hops=$(cat /proc/sys/net/ipv4/ip_default_ttl 2>/dev/null) # dash's own read would get its first digit alone
        echo "= hops $hops"
        call_neighbours
        echo '= neighbours'
        ip neigh show 2>/dev/null </dev/null
        echo '= filters'
        set +f
        for file in /proc/sys/net/ipv4/conf/*/rp_filter; do
            strict= # a file of /proc/sys can be read only at once, so dash's read gets the value and an error
            { IFS= read -r strict <"$file"; } 2>/dev/null
            if [ -n "$strict" ]; then
                device=${file#/proc/sys/net/ipv4/conf/}
                printf '%s %s\n' "${device%/rp_filter}" "$strict"
            fi
        done
        set -f
    } | awk "$json$route_reader"
}

# Rules of routing may ask for a packet's own address, which it has once the way is chosen, and for the ports of its
# connection: what holds from there on is the answer with these. Sets words and code anew where it is another one.
from_own_address() {
    own=${words#* src }
    own=${own%% *}
    case $code,$words in 0,*' src '*) ;; *) return ;; esac
    way_of "$words"
    its_way=$way
    for ask in ' ' $asks; do
        IFS=' '
        # shellcheck disable=SC2086  # words for ip, and set -f is on
        set -- $ask
        IFS=$newline
        more=$(ip -o route get "$address" from "$own" "$@" 2>&1 </dev/null)
        more_code=$?
        case $more in
            *' dev '*)
                way_of "$more"
                if [ "$way" = "$its_way" ]; then continue; fi
                ;;
            unreachable* | prohibit* | blackhole* | *unreachable* | *'ermission denied'* | *'nvalid argument'* | *'o route to host'*) ;;
            *) continue ;;
        esac
        words="${more%%"$newline"*} src $own"
        code=$more_code
        return
    done
}

# Sets asks to what to ask for besides, in lines: the ports of the machine's answers and of what it opens, where a rule asks
# for any.
asks_by_port() {
    asks=
    case $(ip rule show 2>/dev/null </dev/null; ip -6 rule show 2>/dev/null </dev/null) in
        *' sport '* | *' dport '* | *' ipproto '*) ;;
        *) return ;;
    esac
    for port in $ports; do asks="${asks}ipproto tcp sport $port$newline"; done
    for port in $polled; do asks="${asks}ipproto tcp dport $port$newline"; done
}

# Sets way to the router and the device of what ip says, which names them in this order.
way_of() {
    way=
    rest="${1%%"$newline"*} "
    case $rest in *' via '*) rest=${rest#*' via '} way=${rest%%' '*} ;; esac
    case $rest in *' dev '*) rest=${rest#*' dev '} way="$way ${rest%%' '*}" ;; esac
}

# A neighbours' table knows of a router only what was tried of late: each is called once, and so are peers on the own
# network, side by side, so that a dead one is seen.
call_neighbours() {
    first_words "$called" 16
    for one in $firsts; do
        if has ping; then
            bounded_last 2 ping -c 1 -W 1 "$one" >/dev/null 2>&1 </dev/null &
        elif has curl; then
            case $one in *:*) one=[$one] ;; esac
            bounded_last 2 curl -q -s -m 1 --noproxy '*' -o /dev/null "http://$one:9/" >/dev/null 2>&1 </dev/null &
        fi
    done
    wait
}

route_reader='
$1 == "=" && $2 == "hops" { hops = $3; next }
$0 == "= neighbours" || $0 == "= filters" { about = $2; next }
about == "" { line[++count] = $0; next }
about == "neighbours" { if (neighbours++ < 500) state[$1, $3] = $NF; next }
{ strict[$1] = $2; next }
function value(s, word,  at, part) {
    if (!match(s, "(^| )" word " [^ ]+")) return ""
    part = substr(s, RSTART, RLENGTH); sub(/^ /, "", part); sub(/^[^ ]+ /, "", part)
    return part
}
function field(name, v) { return v == "" ? "" : ",\"" name "\":" text(v) }
function why(code, words) {
    if (code == 0 && words !~ /^(unreachable|prohibit|blackhole) /) return ""
    if (words ~ /etwork is unreachable/) return "no-route"
    if (words ~ /^prohibit |ermission denied/) return "prohibited"
    if (words ~ /^blackhole |nvalid argument/) return "blackhole"
    return words ~ /^unreachable |o route to host/ ? "unreachable" : "other"
}
END {
    # What counts is the higher of the two values (ip-sysctl), on the device that a packet comes in by: any but loopback.
    for (device in strict) if (device !~ /^(all|default|lo)$/) {
        value_here = strict[device] > strict["all"] ? strict[device] : strict["all"]
        if (filter == "" || value_here == 1) filter = value_here
    }
    for (i = 1; i <= count; i++) {
        split(line[i], part, " "); words = line[i]
        for (k = 1; k <= 4; k++) sub(/^[^ ]+ ?/, "", words)
        error = why(part[4], words); via = value(words, "via"); device = value(words, "dev")
        next_one = via != "" ? via : part[3]
        list = list (i > 1 ? "," : "") "{\"peer\":" text(part[2]) ",\"address\":" text(part[3]) field("via", via) \
            field("device", device) field("source", value(words, "src")) field("error", error) \
            field("neighbour", tolower(state[next_one, device])) field("detail", error == "" ? "" : substr(words, 1, 200)) \
            (filter == "" ? "" : ",\"rp_filter\":" filter + 0) \
            (hops ~ /^[0-9]+$/ && hops < 64 && part[3] !~ /:/ ? ",\"hops\":" hops + 0 : "") "}"
    }
    print "{\"data\":[" list "]}"
}
'
