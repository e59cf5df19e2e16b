# What every part of the survey script uses. Read-only: no file is written, not even a temporary one; all that is
# kept stands in variables and pipes. Needs a POSIX shell and awk; everything else is looked for before it is used.
#
# A process costs the machine a millisecond or more, and `$(...)` and `|` start one for each side as well. So functions set
# variables where they can, and what ends a subshell takes its place (`bounded_last`).

LC_ALL=C
TZ=UTC0
LANGUAGE=
export LC_ALL TZ LANGUAGE
unset CDPATH
set -f
tab='	'
newline='
'
# An account without administrator's rights often lacks the folders where ss, ip and netstat live.
case :$PATH: in *:/usr/bin:*) PATH=$PATH:/usr/sbin:/sbin ;; esac

has() { command -v "$1" >/dev/null 2>&1; }

# Sets `now` to the seconds of a clock that nobody sets. Where the system has one to read, that costs no process.
if { IFS=' .' read -r now _ </proc/uptime; } 2>/dev/null; then
    clock() { IFS=' .' read -r now _ </proc/uptime; }
else
    clock() { now=$(date +%s); }
fi

# Takes note of what is left of the script's budget, in seconds.
tick() {
    clock
    remaining_budget=$((budget - (now - started)))
}

# Sets `allowed` to so many seconds, or to what is left of the budget.
allow() {
    tick
    allowed=$1
    if [ "$remaining_budget" -lt "$allowed" ]; then allowed=$remaining_budget; fi
    if [ "$allowed" -lt 1 ]; then allowed=1; fi
}

# bounded SECONDS COMMAND...: `limit`, but for no longer than what is left of the budget.
bounded() {
    allow "$1"
    shift
    limit "$allowed" "$@"
}

# The same where it ends a subshell, `$(bounded_last 3 ls)`, which becomes the command.
bounded_last() {
    allow "$1"
    shift
    limit_last "$allowed" "$@"
}

# limit SECONDS COMMAND...: a command that cannot outlive its time. Exit code 124, 137 or 143 when it ran out.
# Its stdin is the caller's: whoever has none to give says </dev/null. For what may hang: files and names may lie on another
# machine, a service may not answer; what ip asks, and a process's status, the kernel itself says at once.
limit() {
    if [ "$timeout_style" = gnu ]; then
        timeout -k 1 "$@"
        return
    elif [ "$timeout_style" = plain ]; then
        timeout "$@"
        return
    fi
    limit_seconds=$1
    shift
    exec 9<&0
    "$@" <&9 9<&- &
    limit_child=$!
    exec 9<&-
    (
        trap 'kill "$nap" 2>/dev/null; exit' TERM
        sleep "$limit_seconds" &
        nap=$!
        wait "$nap"
        kill "$limit_child"
    ) </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- &
    limit_guard=$!
    wait "$limit_child"
    limit_code=$?
    kill "$limit_guard" 2>/dev/null
    wait "$limit_guard" 2>/dev/null
    return "$limit_code"
}

limit_last() {
    case $timeout_style in
        gnu) exec timeout -k 1 "$@" ;;
        plain) exec timeout "$@" ;;
        *) limit "$@" ;;
    esac
}

# Sets `firsts` to the first words of these lines ($1), each once and in a line of its own, and no more than $2 of them.
first_words() {
    firsts=$newline
    left=${2:-1000}
    words_ifs=$IFS
    IFS=$newline
    for row in $1; do
        row=${row%%[" $tab"]*}
        case $firsts in *"$newline$row$newline"*) continue ;; esac
        if [ "$left" -eq 0 ]; then break; fi
        left=$((left - 1))
        firsts=$firsts$row$newline
    done
    IFS=$words_ifs
    firsts=${firsts#"$newline"}
    firsts=${firsts%"$newline"}
}

timed_out() { [ "$1" -eq 124 ] || [ "$1" -eq 137 ] || [ "$1" -eq 143 ]; }

# Sets `ms` to milliseconds as ten digits with a leading 1, so that 32-bit shells can subtract them; to nothing where no
# clock is so fine.
if [ -n "${EPOCHREALTIME:-}" ]; then
    now_ms() {
        ms=${EPOCHREALTIME%???}
        ms=${ms%.*}${ms#*.}
        ms=1${ms#????}
    }
else
    now_ms() {
        ms=$(date +%s%N)
        case $ms in
            *[!0-9]* | ??????????) ms= ;;
            *)
                ms=${ms%??????}
                ms=1${ms#????}
                ;;
        esac
    }
fi

# The same in steps of ten, where that is fine enough: the clock of `clock` costs no process.
if [ -z "${EPOCHREALTIME:-}" ] && { IFS=' .' read -r _ ms _ </proc/uptime; } 2>/dev/null && [ "${#ms}" -eq 2 ]; then
    now_10ms() {
        IFS=' .' read -r now ms _ </proc/uptime
        ms=00000000$now${ms}0
        ms=1${ms#"${ms%?????????}"}
    }
else
    now_10ms() { now_ms; }
fi

# Sets `passed` to the milliseconds from one of them to another; to nothing where either is not known.
elapsed() {
    passed=
    case $1:$2 in
        1?????????:1?????????)
            passed=$(($2 - $1))
            if [ "$passed" -lt 0 ]; then passed=$((passed + 1000000000)); fi
            ;;
    esac
}

# awk functions that write JSON. In the C locale a character is a byte, so UTF-8 passes unchanged.
json='
BEGIN { for (i = 1; i < 32; i++) escapes[sprintf("%c", i)] = sprintf("\\u%04x", i)
        escapes["\\"] = "\\\\"; escapes["\""] = "\\\"" }
function text(s,  i, n, from, out, c) {
    if (s ~ /^[A-Za-z0-9+\/=_.,:; -]*$/) return "\"" s "\""
    n = length(s); from = 1; out = ""
    for (i = 1; i <= n; i++) {
        c = substr(s, i, 1)
        if (c in escapes) { out = out substr(s, from, i - from) escapes[c]; from = i + 1 }
    }
    return "\"" out substr(s, from) "\""
}
function text_or_null(s) { return s == "" ? "null" : text(s) }
function number_or_null(s) { return s ~ /^[0-9]+$/ ? s + 0 "" : "null" }
function whole(x) { return sprintf("%.0f", x) }
function floor_of(a, b,  q) { q = int(a / b); return q * b > a ? q - 1 : q }
# Seconds since 1970 as ISO 8601 (days to civil date, Gregorian calendar counted from March).
function iso(t,  days, rest, era, doe, yoe, doy, mp, d, m, y) {
    if (t !~ /^[0-9]+$/ || t + 0 == 0) return "null"
    days = floor_of(t, 86400); rest = t - days * 86400; days += 719468
    era = floor_of(days, 146097); doe = days - era * 146097
    yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
    doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100)); mp = int((5 * doy + 2) / 153)
    d = doy - int((153 * mp + 2) / 5) + 1; m = mp < 10 ? mp + 3 : mp - 9; y = yoe + era * 400 + (m <= 2)
    return sprintf("\"%04d-%02d-%02dT%02d:%02d:%02dZ\"", y, m, d, int(rest / 3600), int(rest % 3600 / 60), rest % 60)
}
BEGIN { for (i = 1; i <= 12; i++)
            months[substr("JanFebMarAprMayJunJulAugSepOctNovDec", 3 * i - 2, 3)] = sprintf("%02d", i) }
BEGIN { for (i = 1; i < 256; i++) bytes[sprintf("%02X", i)] = sprintf("%c", i) }
# A proxy as its URL, the password left out; one may hold any character, so it reaches to the last "@".
function without_password(s,  at, i, scheme, user) {
    if (match(s, /^[A-Za-z][A-Za-z0-9+.-]*:\/\//)) { scheme = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1) }
    while ((i = index(substr(s, at + 1), "@")) > 0) at += i
    if (at == 0) return scheme s
    user = substr(s, 1, at - 1); sub(/:.*$/, "", user)
    return scheme (user == "" ? "" : user "@") substr(s, at + 1)
}
# A command line may carry a password or an API key, as an option, within a connection string, or within an address.
function without_secrets_of_a_call(s,  out, user) {
    out = ""
    while (match(tolower(s), /(^|[ "\047])--?[a-z0-9_-]*(password|api-?key|master-?key|secret|token|connection-?string)[a-z0-9_-]*(=|:| +)/)) {
        out = out substr(s, 1, RSTART + RLENGTH - 1) "***"; s = substr(s, RSTART + RLENGTH)
        if (s ~ /^"/) sub(/^"[^"]*"?/, "", s); else if (s ~ /^\047/) sub(/^\047[^\047]*\047?/, "", s); else sub(/^[^ ]+/, "", s)
    }
    s = out s; out = ""
    while (match(tolower(s), /(password|pwd)=[^;" *]+/)) {
        out = out substr(s, 1, RSTART - 1 + index(substr(s, RSTART), "=")) "***"; s = substr(s, RSTART + RLENGTH)
    }
    s = out s; out = ""
    while (match(s, /:\/\/[^\/ :@"]*:[^ @"]*@/)) {
        user = substr(s, RSTART + 3, RLENGTH - 3); sub(/:.*$/, "", user)
        out = out substr(s, 1, RSTART + 2) user ":***@"; s = substr(s, RSTART + RLENGTH)
    }
    return out s
}
# Undoes the percent encoding of the request.
function decoded(s,  out, at) {
    out = ""
    while ((at = index(s, "%")) > 0) {
        out = out substr(s, 1, at - 1) bytes[substr(s, at + 1, 2)]; s = substr(s, at + 3)
    }
    return out s
}
'

# base64 in awk, for what is text already, and for systems without a base64 command.
base64='
BEGIN { for (i = 1; i < 256; i++) ordinal[sprintf("%c", i)] = i
        digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" }
function digit(n) { return substr(digits, n % 64 + 1, 1) }
# Up to three bytes as four characters; held says how many there are.
function group(a, b, c, held,  n) {
    n = a * 65536 + b * 256 + c
    return digit(int(n / 262144)) digit(int(n / 4096)) (held > 1 ? digit(int(n / 64)) : "=") (held > 2 ? digit(n) : "=")
}
function in_base64(s,  i, n, out, some) {
    n = length(s)
    for (i = 1; i <= n; i += 3) {
        some = some group(ordinal[substr(s, i, 1)], ordinal[substr(s, i + 1, 1)], ordinal[substr(s, i + 2, 1)], n - i + 1)
        if (length(some) > 4000) { out = out some; some = "" }
    }
    return out some
}
'
encode() {
    od -An -v -tx1 | awk "$base64"'
    BEGIN { for (i = 0; i < 256; i++) value[sprintf("%02x", i)] = i }
    { for (f = 1; f <= NF; f++) {
        byte[++held] = value[$f]
        if (held == 3) { printf "%s", group(byte[1], byte[2], byte[3], 3); held = 0 } } }
    END { if (held) printf "%s", group(byte[1], held > 1 ? byte[2] : 0, 0, held) }'
}

# Sets `quoted` to a text as JSON, in one line and no more than 400 bytes of it. Plain words need no awk for that.
quote() {
    case $1 in
        *[!A-Za-z0-9\ +/=_.,:\;%\'\(\)-]*) ;;
        *)
            if [ "${#1}" -le 400 ]; then
                quoted=\"$1\"
                return
            fi
            ;;
    esac
    quoted=$(TEXT=$(printf '%.400s' "$1") awk "$json"'BEGIN { s = ENVIRON["TEXT"]; gsub(/\n/, " ", s); print text(s) }' </dev/null)
}

# A section that could not be read: its reason, as JSON.
unknown() {
    quote "$1"
    printf '{"unknown":%s}\n' "$quoted"
}

# Sets `complained`: why a command gave nothing, by its exit code and what it said on stderr.
complaint() {
    complained=${3:-no message}
    if [ "${#complained}" -gt 400 ]; then complained=$(printf '%.400s' "$complained"); fi
    complained="$1 failed (exit code $2): $complained"
    if timed_out "$2"; then complained="$1 did not answer within its time"; fi
}
