# What may have changed lately, with its time: files that decide over names, packet filters, TLS and the products' programs
# and units, and what the package manager did, by its own log. Reads $programs and $service_notes.

changing_files='/etc/hosts
/etc/resolv.conf
/etc/nsswitch.conf
/etc/nftables.conf
/etc/sysconfig/nftables.conf
/etc/iptables/rules.v4
/etc/iptables/rules.v6
/etc/sysconfig/iptables
/etc/firewalld/zones/public.xml
/etc/ufw/user.rules
/etc/ufw/user6.rules
/etc/ssl/openssl.cnf
/etc/pki/tls/openssl.cnf
/etc/crypto-policies/config
'

# So many of the package manager's last lines.
package_lines=150

section_changes() {
    if ! has stat; then
        unknown 'this machine has no stat to see when files were written'
        return
    fi
    old_ifs=$IFS
    IFS=$newline
    watched=$changing_files
    for line in $programs; do watched=$watched${line#*"$tab"}$newline; done
    for line in $service_notes; do
        case $line in
            "unit$tab"*)
                unit=${line#*"$tab"}
                unit=${unit%%"$tab"*}
                watched=$watched/etc/systemd/system/$unit$newline
                for name in $(bounded_last 3 ls -A "/etc/systemd/system/$unit.d" 2>/dev/null </dev/null); do
                    case $name in *.conf) watched=$watched/etc/systemd/system/$unit.d/$name$newline ;; esac
                done
                ;;
        esac
    done
    # shellcheck disable=SC2086  # one path a line, and set -f is on
    set -- $watched
    IFS=$old_ifs
    place=$(readlink /etc/localtime 2>/dev/null)
    case $place in */zoneinfo/*) place=${place##*/zoneinfo/} ;; *) place= ;; esac
    offset=$(unset TZ && date +%z)
    {
        printf '%s %s\n= files\n' "$offset" "$place"
        bounded 5 stat -L -c '%Y %n' "$@" 2>/dev/null </dev/null
        printf '= packages\n'
        bounded 5 grep -a -h -E '^[0-9-]+ [0-9:]+ (install|upgrade|remove|purge) |(Installed|Upgrade|Erase): |^[0-9-]+ [0-9:]+[|](install|remove)[|]' \
            /var/log/dpkg.log.1 /var/log/dpkg.log /var/log/dnf.rpm.log /var/log/zypp/history 2>/dev/null </dev/null
    } | awk -v most="$package_lines" "$json$change_writer"
}

# dpkg: `2026-03-12 02:10:01 upgrade openssl:amd64 3.0.1 3.0.2`. dnf: `2026-03-12T02:10:01+0000 SUBDEBUG Upgrade: openssl-3.0.2`.
# zypper: `2026-03-12 02:10:01|install|openssl|3.0.2|x86_64|...`.
change_writer='
NR == 1 { offset = $1; zone = $2; next }
$0 == "= files" || $0 == "= packages" { part = $2; next }
part == "files" {
    time = $1; sub(/^[0-9]+ /, "")
    files = files (files == "" ? "" : ",") "{\"path\":" text($0) ",\"modified_utc\":" iso(time) "}"
    next
}
{ line[++lines] = $0; delete line[lines - most] }
function package(  before, version, part, time, action, name, word, one) {
    if (index($0, "|")) { split($0, part, "|"); time = part[1]; action = part[2]; name = part[3]; version = part[4] }
    else if ($1 ~ /T/) { time = $1; action = $3; sub(/:$/, "", action); name = $4 }
    else { time = $1 " " $2; action = $3; name = $4; before = $5; version = $6 }
    action = tolower(action)
    word = action ~ /^install/ ? "installed" : action ~ /^upgrade/ ? "upgraded" : "removed"
    if (before ~ /^</) before = ""
    if (version ~ /^</) version = ""
    one = "{\"time\":" text(substr(time, 1, 40)) ",\"action\":\"" word "\",\"name\":" text(substr(name, 1, 200))
    one = one ",\"before\":" text_or_null(substr(before, 1, 100)) ",\"version\":" text_or_null(substr(version, 1, 100)) "}"
    packages = packages (packages == "" ? "" : ",") one
}
END {
    for (i = lines > most ? lines - most + 1 : 1; i <= lines; i++) { $0 = line[i]; package() }
    print "{\"data\":{\"offset\":" text_or_null(offset) ",\"zone\":" text_or_null(zone) ",\"files\":[" files "],\"packages\":[" packages "]}}"
}
'
