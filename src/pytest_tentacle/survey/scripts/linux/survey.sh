# The survey itself: takes the request apart, runs the sections, prints the document. Comes last of the parts.

refuse() {
    printf '\n-----SURVEY REFUSED %s %s-----\n' "$nonce" "$1"
    exit 3
}

# The request, which the bootstrap left in $r: lines of tab-separated fields. Nothing of it is ever evaluated.
nonce=none
gather=1
budget=45
probe_seconds=5
identity=0
ports=
targets=
names=
ping_order=
ping_targets=
tls_versions=0
version_targets=
old_ifs=$IFS
IFS=$newline
for line in $r; do
    more=${line#*"$tab"}
    value=${more%%"$tab"*}
    more=${more#*"$tab"}
    case ${line%%"$tab"*} in
        nonce) nonce=$value ;;
        gather) gather=$value ;;
        budget) budget=$value ;;
        probe-seconds) probe_seconds=$value ;;
        identity) identity=$value ;;
        port) ports="$ports $value" ;;
        name) names=$names$value$newline ;;
        ping) ping_order="$value $more" ;;
        pinged) ping_targets=$ping_targets$line$newline ;;
        tls-versions) tls_versions=$value ;;
        tried) version_targets=$version_targets$line$newline ;;
        target) targets=$targets$line$newline ;;
    esac
done
IFS=$old_ifs
for tool in awk sed date od head grep cat tr ls; do
    if ! has "$tool"; then refuse "no-$tool"; fi
done
begun=$(date +%s)
clock
started=$now
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
    tick
    if [ "$remaining_budget" -lt 2 ]; then
        unknown "no time was left for it within the survey's $budget s"
        return
    fi
    "$@" 2>/dev/null </dev/null
}

# What the notes of the first sections hold for the later ones.
sort_notes() {
    old_ifs=$IFS
    IFS=$newline
    programs=
    for line in $service_notes; do
        case $line in "unit$tab"*"$tab/"*) ;; *) continue ;; esac
        program=${line#*"$tab"*"$tab"}
        program=${program%%"$tab"*}$tab${line##*"$tab"}
        case $newline$programs in *"$newline$program$newline"*) ;; *) programs=$programs$program$newline ;; esac
    done
    polled=
    connects=
    configured=
    for line in $instance_notes; do
        case $line in
            "port$tab"*) ports="$ports ${line#*"$tab"}" ;;
            "connect$tab"*) connects=$connects${line#*"$tab"}$newline ;;
            "target$tab"*)
                configured=$configured$line$newline
                case $line in
                    "target${tab}configured:"*)
                        line=${line%"$tab"*}
                        polled="$polled ${line##*"$tab"}"
                        ;;
                esac
                ;;
        esac
    done
    IFS=$old_ifs
    targets=$configured$targets
}

survey() {
    if [ "$gather" -eq 1 ]; then
        read_system
        host=$(section section_host)
        own_names=
        IFS=$newline
        for line in $host; do
            case $line in "name$tab"*) own_names=$own_names${line#*"$tab"}$newline ;; esac
        done
        IFS=$old_ifs
        names=$own_names$names
        services=$(section section_services)
        service_notes=$(lines_of "$services")
        instances=$(section section_instances)
        instance_notes=$(lines_of "$instances")
        sort_notes
        listeners=$(section section_sockets "$ports" "$polled")
        connections=$(lines_of "$listeners")
        printf '{"host":%s,"services":%s,"instances":%s,"listeners":%s,"connections":%s' "$(json_of "$host")" \
            "$(json_of "$services")" "$(json_of "$instances")" "$(json_of "$listeners")" "$(json_of "${connections:-$listeners}")"
        logs=$(section section_logs)
        # By far the largest section, and one line always: only its beginning is looked at.
        case $logs in
            '{"data":['* | '{"unknown":'*) printf ',"logs":%s' "$logs" ;;
            *) printf ',"logs":%s' "$(unknown 'the part of the script for it broke off')" ;;
        esac
        for part in products disks proxies tls permissions left_overs own_names proxy_connects; do
            printf ',"%s":%s' "$part" "$(json_of "$(section "section_$part")")"
        done
        printf ',"firewall":%s,"events":{"data":[]},"watchdog":{"data":[]},"reservations":{"data":{}}' \
            "$(json_of "$(section section_firewall "$ports")")"
    else
        printf '{'
        separator=
        for part in host services instances listeners connections logs products disks proxies tls permissions left_overs \
            own_names proxy_connects reservations firewall events watchdog loading; do
            printf '%s"%s":{"unknown":"not asked for"}' "$separator" "$part"
            separator=,
        done
    fi
    printf ',"probes":[%s]' "$(probe_all "$targets" 2>/dev/null)"
    if [ -n "$ping_order" ]; then printf ',"pings":[%s]' "$(ping_all "$ping_targets$targets" "$ping_order" 2>/dev/null)"; fi
    if [ "$tls_versions" -eq 1 ]; then printf ',"tls_versions":[%s]' "$(versions_all "$version_targets$targets" 2>/dev/null)"; fi
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
