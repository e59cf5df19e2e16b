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

# Bytes of a certificate that is kept, which are hundreds of names; of a longer one the thumbprint is told. A machine that
# looks at hundreds of ports could not send the largest that each may show.
most_certificate=24000

# Lines of a client that are kept: an honest handshake makes some thirty, a hostile one as many as it likes.
most_lines=300

# Seconds that a client gets besides those of a look, for its own start; see start_slack.
slack=0

# What can speak TLS here. s_client's brief mode prints the page alone on stdout, its progress on stderr unbuffered,
# and with -msgfile the handshake's bytes, certificate and all, into a pipe of ours.
choose_client() {
    tick
    client=
    if has openssl; then
        case $(bounded 5 openssl s_client -help 2>&1 </dev/null) in *-brief*) client=openssl ;; esac
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
    before=$(now_ms)
    bounded 10 openssl s_client -help >/dev/null 2>&1 </dev/null
    starts_in=$(elapsed "$before" "$(now_ms)")
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
    total=$(printf '%s\n' "$1" | grep -c -e '^target' -e '^polled')
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
    place=0
    each_address=
    start_slack
    printf '%s\n' "$2" | while IFS=$tab read -r word link host port by; do
        case $word in target | polled) ;; *) continue ;; esac
        place=$((place + 1))
        if [ $(((place - 1) % workers)) -ne "$1" ]; then continue; fi
        tick
        seconds=$remaining_budget
        if [ "$seconds" -gt "$probe_seconds" ]; then seconds=$probe_seconds; fi
        fit_slack "$remaining_budget"
        case $host in *%*) dialled=$(printf '%s' "$host" | awk "$json"'{ printf "%s%s", (NR > 1 ? "\n" : ""), decoded($0) }') ;;
            *) dialled=$host ;; esac
        probe=$({
            printf 'link %s\nhost %s\nport %s\nby %s\n' "$link" "$host" "$port" "$by"
            if [ -z "$client" ]; then
                echo 'unavailable this machine has no TLS client (openssl 1.0.2 or newer, or curl)'
            elif [ "$seconds" -lt 1 ]; then
                echo 'unavailable no time was left for this probe'
            else
                if [ "$by" = name ]; then each_address=yes; fi
                tells_lag=yes
                probe_target "$dialled" "$port" "$seconds" </dev/null
            fi
        } | awk -v nonce="$nonce" -v most="$most_certificate" "$json$probe_reader")
        old_ifs=$IFS
        IFS=$newline
        for piece in $(printf '%s\n' "$probe" | awk '{ while (length($0) > 800) { print substr($0, 1, 800); $0 = substr($0, 801) } print }'); do
            printf '%s\t%s\n' "$place" "$piece"
        done
        IFS=$old_ifs
    done
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
    begun=$(now_ms)
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
    tell_lag "$(elapsed "$begun" "$(now_ms)")"
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

# Milliseconds of a look: prints how long the client takes to start, `took <ms>`; after a look that was slow, how long it
# does now, since a host may have become busy.
tell_lag() {
    if [ -z "$tells_lag" ] || [ "$client" != openssl ]; then return; fi
    printf 'took %s\n' "${starts_in:-0}"
    if [ "${1:-0}" -lt 1000 ]; then return; fi
    time_start
    printf 'took %s\n' "${starts_in:-0}"
}

# Address and what `speak` printed of it: prints `tried <address> <ms> <stage> <why> <thumbprint>`, `-` for what is not.
tried() {
    told=$(printf 'address %s\n%s\n' "$1" "$2" |
        awk -v nonce="$nonce" -v most="$most_certificate" -v brief=tried "$json$probe_reader")
    printf 'tried %s %s\n' "$1" "$(printf '%s' "$told" | tr '\n' ' ')"
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
    before=$(now_ms)
    case $1 in
        -*) answer= code=2 ;;
        *)
            answer=$(limit "$2" getent ahosts "$1" 2>/dev/null </dev/null)
            code=$?
            ;;
    esac
    found=$(printf '%s\n' "$answer" | awk 'NF && !($1 in seen) { seen[$1]; print $1 }')
    took=$(elapsed "$before" "$(now_ms)")
    if [ "$code" -eq 0 ] && [ -n "$found" ]; then
        printf 'resolve %s -' "${took:--}"
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
        why=$(why_not_found "$1")
    fi
    printf 'resolve %s %s\nresolve_detail getent ahosts ended with exit code %s\n' "${took:--}" "$why" "$code"
    return 1
}

# getent has one exit code for "no such name" and "no DNS server answered". nslookup, where present, tells them apart;
# and so does openssl, which prints the C library's own words (EAI_AGAIN, EAI_NODATA) and connects to nobody then.
why_not_found() {
    case $1 in -*) echo name-not-found && return ;; esac
    if has nslookup; then
        case $(bounded 3 nslookup "$1" 2>&1 </dev/null || echo "code $?") in
            *NXDOMAIN*) ;;
            *SERVFAIL* | *REFUSED* | *'no servers could be reached'* | *'timed out'* | *'code 124'* | *'code 143'*)
                echo resolver-failed && return
                ;;
            *'No answer'*) echo no-address && return ;;
        esac
    elif has openssl; then
        said=$(bounded 6 openssl s_client -connect "$1:0" 2>&1 </dev/null || echo "code $?")
        case $said in
            *'Temporary failure in name resolution'* | *'Try again'* | *'code 124'* | *'code 143'* | *'code 137'*)
                echo resolver-failed && return
                ;;
            *'No address associated'* | *'no usable address'*) echo no-address && return ;;
        esac
    fi
    echo name-not-found
}

# One connection: format of what to send (with one %s for Host), address, host, port, seconds. Prints what the client
# said as lines `log ...`, and the notes: `at <nonce> <stage> <ms>`, `exit <nonce> <code>`, `certificate <nonce> <base64>`
# and, between `=PAGE=<nonce>` and `=END=<nonce>`, what came back.
speak() {
    case $2 in *:*) dial="[$2]:$4" ;; *) dial=$2:$4 ;; esac
    case $3 in *:*) url="[${3%%%*}]:$4" ;; *) url=$3:$4 ;; esac
    last=$(now_ms)
    echo
    if [ "$client" = openssl ]; then
        # shellcheck disable=SC2086  # options of ours
        set -- "$1" "$(($5 + slack))" openssl s_client $client_options -brief -state -ign_eof -msg -msgfile /dev/fd/5 ${server_name:+-servername "$server_name"} -connect "$dial"
    else
        set -- "$1" "$5" curl -q -sS -k -v -i --http1.1 --noproxy '*' -A '' -H 'Accept:' -H 'Connection: close' \
            --connect-to "::$dial" -w "\\n=CURL=$nonce %{time_connect} %{time_appconnect} %{time_total} %{num_certs}\\n%{certs}" "https://$url/"
    fi
    {
        # In this order: stderr live; then the exit code; then, once the messages have ended, the certificate; then the page.
        page=$({
            {
                # shellcheck disable=SC2059  # the format is one of ours
                printf "$1" "$url" | (shift && limit "$@") 5>&1 >&6 2>&3 6>&-
                printf 'exit %s %s\n' "$nonce" "$?" >&3
            } | certificate >&3 6>&-
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
                    cat
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
    now=$(now_ms)
    printf 'at %s %s %s\n' "$nonce" "$1" "$(elapsed "$last" "$now")"
    last=$now
}

# The first certificate of the Certificate message in s_client's -msg output, as `certificate <nonce> <base64>` or, where
# that is long, `large <nonce> <bytes> <word> <thumbprint>`: TLS 1.3 has one byte of context before the list (RFC 8446 4.4.2), TLS 1.2 has none (RFC 5246 7.4.2). Each line is looked at once,
# whatever the message's length: what is read slowly keeps the client from going on.
certificate() {
    awk -v nonce="$nonce" -v most="$most_certificate" '
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
    }'
}

# Reads what probe_some and probe_target print, decides from numbers (errno, OpenSSL's reason codes, exit codes) and
# from texts that no locale changes, and writes the probe as JSON.
probe_reader='
function errno_word(n) {
    if (n == 111) return "refused"
    if (n == 110) return "timed-out"
    if (n == 101 || n == 113 || n == 112 || n == 99 || n == 22) return "unreachable" # 22: a blackhole route
    if (n == 1 || n == 13) return "prohibited"
    return n == 104 || n == 32 ? "reset" : ""
}
function text_word(s) {
    if (s ~ /onnection refused/) return "refused"
    if (s ~ /onnection timed out/) return "timed-out"
    if (s ~ /o route to host|etwork is unreachable|Host is unreachable/) return "unreachable"
    if (s ~ /ermission denied|peration not permitted/) return "prohibited"
    return s ~ /onnection reset/ ? "reset" : ""
}
# The lower twelve bits of an OpenSSL error are its reason in every version since 1.0.2; alerts are 1000 + their number.
function reason_word(reason) {
    if (reason == "126") return "closed"
    if (reason ~ /^(10B|0C6|09B|09C|0FC|1BB|0F5|0F4|0D5)$/) return "not-tls"
    if (reason ~ /^(102|10A|0A6|0BF|175|18C|42E|43E)$/) return "protocol-version"
    return reason ~ /^(065|076|0B5|0B9|0C1|0F8|105|127|14D|172|17A|18A|410|42F)$/ ? "no-common-cipher" : ""
}
function learn(line,  code, word) {
    if (match(line, /^[a-z]+:errno=[0-9]+/)) {
        code = substr(line, index(line, "=") + 1, RLENGTH) + 0
        errno = errno == "" ? errno_word(code) : errno; if (code == 0) ended = 1
    } else if (match(line, /^[0-9A-F]+:error:[0-9A-F]+:/)) {
        code = substr(line, 1, RLENGTH - 1); sub(/^.*:/, "", code)
        if (code ~ /^8000/) word = text_word(line)
        else { word = reason_word(substr(code, length(code) - 2)); if (word == "closed") ended = 1 }
        if (code ~ /^8000/ && errno == "") errno = word
        else if (code !~ /^8000/ && reason == "") reason = word
    } else if (line !~ /^SSL3 alert read:|rror/ || line ~ /^(verify error|Verification error|SSL_connect:|SSL3 alert write)/) return
    if (detail == "") detail = line
}
function curl_line(line,  words) {
    if (line ~ /^\* Connected to /) at_stage["connect"] = ""
    else if (line ~ /^\* SSL connection using /) { split(line, words, " "); version = words[5]; cipher = words[7]; at_stage["tls"] = "" }
    else if (line ~ /^\* connect to .* failed: /) errno = text_word(line)
    else if (line ~ /^curl: /) {
        client = "curl"
        detail = line; if (errno == "") errno = text_word(line)
        if (line ~ /wrong version number|packet length too long|record layer failure|http request/) reason = "not-tls"
        else if (line ~ /protocol version|unsupported protocol/) reason = "protocol-version"
        else if (line ~ /handshake failure/) reason = "no-common-cipher"
        else if (line ~ /unexpected eof|SSL_ERROR_SYSCALL/ && errno == "") reason = "closed"
    }
}
# The names in a certificate are printed as they stand: where they hold what looks like one more certificate, none is known.
function curl_end(  at, part, line, i, n, begun, inside, ended_well) {
    at = index(page, "\n=CURL=" nonce " "); if (at == 0) return
    n = split(substr(page, at + length(nonce) + 8), line, "\n"); page = substr(page, 1, at - 1)
    split(line[1], part, " ")
    if (part[1] + 0 > 0) { at_stage["connect"] = sprintf("%d", part[1] * 1000) }
    if (part[2] + 0 > 0) { at_stage["tls"] = sprintf("%d", (part[2] - part[1]) * 1000); at_stage["end"] = sprintf("%d", (part[3] - part[2]) * 1000) }
    for (i = 2; i <= n; i++) if (line[i] ~ /^-----BEGIN/) begun++
    if (begun != part[4]) return
    for (i = 2; i <= n; i++) {
        if (line[i] ~ /^-----END/) { ended_well = 1; break }
        if (length(certificate) > most * 4 / 3) break
        if (inside) certificate = certificate line[i]
        if (line[i] ~ /^-----BEGIN/) inside = 1
    }
    if (length(certificate) > most * 4 / 3) large = "more than " most
    if (large || !ended_well) certificate = ""
}
function complete(  at, head, size) {
    at = index(page, "\r\n\r\n"); if (at == 0) return 0
    head = tolower(substr(page, 1, at))
    if (!match(head, /\ncontent-length:[ \t]*[0-9]+/)) return 0
    size = substr(head, RSTART, RLENGTH); sub(/^[^:]*:[ \t]*/, "", size)
    return length(page) - at - 3 >= size + 0
}
function field(name, value) { return value == "" ? "" : ",\"" name "\":" value }
function stage(name, ms, error, detail, more) {
    took[name] = ms; if (error != "") { failed = name; why = error }
    return ",\"" name "\":{\"ms\":" number_or_null(ms) (error == "" ? "" : ",\"error\":\"" error "\"") \
        (detail == "" ? "" : ",\"detail\":" text(substr(detail, 1, 300))) more "}"
}
function tried_ones() { return (tried == "" ? "" : ",\"tried\":[" tried "]") (lag == "" ? "" : ",\"lag_ms\":" lag) }
# In its brief mode s_client does not print the errno that it ends with: 104, the connection was reset.
function judge(  late, word) {
    if (code == 104 && errno == "") errno = "reset"
    late = code == 124 || code == 137 || code == 143 || code == 28
    if (!("connect" in at_stage)) {
        word = late ? "timed-out" : errno != "" ? errno : text_word(detail)
        return out stage("connect", at_stage["end"], word == "" ? "other" : word, detail, field("address", text(address)) tried_ones())
    }
    out = out stage("connect", at_stage["connect"], "", "", field("address", text(address)) tried_ones())
    secured = field("version", version == "" ? "" : text(version)) field("cipher", cipher == "" ? "" : text(cipher)) \
        field("certificate", certificate == "" ? "" : text(certificate)) \
        field("stands_for", length(thumbprint) == 40 && thumbprint !~ /[^0-9A-F]/ ? text(thumbprint) : "")
    if (!("tls" in at_stage)) {
        word = late ? "timed-out" : reason != "" ? reason : errno != "" ? errno : ended || detail == "" ? "closed" : "other"
        if (word ~ /^(refused|unreachable|prohibited)$/) word = "other"
        return out stage("tls", at_stage["end"], word, detail, secured)
    }
    if (large) word = "its certificate has " large " bytes: of so long a one the thumbprint is kept"
    out = out stage("tls", at_stage["tls"], "", large ? word : "", secured)
    if (page == "" && client == "curl" && code == 1) word = "not-http" # it takes no answer without a head
    else if (page == "") word = late ? "timed-out" : errno == "reset" ? "reset" : detail ~ /alert read:fatal/ ? "other" : "closed"
    else if (page !~ /^HTTP\//) word = "not-http"
    else word = complete() ? "" : late ? "timed-out" : errno == "reset" ? "reset" : ""
    return out stage("page", at_stage["end"], word, word == "" ? "" : detail,
        page == "" ? "" : ",\"text\":" text(substr(page, 1, 2000)) ",\"length\":" length(page))
}
function reset_all() { split("", at_stage); page = certificate = thumbprint = large = version = cipher = errno = reason = detail = code = client = ""; ended = in_page = greeted = 0 }
# One attempt of a ping (with -v brief=ping): `a`, milliseconds, the stage that failed, why ("-" for none); and the
# certificate, in lines of `c` and a piece that is short enough to be written at once.
function ping_lines(  rest) {
    print "a\t" shown(took["resolve"]) shown(took["connect"]) shown(took["tls"]) shown(took["page"]) shown(failed) (why == "" ? "-" : why)
    for (rest = certificate; rest != ""; rest = substr(rest, 801)) print "c\t" substr(rest, 1, 800)
}
# The same held to one version of TLS: what was spoken, the stage that failed, why, and whether we did not even say hello.
function trial_line() { return shown(version) shown(cipher) shown(failed) shown(why) \
    (failed == "tls" && !greeted && errno == "" && why != "timed-out" ? "unspoken" : "-") }
# A page of many short lines as one text, in steps of 100 lines: line by line, it would be copied once for each.
function joined(  i, all, some) {
    for (i = 1; i <= lines; i++) {
        some = some (i > 1 ? "\n" : "") piece[i]
        if (i % 100 == 0) { all = all some; some = "" }
    }
    return all some
}
function tried_line(  digest) {
    print shown(took[failed == "" ? "connect" : failed]) shown(failed) shown(why)
    digest = "openssl base64 -d -A 2>/dev/null | openssl dgst -sha1 2>/dev/null"
    if (certificate == "") { print "-"; return }
    fflush(); printf "%s", certificate | digest; close(digest)
}
function shown(value) { return (value == "" ? "-" : value) "\t" }
BEGIN { reset_all() }
in_page && $0 == "=END=" nonce { in_page = 0; page = joined(); next }
!in_page && $0 == "=IDENTITY=" nonce { settle(); reset_all(); speaking = 1; next }
in_page { piece[++lines] = $0; next }
$0 == "=PAGE=" nonce { in_page = 1; lines = 0; next }
{ key = $1; rest = $0; sub(/^[^ ]* ?/, "", rest) }
key == "log" {
    if (rest ~ /^Protocol version: /) version = substr(rest, 19)
    else if (rest ~ /^Ciphersuite: /) cipher = substr(rest, 14)
    else if (rest ~ /^(\* |curl: )/) curl_line(rest)
    else {
        if (rest ~ /^SSL_connect:.*write client hello/) greeted = 1
        learn(rest)
    }
    next
}
key == "at" && $2 == nonce { at_stage[$3] = $4; next }
key == "exit" && $2 == nonce { code = $3; next }
key == "certificate" && $2 == nonce { certificate = $3; next }
key == "large" && $2 == nonce { large = $3; thumbprint = toupper($NF); next }
key == "address" { address = rest; next }
key == "took" { if (lag == "" || $2 * 6 > lag) lag = $2 * 6; next } # a look starts some six programs, with the shells
key == "tried" {
    tried = tried (tried == "" ? "" : ",") "{\"address\":" text($2) ",\"ms\":" number_or_null($3 == "-" ? "" : $3) \
        ($4 == "-" ? "" : ",\"stage\":" text($4) ",\"error\":" text($5)) \
        ($NF ~ /^[0-9a-f]+$/ && length($NF) == 40 ? ",\"thumbprint\":" text(toupper($NF)) : "") "}"
    next }
key == "resolve" {
    for (i = 4; i <= NF; i++) addresses = addresses (i > 4 ? "," : "") text($i)
    resolve_ms = $2; resolve_error = $3; next }
{ fact[key] = rest }
function settle() {
    if (settled) return
    settled = 1
    curl_end()
    out = "{\"link\":" decoded(fact["link"]) ",\"host\":" text(decoded(fact["host"])) ",\"port\":" fact["port"] \
        ",\"by\":" text(fact["by"])
    if ("unavailable" in fact) { out = out ",\"unavailable\":" text(fact["unavailable"]); return }
    if (resolve_error != "") out = out stage("resolve", resolve_ms, resolve_error == "-" ? "" : resolve_error,
        fact["resolve_detail"], ",\"addresses\":[" addresses "]")
    if (address != "") out = judge()
}
END {
    if (!speaking) settle()
    if (brief == "ping") { ping_lines(); exit }
    if (brief == "trial") { print trial_line(); exit }
    if (brief == "tried") { tried_line(); exit }
    if (speaking) {
        match(page, /^[^\r\n]*/); said = substr(page, 1, RLENGTH)
        late = code == 124 || code == 137 || code == 143
        word = said ~ /^MX-SERVER/ ? "" : said != "" ? "other" : late ? "timed-out" : "untrusted"
        out = out stage("identity", at_stage["end"], word, "", said == "" ? "" : ",\"line\":" text(said))
    }
    print out "}"
}
'
