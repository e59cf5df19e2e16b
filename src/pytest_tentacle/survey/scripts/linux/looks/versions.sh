# Versions of TLS: each link once with each of them, several at once. Only where the request asks for it: who is offered
# a version that it does not take may write an Error into its log.

tls_names='TLSv1 TLSv1.1 TLSv1.2 TLSv1.3'

# Each trial is a dozen processes: with more at once the slowest would run out of time by our own doing.
triers=8

# Seconds that are kept for what comes after the trials.
trial_reserve=3

# Targets (lines `tried <link> <host> <port> <by>` of the request, and `polled ...` of the machine's own
# settings, each host and port once); prints all trials as JSON, with commas.
versions_all() {
    choose_targets tried "$1"
    if [ "$total" -eq 0 ]; then return; fi
    tried=$chosen
    identity=0
    choose_client
    pieces=
    if [ "$client" = openssl ]; then
        pieces=$(
            worker=0
            while [ "$worker" -lt "$triers" ] && [ "$worker" -lt $((total * 4)) ]; do
                try_some "$worker" </dev/null 2>/dev/null &
                worker=$((worker + 1))
            done
            wait
        )
    fi
    printf '%s%s\n' "$tried" "$pieces" | awk -F '\t' -v names="$tls_names" -v client="$client" "$json$trials_writer"
}

# One worker: every eighth trial, one after the other. Prints `<place> <version> <what try_version says>`.
try_some() {
    number=0
    place=0
    start_slack
    old_ifs=$IFS
    IFS=$newline
    for line in $tried; do
        IFS=$old_ifs
        place=$((place + 1))
        line=${line#*"$tab"*"$tab"}
        line=${line%"$tab"*}
        for version in $tls_names; do
            number=$((number + 1))
            if [ $(((number - 1) % triers)) -ne "$1" ]; then continue; fi
            try_version "$version" "${line%"$tab"*}" "${line##*"$tab"}" "$place$tab$version$tab"
        done
        IFS=$newline
    done
    IFS=$old_ifs
}

# Version, host, port, the beginning of its line: one trial. Prints either `unavailable <why>` or `<version> <cipher> <stage>
# <error> <unspoken>`. The old versions need OpenSSL's lowest security level, which nobody else's handshake is given.
try_version() {
    tick
    seconds=$((remaining_budget - trial_reserve))
    if [ "$seconds" -gt "$probe_seconds" ]; then seconds=$probe_seconds; fi
    fit_slack "$((remaining_budget - trial_reserve))"
    if [ "$seconds" -lt 1 ]; then
        printf '%sunavailable\tno time was left for it\n' "$4"
        return
    fi
    case $1 in
        TLSv1) option=-tls1 more='-cipher DEFAULT:@SECLEVEL=0' ;;
        TLSv1.1) option=-tls1_1 more='-cipher DEFAULT:@SECLEVEL=0' ;;
        TLSv1.2) option=-tls1_2 more= ;;
        *) option=-tls1_3 more= ;;
    esac
    # Asked for what it lacks, it would connect and say nothing.
    case $client_help in
        *"$option "* | *"$option$tab"* | *"$option$newline"*) ;;
        *)
            printf '%sunavailable\tits openssl has no %s\n' "$4" "$option"
            return
            ;;
    esac
    client_options="$option $more"
    decode "$2"
    {
        printf 'link -\nhost -\nport 0\nby name\n'
        probe_target "$decoded" "$3" "$seconds" </dev/null
    } | awk -v nonce="$nonce" -v most="$most_certificate" -v brief=trial -v prefix="$4" "$json$probe_reader"
}

# shellcheck disable=SC2016  # awk's own dollars
trials_writer='
function known(name, value) { return value == "" || value == "-" ? "" : ",\"" name "\":" text(value) }
function of(i, version,  part) {
    if (client != "openssl") return known("unavailable", "it takes openssl 1.0.2 or newer, which this machine lacks")
    if (!((i, version) in outcome)) return known("unavailable", "the trial did not come to its end")
    split(outcome[i, version], part, "\t")
    if (part[1] == "unavailable") return known("unavailable", part[2])
    if (part[5] == "unspoken") return known("unavailable", "its openssl refused to speak it")
    if (part[1] != "-" && part[1] != version) return known("unavailable", "asked for it, its openssl spoke " part[1])
    return known("cipher", part[2]) known("stage", part[3]) known("error", part[4])
}
$1 == "tried" || $1 == "polled" { link[++count] = decoded($2); host[count] = decoded($3); port[count] = $4; by[count] = $5; next }
NF > 2 { rest = $0; sub(/^[^\t]*\t[^\t]*\t/, "", rest); outcome[$1, $2] = rest }
END { n = split(names, name, " "); for (i = 1; i <= count; i++) {
    printf "%s{\"link\":%s,\"host\":%s,\"port\":%s,\"by\":%s,\"trials\":[", (i > 1 ? "," : ""), link[i], text(host[i]), port[i], text(by[i])
    for (k = 1; k <= n; k++) printf "%s{\"version\":%s%s}", (k > 1 ? "," : ""), text(name[k]), of(i, name[k])
    printf "]}"
} }'
