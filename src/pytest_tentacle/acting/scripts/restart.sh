# Restarts one service of systemd, because a person asked for it; looks at it before, and for some seconds after. The
# request is in $r: lines of a word, a tab and a value. Nothing of it is ever evaluated. A mark stands before each answer.
LC_ALL=C
TZ=UTC0
export LC_ALL TZ
set -f
PATH=$PATH:/usr/sbin:/sbin
tab=$(printf '\t')
nonce=none
unit=
log=
watch=30
old_ifs=$IFS
IFS='
'
for line in $r; do
    value=${line#*"$tab"}
    case ${line%%"$tab"*} in
        nonce) nonce=$value ;;
        unit) unit=$value ;;
        log) log=$value ;;
        watch) watch=$value ;;
    esac
done
IFS=$old_ifs

mark() { printf '\n-----ACT %s %s-----\n' "$nonce" "$1"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n -- "$@"; fi
}

look() {
    systemctl show --no-pager \
        -p LoadState,ActiveState,SubState,Result,MainPID,ExecMainStartTimestamp,NRestarts -- "$unit" 2>&1 </dev/null
}

size_of() {
    size=0
    if [ -n "$log" ] && [ -r "$log" ]; then size=$(wc -c <"$log"); fi
    size=$((size + 0))
}

pid_in() { printf '%s\n' "$1" | sed -n 's/^MainPID=//p'; }

mark BEFORE
look
size_of
old_size=$size
begun=$(date +%s)
mark ASKED
answer=$(as_root systemctl restart -- "$unit" 2>&1 </dev/null)
code=$?
mark "ANSWERED $code"
printf '%s' "$answer"
first=
last=
passed=0
while :; do
    seen=$(look)
    if [ "$seen" != "$last" ]; then
        mark "LOOK $passed"
        printf '%s\n' "$seen"
        last=$seen
    fi
    pid=$(pid_in "$seen")
    if [ -z "$first" ] && [ -n "$pid" ] && [ "$pid" != 0 ]; then first=$pid; fi
    # It ended: whoever waits on sees no more than the next attempt.
    case $seen in
        *ActiveState=failed* | *ActiveState=inactive* | *SubState=auto-restart*) break ;;
    esac
    if [ -n "$first" ] && [ "$pid" != "$first" ]; then break; fi
    if [ "$passed" -ge "$watch" ]; then break; fi
    sleep 1
    passed=$((passed + 1))
done
mark "WATCHED $passed"
if [ -n "$log" ] && [ -r "$log" ]; then
    size_of
    mark LOG
    # A log that became shorter was begun anew.
    if [ "$size" -lt "$old_size" ]; then old_size=0; fi
    tail -c "+$((old_size + 1))" "$log" 2>/dev/null | tail -c 65536
fi
if command -v journalctl >/dev/null 2>&1; then
    mark JOURNAL
    journalctl -u "$unit" --since "@$begun" -n 60 --no-pager -o cat 2>/dev/null </dev/null | tail -c 16384
fi
mark DONE
