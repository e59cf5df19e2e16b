# What the kernel's security modules, SELinux and AppArmor, make of the services' programs, and what they denied them.
# Reads $system, $service_notes (lines `unit` and `runs`) and $instance_notes (lines `instance`). Where neither is in force,
# nothing is started for it.

# The kernel's records, at most so many bytes of each of the last two files, or so many lines of the journal.
audit_bytes=700000
audit_lines=3000

section_access_control() {
    if timed_out "$system_code"; then
        complaint 'reading the state of SELinux and AppArmor' "$system_code" ''
        unknown "$complained"
        return
    fi
    case $system in
        *"/sys/fs/selinux/enforce:1"*) selinux=enforcing ;;
        *"/sys/fs/selinux/enforce:0"*) selinux=permissive ;;
        *"/proc/filesystems:nodev"*selinuxfs*)
            unknown 'the kernel has SELinux, and whether it is in force is not shown here'
            return
            ;;
        *"/proc/filesystems:nodev"*) selinux=disabled ;;
        *)
            unknown 'whether the kernel has SELinux is not shown here'
            return
            ;;
    esac
    # The kernel calls it Y, or N; without the module there is no such file.
    case $system in
        *"/sys/module/apparmor/parameters/enabled:Y"*) apparmor=true ;;
        *) apparmor=false ;;
    esac
    if [ "$apparmor" = false ] && [ "$selinux" != enforcing ]; then
        printf '{"data":{"selinux":"%s"}}\n' "$selinux"
        return
    fi
    processes=
    program_paths=
    places=
    confined=
    old_ifs=$IFS
    IFS=$newline
    for line in $service_notes; do
        case $line in
            "runs$tab"*)
                label=$(bounded_last 3 cat "/proc/${line##*"$tab"}/attr/current" 2>/dev/null </dev/null | tr -d '\000')
                unit=${line#*"$tab"}
                processes=$processes${unit%%"$tab"*}$tab${line##*"$tab"}$tab${label%%"$newline"*}$newline
                case $label in unconfined) ;; *) confined=yes ;; esac
                ;;
            "unit$tab"*"$tab/"*) program_paths=$program_paths${line##*"$tab"}$newline ;;
        esac
    done
    for line in $instance_notes; do
        case $line in "instance$tab"*) ;; *) continue ;; esac
        line=${line#*"$tab"*"$tab"*"$tab"*"$tab"}
        places=$places${line%%"$tab"*}$newline
    done
    # shellcheck disable=SC2086  # one path a line, and set -f is on
    set -- $program_paths $places
    IFS=$old_ifs
    {
        printf '= state\n%s\n%s\n= processes\n%s' "$selinux" "$apparmor" "$processes"
        if [ "$selinux" = enforcing ] && [ $# -gt 0 ]; then
            if has stat; then
                printf '= labels\n'
                bounded 5 stat -L -c '%C %n' -- "$@" 2>/dev/null </dev/null
            fi
            if has matchpathcon; then
                printf '= policy\n'
                bounded 5 matchpathcon -V "$@" 2>/dev/null </dev/null
            fi
        fi
        # AppArmor holds only programs that it has a profile for: of one that runs without, nothing can be denied.
        if [ "$selinux" = enforcing ] || [ -n "$confined" ] || [ -z "$processes" ]; then
            printf '= records\n'
            kernel_records
        fi
    } | PROGRAMS=$program_paths PLACES=$places awk "$json$denial_reader"
}

# Lines of the kernel's audit records that tell of denials, with those of the calls that they belong to; a line
# `=unread <reason>` where they cannot be had.
kernel_records() {
    found=$({
        bounded 5 tail -q -c "$audit_bytes" /var/log/audit/audit.log.1 /var/log/audit/audit.log 2>&1 </dev/null
        printf '=code %s\n' $?
    } | awk "$record_keeper"'
        /^=code / { code = $2; next }
        /^[^ ]*tail: / { if (/audit\.log[^.]/) complaint = $0; next }
        { any = 1; begins(time_of()); keep() }
        END { if (complaint == "" && code != 0 && !any) complaint = "exit code " code
              print complaint; kept() }')
    complaint=${found%%"$newline"*}
    case $complaint in
        '') printf '%s\n' "$found" ;;
        *'No such file'*) journal_records ;;
        *'ermission denied'*) printf '=unread /var/log/audit/audit.log may not be read\n' ;;
        *) printf '=unread /var/log/audit/audit.log could not be read: %s\n' "$complaint" ;;
    esac
}

# The last denials, and of the calls those that one of them belongs to: their records follow, with the same number.
record_keeper='
function serial_of() { return match($0, /audit\([0-9]+\.[0-9]+:[0-9]+\)/) ? substr($0, RSTART, RLENGTH) : "" }
function keep(  serial) {
    if (/avc: +denied|apparmor="DENIED"/) { kept_line[++kept_count] = $0; last = serial_of() }
    else if (/SYSCALL/ && last != "" && serial_of() == last) kept_line[++kept_count] = $0
}
function time_of() { return match($0, /audit\([0-9]+\./) ? substr($0, RSTART + 6, RLENGTH - 7) : "" }
function begins(time) { if (first == "") first = time }
function kept(  i) { if (first != "") print "=since " first; for (i = kept_count > 400 ? kept_count - 399 : 1; i <= kept_count; i++) print kept_line[i] }
'

# Without auditd the kernel's records go into its own log, which the journal keeps. To whom it may not be shown, nothing of
# the kernel's is shown at all.
journal_records() {
    if ! has journalctl; then
        printf '=unread this machine has neither /var/log/audit/audit.log nor a journal\n'
        return
    fi
    {
        bounded 8 journalctl -q --no-pager -o short-unix -n "$audit_lines" _TRANSPORT=audit + _TRANSPORT=kernel 2>&1 </dev/null
        printf '=code %s\n' $?
    } | awk "$record_keeper"'
        /^=code / { code = $2; next }
        /^[0-9]+\.[0-9]+ / { any = 1; begins($1); keep(); next }
        /ermission|nsufficient/ { refused = 1 }
        END {
            kept()
            if (code == 124 || code == 137 || code == 143) print "=unread the journal did not answer within its time"
            else if (refused || (!any && code == 0)) print "=unread the journal of the kernel may not be read"
            else if (code != 0) print "=unread journalctl failed (exit code " code ")"
        }'
}

# Sources: security/selinux/avc.c and security/lsm_audit.c of Linux for the records, whose untrusted words are quoted, or hex
# where they hold a blank (kernel/audit.c, audit_log_untrustedstring); security/apparmor/audit.c; libselinux,
# utils/matchpathcon.c. Systemd calls a process that it has not yet turned into its program by the last eight letters of it, in
# brackets (src/core/execute.c, rename_process_from_path).
denial_reader='
function unhex(s,  i, out) {
    if (s !~ /^[0-9A-F]+$/ || length(s) % 2) return s
    for (i = 1; i < length(s); i += 2) out = out bytes[substr(s, i, 2)]
    sub(/[\001-\037].*$/, "", out); return out
}
function word(name,  s, at) {
    at = index($0, " " name "="); if (!at) return ""
    s = substr($0, at + length(name) + 2)
    if (s ~ /^"/) { s = substr(s, 2); sub(/".*$/, "", s); return s }
    sub(/[ \t].*$/, "", s)
    return name ~ /^(comm|exe|name|path)$/ ? unhex(s) : s
}
function is_ours(i,  k, place) {
    if ((pid[i] in our_pid) || (exe[event[i]] in program) || (profile[i] in program)) return 1
    if (comm[i] ~ /^\(?(Tentacle|Octopus\.Server|s\.Server)\)?$/) return 1
    for (k = 1; k <= places; k++) {
        place = place_of[k]
        if (path[i] == place || index(path[i], place "/") == 1) return 1
    }
    return 0
}
function labelled(where,  one) {
    one = "{\"path\":" text(where) ",\"label\":" text_or_null(label[where])
    return one ((where in should) ? ",\"expected\":" text(should[where]) : "") "}"
}
BEGIN {
    n = split(ENVIRON["PROGRAMS"], one, "\n"); for (i = 1; i <= n; i++) if (one[i] != "") { program[one[i]]; place_of[++places] = one[i] }
    n = split(ENVIRON["PLACES"], one, "\n"); for (i = 1; i <= n; i++) if (one[i] != "") place_of[++places] = one[i]
}
/^= / { part = $2; row = 0; next }
part == "state" { if (++row == 1) selinux = $0; else apparmor = $0; next }
part == "processes" {
    if (split($0, field, "\t") < 2) next
    our_pid[field[2]]; if (processes_told == "") processes_told = field[3]
    processes = processes (processes == "" ? "" : ",") "{\"service\":" text(field[1]) ",\"pid\":" number_or_null(field[2]) ",\"label\":" text_or_null(field[3]) "}"
    next
}
part == "labels" { at = index($0, " "); label[substr($0, at + 1)] = substr($0, 1, at - 1); next }
part == "policy" {
    if ((at = index($0, " has context ")) && (to = index($0, ", should be "))) should[substr($0, 1, at - 1)] = substr($0, to + 12)
    next
}
/^=unread / { unread = substr($0, 9); next }
/^=since / { since = substr($0, 8); sub(/\..*$/, "", since); next }
{ serial = ""; time = $1
  if (match($0, /audit\([0-9]+\.[0-9]+:[0-9]+\)/)) { serial = substr($0, RSTART + 6, RLENGTH - 7); time = serial }
  sub(/\..*$/, "", time) }
/SYSCALL/ && !/avc: +denied/ { exe[serial] = word("exe"); if (/ success=yes/) done[serial]; next }
{
    i = ++count; event[i] = serial; when[i] = time; comm[i] = word("comm"); pid[i] = word("pid"); target[i] = word("tcontext")
    path[i] = word("path"); if (path[i] == "") path[i] = word("name")
    if (/apparmor=/) { module[i] = "apparmor"; action[i] = word("operation"); source[i] = profile[i] = word("profile")
                       kind[i] = word("family") == "" ? "file" : word("family"); port[i] = word("dest") == "" ? word("lport") : word("dest"); next }
    module[i] = "selinux"; s = $0; sub(/^.*denied +\{ */, "", s); sub(/ *\}.*$/, "", s)
    action[i] = s; source[i] = word("scontext"); kind[i] = word("tclass"); port[i] = word("dest") == "" ? word("src") : word("dest")
    mode[i] = word("permissive")
}
END {
    for (i = count; i >= 1; i--) {
        if (!is_ours(i) || told >= 30) continue
        key = module[i] "\t" action[i] "\t" source[i] "\t" target[i] "\t" kind[i] "\t" path[i] "\t" port[i] "\t" mode[i]
        if (key in seen) continue
        seen[key]; told++
        enforced = module[i] == "apparmor" || mode[i] == "0" ? "true" : mode[i] == "1" || (event[i] in done) ? "false" : "null"
        list = list (list == "" ? "" : ",") "{\"module\":\"" module[i] "\",\"time_utc\":" iso(when[i]) ",\"action\":" text(substr(action[i], 1, 100)) \
            ",\"process\":" text_or_null(substr(comm[i], 1, 60)) ",\"executable\":" text_or_null(exe[event[i]]) ",\"pid\":" number_or_null(pid[i]) \
            ",\"source\":" text_or_null(substr(source[i], 1, 300)) ",\"target\":" text_or_null(substr(target[i], 1, 300)) \
            ",\"kind\":" text_or_null(kind[i]) ",\"path\":" text_or_null(substr(path[i], 1, 1000)) ",\"port\":" number_or_null(port[i]) \
            ",\"enforced\":" enforced "}"
    }
    for (k = 1; k <= places; k++) if ((place_of[k] in label) && !(place_of[k] in shown)) {
        shown[place_of[k]]; labels = labels (labels == "" ? "" : ",") labelled(place_of[k]) }
    if (unread != "") {
        state = selinux == "enforcing" ? "SELinux is enforcing" : "AppArmor is on"
        print "{\"unknown\":" text(substr(state (processes_told == "" ? "" : ", the process is " processes_told) ", and what was denied: " unread, 1, 400)) "}"; exit
    }
    print "{\"data\":{\"selinux\":" text(selinux) ",\"apparmor\":" apparmor ",\"processes\":[" processes "],\"labels\":[" labels \
        "],\"denials\":[" list "],\"records_since\":" (since == "" ? "null" : iso(since)) "}}"
}
'
