# The sections of a survey. Each prints one line of JSON, {"data": ...} or {"unknown": reason}; further lines are for
# the script itself.

# What system files say that several sections read, each line behind its file's name; messages of grep among them.
read_system() {
    system=$(bounded_last 5 grep -a '' /etc/os-release /usr/lib/os-release /proc/stat /etc/environment /etc/ssl/openssl.cnf \
        /etc/pki/tls/openssl.cnf /etc/crypto-policies/back-ends/opensslcnf.config /etc/crypto-policies/config \
        /proc/sys/crypto/fips_enabled /sys/fs/selinux/enforce /sys/module/apparmor/parameters/enabled /proc/filesystems 2>&1 </dev/null)
    system_code=$?
}

# awk: whether a line is one of this file; $0 is then what stands in it.
of_file='
function of(file,  at) {
    at = index($0, file ":"); if (at == 0 || index($0, ":") != at + length(file)) return 0
    $0 = substr($0, at + length(file) + 1); return 1
}
'

# Further lines, tab-separated: `name <one of its own names>`, percent-encoded.
section_host() {
    {
        printf 'clock %s\nversion %s\nkernel ' "$((begun + now - started))" "${BASH_VERSION:-${KSH_VERSION:-}}"
        uname -nm
        printf '\nfqdn '
        bounded 3 hostname -f 2>/dev/null </dev/null
        printf '\nid '
        id 2>/dev/null
        printf '\nshell '
        readlink "/proc/$$/exe" 2>/dev/null
        printf '\n'
        addresses
        printf '%s\n' "$system"
    } | awk "$json$of_file$host_reader"
}

# What the tool at hand says of the machine's addresses, behind a line that names the tool.
addresses() {
    if has ip; then
        echo '=ip'
        ip -o addr 2>/dev/null </dev/null
    elif has ifconfig; then
        echo '=ifconfig'
        bounded 5 ifconfig -a 2>/dev/null </dev/null
    else
        echo '=hostname'
        bounded 5 hostname -I 2>/dev/null </dev/null
    fi
    echo '=system'
}

host_reader='
function address(s) {
    sub(/[\/%].*/, "", s); if (s !~ /^[0-9a-fA-F:.]+$/ || length(s) < 3 || s == "127.0.0.1" || s == "::1" || s in seen) return
    seen[s]; addresses = addresses (addresses == "" ? "" : ",") text(s)
}
function own_name(s) { if (s != "" && !(s in named)) { named[s]; gsub(/%/, "%25", s); gsub(/[\t\r]/, " ", s); notes = notes "name\t" s "\n" } }
/^=(ip|ifconfig|hostname|system)$/ { part = $0; next }
part == "" { key = $1; if (sub(/^[^ ]* /, "") && !(key in fact)) fact[key] = $0; next }
part == "=ip" { if ($3 ~ /^inet6?$/) address($4); next }
part == "=ifconfig" { if ($1 ~ /^inet6?$/) for (i = 2; i <= NF; i++) { sub(/^addr:/, "", $i); if ($i ~ /^[0-9a-fA-F:.]+([\/%]|$)/ && length($i) > 2) { address($i); next } } next }
part == "=hostname" { for (i = 1; i <= NF; i++) address($i); next }
of("/proc/stat") { if ($1 == "btime") boot = $2; next }
of("/etc/os-release") || (!released && of("/usr/lib/os-release")) {
    if (!/^[A-Z_]+=/) next
    name = $0; sub(/=.*/, "", name); sub(/^[A-Z_]+=/, ""); gsub(/^["\047]|["\047]$/, ""); release[name] = $0 }
END {
    host = machine = fact["kernel"]; sub(/ [^ ]*$/, "", host); sub(/^.* /, "", machine)
    user = fact["id"]; uid = ""
    if (match(user, /^uid=[0-9]+/)) { uid = substr(user, 5, RLENGTH - 4); user = substr(user, RLENGTH + 1) }
    if (!sub(/^\(/, "", user) || !sub(/\) gid=.*$/, "", user)) user = ""
    shell = fact["shell"]; sub(/.*\//, "", shell); if (shell == "") shell = "sh"
    own_name(host); own_name(fact["fqdn"])
    print "{\"data\":{\"hostname\":" text(host) ",\"fqdn\":" text_or_null(fact["fqdn"]) \
        ",\"os\":\"linux\",\"os_name\":" text_or_null(release["PRETTY_NAME"]) \
        ",\"os_version\":" text_or_null(release["VERSION_ID"]) ",\"architecture\":" text_or_null(machine) \
        ",\"boot_utc\":" iso(boot) ",\"clock_utc\":" iso(fact["clock"]) ",\"user\":" text_or_null(user) \
        ",\"elevated\":" (uid == "" ? "null" : uid == "0" ? "true" : "false") \
        ",\"shell\":{\"name\":" text(shell) ",\"version\":" text_or_null(fact["version"]) "}" \
        ",\"addresses\":[" addresses "]}}"
    printf "%s", notes
}
'

# Octopus Deploy's services, told by their command line (tentacle-facts 2.1). Further lines, tab-separated:
# `environment <instance> <variable> <value>` for the variables that override settings, `unit <name> <product>
# <instance or -> <account> <executable>`, `unnamed <configuration>` for what a unit runs by --config, `runs <unit> <account> <process id>`, `frozen <unit>`, `proxy <account> <variable> <value>`,
# `unread <account> <what of its environment>`, and of Tentacle's `early <account> <DefaultLogDirectory> <XDG_DATA_HOME> <HOME>
# <working folder>`, `-` for what is not set.
section_services() {
    if ! has systemctl; then
        unknown 'this machine has no systemctl, so its services cannot be read'
        return
    fi
    manager=$(bounded_last 5 systemctl show --no-pager -p UnitPath -p Environment 2>&1 </dev/null)
    code=$?
    if [ "$code" -ne 0 ]; then
        complaint 'systemctl show' "$code" "$manager"
        unknown "$complained"
        return
    fi
    # The index files of Tentacle's instances: a unit of one has its name.
    INSTANCES=$(bounded_last 3 ls "${TentacleMachineConfigurationHomeDirectory:-/etc/octopus}/Tentacle/Instances" 2>/dev/null </dev/null)
    export INSTANCES
    unit_path=
    given=
    old_ifs=$IFS
    IFS=$newline
    for line in $manager; do
        case $line in
            UnitPath=*) unit_path=${line#UnitPath=} ;;
            Environment=?*) given=Given=${line#Environment=}$newline ;;
        esac
    done
    IFS=$old_ifs
    units=$(candidates "$unit_path")
    if [ $? -ne 0 ]; then
        unknown 'systemctl names no service at all'
        return
    fi
    IFS=$newline
    # shellcheck disable=SC2086  # one unit's name a line, and set -f is on
    set -- $units
    IFS=$old_ifs
    shown=
    if [ $# -gt 0 ]; then
        shown=$(bounded_last 15 systemctl show --no-pager \
            -p Id,ActiveState,SubState,Result,MainPID,ExecMainStatus,ExecMainStartTimestamp,NRestarts \
            -p UnitFileState,FreezerState,User,WorkingDirectory,ExecStart,Environment,EnvironmentFiles -- "$@" 2>&1 </dev/null)
        code=$?
        if [ "$code" -ne 0 ]; then
            complaint 'systemctl show' "$code" "$shown"
            unknown "$complained"
            return
        fi
    fi
    # What systemd itself gives to all units (DefaultEnvironment=); a unit's own variables win over it.
    {
        printf '%s' "$given"
        case $shown in *EnvironmentFile=/* | *EnvironmentFiles=/*) environment_files "$shown" ;; esac
        case $shown in *UnitFileState=masked*) masked_processes "$shown" ;; esac
        printf '%s\n\n' "$shown"
    } | awk "$json$unit_names$unit_reader"
}

# The services that may be Octopus Deploy's, a name a line: those that are loaded and not inactive, and those whose file (in
# a folder of $1) names one of its programs, cannot be read, or has a name of its own. systemd is asked about no other: to
# list all unit files, or to show each, makes process 1 read them all (of 120 units, half a second of its CPU with 252).
# Exit code 1 where there is no service at all.
candidates() {
    set +f
    old_ifs=$IFS
    IFS=' '
    folders=${1:-/etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system}
    set --
    for folder in $folders; do
        for file in "$folder"/*.service "$folder"/*.service.d/*.conf; do
            case $file in *'*'*) ;; *) set -- "$@" "$file" ;; esac
        done
    done
    IFS=$old_ifs
    {
        if [ $# -gt 0 ]; then
            printf '= files\n'
            printf '%s\n' "$@"
            printf '= matching\n'
            bounded 5 grep -lE '/Tentacle|/Octopus\.Server' "$@" 2>&1 </dev/null
        fi
        printf '= units\n'
        bounded 10 systemctl list-units --all --type=service --plain --no-legend --no-pager --full 2>/dev/null </dev/null
    } | awk "$unit_names"'
        function unit_of(path,  count, part) {
            count = split(path, part, "/")
            if (part[count] ~ /\.conf$/) { count--; sub(/\.d$/, "", part[count]) }
            return part[count]
        }
        function told(name) { if (name ~ /\.service$/ && !(name in known)) { known[name]; if (name !~ /@\.service$/) print name } }
        /^= / { kind = $2; next }
        { any = 1 }
        kind == "files" { if (product_by_name(unit_of($0)) != "") told(unit_of($0)) }
        kind == "matching" {
            sub(/: [Pp]ermission denied$/, "") && sub(/^[^:]*: /, "")
            told(unit_of($0))
        }
        kind == "units" {
            pattern = $1; sub(/@.*/, "@.service", pattern)
            if ($3 != "inactive" || pattern in known) told($1)
        }
        END { exit !any }'
}

# The lines of the environment files of Octopus Deploy's units ($1: what `systemctl show` said), as
# `Variable=<unit><tab><line>`; `Unread=<unit><tab><words>` for a file that may not be read. The property is named without
# its last letter by older ones (of 219, src/systemctl/systemctl.c prints `EnvironmentFile=`).
environment_files() {
    printf '%s\n\n' "$1" | awk '
    /^EnvironmentFiles?=/ { sub(/^EnvironmentFiles?=/, ""); sub(/ \(ignore_errors=[a-z]+\)$/, ""); path[++count] = $0 }
    /^ExecStart=/ { wanted = /\/Tentacle|\/Octopus\.Server/ }
    /^Id=/ { id = substr($0, 4) }
    /^$/ { for (i = 1; wanted && i <= count; i++) print id "\t" path[i]; count = 0; wanted = 0 }' |
        while IFS=$tab read -r unit file; do
            content=$(bounded_last 3 cat "$file" 2>&1 </dev/null)
            if [ $? -eq 0 ]; then
                printf '%s\n' "$content" | UNIT=$unit awk '{ print "Variable=" ENVIRON["UNIT"] "\t" $0 }'
            else
                case $content in *'ermission denied'*) printf 'Unread=%s\tits environment file %s may not be read\n' "$unit" "$file" ;; esac
            fi
        done
}

# Of a masked unit systemd loads nothing, but its process may still run: `Process=<unit><tab><user><tab><command line>`.
masked_processes() {
    printf '%s\n\n' "$1" | awk '
    /^MainPID=/ { pid = substr($0, 9) }
    /^UnitFileState=/ { masked = /=masked/ }
    /^Id=/ { id = substr($0, 4) }
    /^$/ { if (masked && pid ~ /^[1-9][0-9]*$/) print id "\t" pid; pid = ""; masked = 0 }' |
        while IFS=$tab read -r unit pid; do
            user_of_process "$pid"
            words=$(bounded 3 cat "/proc/$pid/cmdline" 2>/dev/null </dev/null | tr '\000' '\n' | awk '
                { gsub(/\t/, " "); if ($0 ~ /[ "\\\047]/) { gsub(/["\\]/, "\\\\&"); $0 = "\"" $0 "\"" }; printf "%s%s", (NR > 1 ? " " : ""), $0 }')
            if [ -n "$user" ] && [ -n "$words" ]; then printf 'Process=%s\t%s\t%s\n' "$unit" "$user" "$words"; fi
        done
}

# Sets process_number to the effective user of a process by its number, user to it by its name, and process_state to the
# letter of what it does; to nothing where that cannot be seen.
number_of_process() {
    process_number=$(cat "/proc/$1/status" 2>/dev/null </dev/null)
    process_state=
    case $newline$process_number in
        *"${newline}State:$tab"*)
            process_state=${process_number#*"State:$tab"}
            process_state=${process_state%"${process_state#?}"}
            ;;
    esac
    case $newline$process_number in
        *"${newline}Uid:$tab"*"$tab"*)
            process_number=${process_number#*"Uid:$tab"*"$tab"}
            process_number=${process_number%%["$tab$newline"]*}
            ;;
        *) process_number= ;;
    esac
    case $process_number in *[!0-9]*) process_number= ;; esac
}
user_of_process() {
    user=
    number_of_process "$1"
    if [ -n "$process_number" ]; then user=$(bounded_last 3 id -un "$process_number" 2>/dev/null </dev/null) || user=$process_number; fi
}

unit_names='
# A masked unit names no program: its name has to tell whose it is (tentacle-facts 3: Tentacle.service, that of the instance, or
# OctopusDeploy-Tentacle.service).
function product_by_name(id) {
    id = tolower(id); sub(/\.service$/, "", id)
    if (id == "tentacle" || id == "octopusdeploy-tentacle" || id in names_of_instances) return "tentacle"
    return id ~ /^octopus-?server$/ ? "server" : ""
}
BEGIN {
    count = split(tolower(ENVIRON["INSTANCES"]), file, "\n")
    for (i = 1; i <= count; i++) if (sub(/\.config$/, "", file[i])) { gsub(/[ \t]+/, "-", file[i]); names_of_instances[file[i]] }
}
'
unit_reader='
# The words of systemd: quoted by ", \047 or $\047, with backslashes. Of what it `shown` as Environment=, a word that begins
# without a quote has none that counts: 239 prints it as it is, or [unprintable] for one with a blank; 219 has \xNN for blanks,
# backslashes and whatever is not ASCII (bus_print_property, src/shared/bus-util.c).
function words_of(s, words, shown,  n, i, c, quote, word, begun, bare) {
    n = 0; quote = ""; word = ""; begun = 0; bare = 0
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (shown && !begun && c ~ /[^ "\047$]/) bare = 1
        if (bare && c != " ") {
            if (substr(s, i, 4) ~ /^\\x[0-9a-f][0-9a-f]$/) { c = sprintf("%c", 16 * digit(s, i + 2) + digit(s, i + 3)); i += 3 }
            word = word c; begun = 1
        }
        else if (c == "\\" && quote != "\047" && i < length(s)) { word = word substr(s, ++i, 1); begun = 1 }
        else if (quote != "") { if (c == quote) quote = ""; else word = word c }
        else if (c == "\"" || c == "\047") { quote = c; begun = 1 }
        else if (c == "$" && substr(s, i + 1, 1) == "\047") begun = 1
        else if (c == " ") { if (begun) words[++n] = word; word = ""; begun = 0; bare = 0 }
        else { word = word c; begun = 1 }
    }
    if (begun) words[++n] = word
    return n
}
function digit(s, at) { return index("0123456789abcdef", substr(s, at, 1)) - 1 }
function option_of(arguments, name,  count, i, words) {
    count = words_of(arguments, words)
    for (i = 1; i <= count; i++) {
        if (words[i] ~ "^--?" name "=") { sub("^--?" name "=", "", words[i]); return words[i] }
        if (words[i] ~ "^--?" name "$" && i < count) return words[i + 1]
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
function field_of(s) { gsub(/[\t\n]/, " ", s); return s == "" ? "-" : s }
function finish(  last, place, line, path, product, arguments, i, count, words, variable, environment, running, instance, account, file) {
    line = unit["ExecStart"]
    if (line == "" && unit["UnitFileState"] ~ /^masked/ && unit["Id"] in process) {
        unit["User"] = user_of[unit["Id"]]; count = words_of(process[unit["Id"]], words)
        line = "path=" words[1] " ; argv[]=" process[unit["Id"]] " ; ignore_errors=no" }
    path = line; sub(/^.*path=/, "", path); sub(/ ;.*$/, "", path)
    sub(/^.*argv\[\]=/, "", line); sub(/ ; ignore_errors=.*$/, "", line); sub(/ ;[^;]*}$/, "", line)
    product = ""
    if (line ~ /\/Tentacle(\.exe|\.dll)?["\047]? +(run|agent)( |$)/) product = "tentacle"
    else if (line ~ /\/Octopus\.Server(\.exe|\.dll)?(["\047 ]|$)/) product = "server"
    else if ((line == "" && unit["UnitFileState"] ~ /^masked/) || line ~ / (run|agent) .*--instance/) product = product_by_name(unit["Id"])
    if (product == "" || unit["Id"] in done) return
    done[unit["Id"]] = 1
    if (line == "") {
        list = list (list == "" ? "" : ",") "{\"name\":" text(unit["Id"]) ",\"product\":" text(product) \
            ",\"state\":" text(state_of(unit["ActiveState"], unit["SubState"])) ",\"start_mode\":\"disabled\"" \
            ",\"pid\":" (unit["MainPID"] + 0 > 0 ? number_or_null(unit["MainPID"]) : "null") \
            ",\"started_utc\":" (unit["MainPID"] + 0 > 0 ? iso(epoch(unit["ExecMainStartTimestamp"])) : "null") \
            ",\"detail\":\"masked\"}"
        return
    }
    arguments = line
    if (index(arguments, path) == 1) arguments = substr(arguments, length(path) + 1); else sub(/^[^ ]+/, "", arguments)
    sub(/^ +/, "", arguments)
    instance = option_of(arguments, "instance")
    file = instance == "" && product == "tentacle" ? option_of(arguments, "config") : ""
    if (file ~ /^\//) notes = notes "unnamed\t" field_of(file) "\n"
    account = unit["User"] == "" ? "root" : unit["User"]
    if (unit["FreezerState"] ~ /^frozen/) notes = notes "frozen\t" unit["Id"] "\n"
    if (unit["MainPID"] + 0 > 0) notes = notes "runs\t" unit["Id"] "\t" account "\t" unit["MainPID"] "\n"
    notes = notes "unit\t" unit["Id"] "\t" product "\t" (instance == "" ? "-" : instance) "\t" account "\t" path "\n"
    count = words_of(given " " unit["Environment"], words, 1); environment = ""; split("", place)
    for (i = 1; i <= count; i++) if (words[i] == "[unprintable]")
        unread[unit["Id"]] = "its systemd does not show variables with a blank in their value"
    if (unit["Id"] in unread) notes = notes "unread\t" account "\t" unread[unit["Id"]] "\n"
    for (i = 1; i <= lines[unit["Id"]]; i++) { variable = assignment(line_of[unit["Id"], i]); if (variable != "") words[++count] = variable }
    split("", last)
    for (i = 1; i <= count; i++) { variable = words[i]; sub(/=.*/, "", variable); last[variable] = i }
    for (i = 1; i <= count; i++) {
        variable = words[i]; sub(/=.*/, "", variable)
        if (last[variable] != i) continue
        if (tolower(variable) ~ /^(https?|all|no)_proxy$/) {
            sub(/^[^=]*=/, "", words[i]); gsub(/[\t\n]/, " ", words[i])
            notes = notes "proxy\t" account "\t" variable "\t" without_password(words[i]) "\n"
        }
        if (variable ~ /^(DefaultLogDirectory|XDG_DATA_HOME|HOME)$/) place[variable] = substr(words[i], length(variable) + 2)
        if (!(variable in overriding)) continue
        sub(/^[^=]*=/, "", words[i])
        environment = environment (environment == "" ? "" : ",") text(variable) ":" text(words[i])
        gsub(/[\t\n]/, " ", words[i])
        notes = notes "environment\t" (instance == "" ? "-" : instance) "\t" variable "\t" words[i] "\n"
    }
    if (product == "tentacle")
        notes = notes "early\t" account "\t" field_of(place["DefaultLogDirectory"]) "\t" field_of(place["XDG_DATA_HOME"]) \
            "\t" field_of(place["HOME"]) "\t" field_of(unit["WorkingDirectory"]) "\n"
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
        ",\"executable\":" text_or_null(path) ",\"arguments\":" text_or_null(without_secrets_of_a_call(arguments)) \
        (unit["Id"] in unread ? ",\"environment_unread\":" text(unread[unit["Id"]]) : "") \
        ",\"environment\":{" environment "},\"detail\":" text(unit["SubState"] " / " unit["Result"]) "}"
}
# The variables that override settings; those that hold secrets are left out.
BEGIN { count = split("TENTACLE_SERVICE_PORT TENTACLE_LISTEN_IP TENTACLE_NO_LISTEN TENTACLE_TRUSTED_SERVERS " \
    "TENTACLE_APPLICATION_DIRECTORY TENTACLE_CERTIFICATE_THUMBPRINT TENTACLE_POLLING_USE_DEFAULT_PROXY " \
    "TENTACLE_POLLING_CUSTOM_PROXY_USER TENTACLE_POLLING_CUSTOM_PROXY_HOST TENTACLE_POLLING_CUSTOM_PROXY_PORT OCTOPUS_HOME " \
    "OCTOPUS_USE_DEFAULT_PROXY OCTOPUS_PROXY_HOST OCTOPUS_PROXY_PORT OCTOPUS_PROXY_USER TentacleMachineConfigurationHomeDirectory", words, " ")
    for (i = 1; i <= count; i++) overriding[words[i]] }
/^Given=/ { given = substr($0, 7); next }
/^Variable=/ { sub(/^Variable=/, ""); at = index($0, "\t"); id = substr($0, 1, at - 1)
    line_of[id, ++lines[id]] = substr($0, at + 1); next }
/^Process=/ { sub(/^Process=/, ""); at = index($0, "\t"); id = substr($0, 1, at - 1); $0 = substr($0, at + 1)
    at = index($0, "\t"); user_of[id] = substr($0, 1, at - 1); process[id] = substr($0, at + 1); next }
/^Unread=/ { sub(/^Unread=/, ""); at = index($0, "\t"); unread[substr($0, 1, at - 1)] = substr($0, at + 1); next }
/^$/ { if ("Id" in unit) finish(); split("", unit); next }
{ at = index($0, "="); name = substr($0, 1, at - 1); if (!(name in unit)) unit[name] = substr($0, at + 1) }
END { print "{\"data\":[" list "]}"; printf "%s", notes }
'
