# The host's own packet filter: the rules as each of its tools prints them. What they come to is judged elsewhere.

rules_limit=600000

# firewalld speaks for its own rules where an ordinary account may ask nobody else. Legacy iptables keeps rules of its
# own beside nftables'; asking it where it has none would load its modules, so /proc is asked first.
section_firewall() {
    sources=
    known=
    if has firewall-cmd && [ "$(bounded_last 8 firewall-cmd --state 2>/dev/null </dev/null)" = running ]; then
        rules_of firewalld firewall-cmd --list-all-zones
    fi
    if has nft; then rules_of nft nft list ruleset; fi
    if has iptables-save; then rules_of iptables iptables-save -c; fi
    if has ip6tables-save; then rules_of ip6tables ip6tables-save -c; fi
    for family in ip ip6; do
        table=
        { IFS= read -r table <"/proc/net/${family}_tables_names"; } 2>/dev/null
        if [ -z "$table" ]; then continue; fi
        case $known in *" ${family}tables:legacy "*) continue ;; esac
        if has "${family}tables-legacy-save"; then
            rules_of "${family}tables-legacy" "${family}tables-legacy-save" -c
        else
            refused_rules "${family}tables-legacy" "it has rules, and this machine has no ${family}tables-legacy-save to show them"
        fi
    done
    case $known in
        *' set '*)
            if has ipset; then rules_of ipset ipset save; fi
            ;;
    esac
    if [ -z "$sources" ]; then
        unknown 'this machine has none of the tools that show a packet filter (nft, iptables-save)'
        return
    fi
    if ! has nft && may_have_nftables; then
        refused_rules nft 'the kernel may have rules of nftables, and this machine has no nft to show them'
    fi
    unit_addresses "$1" "$polled"
    beside_rules
    printf '{"data":{"engine":"netfilter","sources":[%s]}}\n' "$sources"
}

# Own ports, polled ports: the addresses and families that Octopus Deploy's units let their processes speak with, which no
# tool for rules shows.
unit_addresses() {
    own=$1 others=$2
    old_ifs=$IFS
    IFS=$newline
    set --
    for line in $service_notes; do
        case $line in "unit$tab"*) line=${line#*"$tab"} && set -- "$@" "${line%%"$tab"*}" ;; esac
    done
    IFS=$old_ifs
    if [ $# -eq 0 ]; then return; fi
    shown=$(bounded_last 8 systemctl show --no-pager -p Id,IPAddressAllow,IPAddressDeny,RestrictNetworkInterfaces,RestrictAddressFamilies,PrivateNetwork,NetworkNamespacePath -- "$@" 2>/dev/null </dev/null)
    case $shown in
        *RestrictNetworkInterfaces=*) shown="$(bounded_last 8 systemctl show --no-pager -p Features 2>/dev/null </dev/null)$newline$newline$shown" ;;
        *IPAddressDeny=[0-9a-f:]* | *RestrictAddressFamilies=* | *PrivateNetwork=yes* | *NetworkNamespacePath=/*) ;;
        *) return ;;
    esac
    told=$(printf 'Ports=%s\nPolled=%s\n\n%s\n' "$own" "$others" "$shown" | awk "$json"'{ all = all $0 "\n" } END { printf "%s", text(all) }')
    sources="$sources,{\"tool\":\"systemd\",\"text\":$told}"
}

# What stops packets beside all rules: programs at the cards (XDP), filters and buckets at their queues, IPsec's policies, a
# table of tracked connections that is as good as full. Only where there are any. A connection of IPsec's has keys: how many
# there are is asked, and never for one of them.
beside_rules() {
    # Files of /proc/sys can be read only at once: dash's own read gets their first digit.
    told=$(cat /proc/sys/net/netfilter/nf_conntrack_count /proc/sys/net/netfilter/nf_conntrack_max 2>/dev/null)
    counted=${told%%"$newline"*} most=${told#*"$newline"}
    case $counted,$most in
        *[!0-9,]* | ,* | *, | *,0) ;;
        *) if [ "$counted" -ge "$((most - most / 20))" ]; then beside conntrack "$counted $most"; fi ;;
    esac
    if has ip; then
        shown=$(bounded_last 5 ip -o link show 2>/dev/null </dev/null)
        case $shown in *prog/xdp*) beside xdp "$shown" ;; esac
        shown=$(bounded_last 5 ip xfrm policy 2>/dev/null </dev/null)
        case $shown in
            *"$tab"tmpl\ *) beside xfrm "$shown$newline$(bounded_last 5 ip xfrm state count 2>/dev/null </dev/null)" ;;
            *' action block '*) beside xfrm "$shown" ;;
        esac
    fi
    if ! has tc; then return; fi
    shown=$(bounded_last 5 tc qdisc show 2>/dev/null </dev/null)
    case $shown in *'qdisc clsact '* | *'qdisc ingress '* | *'qdisc tbf '* | *'qdisc htb '* | *'qdisc prio '* | *'qdisc hfsc '*) ;; *) return ;; esac
    filters=
    count=0
    old_ifs=$IFS
    IFS=$newline
    for line in $shown; do
        # A container's end of a cable is no card that a link uses; there may be hundreds.
        case $line in *' dev veth'* | *' dev lxc'* | *' dev cali'* | *' dev tap'*) continue ;; esac
        case $line in
            'qdisc clsact '*) ways='ingress egress' ;;
            'qdisc ingress '*) ways=ingress ;;
            'qdisc htb '*' root '* | 'qdisc prio '*' root '* | 'qdisc hfsc '*' root '*)
                ways=${line#qdisc * }
                ways="parent=${ways%% *}"
                ;;
            *) continue ;;
        esac
        count=$((count + 1))
        if [ "$count" -gt 16 ]; then break; fi
        device=${line#* dev }
        device=${device%% *}
        IFS=' '
        for way in $ways; do
            case $way in
                parent=*)
                    told=$(bounded_last 5 tc filter show dev "$device" parent "${way#parent=}" 2>/dev/null </dev/null)
                    way=egress
                    ;;
                *) told=$(bounded_last 5 tc filter show dev "$device" "$way" 2>/dev/null </dev/null) ;;
            esac
            if [ -n "$told" ]; then filters="$filters$newline# $device $way$newline$told"; fi
        done
        IFS=$newline
    done
    IFS=$old_ifs
    case $filters$shown in *"$newline# "* | *'qdisc tbf '*) beside tc "$shown$filters" ;; esac
}

# beside TOOL TEXT: adds what was printed.
beside() {
    told=$(printf '%s\n' "$2" | awk "$json"'{ all = all $0 "\n" } END { printf "%s", text(substr(all, 1, 30000)) }')
    sources="$sources,{\"tool\":\"$1\",\"text\":$told}"
}

# Whether the kernel may hold rules of nftables: not where that is a module that is not loaded. Of a kernel whose modules
# are not listed (a container's host's) nobody knows.
may_have_nftables() {
    if [ -d /sys/module/nf_tables ]; then return 0; fi
    built_in="/lib/modules/$(uname -r 2>/dev/null)/modules.builtin"
    if [ -r "$built_in" ]; then grep -q '/nf_tables[.]ko' "$built_in"; else return 0; fi
}

# rules_of TOOL COMMAND...: adds what the command prints, or why it does not.
rules_of() {
    tool=$1
    shift
    rules=$(bounded_last 8 "$@" 2>&1 </dev/null)
    code=$?
    if [ "$code" -ne 0 ]; then
        complaint "$1" "$code" "$rules"
        refused_rules "$tool" "$complained"
        return
    fi
    # Of iptables' two kinds, only the one that writes nftables' rules says so in its first line.
    case $tool in
        iptables | ip6tables)
            case $rules in
                *'(nf_tables)'*) ;;
                *'# Generated by '*) known="$known $tool:legacy " tool=$tool-legacy ;;
            esac
            ;;
    esac
    case $rules in *--match-set*) known="$known set " ;; esac
    cut=
    if [ "${#rules}" -gt "$rules_limit" ]; then cut=',"cut":true'; fi
    # Line by line: of 30,000 rules in one word, an awk would copy each once for all those behind it.
    told='"\n"'
    if [ -n "$rules" ]; then
        told=$(printf '%s\n' "$rules" | awk -v left="$rules_limit" "$json"'
            BEGIN { printf "\"" }
            left > 0 { line = text(substr($0, 1, left)); left -= length($0) + 1; printf "%s", substr(line, 2, length(line) - 2) escapes["\n"] }
            END { printf "\"" }')
    fi
    sources="$sources${sources:+,}{\"tool\":\"$tool\",\"text\":$told$cut}"
}

refused_rules() {
    quote "$2"
    sources="$sources${sources:+,}{\"tool\":\"$1\",\"refused\":$quoted}"
}
