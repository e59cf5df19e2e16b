# What governs the instances from outside: proxies, TLS policy, rights. Notes are read as in linux_surroundings.sh.

# Proxies of the services' own environment (systemd, its files included) and of the machine (/etc/environment, which
# services do not read). Passwords are gone before anything is kept.
section_proxies() {
    tick
    case $services in
        '{"unknown"'*)
            unknown 'the services could not be read, and so not their environment'
            return
            ;;
    esac
    unread=$(printf '%s\n' "$service_notes" | awk -F '\t' '$1 == "unread" { print $3; exit }')
    if [ -n "$unread" ]; then
        unknown "the service's environment file $unread may not be read"
        return
    fi
    listed "$({
        printf '%s\n' "$service_notes" | sed -n "s/^proxy$tab/service-environment$tab/p"
        limit "$(within 3)" cat /etc/environment 2>/dev/null </dev/null | awk "$json"'
            { sub(/^[ \t]*(export[ \t]+)?/, ""); at = index($0, "="); name = substr($0, 1, at - 1); value = substr($0, at + 1) }
            tolower(name) ~ /^(https?|all|no)_proxy$/ {
                gsub(/^[ \t]*["\047]?|["\047]?[ \t\r]*$/, "", value)
                print "environment\t\t" name "\t" without_password(value) }'
    } | awk -F '\t' "$json"'
    { place = $1 "\t" $2; name = tolower($3); if (!(place in known)) { known[place]; order[++count] = place }
      if ($4 != "" && (!((place, name) in value) || $3 == name)) value[place, name] = $4 }
    END { split("https_proxy all_proxy http_proxy", names, " ")
        for (i = 1; i <= count; i++) {
            split(order[i], part, "\t"); split("", told)
            for (k = 1; k <= 3; k++) {
                address = value[order[i], names[k]]; if (address == "" || address in told) continue
                told[address]
                printf ",{\"layer\":\"%s\",\"account\":%s,\"enabled\":true,\"address\":%s,\"bypass\":%s}", part[1],
                    text_or_null(part[2]), text(address), text_or_null(value[order[i], "no_proxy"])
            } } }')"
}

# OpenSSL's version and what the system allows it: its own configuration, or RHEL's crypto policy, which wins there.
section_tls() {
    tick
    if ! has openssl; then
        unknown 'this machine has no openssl command, so its TLS library cannot be asked'
        return
    fi
    library=$(limit "$(within 5)" openssl version 2>&1 </dev/null)
    code=$?
    if [ "$code" -ne 0 ]; then
        unknown "$(complaint 'openssl version' "$code" "$library")"
        return
    fi
    {
        printf 'library %s\n' "${library%%"$newline"*}"
        for file in /etc/ssl/openssl.cnf /etc/pki/tls/openssl.cnf; do
            content=$(limit "$(within 3)" cat "$file" 2>&1 </dev/null)
            if [ $? -eq 0 ]; then
                printf '%s\n' "$content" | sed 's/^/own /'
                case $content in
                    *crypto-policies*)
                        limit "$(within 3)" cat /etc/crypto-policies/back-ends/opensslcnf.config 2>/dev/null </dev/null | sed 's/^/own /'
                        ;;
                esac
            elif [ "$(file_error "$content")" = denied ]; then
                echo "denied $file"
            fi
        done
        limit "$(within 3)" cat /etc/crypto-policies/config 2>/dev/null </dev/null | sed 's/^/policy /'
        limit "$(within 3)" cat /proc/sys/crypto/fips_enabled 2>/dev/null </dev/null | sed 's/^/fips /'
        limit "$(within 5)" openssl ciphers -s -stdname 2>/dev/null </dev/null | sed 's/^/cipher /'
    } | awk "$json$tls_reader"
}

# The last setting of a name wins, as in OpenSSL. Sections are not followed: the names stand for the system's default
# only where the file is that of the system, which it is here.
tls_reader='
$1 == "library" { sub(/^library /, ""); library = $0 }
$1 == "denied" { denied = $2 }
$1 == "fips" && $2 == "1" { fips = "true" }
$1 == "policy" && $2 !~ /^#/ && $2 ~ /^FIPS/ { fips = "true" }
$1 == "cipher" && $2 ~ /_/ && !($2 in seen) { seen[$2]; ciphers = ciphers (ciphers == "" ? "" : ",") text($2) }
$1 == "own" {
    sub(/^own /, ""); sub(/#.*$/, ""); at = index($0, "="); if (!at) next
    name = substr($0, 1, at - 1); value = substr($0, at + 1); gsub(/^[ \t]+|[ \t]+$/, "", name); gsub(/^[ \t]+|[ \t\r]+$/, "", value)
    sub(/^TLS\./, "", name)
    if (name == "MinProtocol") minimum = value
    else if (name == "Groups" || name == "Curves") groups = value
    else if (name == "default_properties" && value ~ /fips *= *yes/) fips = "true"
}
END {
    if (denied != "") { print "{\"unknown\":" text(denied " may not be read") "}"; exit }
    n = split(groups, group, ":"); for (i = 1; i <= n; i++) curves = curves (i > 1 ? "," : "") text(group[i])
    print "{\"data\":{\"library\":" text(library) ",\"minimum\":" text_or_null(minimum) \
        ",\"cipher_suites\":" (ciphers == "" ? "null" : "[" ciphers "]") ",\"curves\":" (curves == "" ? "null" : "[" curves "]") \
        ",\"fips\":" (fips == "" ? "false" : fips) "}}"
}
'

# Owner, group and mode of each instance's home, what lies in it, and its configuration file; the account's groups.
section_permissions() {
    tick
    case $services in
        '{"unknown"'*)
            unknown "the services could not be read, and so not the account that they run as"
            return
            ;;
    esac
    if ! has stat; then
        unknown 'this machine has no stat, so owners and modes cannot be read'
        return
    fi
    listed "$(printf '%s\n' "$instance_notes" | while IFS=$tab read -r word product name path home work; do
        if [ "$word" != instance ]; then continue; fi
        account=$(printf '%s\n' "$service_notes" | PRODUCT=$product INSTANCE=$name awk -F '\t' '
            $1 == "unit" && $3 == ENVIRON["PRODUCT"] && ($4 == ENVIRON["INSTANCE"] || $4 == "-") { print $5; exit }')
        if [ -n "$account" ]; then
            tick
            instance_rights "$product" "$name" "$account" "$home" "$path"
        fi
    done)"
}

# $1 product, $2 instance, $3 account, $4 home, $5 configuration file.
instance_rights() {
    groups=$(limit "$(within 5)" id -Gn "$3" 2>/dev/null </dev/null)
    known=$?
    inside=$(limit "$(within 5)" ls -A "$4" 2>/dev/null </dev/null)
    listable=$?
    {
        printf '%s\n' "$1" "$2" "$3" "$4" "$groups" "$known" "$listable"
        {
            printf '%s\n' "$4"
            printf '%s\n' "$inside" | sed -n '1,50{/./p;}' | while IFS= read -r child; do printf '%s\n' "$4/$child"; done
            printf '%s\n' "$5"
        } | awk '!($0 in seen) { seen[$0]; print }' | rights_of
        printf '%s\n' "$inside" | grep -c . | sed 's/^/inside /'
    } | awk "$json"'
    function octal(s,  i, n) { for (i = 1; i <= length(s); i++) n = n * 8 + substr(s, i, 1); return n + 0 }
    NR <= 7 { line[NR] = $0; next }
    $1 == "inside" { inside = $2; next }
    $1 == "error" { error = $2; sub(/^error [^ ]* /, ""); looked++
        list = list (list == "" ? "" : ",") "{\"path\":" text($0) ",\"error\":" text(error) "}"; next }
    $1 == "rights" { owner = $2; group = $3; mode = $4; sub(/^rights [^ ]* [^ ]* [^ ]* /, ""); looked++
        list = list (list == "" ? "" : ",") "{\"path\":" text($0) ",\"owner\":" text(owner) ",\"group\":" text(group) ",\"mode\":" octal(mode) "}" }
    END { n = split(line[5], group_of, " "); for (i = 1; i <= n; i++) groups = groups (i > 1 ? "," : "") text(group_of[i])
        printf ",{\"product\":%s,\"instance\":%s,\"account\":%s,\"home\":%s,\"groups\":[%s],\"groups_complete\":%s", text(line[1]),
            text(line[2]), text(line[3]), text(line[4]), groups, line[6] == 0 ? "true" : "false"
        printf ",\"access\":[%s],\"looked_at\":%d,\"complete\":%s}", list, looked, line[7] == 0 && inside <= 50 ? "true" : "false" }'
}

# Paths on stdin as `rights <owner> <group> <mode> <path>`, or `error <word> <path>`; all of them in one call of stat,
# and one by one only where that one failed.
rights_of() {
    paths=$(cat)
    if [ -z "$paths" ]; then return; fi
    old_ifs=$IFS
    IFS=$newline
    # shellcheck disable=SC2086  # one path a line, and set -f is on
    set -- $paths
    IFS=$old_ifs
    shown=$(limit "$(within 5)" stat -L -c '%U %G %a %n' "$@" 2>/dev/null </dev/null)
    if [ $? -eq 0 ]; then
        { printf '%s\n' "$shown" | sed 's/^/shown /' && printf 'path %s\n' "$@"; } | awk '
            $1 == "shown" { right[++count] = $2 " " $3 " " $4; next }
            { sub(/^path /, ""); print "rights " right[++at] " " $0 }'
        return
    fi
    for one in "$@"; do
        shown=$(limit "$(within 3)" stat -L -c '%U %G %a %n' "$one" 2>&1 </dev/null)
        if [ $? -eq 0 ]; then
            printf '%s\n' "$shown" | ONE=$one awk 'NR == 1 { print "rights " $1 " " $2 " " $3 " " ENVIRON["ONE"] }'
        else
            printf 'error %s %s\n' "$(file_error "$shown")" "$one"
        fi
    done
}
