# What governs the instances from outside: proxies, TLS policy, rights. Notes are read as in surroundings.sh.

# Proxies of the services' own environment (systemd, its files included) and of the machine (/etc/environment, which
# services do not read). Passwords are gone before anything is kept.
section_proxies() {
    case $services in
        '{"unknown"'*)
            unknown 'the services could not be read, and so not their environment'
            return
            ;;
    esac
    case $newline$service_notes in
        *"${newline}unread$tab"*)
            unread=${service_notes##*"unread$tab"}
            unread=${unread%%"$newline"*}
            unknown "the service's environment was not read whole: ${unread#*"$tab"}"
            return
            ;;
    esac
    case $service_notes$system in
        *_[Pp][Rr][Oo][Xx][Yy]*) ;;
        *)
            echo '{"data":[]}'
            return
            ;;
    esac
    printf '%s\n=system\n%s\n' "$service_notes" "$system" | awk "$json$of_file"'
    function keep(layer, account, name, value,  place, own) {
        place = layer "\t" account; own = name; name = tolower(name)
        if (!(place in known)) { known[place]; order[++count] = place }
        if (value != "" && (!((place, name) in setting) || own == name)) setting[place, name] = value
    }
    $0 == "=system" { in_system = 1; next }
    !in_system { if (split($0, field, "\t") >= 3 && field[1] == "proxy") keep("service-environment", field[2], field[3], field[4]); next }
    of("/etc/environment") {
        sub(/^[ \t]*(export[ \t]+)?/, ""); at = index($0, "="); name = substr($0, 1, at - 1); value = substr($0, at + 1)
        if (tolower(name) !~ /^(https?|all|no)_proxy$/) next
        gsub(/^[ \t]*["\047]?|["\047]?[ \t\r]*$/, "", value); keep("environment", "", name, without_password(value))
    }
    END { split("https_proxy all_proxy http_proxy", names, " ")
        for (i = 1; i <= count; i++) {
            split(order[i], part, "\t"); split("", told)
            for (k = 1; k <= 3; k++) {
                address = setting[order[i], names[k]]; if (address == "" || address in told) continue
                told[address]
                list = list (list == "" ? "" : ",") "{\"layer\":\"" part[1] "\",\"account\":" text_or_null(part[2]) \
                    ",\"enabled\":true,\"address\":" text(address) ",\"bypass\":" text_or_null(setting[order[i], "no_proxy"]) "}"
            } }
        print "{\"data\":[" list "]}" }'
}

# OpenSSL's version and what the system allows it: its own configuration, or RHEL's crypto policy, which wins there.
section_tls() {
    if ! has openssl; then
        unknown 'this machine has no openssl command, so its TLS library cannot be asked'
        return
    fi
    library=$(bounded_last 5 openssl version 2>&1 </dev/null)
    code=$?
    if [ "$code" -ne 0 ]; then
        complaint 'openssl version' "$code" "$library"
        unknown "$complained"
        return
    fi
    if timed_out "$system_code"; then
        complaint 'reading the configuration of OpenSSL' "$system_code" ''
        unknown "$complained"
        return
    fi
    {
        printf '%s\n' "${library%%"$newline"*}"
        bounded 5 openssl ciphers -s -stdname 2>/dev/null </dev/null
        printf '=system\n%s\n' "$system"
    } | awk "$json$of_file$tls_reader"
}

# The last setting of a name wins, as in OpenSSL. Sections are not followed: the names stand for the system's default
# only where the file is that of the system, which it is here. The policy's own file counts where OpenSSL's names it.
tls_reader='
NR == 1 { library = $0; next }
$0 == "=system" { in_system = 1; next }
!in_system { if ($1 ~ /_/ && !($1 in seen)) { seen[$1]; ciphers = ciphers (ciphers == "" ? "" : ",") text($1) } next }
/^grep: .*ermission denied/ { if (match($0, /\/etc\/(ssl|pki\/tls)\/openssl\.cnf/)) denied = substr($0, RSTART, RLENGTH); next }
of("/proc/sys/crypto/fips_enabled") { if ($1 == "1") fips = "true"; next }
of("/etc/crypto-policies/config") { if ($1 ~ /^FIPS/) fips = "true"; next }
of("/etc/ssl/openssl.cnf") || of("/etc/pki/tls/openssl.cnf") || (follows && of("/etc/crypto-policies/back-ends/opensslcnf.config")) {
    if (/crypto-policies/) follows = 1
    sub(/#.*$/, ""); at = index($0, "="); if (!at) next
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
    old_ifs=$IFS
    IFS=$newline
    for line in $instance_notes; do
        case $line in "instance$tab"*) ;; *) continue ;; esac
        IFS=$tab
        # shellcheck disable=SC2086  # tab-separated fields, and set -f is on
        set -- $line
        IFS=$newline
        # The unit that names it, else one that names none where it is the default.
        account=
        for unit in $service_notes; do
            case $unit/$3 in
                "unit$tab"*"$tab$2$tab$3$tab"*) ;;
                "unit$tab"*"$tab$2$tab-$tab"*/Tentacle | "unit$tab"*"$tab$2$tab-$tab"*/OctopusServer)
                    if [ -n "$account" ]; then continue; fi
                    ;;
                *) continue ;;
            esac
            account=${unit#*"$tab$2$tab"*"$tab"}
            account=${account%%"$tab"*}
            case $unit in "unit$tab"*"$tab$2$tab$3$tab"*) break ;; esac
        done
        if [ -n "$account" ]; then instance_rights "$2" "$3" "$account" "$5" "$4"; fi
    done | awk "$json$rights_reader"
    IFS=$old_ifs
}

# $1 product, $2 instance, $3 account, $4 home, $5 configuration file. IFS is a line end.
instance_rights() {
    groups=$(bounded_last 5 id -Gn "$3" 2>/dev/null </dev/null)
    known=$?
    inside=$(bounded_last 5 ls -A "$4" 2>/dev/null </dev/null)
    listable=$?
    printf '=instance\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n' "$1" "$2" "$3" "$4" "$groups" "$known" "$listable"
    configuration=$5
    top=$4
    set -- "$4"
    count=0
    for child in $inside; do
        count=$((count + 1))
        if [ "$count" -gt 50 ]; then continue; fi
        set -- "$@" "$top/$child"
        if [ "$top/$child" = "$configuration" ]; then configuration=; fi
    done
    if [ -n "$configuration" ] && [ "$configuration" != "$top" ]; then set -- "$@" "$configuration"; fi
    printf '%s\n' "$count"
    # All of them in one call, and one by one only where that one failed.
    shown=$(bounded_last 5 stat -L -c '%U %G %a %n' "$@" 2>/dev/null </dev/null)
    if [ $? -eq 0 ]; then
        printf '=paths\n'
        printf '%s\n' "$@"
        printf '=rights\n%s\n' "$shown"
        return
    fi
    printf '=each\n'
    for one in "$@"; do
        shown=$(bounded_last 3 stat -L -c '%U %G %a %n' "$one" 2>&1 </dev/null)
        if [ $? -eq 0 ]; then
            printf 'rights %s\n%s\n' "${shown%%"$newline"*}" "$one"
        else
            file_error "$shown"
            printf 'error %s\n%s\n' "$file_error" "$one"
        fi
    done
}

rights_reader='
function octal(s,  i, n) { for (i = 1; i <= length(s); i++) n = n * 8 + substr(s, i, 1); return n + 0 }
function entry(path, rest) { looked++; access = access (access == "" ? "" : ",") "{\"path\":" text(path) rest "}" }
function rights(path, owner, group, mode) { entry(path, ",\"owner\":" text(owner) ",\"group\":" text(group) ",\"mode\":" octal(mode)) }
function finish(  i, n, word, groups) {
    if (lines == 0) return
    for (i = 1; i <= paths; i++) { split(right[i], word, " "); rights(path_of[i], word[1], word[2], word[3]) }
    n = split(line[5], word, " "); for (i = 1; i <= n; i++) groups = groups (i > 1 ? "," : "") text(word[i])
    list = list (list == "" ? "" : ",") "{\"product\":" text(line[1]) ",\"instance\":" text(line[2]) ",\"account\":" text(line[3]) \
        ",\"home\":" text(line[4]) ",\"groups\":[" groups "],\"groups_complete\":" (line[6] == 0 ? "true" : "false") \
        ",\"access\":[" access "],\"looked_at\":" looked + 0 ",\"complete\":" (line[7] == 0 && line[8] <= 50 ? "true" : "false") "}"
    lines = paths = shown = looked = 0; access = ""
}
$0 == "=instance" { finish(); part = $0; next }
/^=(paths|rights|each)$/ { part = $0; next }
part == "=instance" { line[++lines] = $0; next }
part == "=paths" { path_of[++paths] = $0; next }
part == "=rights" { right[++shown] = $0; next }
waiting == "" { waiting = $0; next }
{ split(waiting, word, " "); waiting = ""
  if (word[1] == "error") entry($0, ",\"error\":" text(word[2])); else rights($0, word[2], word[3], word[4]) }
END { finish(); print "{\"data\":[" list "]}" }
'
