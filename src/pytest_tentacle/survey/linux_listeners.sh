# Who listens: sockets on the ports of interest, and the processes that hold them.

# Listening sockets on the ports of interest ($1, separated by blanks), with the processes that hold them.
section_listeners() {
    tick
    trouble=
    for source_tool in ss netstat proc; do
        case $source_tool in
            ss)
                has ss || continue
                sockets=$(limit "$(within 8)" ss -H -ltnp 2>&1 </dev/null)
                ;;
            netstat)
                has netstat || continue
                sockets=$(limit "$(within 8)" netstat -ltnp 2>/dev/null </dev/null)
                ;;
            proc) sockets=$(proc_sockets "$1") ;;
        esac
        code=$?
        if [ "$code" -eq 0 ]; then break; fi
        trouble=${trouble:-$(complaint "$source_tool" "$code" "$sockets")}
    done
    if [ "$code" -ne 0 ]; then
        unknown "$trouble"
        return
    fi
    {
        printf '%s\n' "$sockets" | sed 's/^/socket /'
        processes
    } | PORTS=" $1 " awk "$json$listener_reader"
}

# /proc/net/tcp in the layout of ss, for machines without ss and netstat. $1: the ports of interest.
proc_sockets() {
    table=$(cat /proc/net/tcp 2>&1)
    if [ $? -ne 0 ]; then
        echo "neither ss nor netstat could be used, and $table"
        return 1
    fi
    open=$({ printf '%s\n' "$table" && cat /proc/net/tcp6; } 2>/dev/null | PORTS=" $1 " awk '
        function hex(s,  i, n) { n = 0; for (i = 1; i <= length(s); i++) n = n * 16 + index("123456789ABCDEF", substr(s, i, 1)); return n }
        function quad(s) { return hex(substr(s, 7, 2)) "." hex(substr(s, 5, 2)) "." hex(substr(s, 3, 2)) "." hex(substr(s, 1, 2)) }
        $4 == "0A" {
            split($2, part, ":"); port = hex(part[2]); if (!index(ENVIRON["PORTS"], " " port " ")) next
            a = part[1]
            if (length(a) == 8) address = quad(a)
            else if (a ~ /^0+$/) address = "*"
            else if (a ~ /^0000000000000000FFFF0000/) address = quad(substr(a, 25))
            else { address = "["
                for (w = 0; w < 4; w++) for (b = 1; b >= 0; b--) address = address sprintf("%x:",
                    hex(substr(a, w * 8 + b * 4 + 3, 2) substr(a, w * 8 + b * 4 + 1, 2)))
                sub(/:$/, "]", address) }
            print address ":" port, $10
        }')
    set +f
    if [ -n "$open" ]; then
        { printf '%s\n' "$open" | sed 's/^/open /' && limit "$(within 8)" ls -l /proc/[0-9]*/fd 2>/dev/null </dev/null; } | awk '
        $1 == "open" { count++; where[count] = $2; inode[count] = $3; next }
        /^\/proc\/[0-9]+\/fd:/ { pid = $1; gsub(/[^0-9]/, "", pid); next }
        match($0, /socket:\[[0-9]+\]/) { i = substr($0, RSTART + 8, RLENGTH - 9); if (!(i in holder)) holder[i] = pid }
        END { for (i = 1; i <= count; i++)
            print "LISTEN 0 0 " where[i] " *:* " (inode[i] in holder ? "users:((\"\",pid=" holder[inode[i]] ",fd=0))" : "") }'
    fi
    set -f
}

# All processes as lines `process <pid> <parent> <user> <start: 5 words> <command line>`, or without user and start.
processes() {
    if has ps; then
        if limit "$(within 8)" ps -ww -eo pid=,ppid=,user:32=,lstart=,args= </dev/null 2>/dev/null | sed 's/^/process /' | grep .; then
            return
        fi
        limit "$(within 8)" ps -o pid,ppid,args </dev/null 2>/dev/null | sed '1d;s/^/short /'
        return
    fi
    set +f
    for folder in /proc/[0-9]*; do
        if { IFS= read -r line <"$folder/stat"; } 2>/dev/null; then
            rest=${line##*) }
            rest=${rest#? }
            printf 'short %s %s %s\n' "${folder#/proc/}" "${rest%% *}" "$( (tr '\000\n' '  ' <"$folder/cmdline") 2>/dev/null)"
        fi
    done
    set -f
}

# Where no process could be listed, nothing says that a holder is gone: it is an owner of which only the number is known.
listener_reader='
function described(pid,  words, name, executable) {
    if (!(pid in command)) return "{\"pid\":" pid "}"
    split(command[pid], words, " ")
    executable = words[1] ~ /^\// ? words[1] : ""
    name = words[1]; sub(/.*\//, "", name); sub(/:$/, "", name); gsub(/^\[|\]$/, "", name)
    return "{\"pid\":" pid ",\"name\":" text_or_null(name) ",\"executable\":" text_or_null(executable) \
        ",\"command_line\":" text_or_null(command[pid]) ",\"parent_pid\":" number_or_null(parent[pid]) \
        ",\"started_utc\":" (pid in started ? started[pid] : "null") ",\"user\":" text_or_null(user[pid]) "}"
}
function listener(where, pid,  port, address, item, p, children) {
    port = where; sub(/.*:/, "", port); if (!index(ENVIRON["PORTS"], " " port " ")) return
    address = substr(where, 1, length(where) - length(port) - 1)
    sub(/%.*$/, "", address); gsub(/[\[\]]/, "", address); if (address == "*" || address == "") address = "::"
    if ((where, pid) in listed) return
    listed[where, pid] = 1
    children = ""
    if (pid != "" && alive && !(pid in command))
        for (p = 1; p <= alive; p++) if (parent[order[p]] == pid) children = children (children == "" ? "" : ",") described(order[p])
    list = list (list == "" ? "" : ",") "{\"address\":" text(address) ",\"port\":" port ",\"pid\":" number_or_null(pid) \
        ",\"owner\":" (pid != "" && (pid in command || !alive) ? described(pid) : "null") ",\"children\":[" children "]}"
}
$1 == "socket" && $2 == "LISTEN" {
    count++; place[count] = $5; holders[count] = ""; rest = $0
    while (match(rest, /pid=[0-9]+/)) {
        holders[count] = holders[count] " " substr(rest, RSTART + 4, RLENGTH - 4); rest = substr(rest, RSTART + RLENGTH) }
}
$1 == "socket" && $2 ~ /^tcp/ && $7 == "LISTEN" {
    count++; place[count] = $5; holders[count] = $8 ~ /^[0-9]+\// ? " " ($8 + 0) : ""
}
$1 == "process" {
    alive++; order[alive] = $2; parent[$2] = $3; user[$2] = $4
    started[$2] = "\"" $9 "-" months[$6] "-" sprintf("%02d", $7) "T" $8 "Z\""
    pid = $2; line = $0; for (i = 1; i <= 9; i++) sub(/^[^ ]+ +/, "", line); command[pid] = line
}
$1 == "short" { alive++; order[alive] = $2; parent[$2] = $3; pid = $2; line = $0
    sub(/^short +[0-9]+ +[0-9]+ */, "", line); command[pid] = line }
END {
    for (i = 1; i <= count; i++) {
        n = split(holders[i], pids, " ")
        if (n == 0) listener(place[i], "")
        for (k = 1; k <= n; k++) listener(place[i], pids[k])
    }
    print "{\"data\":[" list "]}"
}
'
