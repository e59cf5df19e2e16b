# Runs the commands that a person has seen and agreed to, one after the other, as far as the first that fails. The request
# is in $r: lines of a word, a tab and a value. A mark stands before each command's output, and one behind it.
LC_ALL=C
TZ=UTC0
export LC_ALL TZ
set -f
PATH=$PATH:/usr/sbin:/sbin
tab=$(printf '\t')
nonce=none
number=0
old_ifs=$IFS
IFS='
'

mark() { printf '\n-----ACT %s %s-----\n' "$nonce" "$1"; }

# Who is root already needs no sudo, and nobody is there to type a password.
sudo='sudo() { if [ "$(id -u)" = 0 ]; then "$@"; else command sudo -n -- "$@"; fi; }
'
for line in $r; do
    value=${line#*"$tab"}
    case ${line%%"$tab"*} in
        nonce) nonce=$value ;;
        command)
            number=$((number + 1))
            mark "BEGIN $number"
            IFS=$old_ifs
            sh -c "$sudo$value" </dev/null 2>&1
            code=$?
            IFS='
'
            mark "END $number $code"
            if [ "$code" -ne 0 ]; then break; fi
            ;;
    esac
done
mark DONE
