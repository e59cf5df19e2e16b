# Who listens and who is connected: sockets on the ports of interest, and the processes that hold them.

# Two lines: the listening sockets on the ports of interest ($1, separated by blanks) with the processes that hold them,
# and the TCP connections whose local port is one of them, or whose remote port is one that an instance polls ($2).
section_sockets() {
    refusal=
    late=
    no_connections=
    for step in ss netstat listening proc; do
        case $step in
            ss)
                has ss || continue
                sockets=$(bounded_last 8 ss -H -tanp 2>&1 </dev/null)
                ;;
            netstat)
                has netstat || continue
                sockets=$(bounded_last 8 netstat -tanp 2>/dev/null </dev/null)
                ;;
            listening)
                no_connections=$refusal
                # Of a host with very many connections, those that listen may still be had.
                if [ -z "$late" ] || ! has ss; then continue; fi
                sockets=$(bounded_last 8 ss -H -ltnp 2>&1 </dev/null)
                ;;
            proc)
                no_connections=
                sockets=$(proc_sockets "$1" "$2")
                ;;
        esac
        code=$?
        if [ "$code" -eq 0 ]; then break; fi
        if timed_out "$code"; then late=yes; fi
        complaint "$step" "$code" "$sockets"
        refusal=${refusal:-$complained}
    done
    if [ "$code" -ne 0 ]; then
        unknown "$refusal"
        return
    fi
    {
        printf '=sockets\n%s\n' "$sockets"
        processes
    } | LOCAL=" $1 " REMOTE=" $2 " NO_CONNECTIONS=$no_connections awk "$json$socket_reader"
}

# /proc/net/tcp in the layout of ss, for machines without ss and netstat. $1: ports whose listeners matter, and local ports
# of connections; $2: remote ports of connections.
proc_sockets() {
    table=$(cat /proc/net/tcp 2>&1)
    if [ $? -ne 0 ]; then
        echo "neither ss nor netstat could be used, and $table"
        return 1
    fi
    open=$({ printf '%s\n' "$table" && cat /proc/net/tcp6; } 2>/dev/null | LOCAL=" $1 " REMOTE=" $2 " awk '
        function hex(s,  i, n) { n = 0; for (i = 1; i <= length(s); i++) n = n * 16 + index("123456789ABCDEF", substr(s, i, 1)); return n }
        function quad(s) { return hex(substr(s, 7, 2)) "." hex(substr(s, 5, 2)) "." hex(substr(s, 3, 2)) "." hex(substr(s, 1, 2)) }
        function among(list, port) { return index(ENVIRON[list], " " port " ") }
        function address(a,  found, w, b) {
            if (length(a) == 8) return quad(a)
            if (a ~ /^0+$/) return "*"
            if (a ~ /^0000000000000000FFFF0000/) return quad(substr(a, 25))
            found = "["
            for (w = 0; w < 4; w++) for (b = 1; b >= 0; b--) found = found sprintf("%x:",
                hex(substr(a, w * 8 + b * 4 + 3, 2) substr(a, w * 8 + b * 4 + 1, 2)))
            sub(/:$/, "]", found)
            return found
        }
        BEGIN { word["01"] = "ESTAB"; word["02"] = "SYN-SENT"; word["03"] = "SYN-RECV"; word["04"] = "FIN-WAIT-1"
            word["05"] = "FIN-WAIT-2"; word["06"] = "TIME-WAIT"; word["08"] = "CLOSE-WAIT"; word["09"] = "LAST-ACK"
            word["0A"] = "LISTEN"; word["0B"] = "CLOSING" }
        $4 in word {
            split($2, part, ":"); split($3, far, ":"); near = hex(part[2]); there = hex(far[2])
            if ($4 == "0A" ? among("LOCAL", near) : (among("LOCAL", near) || among("REMOTE", there)) && shown++ < 500)
                print word[$4], address(part[1]) ":" near, ($4 == "0A" ? "*:*" : address(far[1]) ":" there), $10
        }')
    set +f
    if [ -n "$open" ]; then
        { printf '%s\n=holders\n' "$open" && bounded 8 ls -l /proc/[0-9]*/fd 2>/dev/null </dev/null; } | awk '
        $0 == "=holders" { told = 1; next }
        !told { count++; state[count] = $1; where[count] = $2; far[count] = $3; inode[count] = $4; next }
        /^\/proc\/[0-9]+\/fd:/ { pid = $1; gsub(/[^0-9]/, "", pid); next }
        match($0, /socket:\[[0-9]+\]/) { i = substr($0, RSTART + 8, RLENGTH - 9); if (!(i in holder)) holder[i] = pid }
        END { for (i = 1; i <= count; i++)
            print state[i] " 0 0 " where[i] " " far[i] " " (inode[i] in holder ? "users:((\"\",pid=" holder[inode[i]] ",fd=0))" : "") }'
    fi
    set -f
}

# All processes as lines `<pid> <parent> <user> <start: 5 words> <command line>` behind a line `=processes`, or without
# user and start behind `=short`.
processes() {
    if has ps; then
        rows=$(bounded_last 8 ps -ww -eo pid=,ppid=,user:32=,lstart=,args= </dev/null 2>/dev/null)
        if [ -n "$rows" ]; then
            printf '=processes\n%s\n' "$rows"
            return
        fi
        echo '=short'
        bounded 8 ps -o pid,ppid,args </dev/null 2>/dev/null
        return
    fi
    echo '=short'
    set +f
    for folder in /proc/[0-9]*; do
        if { IFS= read -r line <"$folder/stat"; } 2>/dev/null; then
            rest=${line##*) }
            rest=${rest#? }
            printf '%s %s %s\n' "${folder#/proc/}" "${rest%% *}" "$( (tr '\000\n' '  ' <"$folder/cmdline") 2>/dev/null)"
        fi
    done
    set -f
}

# Where no process could be listed, nothing says that a holder is gone: it is an owner of which only the number is known.
socket_reader='
function described(pid,  field, line, user, started, name, executable, i) {
    if (!(pid in row)) return "{\"pid\":" pid "}"
    line = row[pid]; split(line, field, " "); sub(/^ +/, "", line)
    for (i = 1; i <= leading; i++) sub(/^[^ ]+ */, "", line)
    if (leading == 8) { user = field[3]; started = "\"" field[8] "-" months[field[5]] "-" sprintf("%02d", field[6]) "T" field[7] "Z\"" }
    name = line; sub(/ .*/, "", name); executable = name ~ /^\// ? name : ""
    sub(/.*\//, "", name); sub(/:$/, "", name); gsub(/^\[|\]$/, "", name)
    return "{\"pid\":" pid ",\"name\":" text_or_null(name) ",\"executable\":" text_or_null(executable) \
        ",\"command_line\":" text_or_null(without_secrets_of_a_call(line)) ",\"parent_pid\":" number_or_null(field[2]) \
        ",\"started_utc\":" (started == "" ? "null" : started) ",\"user\":" text_or_null(user) "}"
}
function port_of(s) { sub(/.*:/, "", s); return s }
function address_of(s) { sub(/:[^:]*$/, "", s); sub(/%.*$/, "", s); gsub(/[\[\]]/, "", s); return s == "*" || s == "" ? "::" : s }
function listener(where, pid,  item, p, children) {
    if ((where, pid) in listed) return
    listed[where, pid]
    if (pid != "" && alive && !(pid in row))
        for (p = 1; p <= alive; p++) { split(row[order[p]], item, " ")
            if (item[2] == pid) children = children (children == "" ? "" : ",") described(order[p]) }
    listeners = listeners (listeners == "" ? "" : ",") "{\"address\":" text(address_of(where)) ",\"port\":" port_of(where) tied(where) \
        ",\"pid\":" number_or_null(pid) ",\"owner\":" (pid != "" && (pid in row || !alive) ? described(pid) : "null") \
        ",\"children\":[" children "]}"
}
# Of all addresses, the device that alone leads there, and whether IPv4 does. A newer ss (4.17) has [::] for those of IPv6
# alone, where an older one has it for both; only the newer one has 0.0.0.0 for those of IPv4.
function tied(where,  any, device) {
    any = address_of(where)
    if (any != "::" && any != "0.0.0.0") return ""
    device = match(where, /%[^:%]+:/) ? ",\"device\":" text(substr(where, RSTART + 1, RLENGTH - 2)) : ""
    return device (newer && where ~ /^\[::\]/ ? ",\"six_alone\":true" : "")
}
function listening(where, pids) {
    if (index(ENVIRON["LOCAL"], " " port_of(where) " ")) { place[++count] = where; holders[count] = pids }
}
function state_of(s) {
    if (s ~ /^ESTAB/) return "established"
    gsub(/_/, "-", s)
    return s ~ /^(CLOSE-WAIT|SYN-SENT|TIME-WAIT)$/ ? tolower(s) : "other"
}
function connection(state, here, there, pid,  near, far) {
    near = port_of(here); far = port_of(there)
    if (near !~ /^[0-9]+$/ || far !~ /^[0-9]+$/ || connected >= 500) return
    if (!index(ENVIRON["LOCAL"], " " near " ") && !index(ENVIRON["REMOTE"], " " far " ")) return
    connections = connections (connected++ ? "," : "") "{\"local_address\":" text(address_of(here)) ",\"local_port\":" near \
        ",\"remote_address\":" text(address_of(there)) ",\"remote_port\":" far ",\"state\":\"" state_of(state) "\"" \
        ",\"pid\":" number_or_null(pid) "}"
}
function pids_of(s,  pids) {
    while (match(s, /pid=[0-9]+/)) { pids = pids " " substr(s, RSTART + 4, RLENGTH - 4); s = substr(s, RSTART + RLENGTH) }
    return pids
}
/^=(sockets|processes|short)$/ { part = $0; leading = part == "=short" ? 2 : 8; next }
part != "=sockets" { if ($1 ~ /^[0-9]+$/) { order[++alive] = $1; row[$1] = $0 } next }
$1 ~ /^tcp/ && NF >= 6 {
    holder = $7 ~ /^[0-9]+\// ? $7 + 0 : ""
    if ($6 == "LISTEN") listening($4, holder); else connection($6, $4, $5, holder)
    next
}
/ 0\.0\.0\.0[:%]/ && $1 !~ /^tcp/ { newer = 1 }
$1 == "LISTEN" { listening($4, pids_of($0)); next }
$1 ~ /^[A-Z]+(-[A-Z0-9]+)*$/ && NF >= 5 { connection($1, $4, $5, match($0, /pid=[0-9]+/) ? substr($0, RSTART + 4, RLENGTH - 4) : "") }
END {
    for (i = 1; i <= count; i++) {
        n = split(holders[i], pids, " ")
        if (n == 0) listener(place[i], "")
        for (k = 1; k <= n; k++) listener(place[i], pids[k])
    }
    print "{\"data\":[" listeners "]}"
    print ENVIRON["NO_CONNECTIONS"] == "" ? "{\"data\":[" connections "]}" : "{\"unknown\":" text(substr(ENVIRON["NO_CONNECTIONS"], 1, 400)) "}"
}
'
