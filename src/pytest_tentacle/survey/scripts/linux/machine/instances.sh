# The instances of Tentacle and Octopus Server on this machine, and the links that they have by their settings.

# Instances by their index files (tentacle-facts 2.2), and the one that a service runs by --config. Further lines, tab-separated: `port <number>`, `target <link>
# <host> <port> <by>` for its own port, `polled` with the same for an address that it polls, `instance <product>
# <name> <configuration> <home> <work folder>`, `gone <index file>` where the configuration is not there, and `connect
# <instance> <proxy's host> <its port> <host> <port>` for each address that is polled through a proxy of the
# instance's own. What may hold a percent sign is percent-encoded in `target`, `polled` and `connect`.
section_instances() {
    homes=${TentacleMachineConfigurationHomeDirectory:-/etc/octopus}
    case $service_notes in
        *"${tab}TentacleMachineConfigurationHomeDirectory$tab"*)
            homes=$(printf '%s\n' "$service_notes" | HOMES=$homes awk -F '\t' '
                BEGIN { print ENVIRON["HOMES"]; seen[ENVIRON["HOMES"]] }
                $3 == "TentacleMachineConfigurationHomeDirectory" && $4 != "" && !($4 in seen) { seen[$4]; print $4 }')
            ;;
    esac
    set --
    old_ifs=$IFS
    IFS=$newline
    for home in $homes; do set -- "$@" "$home/Tentacle/Instances" "$home/OctopusServer/Instances"; done
    trouble=$(bounded_last 5 ls "$@" 2>&1 >/dev/null </dev/null)
    code=$?
    if timed_out "$code"; then
        complaint ls "$code" ''
        unknown "$complained"
        return
    fi
    for line in $trouble; do
        case $line in
            *'No such file'* | *'Not a directory'*) ;;
            *) unknown "a folder of instances could not be read: $line" && return ;;
        esac
    done
    files=
    set +f
    IFS=
    for folder in "$@"; do
        for file in "$folder"/*.config; do
            if [ "$file" != "$folder/*.config" ]; then files=$files$file$newline; fi
        done
    done
    set -f
    IFS=$newline
    # shellcheck disable=SC2086  # one path a line, and set -f is on
    set -- $files
    IFS=$old_ifs
    case $#,$service_notes in 0,*"unnamed$tab"*) ;; 0,*) echo '{"data":[]}' && return ;; esac
    entries=$(for file in "$@"; do
        printf '\001%s\n' "$file"
        bounded 5 cat "$file" 2>/dev/null </dev/null
        echo
    done | awk "$json$index_reader")
    case $service_notes in
        *"unnamed$tab"*)
            entries=$({
                printf '%s\n' "$entries"
                printf '%s\n' "$service_notes"
            } | awk "$unnamed_finder")
            ;;
    esac
    {
        printf '%s\n' "$service_notes"
        IFS=$newline
        for line in $entries; do
            IFS=$tab
            # shellcheck disable=SC2086  # tab-separated fields, and set -f is on
            set -- $line
            IFS=$old_ifs
            read_instance "$@"
            IFS=$newline
        done
        IFS=$old_ifs
    } | awk "$json$base64$link_finder$instance_writer"
}

# What runs by --config and stands in no index has no name, and is told under the default one where that is free.
unnamed_finder='
BEGIN { FS = OFS = "\t" }
$1 == "unnamed" { if (!($2 in known)) { known[$2]; print $2, $1, $2, taken ? $2 : "Tentacle"; taken = 1 } next }
$2 == "named" || $2 == "nowhere" { known[$3]; if (tolower($4) == "tentacle" && $1 !~ /\/OctopusServer\/Instances\//) taken = 1; print }
'

# The file of one instance: a line `\001 <index file> <named or nowhere> <path> <name>`, its content, and a line `\002
# <exit code of cat> <its words> <size and time>`.
read_instance() {
    printf '\001%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"
    measures=$(bounded_last 5 stat -L -c '%s %Y' "$3" 2>/dev/null </dev/null)
    code=1
    trouble=
    case $measures in
        ???????*' '*) ;;
        *)
            bounded 5 cat "$3" 2>/dev/null </dev/null
            code=$?
            ;;
    esac
    if [ "$code" -ne 0 ] && ! timed_out "$code"; then
        trouble=$(bounded_last 5 cat "$3" 2>&1 >/dev/null </dev/null)
        code=$?
    fi
    case $code in
        0) ;;
        *)
            complaint cat "$code" "${trouble%%"$newline"*}"
            trouble=$complained
            ;;
    esac
    printf '\n\002%s\t%s\t%s\n' "$code" "$measures" "$trouble"
}

index_reader='
# A JSON string of an object, unescaped; file paths and instance names only, so surrogates may stay as they are.
function member(s, name,  at, out, c, hex) {
    if (!match(s, "\"" name "\"[ \t\r\n]*:[ \t\r\n]*\"")) return ""
    out = ""
    for (at = RSTART + RLENGTH; at <= length(s); at++) {
        c = substr(s, at, 1)
        if (c == "\"") return out
        if (c != "\\") { out = out c; continue }
        c = substr(s, ++at, 1)
        if (c == "u") { hex = toupper(substr(s, at + 1, 4)); at += 4; out = out character(hex) }
        else out = out (c == "n" || c == "t" || c == "r" || c == "b" || c == "f" ? " " : c)
    }
    return ""
}
function character(hex,  i, code) {
    for (i = 1; i <= 4; i++) code = code * 16 + index("123456789ABCDEF", substr(hex, i, 1))
    if (code < 128) return sprintf("%c", code < 32 ? 32 : code)
    if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
    return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
}
function told(  path, name) {
    if (place == "") return
    path = member(all, "ConfigurationFilePath"); name = member(all, "Name"); all = ""
    if (path == "") { name = place; sub(/.*\//, "", name); sub(/\.config$/, "", name) }
    print place "\t" (path == "" ? "nowhere" : "named") "\t" (path == "" ? place : path) "\t" name
}
/^\001/ { told(); place = substr($0, 2); next }
{ all = all $0 "\n" }
END { told() }
'

# Reads what read_instance prints, behind the services' notes, and writes the section.
# Empties the values of secret keys, and of more than the known ones, since a new secret should not slip through. What cannot be told to be a whole element is dropped up to its end, so that a
# cut-off or broken file gives nothing away; a file without the root element is not sent at all.
instance_writer='
function without_secrets(s,  key, shut, rest, out) {
    if (index(s, "<octopus-settings") == 0) return ""
    while (match(s, /key[ \t\r\n]*=[ \t\r\n]*("[^"]*"|\047[^\047]*\047)/)) {
        out = out substr(s, 1, RSTART + RLENGTH - 1)
        key = tolower(substr(s, RSTART, RLENGTH - 1)); s = substr(s, RSTART + RLENGTH)
        if (key !~ /(certificate|password|secret|token|key)$|connectionstring/) continue
        if (match(s, /^[ \t\r\n]*\/?>/)) {
            out = out substr(s, 1, RLENGTH); shut = substr(s, RLENGTH - 1, 1) == "/"; s = substr(s, RLENGTH + 1)
            if (shut) continue
        }
        rest = index(tolower(s), "</set"); s = rest ? substr(s, rest) : ""
    }
    return out s
}
function finish(code, measures, trouble,  part, error, detail, text_of, folder) {
    split(measures, part, " ")
    if (code != 0) {
        error = trouble ~ /No such file|Not a directory/ ? "not-found" : trouble ~ /ermission denied/ ? "denied" : "unreadable"
        if (error == "unreadable") detail = trouble
    } else if (!named) { error = "malformed"; detail = "the instance\047s index file names no configuration file" }
    if (error == "" && part[1] == "0") error = "empty"
    if (part[1] + 0 >= 1000000) { if (error == "") error = "unreadable"; if (detail == "") detail = "more than 1,000,000 bytes" }
    if (error == "") {
        text_of = without_secrets(all)
        if (text_of == "") { error = "malformed"; detail = "it holds no octopus-settings element" }
    }
    list = list (list == "" ? "" : ",") "{\"product\":" text(product) ",\"name\":" text(name) \
        (unnamed ? ",\"unnamed\":true" : "") ",\"configuration\":{\"path\":" text(path) \
        ",\"size\":" number_or_null(part[1]) ",\"modified_utc\":" iso(part[2]) ",\"error\":" text_or_null(error) \
        ",\"text\":" (text_of == "" ? "null" : "\"" in_base64(text_of) "\"") ",\"detail\":" text_or_null(detail) "}}"
    if (text_of != "") { links(text_of); return }
    folder = path; sub(/\/[^\/]*$/, "", folder); note("instance\t" product "\t" name "\t" path "\t" folder)
    if (error == "not-found" && !unnamed) note("gone\t" index_file)
}
function note(s) { notes = notes s "\n" }
/^\001/ {
    split(substr($0, 2), field, "\t"); index_file = field[1]; named = field[2] != "nowhere"; unnamed = field[2] == "unnamed"; path = field[3]; name = field[4]
    product = index_file ~ /\/OctopusServer\/Instances\/[^\/]*$/ ? "server" : "tentacle"; all = ""; inside = 1; next
}
/^\002/ && inside { split(substr($0, 2), field, "\t"); finish(field[1], field[2], field[3]); inside = 0; next }
inside { all = all $0 "\n"; next }
{ split($0, field, "\t"); if (field[1] == "environment") variables[++known_variables] = $0 }
END { print "{\"data\":[" list "]}"; printf "%s", notes }
'

# The links that an instance has by its settings and its service'\''s environment, which goes first.
link_finder='
function unescaped(s) {
    gsub(/&quot;|&#34;|&#x22;/, "\"", s); gsub(/&apos;|&#39;/, "\047", s); gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s)
    gsub(/&amp;/, "\\&", s); return s
}
function percent(s) { gsub(/%/, "%25", s); return s }
function look(word, host, port, by) {
    note(word "\t" percent("{\"vantage\":" text(product) ",\"instance\":" text(name) "}") "\t" percent(host) "\t" port "\t" by)
}
function is_port(s) { return s ~ /^[0-9]+$/ && s + 0 > 0 && s + 0 < 65536 }
function local(port, host) {
    if (!is_port(port)) return
    if (host == "" || host ~ /^(0\.0\.0\.0|::|\*|any)$/) host = "localhost"
    note("port\t" port + 0); look("target", host, port + 0, "local")
}
function poll(address,  host, port) {
    port = 443; host = address; sub(/^[A-Za-z]+:\/\//, "", host); sub(/[\/?#].*$/, "", host)
    if (match(host, /:[0-9]+$/) && (host !~ /:.*:/ || host ~ /\]:[0-9]+$/)) {
        port = substr(host, RSTART + 1); host = substr(host, 1, RSTART - 1) }
    gsub(/[\[\]\t]/, "", host)
    if (host == "" || !is_port(port)) return
    look("polled", host, port + 0,
        host ~ /:/ || host ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ ? "address" : "name")
    if (proxy != "") note("connect\t" percent(name) "\t" percent(proxy) "\t" proxy_port "\t" percent(host) "\t" port + 0)
}
# Sets proxy and proxy_port where the settings name a proxy for polling in words that can be right.
function find_proxy(  host, port) {
    proxy = ""
    host = setting["Octopus.Server.Proxy.ProxyHost"]; port = setting["Octopus.Server.Proxy.ProxyPort"]; gsub(/[ \t]/, "", port)
    if (host !~ /^[^ \t:\/\\@?#\[\]]+$/ && host !~ /^[0-9a-fA-F:]+:[0-9a-fA-F:.]*$/) return
    if (tolower(setting["Octopus.Server.Proxy.UseDefaultProxy"]) !~ /^[ \t]*false[ \t]*$/) return
    if (port == "") port = 80
    if (is_port(port)) { proxy = host; proxy_port = port + 0 }
}
BEGIN { words = split("TENTACLE_SERVICE_PORT Tentacle.Services.PortNumber TENTACLE_LISTEN_IP Tentacle.Services.ListenIP " \
    "TENTACLE_NO_LISTEN Tentacle.Services.NoListen TENTACLE_TRUSTED_SERVERS Tentacle.Communication.TrustedOctopusServers " \
    "TENTACLE_POLLING_CUSTOM_PROXY_HOST Octopus.Server.Proxy.ProxyHost TENTACLE_POLLING_CUSTOM_PROXY_PORT Octopus.Server.Proxy.ProxyPort " \
    "TENTACLE_POLLING_USE_DEFAULT_PROXY Octopus.Server.Proxy.UseDefaultProxy " \
    "OCTOPUS_HOME Octopus.Home TENTACLE_APPLICATION_DIRECTORY Tentacle.Deployment.ApplicationDirectory", w, " ")
    for (i = 1; i < words; i += 2) key_of[w[i]] = w[i + 1] }
function override(  i, field) {
    for (i = 1; i <= known_variables; i++) {
        split(variables[i], field, "\t")
        if (field[2] == name || (field[2] == "-" && name == "Tentacle"))
            if (field[3] in key_of && field[4] != "") setting[key_of[field[3]]] = field[4]
    }
}
function links(s,  count, element, i, key, value, home, work, port, servers, one, address) {
    gsub(/\n/, " ", s); split("", setting)
    count = split(s, element, /<set[ \t]/)
    for (i = 2; i <= count; i++) {
        if (!match(element[i], /key[ ]*=[ ]*("[^"]*"|\047[^\047]*\047)/)) continue
        key = substr(element[i], RSTART, RLENGTH - 1); sub(/^[^"\047]*["\047]/, "", key)
        value = substr(element[i], RSTART + RLENGTH)
        if (value ~ /^[^>]*\/>/) value = ""
        sub(/^[^>]*>/, "", value); sub(/<.*$/, "", value); setting[key] = unescaped(value)
    }
    if (product == "tentacle") override()
    home = setting["Octopus.Home"]; work = setting["Tentacle.Deployment.ApplicationDirectory"]
    if (home !~ /^\//) { home = path; sub(/\/[^\/]*$/, "", home) }
    sub(/\/+$/, "", home); gsub(/[\t\n]/, " ", home); gsub(/[\t\n]/, " ", work)
    note("instance\t" product "\t" name "\t" path "\t" home "\t" work)
    if (product == "server") {
        port = setting["Octopus.Communications.ServicesPort"]; local(port == "" ? 10943 : port, ""); return }
    if (tolower(setting["Tentacle.Services.NoListen"]) != "true") {
        port = setting["Tentacle.Services.PortNumber"]
        local(port == "" ? 10933 : port, setting["Tentacle.Services.ListenIP"])
    }
    find_proxy()
    servers = setting["Tentacle.Communication.TrustedOctopusServers"]
    while (match(servers, /\{[^{}]*\}/)) {
        one = substr(servers, RSTART, RLENGTH); servers = substr(servers, RSTART + RLENGTH)
        if (one !~ /"CommunicationStyle"[ \t]*:[ \t]*(2[^0-9]|"TentacleActive")/) continue
        if (match(one, /"Address"[ \t]*:[ \t]*"[^"]*"/)) {
            address = substr(one, RSTART, RLENGTH - 1); sub(/^"Address"[ \t]*:[ \t]*"/, "", address)
            gsub(/\\\//, "/", address); poll(address)
        }
    }
}
'
