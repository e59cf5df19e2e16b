# Runs one command that a person has seen and agreed to. The request is in $r: lines of a word, a tab and a value. A mark
# stands before the command's output, and one behind it.
LC_ALL=C
TZ=UTC0
export LC_ALL TZ
set -f
PATH=$PATH:/usr/sbin:/sbin
tab=$(printf '\t')
nonce=none
number=1
command=false
old_ifs=$IFS
IFS='
'
for line in $r; do
    value=${line#*"$tab"}
    case ${line%%"$tab"*} in
        nonce) nonce=$value ;;
        number) number=$value ;;
        command) command=$value ;;
    esac
done
IFS=$old_ifs

mark() { printf '\n-----ACT %s %s-----\n' "$nonce" "$1"; }

# Who is root already needs no sudo, and nobody is there to type a password.
sudo='sudo() { if [ "$(id -u)" = 0 ]; then "$@"; else command sudo -n -- "$@"; fi; }
'
mark "BEGIN $number"
sh -c "$sudo$command" </dev/null 2>&1
code=$?
mark "END $number $code"
mark DONE
