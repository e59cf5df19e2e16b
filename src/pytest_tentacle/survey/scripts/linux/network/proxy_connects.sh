# One CONNECT through the proxy that an instance polls through, to each of its first polled addresses, without
# credentials: these are not ours to read. A tunnel that the proxy opens is not just dropped: a connection that says
# nothing leaves an Error in the server's log, so a whole `GET /` goes through it. Hence only a client of TLS will do.
# Where a tunnel opens, a look through one more says whose certificate and page stand behind it.

connect_limit=4
connects_per_instance=2

# Bytes of a client that are kept; what the proxy says may have no end.
most_said=60000

# $connects: lines `<instance> <proxy's host> <its port> <host> <port>`, tab-separated and percent-encoded.
section_proxy_connects() {
    if [ -z "$connects" ]; then
        echo '{"data":[]}'
        return
    fi
    if has curl; then
        speaker=curl
    elif has openssl; then
        speaker=openssl
    else
        unknown 'this machine has neither curl nor openssl to speak to a proxy with'
        return
    fi
    choose_client
    chosen=$(printf '%s' "$connects" | awk -F '\t' -v all="$connect_limit" -v each="$connects_per_instance" "$json"'
        count < all && taken[$1]++ < each { count++; print decoded($1) "\t" decoded($2) "\t" $3 "\t" decoded($4) "\t" $5 }')
    {
        printf '%s\n' "$chosen"
        echo '=answers'
        place=0
        old_ifs=$IFS
        IFS=$newline
        for line in $chosen; do
            place=$((place + 1))
            IFS=$tab
            # shellcheck disable=SC2086  # tab-separated fields, and set -f is on
            set -- $line
            IFS=$newline
            ask_proxy "$place" "$2" "$3" "$4" "$5" &
        done
        wait
        IFS=$old_ifs
    } | awk -v nonce="$nonce" "$json$proxy_answer_reader"
}

# $1 place, $2 and $3 the proxy, $4 and $5 whereto. Prints lines that begin with the place.
ask_proxy() {
    IFS=$newline
    case $2 in *:*) way=[$2] ;; *) way=$2 ;; esac
    case $2 in
        -*) code=2 found= ;;
        *:*) code=0 found=$way ;;
        *[!0-9.]*)
            found=$(bounded_last "$probe_seconds" getent ahosts "$2" 2>/dev/null </dev/null)
            code=$?
            found=${found%%"$newline"*}
            found=${found%% *}
            case $found in *:*) found=[$found] ;; esac
            ;;
        *) code=0 found=$2 ;;
    esac
    if [ "$code" -ne 0 ] || [ -z "$found" ]; then
        printf '%s getent %s\n' "$1" "$code"
        return
    fi
    case $4 in *:*) there=[${4%%%*}]:$5 ;; *) there=$4:$5 ;; esac
    said=$({
        {
            if [ "$speaker" = curl ]; then
                bounded "$((probe_seconds + 1))" curl -q -sS -k -v --http1.1 --max-time "$probe_seconds" --noproxy '' \
                    --proxy1.0 "$found:$3" --proxytunnel --proxy-header 'User-Agent:' --proxy-header 'Proxy-Connection:' \
                    -A '' -H 'Accept:' -H 'Connection: close' -o /dev/null \
                    -w "=CURL=$nonce %{http_connect} %{time_appconnect} %{time_total}\\n" "https://$there/" 2>&1 3>&- </dev/null
            else
                # shellcheck disable=SC2086  # options of ours
                printf 'GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$there" |
                    bounded "$probe_seconds" openssl s_client -brief -state -ign_eof $trust_nobody -proxy "$found:$3" -connect "$there" 2>&1 >/dev/null 3>&-
            fi
            printf '\nexit %s %s\n' "$nonce" "$?" >&3 # the client may have been ended within a line
        } | head -c "$most_said"
        echo
    } 3>&1)
    code=255
    for line in $said; do
        case $line in
            "exit $nonce "*) code=${line##* } ;;
            '< '* | '* connect to '* | "=CURL=$nonce "* | 'curl: '* | SSL_connect:before* | *'HTTP CONNECT failed'* | connect:errno=* | *nknown\ option*)
                printf '%s line %.250s\n' "$1" "$line"
                ;;
        esac
    done
    case $said in *"=CURL=$nonce 200 "* | *SSL_connect:before*) look_behind "$1" "$found:$3" "$4" "$5" ;; esac
    printf '%s %s %s\n' "$1" "$speaker" "$code"
}

# Place, proxy, host, port: looks at what stands behind the tunnel, as a probe does. Prints `<place> behind <piece>`, in
# lines short enough to be written at once.
look_behind() {
    tick
    seconds=$remaining_budget
    if [ "$seconds" -gt "$probe_seconds" ]; then seconds=$probe_seconds; fi
    if [ -z "$client" ] || [ "$seconds" -lt 1 ]; then return; fi
    through=$2
    server_name=
    case $3 in *:*) ;; *[!0-9.]*) server_name=$3 ;; esac
    IFS=" $tab$newline"
    {
        printf 'address %s\n' "$2"
        speak "GET / HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n" "${3%%%*}" "$3" "$4" "$seconds" </dev/null
    } 2>/dev/null | awk -v nonce="$nonce" -v most="$most_certificate" -v brief=behind -v prefix="$1 behind " "$json$probe_reader"
    IFS=$newline
}

# Decides from numbers: curl's exit codes, the status, errno. Of openssl only what it says for certain counts: it does
# not tell silence from an answer that it does not understand.
proxy_answer_reader='
function late(code) { return code == 124 || code == 137 || code == 143 }
function tell(place,  part, one, proxy, code, word, answer) {
    split(asked[place], part, "\t"); proxy = part[2] ~ /:/ ? "[" part[2] "]" : part[2]
    code = exit_code[place]; word = ""; answer = status[place]
    if (tool[place] == "getent") word = code == 2 ? "name-not-found" : late(code) ? "timed-out" : "other"
    else if (answer == "" && first[place] != "") word = "not-http"
    else if (answer == "" && refused[place]) word = "refused"
    else if (answer == "" && tool[place] == "curl") word = code == 28 || late(code) ? "timed-out" : code == 56 || code == 52 ? "closed" : "other"
    else if (answer == "") word = "other"
    if (tool[place] == "getent") detail[place] = "getent ahosts ended with exit code " code
    one = "{\"instance\":" text(part[1]) ",\"proxy\":" text(proxy ":" part[3]) ",\"host\":" text(part[4]) ",\"port\":" part[5]
    if (word == "") one = one ",\"status\":" answer; else one = one ",\"error\":\"" word "\""
    if (content[place] != "" && word == "" && answer == 200) one = one ",\"content_type\":" text(content[place])
    if (behind[place] !~ /}$/ || word != "" || answer != 200) behind[place] = ""
    return one ",\"detail\":" text_or_null(first[place] != "" ? first[place] : detail[place]) ",\"ms\":" (ms[place] == "" ? "null" : ms[place]) behind[place] "}"
}
$0 == "=answers" { answers = 1; next }
!answers { asked[++count] = $0; next }
$2 == "line" {
    place = $1; sub(/^[0-9]+ line /, ""); sub(/\r$/, "")
    if (sub(/^< /, "")) {
        if (first[place] == "") first[place] = $0
        else if (tolower($0) ~ /^content-type: *[a-z]/) { content[place] = $0; sub(/^[^:]*: */, "", content[place]) } }
    else if ($1 == "=CURL=" nonce) {
        if ($2 + 0 > 0) status[place] = $2 + 0
        if ($3 + 0 == 0 && $4 + 0 > 0) ms[place] = sprintf("%.1f", $4 * 1000) }
    else if (/^\* connect to .*onnection refused/ || /^connect:errno=111$/) refused[place] = 1
    else if (match($0, /CONNECT failed, reason= *[0-9][0-9][0-9]/)) { status[place] = substr($0, RSTART + RLENGTH - 3, 3); detail[place] = $0 }
    else if (/CONNECT failed, non-HTTP response/) first[place] = $0
    else if (/^SSL_connect:before/) { status[place] = 200; detail[place] = "the proxy opened the tunnel" }
    else if (!/^\* /) detail[place] = $0
    next
}
$2 == "behind" { place = $1; sub(/^[0-9]+ behind /, ""); behind[place] = behind[place] $0; next }
{ tool[$1] = $2; exit_code[$1] = $3 }
END { for (i = 1; i <= count; i++) list = list (i > 1 ? "," : "") tell(i); print "{\"data\":[" list "]}" }
'
