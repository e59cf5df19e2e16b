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
        account=$2
        early_places "$3" "$4" "$5" "$6" "$account"
        set --
        for file in $early_files; do
            case $log_files in *"$newline$file$newline"*) continue ;; esac
            log_files=$log_files$file$newline
            set -- "$@" "$file"
        done
        if [ $# -eq 0 ]; then continue; fi
        # One that is not there, or may not be read, is passed over: a healthy machine has none, or an old one.
        measured=$(bounded_last 5 stat -L -c '%s %Y %n' "$@" 2>/dev/null </dev/null)
        for file in "$@"; do
            for row in $measured; do
                case $row in [1-9]*' '[0-9]*"$file") read_early_log "$account" "$file" "${row%"$file"}" && break ;; esac
            done
        done
    done
    IFS=$early_ifs
}

# $1 DefaultLogDirectory, $2 XDG_DATA_HOME, $3 HOME, $4 working folder, $5 account: sets early_files to one path a line. .NET knows no folder
# for an account's data until that is there; then the log goes into the folder that the process works in.
early_places() {
    case $3:$2:$4 in
        -:-:* | *:[~]*) home_of "$5" ;;
        *) home=$3 ;;
    esac
    folder=${4#!}
    case $folder in
        /*) ;;
        '~') folder=$home ;;
        *) folder=/ ;;
    esac
    case $1 in
        /*) early_files=${1%/}/OctopusTentacle.txt && return ;;
        -) ;;
        *) early_files=${folder%/}/$1/OctopusTentacle.txt && return ;;
    esac
    early_files=
    case $2:$home in
        /*) early_files=${2%/}/Octopus/Logs/OctopusTentacle.txt$newline ;;
        *:/*) early_files=${home%/}/.local/share/Octopus/Logs/OctopusTentacle.txt$newline ;;
    esac
    early_files=$early_files${folder%/}/Octopus/Logs/OctopusTentacle.txt
}

# Sets home to that of an account; to nothing where nobody knows it.
home_of() {
    home=
    case $1 in -* | *:*) return ;; esac
    if has getent; then
        entry=$(bounded_last 3 getent passwd "$1" 2>/dev/null </dev/null)
    else
        entry=
        for known in $(bounded_last 3 cat /etc/passwd 2>/dev/null </dev/null); do
            case $known in "$1:"*) entry=$known && break ;; esac
        done
    fi
    entry=${entry%%"$newline"*}
    entry=${entry%:*}
    home=${entry##*:}
}

# $1 account, $2 file, $3 its size and time.
read_early_log() {
    tick
    if [ "$remaining_budget" -lt 3 ]; then return; fi
    packed_end "$early_bytes" "$2"
    if [ "${#packed}" -lt 40 ]; then return; fi
    printf '%s' "$separator"
    separator=,
    written=${3#* }
    log_facts tentacle '' "$2" "${3%% *}" "${written%% *}" "$1"
    printf ',"text":"%s"}' "$packed"
}
