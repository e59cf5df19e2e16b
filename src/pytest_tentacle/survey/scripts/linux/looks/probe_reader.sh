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
        if (brief == "behind") return out
        word = late ? "timed-out" : errno != "" ? errno : text_word(detail)
        return out stage("connect", at_stage["end"], word == "" ? "other" : word, detail, field("address", text(address)) tried_ones())
    }
    if (brief != "behind") out = out stage("connect", at_stage["connect"], "", "", field("address", text(address)) tried_ones())
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
    piece_line("a\t" shown(took["resolve"]) shown(took["connect"]) shown(took["tls"]) shown(took["page"]) shown(failed) (why == "" ? "-" : why) suffix)
    for (rest = certificate; rest != ""; rest = substr(rest, 801)) piece_line("c\t" substr(rest, 1, 800))
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
# In lines that are short enough to be written at once, and are: several write into one pipe.
function piece_line(s) { print prefix s; fflush() }
function in_pieces(s) { while (length(s) > 800) { piece_line(substr(s, 1, 800)); s = substr(s, 801) } piece_line(s) }
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
    if (brief == "behind") { out = judge(); return }
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
    if (brief == "trial") { piece_line(trial_line()); exit }
    if (brief == "tried") { tried_line(); exit }
    if (brief == "behind") { in_pieces(out); exit }
    if (speaking) {
        match(page, /^[^\r\n]*/); said = substr(page, 1, RLENGTH)
        late = code == 124 || code == 137 || code == 143
        word = said ~ /^MX-SERVER/ ? "" : said != "" ? "other" : late ? "timed-out" : "untrusted"
        out = out stage("identity", at_stage["end"], word, "", said == "" ? "" : ",\"line\":" text(said))
    }
    in_pieces(out "}")
}
'
