# The survey itself: reads the request from stdin, runs the sections, prints the document. Comes last of the parts.

refuse() {
    printf '\n-----SURVEY REFUSED %s %s-----\n' "$nonce" "$1"
    exit 3
}

# The request: lines of tab-separated fields, ended by `end`. Nothing of it is ever evaluated.
nonce=none
gather=1
budget=45
probe_seconds=5
identity=0
ports=
targets=
complete=
while IFS=$tab read -r word value more; do
    case $word in
        nonce) nonce=$value ;;
        gather) gather=$value ;;
        budget) budget=$value ;;
        probe-seconds) probe_seconds=$value ;;
        identity) identity=$value ;;
        port) ports="$ports $value" ;;
        target) targets=$targets$word$tab$value$tab$more$newline ;;
        end)
            complete=yes
            break
            ;;
    esac
done
if [ -z "$complete" ]; then refuse request-cut-off; fi
for tool in awk sed date od head grep cat tr ls; do
    if ! has "$tool"; then refuse "no-$tool"; fi
done
begun=$(date +%s)
timeout_style=none
if has timeout; then
    if timeout -k 1 5 true 2>/dev/null </dev/null; then
        timeout_style=gnu
    elif timeout 5 true 2>/dev/null </dev/null; then
        timeout_style=plain
    fi
fi

# A section's first line is its JSON; whatever breaks in it leaves the others alone.
json_of() {
    case $1 in
        '{"data":'*'}'* | '{"unknown":'*'}'*) printf '%s' "${1%%"$newline"*}" ;;
        *) unknown "the script's part for it broke off: ${1:-it printed nothing}" ;;
    esac
}
lines_of() { case $1 in *"$newline"*) printf '%s\n' "${1#*"$newline"}" ;; esac }

# A section by its function's name and arguments, unless the time has run out.
section() {
    if [ "$(left)" -lt 2 ]; then
        unknown "no time was left for it within the survey's $budget s"
        return
    fi
    "$@" 2>/dev/null </dev/null
}

survey() {
    if [ "$gather" -eq 1 ]; then
        host=$(section section_host)
        services=$(section section_services)
        service_notes=$(lines_of "$services")
        instances=$(section section_instances "$service_notes")
        instance_notes=$(lines_of "$instances")
        ports="$ports $(printf '%s\n' "$instance_notes" | awk -F '\t' '$1 == "port" { printf "%s ", $2 }')"
        polled=$(printf '%s\n' "$instance_notes" | awk -F '\t' '$2 ~ /^configured:/ { printf "%s ", $4 }')
        targets="$(printf '%s\n' "$instance_notes" | grep '^target')$newline$targets"
        listeners=$(section section_listeners "$ports")
        connections=$(section section_connections "$ports" "$polled")
        printf '{"host":%s,"services":%s,"instances":%s,"listeners":%s,"connections":%s' "$(json_of "$host")" \
            "$(json_of "$services")" "$(json_of "$instances")" "$(json_of "$listeners")" "$(json_of "$connections")"
        logs=$(section section_logs)
        # By far the largest section, and one line always: only its beginning is looked at.
        case $logs in
            '{"data":['* | '{"unknown":'*) printf ',"logs":%s' "$logs" ;;
            *) printf ',"logs":%s' "$(unknown 'the part of the script for it broke off')" ;;
        esac
        for part in products disks proxies tls permissions left_overs; do
            printf ',"%s":%s' "$part" "$(json_of "$(section "section_$part")")"
        done
        printf ',"firewall":%s,"events":{"data":[]},"watchdog":{"data":[]}' "$(json_of "$(section section_firewall "$ports")")"
    else
        printf '{'
        separator=
        for part in host services instances listeners connections logs products disks proxies tls permissions left_overs \
            firewall events watchdog loading; do
            printf '%s"%s":{"unknown":"not asked for"}' "$separator" "$part"
            separator=,
        done
    fi
    printf ',"probes":[%s]' "$(probe_all "$targets" 2>/dev/null)"
    if [ "$gather" -eq 1 ]; then printf ',"loading":%s' "$(json_of "$(section section_loading)")"; fi
    printf '}'
}

document=$(survey)
encoding=json
if [ "${#document}" -gt 30000 ] && has gzip && has base64; then
    packed=$(printf '%s' "$document" | gzip -c | base64)
    case $packed in H4sI*) document=$packed encoding=gzip ;; esac
fi
printf '\n-----BEGIN SURVEY %s %s-----\n%s\n-----END SURVEY %s-----\n' "$nonce" "$encoding" "$document" "$nonce"
