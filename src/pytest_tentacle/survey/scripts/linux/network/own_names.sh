# What the machine's own names lead to when it is asked itself: host name, full name, and those that it is declared with.

own_name_limit=12
own_name_seconds=5

# $names: names in lines, percent-encoded. All are asked at once; each answers in lines short enough to be written at once.
section_own_names() {
    if ! has getent; then
        unknown 'this machine has no getent to resolve names with'
        return
    fi
    {
        old_ifs=$IFS
        IFS=$newline
        place=0
        asked=
        for name in $names; do
            case $newline$asked in *"$newline$name$newline"*) continue ;; esac
            if [ "$place" -eq "$own_name_limit" ]; then break; fi
            case $name in *:*) continue ;; *[!0-9.]*) ;; *) continue ;; esac # an address is no name
            asked=$asked$name$newline
            place=$((place + 1))
            ask_own_name "$place" "$name" &
        done
        wait
        IFS=$old_ifs
        printf '= names\n%s' "$asked"
    } | awk "$json$own_name_writer"
}

# Prints `<place> <address> ...` for each address, and `<place> exit <code> <word>`.
ask_own_name() {
    IFS=$newline
    own=$2
    case $own in
        *%*)
            own=$(printf '%s' "$own" | awk "$json"'{ printf "%s%s.", (NR > 1 ? "\n" : ""), decoded($0) }')
            own=${own%.}
            ;;
    esac
    word=
    case $own in
        -*) code=2 answer= ;; # no name begins so, and getent would take it for an option
        *)
            answer=$(bounded_last "$own_name_seconds" getent ahosts "$own" 2>/dev/null </dev/null)
            code=$?
            if [ "$code" -eq 2 ]; then
                why_not_found "$own"
                word=$why
            fi
            ;;
    esac
    for line in $answer; do printf '%s %.60s\n' "$1" "${line%% *}"; done
    printf '%s exit %s %s\n' "$1" "$code" "$word"
}

# The names come last; the place of each is its number.
own_name_writer='
$0 == "= names" { told = 1; next }
told {
    place = ++count
    one = "{\"name\":" text(decoded($0))
    if (code[place] == "0" && addresses[place] != "") one = one ",\"addresses\":[" addresses[place] "]"
    else {
        late = code[place] == 124 || code[place] == 137 || code[place] == 143
        error = late ? "timed-out" : code[place] == "0" ? "no-address" : code[place] != "2" ? "other" : word[place] == "" ? "name-not-found" : word[place]
        one = one ",\"error\":\"" error "\",\"detail\":" text("getent ahosts " (code[place] == "" ? "gave nothing" : "ended with exit code " code[place])) }
    list = list (place > 1 ? "," : "") one "}"
    next
}
$2 == "exit" { code[$1] = $3; word[$1] = $4; next }
!(($1, $2) in seen) { seen[$1, $2]; addresses[$1] = addresses[$1] (addresses[$1] == "" ? "" : ",") text($2) }
END { print "{\"data\":[" list "]}" }
'
