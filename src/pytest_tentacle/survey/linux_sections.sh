# The sections of a survey. Each prints one line of JSON, {"data": ...} or {"unknown": reason}; further lines are for
# the script itself.

section_host() {
    tick
    {
        printf 'kernel_name %s\n' "$(uname -n)"
        printf 'architecture %s\n' "$(uname -m)"
        printf 'fqdn %s\n' "$(limit "$(within 3)" hostname -f 2>/dev/null </dev/null)"
        printf 'clock %s\n' "$(date +%s)"
        printf 'user %s\n' "$(id -un 2>/dev/null)"
        printf 'uid %s\n' "$(id -u)"
        printf 'shell %s\n' "$(readlink "/proc/$$/exe" 2>/dev/null)"
        printf 'shell_version %s\n' "${BASH_VERSION:-${KSH_VERSION:-}}"
        (cat /proc/stat | sed -n 's/^btime/boot/p') 2>/dev/null
        (cat /etc/os-release || cat /usr/lib/os-release) 2>/dev/null | sed -n 's/^/release /p'
        addresses
    } | awk "$json"'
    { key = $1; sub(/^[^ ]* ?/, ""); if (key != "release" && key != "address") fact[key] = $0 }
    key == "release" && /^[A-Z_]+=/ {
        name = $0; sub(/=.*/, "", name); sub(/^[A-Z_]+=/, ""); gsub(/^["\047]|["\047]$/, ""); release[name] = $0 }
    key == "address" && !($0 in seen) { seen[$0] = 1; addresses = addresses (addresses == "" ? "" : ",") text($0) }
    END {
        shell = fact["shell"]; sub(/.*\//, "", shell); if (shell == "") shell = "sh"
        print "{\"data\":{\"hostname\":" text(fact["kernel_name"]) ",\"fqdn\":" text_or_null(fact["fqdn"]) \
            ",\"os\":\"linux\",\"os_name\":" text_or_null(release["PRETTY_NAME"]) \
            ",\"os_version\":" text_or_null(release["VERSION_ID"]) ",\"architecture\":" text_or_null(fact["architecture"]) \
            ",\"boot_utc\":" iso(fact["boot"]) ",\"clock_utc\":" iso(fact["clock"]) ",\"user\":" text_or_null(fact["user"]) \
            ",\"elevated\":" (fact["uid"] == "" ? "null" : fact["uid"] == "0" ? "true" : "false") \
            ",\"shell\":{\"name\":" text(shell) ",\"version\":" text_or_null(fact["shell_version"]) "}" \
            ",\"addresses\":[" addresses "]}}" }'
}

# The machine's addresses but the loopback ones, as lines `address 192.0.2.7`.
addresses() {
    if has ip; then
        limit "$(within 5)" ip -o addr 2>/dev/null </dev/null | awk '$3 ~ /^inet6?$/ { sub(/\/.*/, "", $4); print "address " $4 }'
    elif has ifconfig; then
        limit "$(within 5)" ifconfig -a 2>/dev/null </dev/null | awk '$1 ~ /^inet6?$/ {
            for (i = 2; i <= NF; i++) { sub(/^addr:/, "", $i); sub(/[\/%].*/, "", $i)
                if ($i ~ /^[0-9a-fA-F:.]+$/ && length($i) > 2) { print "address " $i; next } } }'
    else
        limit "$(within 5)" hostname -I 2>/dev/null </dev/null | awk '{ for (i = 1; i <= NF; i++) print "address " $i }'
    fi | sed -e '/^address 127\.0\.0\.1$/d' -e '/^address ::1$/d'
}

# Octopus Deploy's services, told by their command line (tentacle-facts 2.1). Further lines, tab-separated:
# `environment <instance> <variable> <value>` for the variables that override settings, `unit <name> <product>
# <instance or -> <account> <executable>`, `proxy <account> <variable> <value>`, `unread <account> <environment file>`.
section_services() {
    tick
    if ! has systemctl; then
        unknown 'this machine has no systemctl, so its services cannot be read'
        return
    fi
    units=$(
        limit "$(within 10)" systemctl list-unit-files --type=service --no-legend --no-pager --full 2>&1 </dev/null
        code=$?
        limit "$(within 10)" systemctl list-units --all --type=service --plain --no-legend --no-pager --full 2>/dev/null </dev/null
        exit "$code"
    )
    code=$?
    if [ "$code" -ne 0 ]; then
        unknown "$(complaint systemctl "$code" "$units")"
        return
    fi
    old_ifs=$IFS
    IFS=$newline
    # shellcheck disable=SC2046  # one unit's name a line, and set -f is on
    set -- $(printf '%s\n' "$units" | awk '$1 ~ /\.service$/ && $1 !~ /@\.service$/ && !($1 in seen) { seen[$1]; print $1 }')
    IFS=$old_ifs
    if [ $# -eq 0 ]; then
        unknown 'systemctl names no service at all'
        return
    fi
    tick
    shown=$(limit "$(within 15)" systemctl show --no-pager \
        -p Id,ActiveState,SubState,Result,MainPID,ExecMainStatus,ExecMainStartTimestamp,NRestarts \
        -p UnitFileState,User,ExecStart,Environment,EnvironmentFiles -- "$@" 2>&1 </dev/null)
    code=$?
    if [ "$code" -ne 0 ]; then
        unknown "$(complaint 'systemctl show' "$code" "$shown")"
        return
    fi
    { environment_files "$shown" && printf '%s\n\n' "$shown"; } | awk "$json$unit_reader"
}

# The lines of the environment files of Octopus Deploy's units ($1: what `systemctl show` said), as
# `Variable=<unit><tab><line>`; `Unread=<unit><tab><path>` for a file that may not be read.
environment_files() {
    printf '%s\n\n' "$1" | awk '
    /^EnvironmentFiles=/ { sub(/^EnvironmentFiles=/, ""); sub(/ \(ignore_errors=[a-z]+\)$/, ""); path[++count] = $0 }
    /^ExecStart=/ { wanted = /\/Tentacle|\/Octopus\.Server/ }
    /^Id=/ { id = substr($0, 4) }
    /^$/ { for (i = 1; wanted && i <= count; i++) print id "\t" path[i]; count = 0; wanted = 0 }' |
        while IFS=$tab read -r unit file; do
            content=$(limit "$(within 3)" cat "$file" 2>&1 </dev/null)
            if [ $? -eq 0 ]; then
                printf '%s\n' "$content" | UNIT=$unit awk '{ print "Variable=" ENVIRON["UNIT"] "\t" $0 }'
            else
                case $content in *'ermission denied'*) printf 'Unread=%s\t%s\n' "$unit" "$file" ;; esac
            fi
        done
}

unit_reader='
# The words of systemd: quoted by ", \047 or $\047, with backslashes.
function words_of(s, words,  n, i, c, quote, word, begun) {
    n = 0; quote = ""; word = ""; begun = 0
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c == "\\" && quote != "\047" && i < length(s)) { word = word substr(s, ++i, 1); begun = 1 }
        else if (quote != "") { if (c == quote) quote = ""; else word = word c }
        else if (c == "\"" || c == "\047") { quote = c; begun = 1 }
        else if (c == "$" && substr(s, i + 1, 1) == "\047") begun = 1
        else if (c == " ") { if (begun) words[++n] = word; word = ""; begun = 0 }
        else { word = word c; begun = 1 }
    }
    if (begun) words[++n] = word
    return n
}
function instance_of(arguments,  count, i, words) {
    count = words_of(arguments, words)
    for (i = 1; i <= count; i++) {
        if (words[i] ~ /^--?instance=/) { sub(/^--?instance=/, "", words[i]); return words[i] }
        if (words[i] ~ /^--?instance$/ && i < count) return words[i + 1]
    }
    return ""
}
function epoch(stamp,  part, day, clock, y, m) {
    if (split(stamp, part, " ") < 3 || split(part[2], day, "-") != 3 || split(part[3], clock, ":") != 3) return ""
    y = day[1] - (day[2] <= 2); m = day[2] + (day[2] > 2 ? -3 : 9)
    return whole((365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m + 2) / 5) + day[3] - 1 - 719468) * 86400 \
        + clock[1] * 3600 + clock[2] * 60 + clock[3])
}
function state_of(active, sub_state) {
    if (active == "active" || active == "reloading") return sub_state == "exited" ? "stopped" : "running"
    if (active == "activating") return "starting"
    if (active == "deactivating") return "stopping"
    if (active == "inactive") return "stopped"
    return active == "failed" ? "failed" : "unknown"
}
function start_mode(file_state) {
    if (file_state ~ /^enabled/) return "\"auto\""
    if (file_state == "disabled") return "\"manual\""
    if (file_state ~ /^masked/) return "\"disabled\""
    return file_state == "" ? "null" : "\"other\""
}
# A line of an environment file as VARIABLE=value; nothing for comments and blank lines.
function assignment(s,  at, value, words) {
    sub(/^[ \t]+/, "", s); at = index(s, "=")
    if (s ~ /^[#;]/ || at < 2) return ""
    value = substr(s, at + 1); sub(/^[ \t]+/, "", value); sub(/[ \t\r]+$/, "", value)
    if (value ~ /^["\047]/) { words_of(value, words); value = words[1] }
    return substr(s, 1, at) value
}
function finish(  line, path, product, arguments, i, count, words, variable, environment, running, instance, account) {
    line = unit["ExecStart"]
    path = line; sub(/^.*path=/, "", path); sub(/ ;.*$/, "", path)
    sub(/^.*argv\[\]=/, "", line); sub(/ ; ignore_errors=.*$/, "", line); sub(/ ;[^;]*}$/, "", line)
    product = ""
    if (line ~ /\/Tentacle(\.exe|\.dll)?["\047]? +(run|agent)( |$)/) product = "tentacle"
    else if (line ~ /\/Octopus\.Server(\.exe|\.dll)?(["\047 ]|$)/) product = "server"
    if (product == "" || unit["Id"] in done) return
    done[unit["Id"]] = 1
    arguments = line
    if (index(arguments, path) == 1) arguments = substr(arguments, length(path) + 1); else sub(/^[^ ]+/, "", arguments)
    sub(/^ +/, "", arguments)
    instance = instance_of(arguments)
    account = unit["User"] == "" ? "root" : unit["User"]
    notes = notes "unit\t" unit["Id"] "\t" product "\t" (instance == "" ? "-" : instance) "\t" account "\t" path "\n"
    if (unit["Id"] in unread) notes = notes "unread\t" account "\t" unread[unit["Id"]] "\n"
    count = words_of(unit["Environment"], words); environment = ""
    for (i = 1; i <= lines[unit["Id"]]; i++) { variable = assignment(line_of[unit["Id"], i]); if (variable != "") words[++count] = variable }
    for (i = 1; i <= count; i++) {
        variable = words[i]; sub(/=.*/, "", variable)
        if (tolower(variable) ~ /^(https?|all|no)_proxy$/) {
            sub(/^[^=]*=/, "", words[i]); gsub(/[\t\n]/, " ", words[i])
            notes = notes "proxy\t" account "\t" variable "\t" without_password(words[i]) "\n"
        }
        if (variable !~ /^(TENTACLE|OCTOPUS)_|^TentacleMachineConfigurationHomeDirectory$/) continue
        if (variable ~ /PASSWORD|API_?KEY|TOKEN|SECRET|CONNECTION_?STRING|MASTER_?KEY|^TENTACLE_CERTIFICATE$/) continue
        sub(/^[^=]*=/, "", words[i])
        environment = environment (environment == "" ? "" : ",") text(variable) ":" text(words[i])
        gsub(/[\t\n]/, " ", words[i])
        notes = notes "environment\t" (instance == "" ? "-" : instance) "\t" variable "\t" words[i] "\n"
    }
    running = unit["MainPID"] + 0 > 0
    list = list (list == "" ? "" : ",") "{\"name\":" text(unit["Id"]) ",\"product\":" text(product) \
        ",\"instance\":" text_or_null(instance) \
        ",\"state\":" text(state_of(unit["ActiveState"], unit["SubState"])) \
        ",\"start_mode\":" start_mode(unit["UnitFileState"]) \
        ",\"account\":" text(account) \
        ",\"pid\":" (running ? number_or_null(unit["MainPID"]) : "null") \
        ",\"started_utc\":" (running ? iso(epoch(unit["ExecMainStartTimestamp"])) : "null") \
        ",\"exit_code\":" (running ? "null" : number_or_null(unit["ExecMainStatus"])) \
        ",\"restarts\":" number_or_null(unit["NRestarts"]) \
        ",\"executable\":" text_or_null(path) ",\"arguments\":" text_or_null(arguments) \
        ",\"environment\":{" environment "},\"detail\":" text(unit["SubState"] " / " unit["Result"]) "}"
}
/^Variable=/ { sub(/^Variable=/, ""); at = index($0, "\t"); id = substr($0, 1, at - 1)
    line_of[id, ++lines[id]] = substr($0, at + 1); next }
/^Unread=/ { sub(/^Unread=/, ""); at = index($0, "\t"); unread[substr($0, 1, at - 1)] = substr($0, at + 1); next }
/^$/ { if ("Id" in unit) finish(); split("", unit); next }
{ at = index($0, "="); name = substr($0, 1, at - 1); if (!(name in unit)) unit[name] = substr($0, at + 1) }
END { print "{\"data\":[" list "]}"; printf "%s", notes }
'

# Instances by their index files (tentacle-facts 2.2). $1: the lines that section_services left. Further lines,
# tab-separated: `port <number>`, `target <id> <host> <port> <by>`, `instance <product> <name> <configuration> <home>
# <work folder>`, and `gone <index file>` where the configuration is not there.
section_instances() {
    tick
    homes=${TentacleMachineConfigurationHomeDirectory:-/etc/octopus}$newline$(printf '%s\n' "$1" |
        awk -F '\t' '$3 == "TentacleMachineConfigurationHomeDirectory" { print $4 }')
    homes=$(printf '%s\n' "$homes" | awk 'NF && !($0 in seen) { seen[$0]; print }')
    found=
    notes=
    old_ifs=$IFS
    IFS=$newline
    for home in $homes; do
        for kind in tentacle:Tentacle server:OctopusServer; do
            folder=$home/${kind#*:}/Instances
            trouble=$(limit "$(within 5)" ls "$folder" 2>&1 >/dev/null </dev/null)
            case $? in
                0) ;;
                *)
                    case $trouble in
                        *'No such file'* | *'Not a directory'*) continue ;;
                        *) unknown "the folder $folder could not be read: $trouble" && return ;;
                    esac
                    ;;
            esac
            set +f
            IFS=
            set -- "$folder"/*.config
            IFS=$newline
            set -f
            for index_file in "$@"; do
                if [ "$index_file" = "$folder/*.config" ]; then continue; fi
                one=$(IFS=$old_ifs && read_instance "${kind%%:*}" "$index_file")
                found=$found${found:+,}${one%%"$newline"*}
                case $one in *"$newline"*) notes=$notes${one#*"$newline"}$newline ;; esac
            done
        done
    done
    IFS=$old_ifs
    printf '{"data":[%s]}\n%s' "$found" "$notes"
}

# One instance: $1 product, $2 its index file. One line of JSON, then further lines as above.
read_instance() {
    entry=$(limit "$(within 5)" cat "$2" 2>/dev/null </dev/null | awk "$json$index_reader")
    name=${entry%%"$tab"*}
    path=${entry#*"$tab"}
    detail=
    if [ -z "$entry" ]; then
        name=${2##*/}
        name=${name%.config}
        path=$2
    fi
    content=
    error=
    trouble=$(limit "$(within 5)" cat "$path" 2>&1 >/dev/null </dev/null)
    code=$?
    if [ "$code" -ne 0 ]; then
        case $trouble in
            *'No such file'* | *'Not a directory'*) error=not-found ;;
            *'ermission denied'*) error=denied ;;
            *)
                error=unreadable
                detail=$(complaint cat "$code" "$trouble")
                ;;
        esac
    elif [ -z "$entry" ]; then
        error=malformed
        detail="the instance's index file names no configuration file"
    fi
    measures=$(limit "$(within 5)" stat -L -c '%s %Y' "$path" 2>/dev/null </dev/null)
    case $measures in
        '0 '*) error=${error:-empty} ;;
        ???????*' '*) error=${error:-unreadable} detail=${detail:-more than 1,000,000 bytes} ;;
    esac
    if [ -z "$error" ]; then
        content=$(limit "$(within 5)" cat "$path" 2>/dev/null </dev/null | awk "$secret_remover")
        if [ -z "$content" ]; then
            error=malformed
            detail='it holds no octopus-settings element'
        fi
    fi
    {
        printf '%s\n' "$1" "$name" "$path" "$measures" "$error"
        printf '%s' "$content" | encode
        printf '\n%s\n' "$detail"
    } | awk "$json"'
    { line[NR] = $0 }
    END { split(line[4], measures, " ")
        print "{\"product\":" text(line[1]) ",\"name\":" text(line[2]) ",\"configuration\":{\"path\":" text(line[3]) \
            ",\"size\":" number_or_null(measures[1]) ",\"modified_utc\":" iso(measures[2]) ",\"error\":" text_or_null(line[5]) \
            ",\"text\":" text_or_null(line[6]) ",\"detail\":" text_or_null(line[7]) "}}" }'
    if [ -n "$content" ]; then
        { printf '%s\n' "$service_notes" | awk -F '\t' -v product="$1" '
            product == "tentacle" && $1 == "environment" { print }' && printf '\n%s\n' "$content"; } |
            PRODUCT=$1 INSTANCE=$name CONFIGURATION=$path awk "$json$link_finder"
    else
        printf 'instance\t%s\t%s\t%s\t%s\n' "$1" "$name" "$path" "${path%/*}"
        if [ "$error" = not-found ]; then printf 'gone\t%s\n' "$2"; fi
    fi
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
{ all = all $0 "\n" }
END { path = member(all, "ConfigurationFilePath"); if (path != "") printf "%s\t%s", member(all, "Name"), path }
'

# Empties the values of secret keys. What cannot be told to be a whole element is dropped up to its end, so that a
# cut-off or broken file gives nothing away; a file without the root element is not sent at all.
secret_remover='
{ all = all $0 "\n" }
END {
    if (index(all, "<octopus-settings") == 0) exit
    while (match(all, /key[ \t\r\n]*=[ \t\r\n]*("[^"]*"|\047[^\047]*\047)/)) {
        printf "%s", substr(all, 1, RSTART + RLENGTH - 1)
        key = tolower(substr(all, RSTART, RLENGTH - 1)); all = substr(all, RSTART + RLENGTH)
        if (key !~ /["\047]tentacle\.certificate$|password$|connectionstring$|masterkey$|apikey$/) continue
        if (match(all, /^[ \t\r\n]*\/?>/)) {
            printf "%s", substr(all, 1, RLENGTH); shut = substr(all, RLENGTH - 1, 1) == "/"; all = substr(all, RLENGTH + 1)
            if (shut) continue
        }
        rest = index(tolower(all), "</set"); all = rest ? substr(all, rest) : ""
    }
    printf "%s", all
}
'

# The links that an instance has by its settings and its service'\''s environment: first the environment, then the file.
link_finder='
function unescaped(s) {
    gsub(/&quot;|&#34;|&#x22;/, "\"", s); gsub(/&apos;|&#39;/, "\047", s); gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s)
    gsub(/&amp;/, "\\&", s); return s
}
function percent(s) { gsub(/%/, "%25", s); return s }
function target(id, host, port, by) { print "target\t" percent(id) "\t" percent(host) "\t" port "\t" by }
function is_port(s) { return s ~ /^[0-9]+$/ && s + 0 > 0 && s + 0 < 65536 }
function local(port, host) {
    if (!is_port(port)) return
    if (host == "" || host ~ /^(0\.0\.0\.0|::|\*|any)$/) host = "localhost"
    print "port\t" port + 0; target("local:" ENVIRON["INSTANCE"], host, port + 0, "local")
}
function poll(address,  host, port) {
    port = 443; host = address; sub(/^[A-Za-z]+:\/\//, "", host); sub(/[\/?#].*$/, "", host)
    if (match(host, /:[0-9]+$/) && (host !~ /:.*:/ || host ~ /\]:[0-9]+$/)) {
        port = substr(host, RSTART + 1); host = substr(host, 1, RSTART - 1) }
    gsub(/[\[\]\t]/, "", host)
    if (host == "" || !is_port(port)) return
    target("configured:" ENVIRON["INSTANCE"] ":" ++polled, host, port + 0,
        host ~ /:/ || host ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ ? "address" : "name")
}
BEGIN { split("TENTACLE_SERVICE_PORT Tentacle.Services.PortNumber TENTACLE_LISTEN_IP Tentacle.Services.ListenIP " \
    "TENTACLE_NO_LISTEN Tentacle.Services.NoListen TENTACLE_TRUSTED_SERVERS Tentacle.Communication.TrustedOctopusServers " \
    "OCTOPUS_HOME Octopus.Home TENTACLE_APPLICATION_DIRECTORY Tentacle.Deployment.ApplicationDirectory", w, " ")
    for (i = 1; i < 13; i += 2) key_of[w[i]] = w[i + 1] }
!in_file && /^$/ { in_file = 1; next }
!in_file {
    split($0, field, "\t")
    if (field[2] == ENVIRON["INSTANCE"] || (field[2] == "-" && ENVIRON["INSTANCE"] == "Tentacle"))
        if (field[3] in key_of && field[4] != "") override[key_of[field[3]]] = field[4]
    next
}
{ all = all $0 " " }
END {
    count = split(all, element, /<set[ \t]/)
    for (i = 2; i <= count; i++) {
        if (!match(element[i], /key[ ]*=[ ]*("[^"]*"|\047[^\047]*\047)/)) continue
        key = substr(element[i], RSTART, RLENGTH - 1); sub(/^[^"\047]*["\047]/, "", key)
        value = substr(element[i], RSTART + RLENGTH)
        if (value ~ /^[^>]*\/>/) value = ""
        sub(/^[^>]*>/, "", value); sub(/<.*$/, "", value); setting[key] = unescaped(value)
    }
    for (key in override) setting[key] = override[key]
    home = setting["Octopus.Home"]; work = setting["Tentacle.Deployment.ApplicationDirectory"]
    if (home !~ /^\//) { home = ENVIRON["CONFIGURATION"]; sub(/\/[^\/]*$/, "", home) }
    sub(/\/+$/, "", home); gsub(/[\t\n]/, " ", home); gsub(/[\t\n]/, " ", work)
    print "instance\t" ENVIRON["PRODUCT"] "\t" ENVIRON["INSTANCE"] "\t" ENVIRON["CONFIGURATION"] "\t" home "\t" work
    if (ENVIRON["PRODUCT"] == "server") {
        port = setting["Octopus.Communications.ServicesPort"]; local(port == "" ? 10943 : port, ""); exit }
    if (tolower(setting["Tentacle.Services.NoListen"]) != "true") {
        port = setting["Tentacle.Services.PortNumber"]
        local(port == "" ? 10933 : port, setting["Tentacle.Services.ListenIP"])
    }
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
