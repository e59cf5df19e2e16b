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

survey() {
    if [ "$gather" -eq 1 ]; then
        host=$(section_host 2>/dev/null </dev/null)
        services=$(section_services 2>/dev/null </dev/null)
        services_environment=$(lines_of "$services")
        instances=$(section_instances "$services_environment" 2>/dev/null </dev/null)
        ports="$ports $(lines_of "$instances" | awk -F '\t' '$1 == "port" { printf "%s ", $2 }')"
        targets="$(lines_of "$instances" | grep '^target')$newline$targets"
        listeners=$(section_listeners "$ports" 2>/dev/null </dev/null)
    else
        host='{"unknown":"not asked for"}'
        services=$host instances=$host listeners=$host
    fi
    probes=$(probe_all "$targets" 2>/dev/null)
    printf '{"host":%s,"services":%s,"instances":%s,"listeners":%s,"probes":[%s]}' \
        "$(json_of "$host")" "$(json_of "$services")" "$(json_of "$instances")" "$(json_of "$listeners")" "$probes"
}

document=$(survey)
encoding=json
if [ "${#document}" -gt 30000 ] && has gzip && has base64; then
    packed=$(printf '%s' "$document" | gzip -c | base64)
    case $packed in H4sI*) document=$packed encoding=gzip ;; esac
fi
printf '\n-----BEGIN SURVEY %s %s-----\n%s\n-----END SURVEY %s-----\n' "$nonce" "$encoding" "$document" "$nonce"
