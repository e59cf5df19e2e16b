# What stands around the instances: logs, products, disks, load time, left-overs. These sections read $instance_notes
# (lines `instance <product> <name> <configuration> <home> <work folder>`), $service_notes (lines `unit <name> <product>
# <instance or -> <account> <executable>`) and $programs (lines `<product> <executable>`), all tab-separated.

# Sets `file_error` to what a tool's refusal of a file is called: $1 is its message.
file_error() {
    case $1 in
        *'No such file'* | *'Not a directory'*) file_error=not-found ;;
        *'ermission denied'*) file_error=denied ;;
        *) file_error=unreadable ;;
    esac
}

# Each instance's own log, at most its last 2,000,000 bytes, the newest archive filling up what the log leaves free. Then
# what the services' accounts wrote before they knew a home.
log_bytes=2000000

section_logs() {
    printf '{"data":['
    separator=
    log_files=$newline
    old_ifs=$IFS
    IFS=$newline
    for line in $instance_notes; do
        IFS=$tab
        # shellcheck disable=SC2086  # tab-separated fields, and set -f is on
        set -- $line
        IFS=$old_ifs
        if [ "$1" = instance ]; then
            printf '%s' "$separator"
            separator=,
            log_files=$log_files$5/Logs/OctopusTentacle.txt$newline
            read_log "$2" "$3" "$5/Logs"
        fi
        IFS=$newline
    done
    IFS=$old_ifs
    early_logs
    printf ']}\n'
}

# $1 product, $2 instance, $3 folder.
read_log() {
    case $1 in server) log_name=OctopusServer ;; *) log_name=OctopusTentacle ;; esac
    log_file=$3/$log_name.txt
    size=
    time=
    error=
    older=
    tick
    if [ "$remaining_budget" -lt 3 ]; then
        error=unreadable
    elif has stat; then
        measures=$(bounded_last 5 stat -L -c '%s %Y %n' "$log_file" "$3/$log_name.0.txt" 2>&1 </dev/null)
        if timed_out $?; then error=unreadable; fi
        log_ifs=$IFS
        IFS=$newline
        for row in $measures; do
            case $row in
                [0-9]*" "[0-9]*"/$log_name.txt")
                    size=${row%% *}
                    row=${row#* }
                    time=${row%% *}
                    ;;
                [0-9]*" "[0-9]*"/$log_name.0.txt") older=yes ;;
                *"/$log_name.txt'"*)
                    file_error "$row"
                    error=$file_error
                    ;;
            esac
        done
        IFS=$log_ifs
    fi
    content=
    if [ -z "$error" ]; then
        packed_end "$log_bytes" "$log_file"
        content=$packed
        # So little is the end of an empty file, or of one that could not be read.
        if [ "${#content}" -lt 40 ]; then
            if ! trouble=$(bounded_last 5 tail -c 1 "$log_file" 2>&1 >/dev/null </dev/null); then
                file_error "$trouble"
                error=$file_error
            fi
        fi
    fi
    log_facts "$1" "$2" "$log_file" "$size" "$time"
    if [ -n "$error" ]; then printf ',"error":"%s"' "$error"; fi
    if [ -z "$error" ]; then
        printf ',"text":"%s"' "$content"
        if [ -n "$older" ] && [ -n "$size" ] && [ "$((log_bytes - size))" -gt 0 ]; then
            packed_end "$((log_bytes - size))" "$3/$log_name.0.txt"
            printf ',"older":"%s"' "$packed"
        fi
    fi
    printf '}'
}

# Product, instance, path, size and time of a log, and the account that wrote it before it knew an instance: the beginning
# of its object.
log_facts() {
    PRODUCT=$1 INSTANCE=$2 FILE=$3 SIZE=$4 TIME=$5 ACCOUNT=${6:-} awk "$json"'BEGIN {
        printf "{\"product\":\"%s\",\"instance\":%s", ENVIRON["PRODUCT"], text(ENVIRON["INSTANCE"])
        if (ENVIRON["ACCOUNT"] != "") printf ",\"account\":%s", text(ENVIRON["ACCOUNT"])
        printf ",\"path\":%s", text(ENVIRON["FILE"])
        if (ENVIRON["SIZE"] != "") printf ",\"size\":%s,\"modified_utc\":%s", number_or_null(ENVIRON["SIZE"]), iso(ENVIRON["TIME"]) }' </dev/null
}

# Sets `packed` to the last bytes of a file ($1 how many, $2 which), packed if that can be done here, as base64 in one line.
packed_end() {
    if has base64 && has gzip; then
        packed=$(bounded_last 8 tail -c "$1" "$2" 2>/dev/null </dev/null | gzip -c | base64)
    elif has base64; then
        packed=$(bounded_last 8 tail -c "$1" "$2" 2>/dev/null </dev/null | base64)
    else
        if [ "$1" -gt 200000 ]; then set -- 200000 "$2"; fi
        packed=$(bounded_last 8 tail -c "$1" "$2" 2>/dev/null </dev/null | encode)
    fi
    joined_ifs=$IFS
    IFS=$newline
    # shellcheck disable=SC2086  # base64 in lines, and set -f is on
    set -- $packed
    IFS=
    packed="$*"
    IFS=$joined_ifs
}

# Versions by the package manager, or by the list of parts beside the program. Tentacle itself is never asked.
section_products() {
    version=
    if has dpkg-query; then
        # shellcheck disable=SC2016  # dpkg-query's own variables
        version=$(bounded_last 5 dpkg-query -W -f '${db:Status-Status} ${Version}\n' tentacle 2>/dev/null </dev/null)
    fi
    if [ -z "$version" ] && has rpm; then
        version=$(bounded_last 5 rpm -q --qf 'installed %{VERSION}\n' tentacle 2>/dev/null </dev/null)
    fi
    case $version in
        installed\ *)
            version=${version%%"$newline"*}
            version=${version#installed }
            ;;
        *) version= ;;
    esac
    {
        printf 'package\t%s\n' "$version"
        old_ifs=$IFS
        IFS=$newline
        for line in $programs; do
            own=
            case "${version:+packaged} $line" in
                "packaged tentacle$tab"*) ;;
                *)
                    own=$(bounded_last 3 cat "${line#*"$tab"}.deps.json" 2>/dev/null </dev/null | head -c 20000 |
                        sed -n 's/.*"\(Octopus\.\)\{0,1\}\(Tentacle\|Server\)\/\([0-9][^"]*\)".*/\3/p' | head -n 1)
                    ;;
            esac
            printf 'program\t%s\t%s\n' "$line" "$own"
        done
        IFS=$old_ifs
    } | awk -F '\t' "$json"'
    function product(what, version, path) {
        list = list (list == "" ? "" : ",") "{\"product\":" text(what) ",\"version\":" text_or_null(version) ",\"path\":" text_or_null(path) "}" }
    $1 == "package" { version = $2; next }
    { if ($2 == "tentacle") found = 1; product($2, $2 == "tentacle" && version != "" ? version : $4, $3) }
    END { if (!found && version != "") product("tentacle", version, "")
          print "{\"data\":[" list "]}" }'
}

# The file systems that each home, its logs and the work folder lie on; for a folder that is not there, its nearest
# parent. Whether they are mounted for reading alone stands in the kernel's own table.
section_disks() {
    if ! has df; then
        unknown 'this machine has no df, so its file systems cannot be measured'
        return
    fi
    places=
    rows=
    trouble=
    old_ifs=$IFS
    IFS=$newline
    for line in $instance_notes; do
        IFS=$tab
        # shellcheck disable=SC2086  # tab-separated fields, and set -f is on
        set -- $line
        IFS=$newline
        if [ "$1" != instance ]; then continue; fi
        for place in "$5" "$5/Logs" "${6:-}"; do
            case $newline$places in *"$newline$place$newline"*) continue ;; esac
            case $place in /*) places=$places$place$newline ;; esac
        done
    done
    # All in one call where all are there, and one by one only where that one failed.
    # shellcheck disable=SC2086  # one path a line, and set -f is on
    set -- $places
    if [ $# -gt 0 ] && shown=$(bounded_last 5 df -Pk "$@" 2>/dev/null </dev/null); then
        rows_of_all "$shown" ''
        rows_of_all "$(bounded_last 5 df -Pi "$@" 2>/dev/null </dev/null)" 'inodes '
    else
        for place in $places; do rows_of_nearest "$place"; done
    fi
    IFS=$old_ifs
    if [ -z "$rows" ] && [ -n "$trouble" ]; then
        unknown "$trouble"
        return
    fi
    served_by "$places"
    printf '%s%s' "$rows" "$served" | awk "$json"'
    function under(place, mount) { return mount == "/" || place == mount || index(place, mount "/") == 1 }
    function deepest(place, mounts,  mount, found) {
        found = ""
        for (mount in mounts) if (under(place, mount) && length(mount) > length(found)) found = mount
        return found
    }
    # What the service itself sees: its unit may have made folders read-only for its process alone.
    $1 == "place" {
        place = substr($0, 7)
        sealed_at = deepest(place, theirs)
        if (theirs[sealed_at] == "true" && reads[deepest(place, reads)] == "false" && !(sealed_at in told_of)) {
            told_of[sealed_at]
            sealed = sealed ",{\"path\":" text(sealed_at) ",\"free_bytes\":null,\"read_only\":true,\"unit\":" text(unit) "}"
        }
        next
    }
    $1 == "served" {
        unit = $2; its_mounts = "/proc/" $3 "/mounts"
        while ((getline row <its_mounts) > 0) if (split(row, part, " ") >= 4) theirs[part[2]] = part[4] ~ /^ro(,|$)/ ? "true" : "false"
        next
    }
    function kilobytes(s) { return s ~ /^[0-9]+$/ ? whole(s * 1024) : "null" }
    match($0, / [0-9]+ +[0-9]+ +-?[0-9]+ +[0-9-]+%? +\//) {
        split(substr($0, RSTART, RLENGTH), column, " "); mount = substr($0, RSTART + RLENGTH - 1)
        if (/^inodes /) {
            if (column[1] ~ /^[0-9]+$/ && column[1] > 0) inodes[mount] = ",\"inodes\":" whole(column[1]) ",\"free_inodes\":" whole(column[3])
            next
        }
        if (mount in seen) next
        seen[mount]; order[++count] = mount
        told[count] = "{\"path\":" text(mount) ",\"free_bytes\":" kilobytes(column[3]) \
            ",\"size_bytes\":" kilobytes(column[1]) (mount in reads ? ",\"read_only\":" reads[mount] : "") }
    BEGIN { # the last row of a place is what is mounted there now
        while ((getline row <"/proc/mounts") > 0) if (split(row, part, " ") >= 4) reads[part[2]] = part[4] ~ /^ro(,|$)/ ? "true" : "false" }
    END {
        for (i = 1; i <= count; i++) list = list (i > 1 ? "," : "") told[i] inodes[order[i]] "}"
        list = list sealed
        print "{\"data\":[" (count ? list : substr(list, 2)) "]}" }'
}

# Adds the rows of what df printed ($1), each behind a word ($2), to $rows. IFS is a line end.
rows_of_all() {
    for line in $1; do
        case $line in *' '*' '*/*) rows=$rows$2$line$newline ;; esac
    done
}

# Adds the rows of one place ($1), or of its nearest parent that is there, to $rows. IFS is a line end.
rows_of_nearest() {
    place=$1
    set --
    while [ -n "$place" ]; do
        set -- "$@" "$place"
        place=${place%/*}
    done
    # The first row is that of the deepest folder that is there.
    shown=$(bounded_last 5 df -Pk "$@" / 2>&1 </dev/null)
    code=$?
    complained=
    for line in $shown; do
        case $line in
            df:*'No such file'* | df:*"can't find mount point"*) ;;
            df:*)
                complaint df "$code" "$line"
                break
                ;;
            *' '*' '*/*)
                rows=$rows$line$newline
                break
                ;;
        esac
    done
    if timed_out "$code"; then complaint df "$code" ''; fi
    trouble=${trouble:-$complained}
    # A file needs an inode as well; some file systems have no fixed number of them, and show none.
    shown=$(bounded_last 5 df -Pi "$@" / 2>/dev/null </dev/null)
    for line in $shown; do
        case $line in
            *' '*' '*/*)
                rows="${rows}inodes $line$newline"
                break
                ;;
        esac
    done
}

# Sets $served: the unit and the process that serves, and these places; nothing where there are several, or none: nobody
# knows whose place is whose then.
served_by() {
    served=
    count=0
    old_ifs=$IFS
    IFS=$newline
    for line in $service_notes; do
        case $line in
            "runs$tab"*)
                count=$((count + 1))
                line=${line#*"$tab"}
                served="served ${line%%"$tab"*} ${line##*"$tab"}$newline"
                ;;
        esac
    done
    if [ "$count" -ne 1 ]; then served=; fi
    for line in ${served:+$1}; do served="${served}place $line$newline"; done
    IFS=$old_ifs
}

# Sets `machine` to the kind of processor that an ELF file is for, by its header (e_machine); empty: it is none, or unread.
elf_machine() {
    machine_ifs=$IFS
    IFS=" $newline"
    # shellcheck disable=SC2046  # bytes, and set -f is on
    set -- $(bounded_last 3 od -An -v -tx1 -N20 "$1" 2>/dev/null </dev/null)
    IFS=$machine_ifs
    machine=
    case ${1-}${2-}${3-}${4-} in 7f454c46) machine=${19-}${20-} ;; esac
}

# Whether a program is for another kind of processor than this shell, of which the kernel knows nothing (binfmt_misc). Then
# execvp, and timeout with it, would have a shell read its bytes as a script. 32 and 64 bits of one kind count as one.
is_for_another_processor() {
    elf_machine "$1"
    case $machine in '') return 1 ;; esac
    built=$machine
    elf_machine "/proc/$$/exe"
    case $machine:$built in :* | "$built:$built" | 3e00:0300 | 0300:3e00 | b700:2800 | 2800:b700) return 1 ;; esac
    set +f
    for handler in /proc/sys/fs/binfmt_misc/*; do
        while IFS=' ' read -r key value; do
            case $key:$value in magic:7f454c46*"$built") built=; break 2 ;; esac
        done <"$handler"
    done 2>/dev/null
    set -f
    [ -n "$built" ]
}

# `<program> help` twice, in milliseconds. It comes after the logs and the probes: the program writes into its log, and
# whatever it finds to do must not take their time. It starts where it can write no file of its own.
section_loading() {
    old_ifs=$IFS
    IFS=$newline
    for line in $programs; do
        executable=${line#*"$tab"}
        # Only the product's own program: a unit may run it by way of another one, which may do anything with `help`.
        case $executable in */Tentacle | */Octopus.Tentacle | */Octopus.Server) ;; *) continue ;; esac
        printf '%s' "$line"
        error=
        said=
        if is_for_another_processor "$executable"; then
            printf '\terror it is a program for another kind of processor\n'
            continue
        fi
        for run in cold warm; do
            tick
            if [ "$remaining_budget" -lt 2 ]; then
                error='no time was left for it'
                break
            fi
            now_10ms
            before=$ms
            trouble=$(cd /proc && bounded_last 20 "$executable" help 2>&1 >/dev/null </dev/null)
            code=$?
            now_10ms
            elapsed "$before" "$ms"
            if timed_out "$code"; then
                error="help did not answer within its time of ${passed:-some} ms"
                break
            elif [ "$code" -eq 126 ] || [ "$code" -eq 127 ]; then
                error="it cannot be started: ${trouble:-exit code $code}"
                break
            fi
            printf '\t%s %s' "$code" "${passed:--}"
            if [ "$code" -ne 0 ]; then said=$trouble; fi
        done
        if [ -n "$error" ]; then printf '\terror %s' "${error%%"$newline"*}"; fi
        # Why it failed, as far as it says so.
        if [ -n "$said" ]; then printf '\tprinted %s' "$(printf '%.400s' "$said" | tr '\n\t' '  ')"; fi
        echo
    done | awk -F '\t' "$json"'
    { one = "{\"product\":" text($1) ",\"executable\":" text($2); cold = 1
      for (i = 3; i <= NF; i++) {
          if (sub(/^error /, "", $i)) { one = one ",\"error\":" text($i); continue }
          if (sub(/^printed /, "", $i)) { one = one ",\"printed\":" text($i); continue }
          if ($i !~ /^[0-9]+ [0-9-]+$/) continue
          split($i, part, " "); one = one ",\"" (cold ? "cold" : "warm") "_ms\":" number_or_null(part[2]); last = part[1]; cold = 0 }
      list = list (list == "" ? "" : ",") one (cold ? "" : ",\"exit_code\":" last) "}" }
    END { print "{\"data\":{\"times\":[" list "]}}" }'
}

# What earlier installations left: index entries and units that lead nowhere, folders that no instance uses.
section_left_overs() {
    case $instances in
        '{"unknown"'*)
            unknown 'the instances could not be read'
            return
            ;;
    esac
    left_over=
    old_ifs=$IFS
    IFS=$newline
    for line in $instance_notes; do
        case $line in "gone$tab"*) left_over=${left_over}index$tab${line#*"$tab"}$newline ;; esac
    done
    set --
    for line in $programs; do set -- "$@" "${line#*"$tab"}"; done
    if [ $# -gt 0 ] && ! bounded 3 ls -d "$@" >/dev/null 2>&1 </dev/null; then
        for line in $service_notes; do
            case $line in "unit$tab"*"$tab/"*) ;; *) continue ;; esac
            unit=${line#*"$tab"}
            trouble=$(bounded_last 3 ls -d "${line##*"$tab"}" 2>&1 >/dev/null </dev/null) && continue
            file_error "$trouble"
            if [ "$file_error" = not-found ]; then left_over=${left_over}unit$tab${unit%%"$tab"*}$newline; fi
        done
    fi
    root=${TentacleMachineConfigurationHomeDirectory:-/etc/octopus}
    for folder in $(bounded_last 3 ls -p "$root" 2>/dev/null </dev/null); do
        case $folder in */) folder=$root/${folder%/} ;; *) continue ;; esac
        # An instance's home, or what holds its configuration file or work folder.
        case $newline$instance_notes$newline in
            *"${newline}instance$tab"*"$tab$folder$tab"* | *"${newline}instance$tab"*"$tab$folder/"* | *"${newline}instance$tab"*"$tab$folder$newline"*) continue ;;
        esac
        case $newline$(bounded_last 3 ls "$folder" 2>/dev/null </dev/null)$newline in
            *"$newline"Instances"$newline"*) ;;
            *"$newline"Logs"$newline"* | *.config"$newline"*) left_over=${left_over}folder$tab$folder$newline ;;
        esac
    done
    IFS=$old_ifs
    if [ -z "$left_over" ]; then
        echo '{"data":[]}'
        return
    fi
    printf '%s' "$left_over" | awk "$json"'
    { at = index($0, "\t"); list = list (NR > 1 ? "," : "") "{\"kind\":\"" substr($0, 1, at - 1) "\",\"where\":" text(substr($0, at + 1)) "}" }
    END { print "{\"data\":[" list "]}" }'
}
