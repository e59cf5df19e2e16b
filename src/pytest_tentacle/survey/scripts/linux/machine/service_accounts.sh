# Whom each service's process really runs as, which differs from what its unit says where that was changed and the service
# not restarted; and whether it lives and does nothing, as somebody has stopped it. Reads $service_notes (lines `runs <unit> <account> <process id>`, `frozen <unit>`).

section_service_accounts() {
    case $services in
        '{"unknown"'*)
            unknown 'the services could not be read, and so not the accounts that they run as'
            return
            ;;
    esac
    old_ifs=$IFS
    IFS=$newline
    for line in $service_notes; do
        case $line in "runs$tab"*) ;; *) continue ;; esac
        process=${line##*"$tab"}
        account=${line%"$tab"*}
        unit=${account%"$tab"*}
        unit=${unit#*"$tab"}
        account=${account##*"$tab"}
        case $account in
            -*) number= ;; # no account, and id would take it for an option
            *[!0-9]*) number=$(bounded_last 5 id -u "$account" 2>/dev/null </dev/null) ;;
            *) number=$account ;;
        esac
        number_of_process "$process"
        case $process_state$newline$service_notes$newline in
            *"${newline}frozen$tab$unit$newline"*) halted=frozen ;;
            T*) halted=stopped ;;
            t*) halted=traced ;;
            *) halted= ;;
        esac
        printf '%s\t%s\t%s\t%s\t%s\n' "$unit" "$account" "$number" "$process_number" "$halted"
    done | awk -F '\t' "$json"'
    function number(s) { return s ~ /^[0-9]+$/ ? "\"" s "\"" : "null" }
    { list = list (list == "" ? "" : ",") "{\"service\":" text($1) ",\"account\":" text($2) ",\"sid\":" number($3) ",\"process_sid\":" number($4) ($5 == "" ? "" : ",\"halted\":" text($5)) "}" }
    END { print "{\"data\":[" list "]}" }'
    IFS=$old_ifs
}
