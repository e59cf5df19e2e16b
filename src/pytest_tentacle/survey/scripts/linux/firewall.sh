# The host's own packet filter, as far as it concerns new inbound TCP connections to the ports of interest.

# $1: the ports of interest. firewalld and ufw speak for the rules that they make; else nft, which also shows what
# iptables wrote by it; else iptables of old. A refusal counts only where nobody else knows.
section_firewall() {
    trouble=
    for engine in firewalld ufw nftables iptables; do
        case $engine in
            firewalld)
                has firewall-cmd || continue
                if [ "$(bounded 8 firewall-cmd --state 2>/dev/null </dev/null)" != running ]; then continue; fi
                rules=$(bounded 8 firewall-cmd --list-all-zones 2>&1 </dev/null)
                ;;
            ufw)
                has ufw || continue
                rules=$(bounded 8 ufw status verbose 2>&1 </dev/null)
                ;;
            nftables)
                has nft || continue
                rules=$(bounded 8 nft -nn list ruleset 2>&1 </dev/null)
                ;;
            iptables)
                has iptables-save || continue
                rules=$(bounded 8 iptables-save 2>&1 </dev/null)
                ;;
        esac
        code=$?
        if [ "$code" -ne 0 ]; then
            trouble=${trouble:-$(complaint "${engine}'s tool" "$code" "$rules")}
            continue
        fi
        case $rules in *[!" $newline"]*) ;; *) continue ;; esac
        found=$(printf '%.1000000s\n' "$rules" | PORTS=$1 ENGINE=$engine awk "$json$firewall_common$(reader_of "$engine")")
        case $found in
            '{"data"'*)
                printf '%s\n' "$found"
                return
                ;;
        esac
    done
    if [ -n "$trouble" ]; then
        unknown "$trouble"
        return
    fi
    printf '{"data":{"engine":"none","running":false}}\n'
}

reader_of() {
    case $1 in
        firewalld) printf '%s' "$firewalld_reader" ;;
        ufw) printf '%s' "$ufw_reader" ;;
        nftables) printf '%s%s' "$chain_walker" "$nft_reader" ;;
        iptables) printf '%s%s' "$chain_walker" "$iptables_reader" ;;
    esac
}

# What all readers share: a rule counts when it names a port of interest, or none at all.
firewall_common='
BEGIN { interesting = split(ENVIRON["PORTS"], interest, " ") }
# ports: words such as 10933, 10000-11000, 10000:11000, separated by blanks or commas.
function concerns(ports,  n, word, i, k, end) {
    gsub(/,/, " ", ports); n = split(ports, word, " "); if (n == 0) return 1
    for (i = 1; i <= n; i++) {
        if (word[i] !~ /^[0-9]+([-:][0-9]+)?$/) return 1
        split(word[i], end, /[-:]/); if (end[2] == "") end[2] = end[1]
        for (k = 1; k <= interesting; k++) if (interest[k] + 0 >= end[1] + 0 && interest[k] + 0 <= end[2] + 0) return 1
    }
    return 0
}
function words_as_json(s,  n, word, i, out) {
    gsub(/,/, " ", s); gsub(/:/, "-", s); n = split(s, word, " ")
    for (i = 1; i <= n; i++) out = out (i > 1 ? "," : "") text(word[i])
    return "[" out "]"
}
function addresses_as_json(s,  n, word, i, out) {
    gsub(/,/, " ", s); n = split(s, word, " ")
    for (i = 1; i <= n; i++) out = out (i > 1 ? "," : "") text(word[i])
    return "[" out "]"
}
function remember(line) { sub(/^[ \t]+/, "", line); if (length(evidence) + length(line) < 4000) evidence = evidence line "\n" }
function rule(name, action, ports, profile, remote, conditional) {
    if (!concerns(ports) || ruled >= 200) return
    rules = rules (ruled++ ? "," : "") "{\"name\":" text(substr(name, 1, 200)) ",\"action\":\"" action "\",\"ports\":" words_as_json(ports) \
        ",\"profiles\":[" text(profile) "],\"remote\":" addresses_as_json(remote) ",\"conditional\":" (conditional ? "true" : "false") "}"
    remember(name)
}
function profile(name, inbound, active) {
    profiles = profiles (profiles == "" ? "" : ",") "{\"name\":" text(name) ",\"enabled\":true,\"inbound\":\"" inbound "\"" \
        (active == "" ? "" : ",\"active\":" active) "}"
}
function told() {
    print "{\"data\":{\"engine\":\"" ENVIRON["ENGINE"] "\",\"running\":true,\"profiles\":[" profiles "],\"rules\":[" rules \
        "],\"text\":" text_or_null(evidence) "}}"
}
'

# Chains from the input hook on, in their order. Readers fill: base[1..bases] names of hooked chains, policy[chain],
# size[chain], and for each rule verdict (accept, drop, jump), to, ports, remote, conditional, line.
chain_walker='
function put(chain, what, target, its_ports, its_remote, on, text_of,  i) {
    i = ++size[chain]
    verdict[chain, i] = what; to[chain, i] = target; ports[chain, i] = its_ports; remote[chain, i] = its_remote
    conditional[chain, i] = on; line[chain, i] = text_of
}
# Gives the verdict that ends the chain for everybody, if there is one.
function walk(chain, top, on, deep,  i, end) {
    if (deep > 8) return ""
    for (i = 1; i <= size[chain]; i++) {
        if (verdict[chain, i] == "jump") {
            end = walk(to[chain, i], top, on || conditional[chain, i] || ports[chain, i] != "" || remote[chain, i] != "", deep + 1)
            if (end == "" || conditional[chain, i] || ports[chain, i] != "" || remote[chain, i] != "") continue
            return end
        }
        if (ports[chain, i] == "" && remote[chain, i] == "" && !conditional[chain, i] && !on) { remember(line[chain, i]); return verdict[chain, i] }
        rule(line[chain, i], verdict[chain, i] == "accept" ? "allow" : "block", ports[chain, i], top, remote[chain, i], on || conditional[chain, i])
        if (ports[chain, i] == "" && remote[chain, i] == "" && !conditional[chain, i]) return ""
    }
    return ""
}
function walk_all(  i, end, filters) {
    for (i = 1; i <= bases; i++) {
        if (size[base[i]] == 0 && policy[base[i]] == "accept") continue
        filters++; remember(shown[base[i]] " policy " policy[base[i]])
        end = walk(base[i], shown[base[i]], 0, 0); if (end == "") end = policy[base[i]]
        profile(shown[base[i]], end == "accept" ? "allow" : "block")
    }
    if (filters) told()
}
'

nft_reader='
$1 == "table" { family = $2; table = $2 " " $3; chain = ""; next }
$1 == "chain" { chain = table " " $2; next }
$1 == "}" { chain = ""; next }
chain == "" || family !~ /^(ip|ip6|inet)$/ { next }
/^[ \t]*type [a-z]+ hook / {
    if ($2 == "filter" && $4 == "input") {
        base[++bases] = chain; shown[chain] = chain
        policy[chain] = match($0, /policy [a-z]+/) ? substr($0, RSTART + 7, RLENGTH - 7) : "accept" }
    next
}
{
    words = $0; sub(/^[ \t]+/, "", words); s = " " words " "
    gsub(/ comment "[^"]*"/, "", s); gsub(/ counter( packets [0-9]+ bytes [0-9]+)?/, "", s)
    gsub(/ log( prefix "[^"]*")?( (level|group|flags|snaplen|queue-threshold) [a-z0-9]+)*/, "", s)
    gsub(/ reject with [a-z0-9-]+( type [a-z0-9-]+| reset)?/, " reject", s)
    if (!match(s, / (accept|drop|reject|queue|(jump|goto) [^ ]+) $/)) next
    split(substr(s, RSTART + 1), word, " "); s = substr(s, 1, RSTART) " "
    if (s ~ / iif(name)? "?lo"? / || s ~ /(udp|sctp|dccp) (d|s)port|icmp|l4proto (udp|17|1|58|132) |protocol (udp|17|1|igmp|2|esp|ah) /) next
    if (match(s, / ct state [^ ]+ /)) {
        if (substr(s, RSTART, RLENGTH) !~ /new/) next
        s = substr(s, 1, RSTART) substr(s, RSTART + RLENGTH - 1)
    } else if (match(s, / ct state \{[^}]*\} /)) {
        if (substr(s, RSTART, RLENGTH) !~ /new/) next
        s = substr(s, 1, RSTART) substr(s, RSTART + RLENGTH - 1)
    }
    gsub(/ (meta )?l4proto (tcp|6|\{[^}]*\}) /, " ", s); gsub(/ ip6? (protocol|nexthdr) (tcp|6) /, " ", s)
    gsub(/ fib daddr type local /, " ", s)
    its_ports = its_remote = ""
    if (match(s, / (tcp|th) dport (\{[^}]*\}|[0-9][0-9-]*) /)) {
        its_ports = substr(s, RSTART, RLENGTH); s = substr(s, 1, RSTART) substr(s, RSTART + RLENGTH - 1)
        sub(/^ (tcp|th) dport /, "", its_ports); gsub(/[{}]/, "", its_ports); gsub(/ /, "", its_ports); gsub(/,/, " ", its_ports)
    }
    if (match(s, / ip6? saddr (\{[^}]*\}|[0-9a-fA-F][0-9a-fA-F.:\/-]*) /)) {
        its_remote = substr(s, RSTART, RLENGTH); s = substr(s, 1, RSTART) substr(s, RSTART + RLENGTH - 1)
        sub(/^ ip6? saddr /, "", its_remote); gsub(/[{} ]/, "", its_remote); gsub(/,/, " ", its_remote)
    }
    its_condition = s ~ /[^ ]/ || family == "ip6"
    if (word[1] == "jump" || word[1] == "goto") put(chain, "jump", table " " word[2], its_ports, its_remote, its_condition, words)
    else put(chain, word[1] == "accept" ? "accept" : word[1] == "queue" ? "accept" : "drop", "", its_ports, its_remote,
        its_condition || word[1] == "queue", words)
}
END { walk_all() }
'

iptables_reader='
/^\*/ { filter = $0 == "*filter"; next }
!filter { next }
/^:INPUT / { base[++bases] = "INPUT"; shown["INPUT"] = "INPUT"; policy["INPUT"] = tolower($2); next }
$1 == "-A" {
    its_ports = its_remote = target = ""; its_condition = skip = 0; s = $0
    gsub(/ --comment ("[^"]*"|[^ ]+)/, "", s); n = split(s, word, " ")
    for (i = 3; i <= n; i++) {
        w = word[i]
        if (w == "!") its_condition = 1
        else if (w == "-p") { if (word[++i] !~ /^(tcp|all|6)$/) skip = 1 }
        else if (w == "-m") { i++; if (word[i] !~ /^(tcp|multiport|conntrack|state|comment|addrtype)$/) its_condition = 1 }
        else if (w ~ /^--(dport|dports|destination-port)$/) its_ports = word[++i]
        else if (w == "-s") its_remote = word[++i]
        else if (w == "-i") { if (word[++i] == "lo") skip = 1; else its_condition = 1 }
        else if (w ~ /^--(ctstate|state)$/) { if (word[++i] !~ /NEW/) skip = 1 }
        else if (w == "-j" || w == "-g") { target = word[++i]; break }
        else if (w == "--dst-type" && word[i + 1] == "LOCAL") i++
        else { its_condition = 1; if (word[i + 1] !~ /^-/) i++ }
    }
    if (skip || target == "" || target ~ /^(LOG|NFLOG|MARK|CONNMARK|RETURN|TRACE|CT|NOTRACK)$/) next
    if (target == "ACCEPT") put($2, "accept", "", its_ports, its_remote, its_condition, $0)
    else if (target ~ /^(DROP|REJECT|TARPIT)$/) put($2, "drop", "", its_ports, its_remote, its_condition, $0)
    else put($2, "jump", target, its_ports, its_remote, its_condition, $0)
}
END { walk_all() }
'

# The C locale keeps its words English. An inactive ufw says nothing, and the next tool is asked.
ufw_reader='
/^Status: active/ { active = 1 }
/^Default: / { remember($0); profile("ufw", $2 == "allow" ? "allow" : "block"); next }
active && / (ALLOW|LIMIT|DENY|REJECT)( IN)? / && !/ \(v6\)/ {
    match($0, / (ALLOW|LIMIT|DENY|REJECT)( IN)? +/)
    what = substr($0, 1, RSTART - 1); from = substr($0, RSTART + RLENGTH); verdict = substr($0, RSTART, RLENGTH)
    sub(/ +#.*$/, "", from); gsub(/^ +| +$/, "", from); gsub(/^ +| +$/, "", what); sub(/ \([^)]*\)$/, "", what)
    on = what ~ / on / || from ~ / on / || from !~ /^(Anywhere|[0-9a-fA-F.:\/]+)$/ || verdict ~ /LIMIT/
    if (what ~ /\/udp$/) next
    port = what; sub(/ on .*$/, "", port); sub(/^.* /, "", port); sub(/\/tcp$/, "", port); if (port == "Anywhere") port = ""
    else if (port !~ /^[0-9:,]+$/) { port = ""; on = 1 }
    sub(/^Anywhere$/, "", from); sub(/ .*$/, "", from)
    rule($0, verdict ~ /ALLOW|LIMIT/ ? "allow" : "block", port, "ufw", from, on)
}
END { if (active) told() }
'

# Zones in use. A service that is not one of the usual ones may well hold a port of interest: that is a condition.
firewalld_reader='
function strip(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
/^[^ \t]/ { zone = $1; active = /[( ,]active[ ,)]/; next }
!active || zone == "" { next }
{ at = index($0, ":"); key = strip(substr($0, 1, at - 1)); value = strip(substr($0, at + 1)) }
key == "target" { profile(zone, value == "ACCEPT" ? "allow" : "block", "true"); remember(zone " target " value) }
key == "ports" {
    n = split(value, word, " ")
    for (i = 1; i <= n; i++) if (word[i] !~ /\/(udp|sctp|dccp)$/) { name = word[i]; sub(/\/tcp$/, "", word[i]); rule(zone " ports: " name, "allow", word[i], zone, "", 0) }
}
key == "services" {
    n = split(value, word, " ")
    for (i = 1; i <= n; i++) if (word[i] !~ /^(ssh|dhcpv6-client|dhcp|dns|mdns|cockpit|samba-client|http|https|ntp|snmp|nfs|ftp|smtp|ipp-client|rpc-bind)$/)
        rule(zone " services: " word[i], "allow", "", zone, "", 1)
}
/^[ \t]+rule / {
    if (/ (icmp-block|icmp-type|forward-port|protocol value|masquerade)/) next
    if (/ protocol="?(udp|sctp|dccp)"?/) next
    port = match($0, / port="?[0-9-]+/) ? substr($0, RSTART, RLENGTH) : ""; gsub(/[^0-9-]/, "", port)
    from = match($0, / source (NOT )?address="?[0-9a-fA-F.:\/]+/) ? substr($0, RSTART, RLENGTH) : ""; sub(/^.*="?/, "", from)
    on = / service |NOT | limit | source ipset| source mac| destination /
    if (/ accept/) rule(strip($0), "allow", port, zone, from, on)
    else if (/ (drop|reject)/) rule(strip($0), "block", port, zone, from, on)
}
END { if (profiles != "") told() }
'
