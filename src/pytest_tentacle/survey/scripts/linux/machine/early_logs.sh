# The log that Tentacle writes before it knows its home: one for each account that a service of it runs under. This reads
# $service_notes (lines `early <account> <DefaultLogDirectory> <XDG_DATA_HOME> <HOME> <working folder>` of units, tab-
# separated, `-` for what is not set).

# Of each, at most the last 200,000 bytes: what it says of the last starts.
early_bytes=200000

# Prints what can be read, as further elements of the logs' list; $separator and $log_files are those of section_logs.
early_logs() {
    if ! has stat; then return; fi
    early_ifs=$IFS
    IFS=$newline
    for line in $service_notes; do
        case $line in "early$tab"*) ;; *) continue ;; esac
        IFS=$tab
        # shellcheck disable=SC2086  # tab-separated fields, and set -f is on
        set -- $line
        IFS=$newline
        for file in $(early_places "$3" "$4" "$5" "$6" "$2"); do
            case $log_files in *"$newline$file$newline"*) continue ;; esac
            log_files=$log_files$file$newline
            read_early_log "$2" "$file"
        done
    done
    IFS=$early_ifs
}

# $1 DefaultLogDirectory, $2 XDG_DATA_HOME, $3 HOME, $4 working folder, $5 account: one path a line. .NET knows no folder
# for an account's data until that is there; then the log goes into the folder that the process works in.
early_places() {
    case $3:$2:$4 in
        -:-:* | *:[~]*) home=$(home_of "$5") ;;
        *) home=$3 ;;
    esac
    folder=${4#!}
    case $folder in
        /*) ;;
        '~') folder=$home ;;
        *) folder=/ ;;
    esac
    case $1 in
        /*) printf '%s\n' "${1%/}/OctopusTentacle.txt" && return ;;
        -) ;;
        *) printf '%s\n' "${folder%/}/$1/OctopusTentacle.txt" && return ;;
    esac
    case $2:$home in
        /*) printf '%s\n' "${2%/}/Octopus/Logs/OctopusTentacle.txt" ;;
        *:/*) printf '%s\n' "${home%/}/.local/share/Octopus/Logs/OctopusTentacle.txt" ;;
    esac
    printf '%s\n' "${folder%/}/Octopus/Logs/OctopusTentacle.txt"
}

# The home of an account; nothing where nobody knows it.
home_of() {
    case $1 in -* | *:*) return ;; esac
    if has getent; then
        entry=$(bounded 3 getent passwd "$1" 2>/dev/null </dev/null)
    else
        entry=
        for known in $(bounded 3 cat /etc/passwd 2>/dev/null </dev/null); do
            case $known in "$1:"*) entry=$known && break ;; esac
        done
    fi
    entry=${entry%%"$newline"*}
    entry=${entry%:*}
    printf '%s' "${entry##*:}"
}

# $1 account, $2 file. One that is not there, or may not be read, is passed over: a healthy machine has none, or an old one.
read_early_log() {
    tick
    if [ "$remaining_budget" -lt 3 ]; then return; fi
    measures=$(bounded 5 stat -L -c '%s %Y' "$2" 2>/dev/null </dev/null)
    case $measures in [1-9]*' '[0-9]*) ;; *) return ;; esac
    content=$(packed_end "$early_bytes" "$2")
    if [ "${#content}" -lt 40 ]; then return; fi
    printf '%s' "$separator"
    separator=,
    printf '%s\n' "$1" "$2" "$measures" | awk "$json"'
    { line[NR] = $0 }
    END { split(line[3], part, " ")
          printf "{\"product\":\"tentacle\",\"instance\":\"\",\"account\":%s,\"path\":%s", text(line[1]), text(line[2])
          printf ",\"size\":%s,\"modified_utc\":%s", number_or_null(part[1]), iso(part[2]) }'
    printf ',"text":"%s"}' "$content"
}
