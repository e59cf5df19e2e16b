# Probes: resolve, connect, TLS, certificate and the whole page in one connection, as a browser does it. Never a bare
# TCP connect: a Tentacle writes an Error into its log for each (tentacle-seen 1.2).
#
# What is noted of a connection and what the peer says stand in one text, line by line. A note is one by the nonce in
# it, which no peer knows: a page could say `certificate ...` or `=END=` as well.

workers=16

# A line that a ping sends along, its line end as a format for printf; nothing for a probe.
payload=

# What openssl is told besides, to hold it to one version of TLS; nothing for a probe.
client_options=

# The proxy, `host:port`, through whose tunnel a look goes; nothing for a probe.
through=

# Bytes of a certificate that is kept, which are hundreds of names; of a longer one the thumbprint is told. A machine that
# looks at hundreds of ports could not send the largest that each may show.
most_certificate=24000

# Lines of a client that are kept: an honest handshake makes some thirty, a hostile one as many as it likes.
most_lines=300

# Seconds that a client gets besides those of a look, for its own start; see start_slack.
slack=0

# What openssl is told so that it reads no file of authorities, of which no look asks anything: a list as systems have it
# takes it four times as long as the rest of its start. In two lines, since some who use it part words at line ends alone.
trust_nobody=

# What can speak TLS here, and what its help names. s_client's brief mode prints the page alone on stdout, its progress on stderr unbuffered,
# and with -msgfile the handshake's bytes, certificate and all, into a pipe of ours.
choose_client() {
    tick
    client=
    if has openssl; then
        client_help=$(bounded_last 5 openssl s_client -help 2>&1 </dev/null)
        case $client_help in *-brief*) client=openssl ;; esac
        case $client_help in *'-no-CAfile '*'-no-CApath '*) trust_nobody=-no-CAfile$newline-no-CApath ;; esac
    fi
    if [ -z "$client" ] && has curl; then client=curl; fi
}

# Sets most_slack to what starting the client takes here and now, while all workers start theirs: on a busy host (our own
# looks side by side keep it busy) it may take longer than a look may, and that is no silence of the peer's. The
# client's start with a connection reads more files than the one that is measured, hence three times as much. Nothing
# on a host that has time.
start_slack() {
    most_slack=0
    starts_in=
    if [ "$client" != openssl ]; then return; fi
    time_start
    if [ "${starts_in:-0}" -ge 200 ]; then most_slack=$(((starts_in * 3 + 999) / 1000)); fi
    if [ "$most_slack" -gt 10 ]; then most_slack=10; fi
}

# Sets starts_in to the milliseconds that the client takes to start.
time_start() {
    now_10ms
    before=$ms
    bounded 10 openssl s_client -help >/dev/null 2>&1 </dev/null
    now_10ms
    elapsed "$before" "$ms"
    starts_in=$passed
}

# Sets slack to as much of it as fits into so many seconds, besides those of the look.
fit_slack() {
    slack=$most_slack
    if [ $((seconds + slack)) -gt "$1" ]; then slack=$(($1 - seconds)); fi
}

# Probes all targets (lines `target` or `polled`, `<link> <host> <port> <by>`, in $1; the link is JSON that comes back
# as it is), several at once; prints the probes as JSON, with commas. Each worker takes every sixteenth target. All
# write into one pipe, in lines that are short enough to be written at once even where stdio buffers no more than
# 1,024 bytes.
probe_all() {
    total=0
    old_ifs=$IFS
    IFS=$newline
    for line in $1; do
        case $line in target* | polled*) total=$((total + 1)) ;; esac
    done
    IFS=$old_ifs
    if [ "$total" -eq 0 ]; then return; fi
    choose_client
    pieces=$(
        worker=0
        while [ "$worker" -lt "$workers" ] && [ "$worker" -lt "$total" ]; do
            probe_some "$worker" "$1" </dev/null 2>/dev/null &
            worker=$((worker + 1))
        done
        wait
    )
    printf '%s\n%s\n' "$1" "$pieces" | awk -F '\t' "$json"'
    $1 == "target" || $1 == "polled" { link[++count] = decoded($2); host[count] = decoded($3); port[count] = $4; by[count] = $5; next }
    $1 ~ /^[0-9]+$/ { piece = $0; sub(/^[^\t]*\t/, "", piece); probe[$1] = probe[$1] piece }
    END { for (i = 1; i <= count; i++) {
        if (probe[i] !~ /}$/) probe[i] = "{\"link\":" link[i] ",\"host\":" text(host[i]) ",\"port\":" port[i] \
            ",\"by\":" text(by[i]) ",\"unavailable\":\"the probe did not come to its end\"}"
        printf "%s%s", (i > 1 ? "," : ""), probe[i] } }'
}

probe_some() {
    own=$1
    place=0
    each_address=
    start_slack
    old_ifs=$IFS
    IFS=$newline
    for line in $2; do
        case $line in "target$tab"* | "polled$tab"*) ;; *) continue ;; esac
        place=$((place + 1))
        if [ $(((place - 1) % workers)) -ne "$own" ]; then continue; fi
        IFS=$tab
        # shellcheck disable=SC2086  # tab-separated fields, and set -f is on
        set -- $line
        IFS=$old_ifs
        link=$2 host=$3 port=$4 by=$5
        tick
        seconds=$remaining_budget
        if [ "$seconds" -gt "$probe_seconds" ]; then seconds=$probe_seconds; fi
        fit_slack "$remaining_budget"
        decode "$host"
        {
            printf 'link %s\nhost %s\nport %s\nby %s\n' "$link" "$host" "$port" "$by"
            if [ -z "$client" ]; then
                echo 'unavailable this machine has no TLS client (openssl 1.0.2 or newer, or curl)'
            elif [ "$seconds" -lt 1 ]; then
                echo 'unavailable no time was left for this probe'
            else
                if [ "$by" = name ]; then each_address=yes; fi
                tells_lag=yes
                probe_target "$decoded" "$port" "$seconds" </dev/null
            fi
        } | awk -v nonce="$nonce" -v most="$most_certificate" -v prefix="$place$tab" "$json$probe_reader"
        IFS=$newline
    done
    IFS=$old_ifs
}

# Sets chosen to those of the lines $2 that begin with the word $1, or with `polled`, each host and port once, and total to
# their number.
choose_targets() {
    chosen=
    total=0
    known=$newline
    old_ifs=$IFS
    IFS=$newline
    for line in $2; do
        case $line in "$1$tab"* | "polled$tab"*) ;; *) continue ;; esac
        place=${line#*"$tab"*"$tab"}
        place=${place%"$tab"*}
        case $known in *"$newline$place$newline"*) continue ;; esac
        known=$known$place$newline
        chosen=$chosen$line$newline
        total=$((total + 1))
    done
    IFS=$old_ifs
}

# Sets decoded to a host of the request ($1) without its percent encoding.
decode() {
    case $1 in
        *%*)
            decoded=$(HOST=$1 awk "$json"'BEGIN { printf "%s.", decoded(ENVIRON["HOST"]) }' </dev/null)
            decoded=${decoded%.}
            ;;
        *) decoded=$1 ;;
    esac
}

# Set where each address of a name is looked at, also those behind the one that connects; a ping and a trial do not.
each_address=

# Set where it is told how late this machine may be.
tells_lag=

# So many of those behind it, in so many seconds together.
most_others=3
others_seconds=3

# Host, port, seconds: resolves, then tries each address until one connects; with --probe-identity a second
# connection speaks Halibut's identity lines.
probe_target() {
    clock
    ends=$((now + $3))
    case $1 in
        *:* | *[!0-9.]*) literal= ;;
        *) literal=yes ;;
    esac
    case $1 in *:*) literal=yes ;; esac
    found=$1
    server_name=
    if [ -z "$literal" ]; then
        server_name=$1
        resolve "$1" "$3" || return
    fi
    count=0
    for address in $found; do count=$((count + 1)); done
    several=
    if [ "$count" -gt 1 ] && [ -n "$each_address" ]; then several=yes; fi
    others=
    now_10ms
    look_began=$ms
    # Where there is but one address, and no second connection, nobody here need know what came of it.
    if [ "$count" -eq 1 ] && [ "$identity" -eq 0 ]; then
        address=${found%%"$newline"*}
        printf 'address %s\n' "$address"
        speak "GET / HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n$payload\\r\\n" "$address" "$1" "$2" "$3"
        tell_lag
        return
    fi
    for address in $found; do
        clock
        remaining=$((ends - now))
        if [ "$remaining" -lt 1 ]; then remaining=1; fi
        share=$(((remaining + count - 1) / count))
        count=$((count - 1))
        attempt=$(speak "GET / HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n$payload\\r\\n" "$address" "$1" "$2" "$share")
        if [ -n "$several" ]; then tried "$address" "$attempt"; fi
        case $attempt in *"${newline}at $nonce connect"*) others=${found#*"$address"} && break ;; esac
    done
    if [ -n "$several" ] && [ -n "$others" ]; then try_others "$1" "$2"; fi
    tell_lag
    printf 'address %s\n%s\n' "$address" "$attempt"
    if [ "$identity" -eq 1 ] && [ "$client" = openssl ]; then
        clock
        remaining=$((ends - now))
        if [ "$remaining" -lt 1 ]; then remaining=1; fi
        case $attempt in
            *"${newline}at $nonce tls"*)
                printf '\n=IDENTITY=%s\n%s\n' "$nonce" "$(speak 'MX\r\n\r\nMX-CLIENT 1.0\r\n\r\n' "$address" "$1" "$2" "$remaining")"
                ;;
        esac
    fi
}

# Prints how long the client takes to start, `took <ms>`; after a look that was slow, how long it does now, since a host
# may have become busy.
tell_lag() {
    if [ -z "$tells_lag" ] || [ "$client" != openssl ]; then return; fi
    printf 'took %s\n' "${starts_in:-0}"
    now_10ms
    elapsed "$look_began" "$ms"
    if [ "${passed:-0}" -lt 1000 ]; then return; fi
    time_start
    printf 'took %s\n' "${starts_in:-0}"
}

# Address and what `speak` printed of it: prints `tried <address> <ms> <stage> <why> <thumbprint>`, `-` for what is not.
tried() {
    told=$(printf 'address %s\n%s\n' "$1" "$2" |
        awk -v nonce="$nonce" -v most="$most_certificate" -v brief=tried "$json$probe_reader")
    printf 'tried %s %s\n' "$1" "${told%%"$newline"*} ${told#*"$newline"}"
}

# Host, port: looks at the addresses in $others as well, each by a whole request of its own. A product may get one of
# them next time.
try_others() {
    clock
    others_end=$((now + others_seconds))
    if [ "$others_end" -gt "$ends" ]; then others_end=$ends; fi
    count=0
    for other in $others; do count=$((count + 1)); done
    if [ "$count" -gt "$most_others" ]; then count=$most_others; fi
    for other in $others; do
        clock
        remaining=$((others_end - now))
        if [ "$count" -lt 1 ] || [ "$remaining" -lt 1 ]; then return; fi
        share=$(((remaining + count - 1) / count))
        count=$((count - 1))
        tried "$other" "$(speak "GET / HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n" "$other" "$1" "$2" "$share")"
    done
}

# Sets found to the addresses of a name; prints `resolve <ms> <error or -> <addresses>` and a detail. Fails if there are none.
resolve() {
    now_ms
    before=$ms
    case $1 in
        -*) answer= code=2 ;;
        *)
            answer=$(limit_last "$2" getent ahosts "$1" 2>/dev/null </dev/null)
            code=$?
            ;;
    esac
    now_ms
    elapsed "$before" "$ms"
    first_words "$answer"
    found=$firsts
    if [ "$code" -eq 0 ] && [ -n "$found" ]; then
        printf 'resolve %s -' "${passed:--}"
        printf ' %s' $found
        echo
        return 0
    fi
    why=other
    if ! has getent; then
        printf 'resolve - other\nresolve_detail this machine has no getent to resolve names with\n'
        return 1
    elif timed_out "$code"; then
        why=timed-out
    elif [ "$code" -eq 2 ]; then
        why_not_found "$1"
    fi
    printf 'resolve %s %s\nresolve_detail getent ahosts ended with exit code %s\n' "${passed:--}" "$why" "$code"
    return 1
}

# Sets why. getent has one exit code for "no such name" and "no DNS server answered". nslookup, where present, tells them apart;
# and so does openssl, which prints the C library's own words (EAI_AGAIN, EAI_NODATA) and connects to nobody then.
why_not_found() {
    why=name-not-found
    case $1 in -*) return ;; esac
    if has nslookup; then
        said=$(bounded_last 3 nslookup "$1" 2>&1 </dev/null) || said="$said code $?"
        case $said in
            *NXDOMAIN*) ;;
            *SERVFAIL* | *REFUSED* | *'no servers could be reached'* | *'timed out'* | *'code 124'* | *'code 143'*)
                why=resolver-failed
                ;;
            *'No answer'*) why=no-address ;;
        esac
    elif has openssl; then
        # shellcheck disable=SC2086  # options of ours
        said=$(bounded_last 6 openssl s_client $trust_nobody -connect "$1:0" 2>&1 </dev/null) || said="$said code $?"
        case $said in
            *'Temporary failure in name resolution'* | *'Try again'* | *'code 124'* | *'code 143'* | *'code 137'*)
                why=resolver-failed
                ;;
            *'No address associated'* | *'no usable address'*) why=no-address ;;
        esac
    fi
}

# One connection: format of what to send (with one %s for Host), address, host, port, seconds. Prints what the client
# said as lines `log ...`, and the notes: `at <nonce> <stage> <ms>`, `exit <nonce> <code>`, `certificate <nonce> <base64>`
# and, between `=PAGE=<nonce>` and `=END=<nonce>`, what came back.
speak() {
    case $2 in *:*) dial="[$2]:$4" ;; *) dial=$2:$4 ;; esac
    case $3 in *:*) url="[${3%%%*}]:$4" ;; *) url=$3:$4 ;; esac
    now_ms
    last=$ms
    echo
    if [ "$client" = openssl ]; then
        # shellcheck disable=SC2086  # options of ours
        set -- "$1" "$(($5 + slack))" openssl s_client $client_options ${through:+-proxy "$through"} -brief -state -ign_eof $trust_nobody -msg -msgfile /dev/fd/5 ${server_name:+-servername "$server_name"} -connect "$dial"
    elif [ -n "$through" ]; then
        set -- "$1" "$5" curl -q -sS -k -v -i --http1.1 --suppress-connect-headers --noproxy '' --proxy1.0 "$through" --proxytunnel \
            --proxy-header 'User-Agent:' --proxy-header 'Proxy-Connection:' -A '' -H 'Accept:' -H 'Connection: close' \
            -w "\\n=CURL=$nonce %{time_connect} %{time_appconnect} %{time_total} %{num_certs}\\n%{certs}" "https://$url/"
    else
        set -- "$1" "$5" curl -q -sS -k -v -i --http1.1 --noproxy '*' -A '' -H 'Accept:' -H 'Connection: close' \
            --connect-to "::$dial" -w "\\n=CURL=$nonce %{time_connect} %{time_appconnect} %{time_total} %{num_certs}\\n%{certs}" "https://$url/"
    fi
    {
        # In this order: stderr live; then the exit code; then, once the messages have ended, the certificate; then the page.
        page=$({
            {
                # shellcheck disable=SC2059  # the format is one of ours
                printf "$1" "$url" | (shift && limit_last "$@") 5>&1 >&6 2>&3 6>&-
                printf '\nexit %s %s\n' "$nonce" "$?" >&3 # the client may have been ended within a line
            } | awk -v nonce="$nonce" -v most="$most_certificate" "$certificate_reader" >&3 6>&-
        } 6>&1 | head -c 100000 && printf .)
        printf '=PAGE=%s\n%s\n=END=%s\n' "$nonce" "${page%.}" "$nonce"
    } 3>&1 | {
        lines=0
        while IFS= read -r line; do
            case $line in
                SSL_connect:before*) note_stage connect ;;
                'CONNECTION ESTABLISHED') note_stage tls ;;
                "=PAGE=$nonce")
                    note_stage end
                    printf '%s\n' "$line"
                    exec cat # the reader is a subshell, and this its end
                    ;;
                "certificate $nonce "* | "large $nonce "* | "exit $nonce "*) printf '%s\n' "$line" ;;
                *)
                    lines=$((lines + 1))
                    if [ "$lines" -le "$most_lines" ]; then printf 'log %.600s\n' "$line"; fi
                    ;;
            esac
        done
    }
}

note_stage() {
    now_ms
    elapsed "$last" "$ms"
    printf 'at %s %s %s\n' "$nonce" "$1" "$passed"
    last=$ms
}

# The first certificate of the Certificate message in s_client's -msg output, as `certificate <nonce> <base64>` or, where
# that is long, `large <nonce> <bytes> <word> <thumbprint>`: TLS 1.3 has one byte of context before the list (RFC 8446 4.4.2), TLS 1.2 has none (RFC 5246 7.4.2). Each line is looked at once,
# whatever the message's length: what is read slowly keeps the client from going on.
certificate_reader='
BEGIN {
    for (i = 0; i < 256; i++) byte[sprintf("%02x", i)] = i
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
}
function value(s) { return (byte[substr(s, 1, 2)] * 256 + byte[substr(s, 3, 2)]) * 256 + byte[substr(s, 5, 2)] }
function coded(s,  n) {
    n = value(substr(s "0000", 1, 6))
    return substr(digits, int(n / 262144) + 1, 1) substr(digits, int(n / 4096) % 64 + 1, 1) \
        (length(s) > 2 ? substr(digits, int(n / 64) % 64 + 1, 1) : "=") (length(s) > 4 ? substr(digits, n % 64 + 1, 1) : "=")
}
function take(s) {
    if (length(s) > left) s = substr(s, 1, left)
    left -= length(s); rest = rest s
    while (length(rest) >= 6) { kept[++groups] = coded(substr(rest, 1, 6)); rest = substr(rest, 7) }
}
/^<<< / { wanted = /, Certificate$/ && !known && head == ""; next }
/^>>> / { wanted = 0; next }
wanted && /^ / {
    gsub(/[^0-9a-f]/, "")
    if (known) { take($0); next }
    head = head $0
    if (length(head) < 22) next
    at = value(substr(head, 9, 6)) + 3 == value(substr(head, 3, 6)) ? 15 : 17
    size = value(substr(head, at, 6)); left = size * 2; known = left > 0
    if (known) take(substr(head, at + 6)); else wanted = 0
}
END {
    if (!known || left > 0) exit
    if (rest != "") kept[++groups] = coded(rest)
    if (groups * 3 > most) {
        printf "large %s %d ", nonce, size
        fflush()
        digest = "openssl base64 -d -A | openssl dgst -sha1"
        for (i = 1; i <= groups; i++) printf "%s", kept[i] | digest
        close(digest)
        exit
    }
    printf "certificate %s ", nonce
    for (i = 1; i <= groups; i++) printf "%s", kept[i]
    printf "\n"
}
'
