# What stands around the instances: connections, logs, products, disks, load time, left-overs. These sections read
# $instance_notes (lines `instance <product> <name> <configuration> <home> <work folder>`) and $service_notes (lines
# `unit <name> <product> <instance or -> <account> <executable>`), both tab-separated.

# A list of JSON values that each begin with a comma, as a section.
listed() { printf '{"data":[%s]}\n' "${1#,}"; }

as_text() { printf '%s\n' "$1" | awk "$json"'{ printf "%s", text($0) }'; }

# What a tool's refusal of a file is called: $1 is its message.
file_error() {
    case $1 in
        *'No such file'* | *'Not a directory'*) echo not-found ;;
        *'ermission denied'*) echo denied ;;
        *) echo unreadable ;;
    esac
}

# TCP connections whose local port is of interest ($1), or whose remote port is one that an instance polls ($2).
section_connections() {
    tick
    trouble=
    code=1
    for source_tool in ss netstat; do
        has "$source_tool" || continue
        case $source_tool in
            ss) sockets=$(limit "$(within 8)" ss -H -tanp 2>&1 </dev/null) ;;
            netstat) sockets=$(limit "$(within 8)" netstat -tanp 2>/dev/null </dev/null) ;;
        esac
        code=$?
        if [ "$code" -eq 0 ]; then break; fi
        trouble=${trouble:-$(complaint "$source_tool" "$code" "$sockets")}
    done
    if [ "$code" -ne 0 ]; then
        unknown "${trouble:-this machine has neither ss nor netstat, so its connections cannot be read}"
        return
    fi
    printf '%s\n' "$sockets" | LOCAL=" $1 " REMOTE=" $2 " awk "$json$connection_reader"
}

connection_reader='
function state_of(s) {
    if (s ~ /^ESTAB/) return "established"
    gsub(/_/, "-", s)
    return s ~ /^(CLOSE-WAIT|SYN-SENT|TIME-WAIT)$/ ? tolower(s) : "other"
}
function port_of(s) { sub(/.*:/, "", s); return s }
function address_of(s) { sub(/:[^:]*$/, "", s); sub(/%.*$/, "", s); gsub(/[\[\]]/, "", s); return s == "*" || s == "" ? "::" : s }
function connection(state, here, there, pid,  near, far) {
    near = port_of(here); far = port_of(there)
    if (near !~ /^[0-9]+$/ || far !~ /^[0-9]+$/ || count >= 500) return
    if (!index(ENVIRON["LOCAL"], " " near " ") && !index(ENVIRON["REMOTE"], " " far " ")) return
    list = list (count++ ? "," : "") "{\"local_address\":" text(address_of(here)) ",\"local_port\":" near \
        ",\"remote_address\":" text(address_of(there)) ",\"remote_port\":" far ",\"state\":\"" state_of(state) "\"" \
        ",\"pid\":" number_or_null(pid) "}"
}
$1 ~ /^tcp/ && NF >= 6 { if ($6 != "LISTEN") connection($6, $4, $5, $7 ~ /^[0-9]+\// ? $7 + 0 : ""); next }
$1 ~ /^[A-Z]+(-[A-Z0-9]+)*$/ && $1 != "LISTEN" && NF >= 5 {
    connection($1, $4, $5, match($0, /pid=[0-9]+/) ? substr($0, RSTART + 4, RLENGTH - 4) : "") }
END { print "{\"data\":[" list "]}" }
'

# Each instance's own log, at most its last 2,000,000 bytes, the newest archive filling up what the log leaves free.
log_bytes=2000000

section_logs() {
    listed "$(printf '%s\n' "$instance_notes" | while IFS=$tab read -r word product name path home work; do
        if [ "$word" = instance ]; then
            tick
            read_log "$product" "$name" "$home/Logs"
        fi
    done)"
}

read_log() {
    case $1 in server) log_name=OctopusServer ;; *) log_name=OctopusTentacle ;; esac
    log_file=$3/$log_name.txt
    printf ',{"product":"%s","instance":%s,"path":%s' "$1" "$(as_text "$2")" "$(as_text "$log_file")"
    if [ "$remaining_budget" -lt 3 ]; then
        printf ',"error":"unreadable"}'
        return
    fi
    trouble=$(limit "$(within 5)" tail -c 1 "$log_file" 2>&1 >/dev/null </dev/null)
    if [ $? -ne 0 ]; then
        printf ',"error":"%s"}' "$(file_error "$trouble")"
        return
    fi
    measures=$(limit "$(within 5)" stat -L -c '%s %Y' "$log_file" 2>/dev/null </dev/null)
    printf '%s' "$measures" | awk "$json"'{ printf ",\"size\":%s,\"modified_utc\":%s", number_or_null($1), iso($2) }'
    printf ',"text":"%s"' "$(packed_end "$log_bytes" "$log_file")"
    older_bytes=$((log_bytes - ${measures%% *}))
    if [ -n "$measures" ] && [ "$older_bytes" -gt 0 ]; then
        older=$(packed_end "$older_bytes" "$3/$log_name.0.txt")
        if [ -n "$older" ]; then printf ',"older":"%s"' "$older"; fi
    fi
    printf '}'
}

# The last bytes of a file ($1 how many, $2 which), packed if that can be done here, as base64 in one line.
packed_end() {
    if ! limit "$(within 5)" tail -c 1 "$2" >/dev/null 2>&1 </dev/null; then return; fi
    if has base64 && has gzip; then
        limit "$(within 8)" tail -c "$1" "$2" 2>/dev/null </dev/null | gzip -c | base64 | tr -d '\n'
    elif has base64; then
        limit "$(within 8)" tail -c "$1" "$2" 2>/dev/null </dev/null | base64 | tr -d '\n'
    else
        if [ "$1" -gt 200000 ]; then set -- 200000 "$2"; fi
        limit "$(within 8)" tail -c "$1" "$2" 2>/dev/null </dev/null | encode
    fi
}

# The lines `<product> <executable>` of all services, each once.
programs() { printf '%s\n' "$service_notes" | awk -F '\t' '$1 == "unit" && $6 != "" && !(($3, $6) in seen) { seen[$3, $6]; print $3 "\t" $6 }'; }

# Versions by the package manager, or by the list of parts beside the program. Tentacle itself is never asked.
section_products() {
    tick
    version=
    if has dpkg-query; then
        # shellcheck disable=SC2016  # dpkg-query's own variables
        version=$(limit "$(within 5)" dpkg-query -W -f '${db:Status-Status} ${Version}\n' tentacle 2>/dev/null </dev/null)
    fi
    if [ -z "$version" ] && has rpm; then
        version=$(limit "$(within 5)" rpm -q --qf 'installed %{VERSION}\n' tentacle 2>/dev/null </dev/null)
    fi
    case $version in
        installed\ *)
            version=${version%%"$newline"*}
            version=${version#installed }
            ;;
        *) version= ;;
    esac
    listed "$({
        printf 'package\t%s\n' "$version"
        programs | while IFS=$tab read -r product executable; do
            parts=$(limit "$(within 3)" cat "${executable%/*}/${executable##*/}.deps.json" 2>/dev/null </dev/null | head -c 20000 |
                sed -n 's/.*"\(Octopus\.\)\{0,1\}\(Tentacle\|Server\)\/\([0-9][^"]*\)".*/\3/p' | head -n 1)
            printf 'program\t%s\t%s\t%s\n' "$product" "$executable" "$parts"
        done
    } | awk -F '\t' "$json"'
        $1 == "package" { version = $2; next }
        { if ($2 == "tentacle") found = 1
          printf ",{\"product\":%s,\"version\":%s,\"path\":%s}", text($2),
              text_or_null($2 == "tentacle" && version != "" ? version : $4), text($3) }
        END { if (!found && version != "") printf ",{\"product\":\"tentacle\",\"version\":%s}", text(version) }')"
}

# The file systems that each home and work folder lies on; for a folder that is not there, its nearest parent.
section_disks() {
    tick
    if ! has df; then
        unknown 'this machine has no df, so its file systems cannot be measured'
        return
    fi
    rows=$(printf '%s\n' "$instance_notes" | awk -F '\t' '
        $1 == "instance" { for (i = 5; i <= 6; i++) if ($i ~ /^\// && !($i in seen)) { seen[$i]; print $i } }' |
        while IFS= read -r place; do
            while :; do
                row=$(limit "$(within 5)" df -Pk "$place" 2>&1 </dev/null)
                code=$?
                case $code:$row in
                    *'No such file'*) ;;
                    *) break ;;
                esac
                if [ "$place" = / ]; then break; fi
                place=${place%/*}
                place=${place:-/}
            done
            if [ "$code" -eq 0 ]; then printf '%s\n' "$row" | sed -n '2s/^/row /p'; else echo "trouble $(complaint df "$code" "$row")"; fi
        done)
    case $newline$rows in
        *"$newline"row*) ;;
        *"$newline"trouble*)
            unknown "${rows#trouble }"
            return
            ;;
    esac
    listed "$(printf '%s\n' "$rows" | awk "$json"'
        function kilobytes(s) { return s ~ /^[0-9]+$/ ? whole(s * 1024) : "null" }
        $1 == "row" && match($0, / [0-9]+ +[0-9]+ +-?[0-9]+ +[0-9-]+%? +\//) {
            split(substr($0, RSTART, RLENGTH), column, " "); mount = substr($0, RSTART + RLENGTH - 1)
            if (mount in seen) next
            seen[mount]
            printf ",{\"path\":%s,\"free_bytes\":%s,\"size_bytes\":%s}", text(mount), kilobytes(column[3]), kilobytes(column[1]) }')"
}

# `<program> help` twice, in milliseconds. It comes after the logs and the probes: the program writes into its log, and
# whatever it finds to do must not take their time. It starts where it can write no file of its own.
section_loading() {
    tick
    list=$(programs | while IFS=$tab read -r product executable; do
        printf ',{"product":"%s","executable":%s' "$product" "$(as_text "$executable")"
        error=
        run=
        for run in cold warm; do
            tick
            if [ "$remaining_budget" -lt 2 ]; then
                error='no time was left for it'
                break
            fi
            before=$(now_ms)
            trouble=$(cd /proc && limit "$(within 20)" "$executable" help 2>&1 >/dev/null </dev/null)
            code=$?
            took=$(elapsed "$before" "$(now_ms)")
            if timed_out "$code"; then
                error="help did not answer within its time of ${took:-some} ms"
                break
            elif [ "$code" -eq 126 ] || [ "$code" -eq 127 ]; then
                error="it cannot be started: ${trouble:-exit code $code}"
                break
            fi
            printf ',"%s_ms":%s,"exit_code":%s' "$run" "${took:-null}" "$code"
        done
        if [ -n "$error" ]; then printf ',"error":%s' "$(as_text "${error%%"$newline"*}")"; fi
        printf '}'
    done)
    printf '{"data":{"times":[%s]}}\n' "${list#,}"
}

# What earlier installations left: index entries and units that lead nowhere, folders that no instance uses.
section_left_overs() {
    tick
    case $instances in
        '{"unknown"'*)
            unknown 'the instances could not be read'
            return
            ;;
    esac
    listed "$(
        printf '%s\n' "$instance_notes" | while IFS=$tab read -r word value more; do
            if [ "$word" = gone ]; then printf ',{"kind":"index","where":%s}' "$(as_text "$value")"; fi
        done
        printf '%s\n' "$service_notes" | while IFS=$tab read -r word unit product instance account executable; do
            if [ "$word" != unit ]; then continue; fi
            trouble=$(limit "$(within 3)" ls -d "$executable" 2>&1 >/dev/null </dev/null) && continue
            if [ "$(file_error "$trouble")" = not-found ]; then printf ',{"kind":"unit","where":%s}' "$(as_text "$unit")"; fi
        done
        root=${TentacleMachineConfigurationHomeDirectory:-/etc/octopus}
        limit "$(within 3)" ls -p "$root" 2>/dev/null </dev/null | sed -n 's/\/$//p' | while IFS= read -r folder; do
            if is_used "$root/$folder"; then continue; fi
            case $newline$(limit "$(within 3)" ls "$root/$folder" 2>/dev/null </dev/null)$newline in
                *"$newline"Instances"$newline"*) ;;
                *"$newline"Logs"$newline"* | *.config"$newline"*) printf ',{"kind":"folder","where":%s}' "$(as_text "$root/$folder")" ;;
            esac
        done
    )"
}

# Whether a folder is an instance's home or holds its configuration file or work folder.
is_used() {
    printf '%s\n' "$instance_notes" | FOLDER=$1 awk -F '\t' '
        function same(path) { return path == ENVIRON["FOLDER"] || index(path, ENVIRON["FOLDER"] "/") == 1 }
        $1 == "instance" && (same($4) || same($5) || same($6)) { used = 1 }
        END { exit !used }'
}
