# The survey itself: takes the request apart, runs the sections, prints a record of each. Comes last of the parts.

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
peers=
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
        peer) peers=$peers$value$newline ;;
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
# The first look at the clock says which kind of timeout this is as well.
timeout_style=none
if has timeout; then
    if begun=$(timeout -k 1 5 date +%s 2>/dev/null </dev/null); then
        timeout_style=gnu
    elif begun=$(timeout 5 date +%s 2>/dev/null </dev/null); then
        timeout_style=plain
    fi
fi
if [ "$timeout_style" = none ]; then begun=$(date +%s); fi
clock
started=$now

# A section by its function's name and arguments, unless the time has run out.
section() {
    tick
    if [ "$remaining_budget" -lt 2 ]; then
        unknown "no time was left for it within the survey's $budget s"
        return
    fi
    "$@" 2>/dev/null </dev/null
}

# What a section ($2) printed, as the record of this name. Its first line is its JSON; whatever breaks in it leaves the
# others alone.
tell() {
    case $2 in
        '{"data":'*'}'* | '{"unknown":'*'}'*) emit "$1" "${2%%"$newline"*}" ;;
        *)
            quote "the script's part for it broke off: ${2:-it printed nothing}"
            emit "$1" "{\"unknown\":$quoted}"
            ;;
    esac
}

# Sets `noted` to the further lines of what a section printed.
notes_of() {
    case $1 in *"$newline"*) noted=${1#*"$newline"} ;; *) noted= ;; esac
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
            "target$tab"*) configured=$configured$line$newline ;;
            "polled$tab"*)
                configured=$configured$line$newline
                line=${line%"$tab"*}
                polled="$polled ${line##*"$tab"}"
                ;;
        esac
    done
    IFS=$old_ifs
    targets=$configured$targets
}

# One record of the answer, printed as soon as it is there: whatever happens later does not take it away.
emit() {
    record=$2 record_form=json
    if [ "${#record}" -gt 30000 ] && has gzip && has base64; then
        packed_record=$(printf '%s' "$record" | gzip -c | base64 | tr -d '\n')
        case $packed_record in H4sI*) record=$packed_record record_form=gzip ;; esac
    fi
    printf '\n-----SURVEY %s BEGIN %s %s %s-----\n%s\n-----SURVEY %s END %s-----\n' "$nonce" "$1" "$record_form" \
        "${#record}" "$record" "$nonce" "$1"
}

# Says what is looked at next: the last of these lines tells what hung.
reading() { echo "$newline-----SURVEY $nonce READING $1-----"; }

# In the order of their worth; what may hang or takes long comes last.
gather() {
    reading host
    read_system
    host=$(section section_host)
    own_names=
    IFS=$newline
    for line in $host; do
        case $line in "name$tab"*) own_names=$own_names${line#*"$tab"}$newline ;; esac
    done
    IFS=$old_ifs
    names=$own_names$names
    tell host "$host"
    reading services
    services=$(section section_services)
    notes_of "$services"
    service_notes=$noted
    tell services "$services"
    reading instances
    instances=$(section section_instances)
    notes_of "$instances"
    instance_notes=$noted
    tell instances "$instances"
    sort_notes
    reading listeners
    listeners=$(section section_sockets "$ports" "$polled")
    notes_of "$listeners"
    tell listeners "$listeners"
    tell connections "${noted:-$listeners}"
    reading logs
    logs=$(section section_logs)
    # By far the largest section, and one line always: only its beginning is looked at.
    case $logs in
        '{"data":['* | '{"unknown":'*) ;;
        *) logs=$(unknown 'the part of the script for it broke off') ;;
    esac
    emit logs "$logs"
    probe_links
    for part in routes products disks proxies tls service_accounts permissions access_control left_overs own_names proxy_connects changes; do
        reading "$part"
        tell "$part" "$(section "section_$part")"
    done
    reading firewall
    tell firewall "$(section section_firewall "$ports")"
    emit events '{"data":[]}'
    emit watchdog '{"data":[]}'
    emit reservations '{"data":{"excluded":[],"http_sys":[]}}'
    emit private_keys '{"data":[]}'
}

probe_links() {
    reading probes
    emit probes "[$(probe_all "$targets" 2>/dev/null)]"
}

if [ "$gather" -eq 1 ]; then gather; else probe_links; fi
if [ -n "$ping_order" ]; then
    reading pings
    emit pings "[$(ping_all "$ping_targets$targets" "$ping_order" 2>/dev/null)]"
fi
if [ "$tls_versions" -eq 1 ]; then
    reading tls_versions
    emit tls_versions "[$(versions_all "$version_targets$targets" 2>/dev/null)]"
fi
if [ "$gather" -eq 1 ]; then
    reading loading
    tell loading "$(section section_loading)"
fi
printf '\n-----SURVEY %s DONE-----\n' "$nonce"
