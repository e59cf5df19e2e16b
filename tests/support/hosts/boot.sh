# A host: its own root (an overlay over this machine's, kept in memory), and systemd as process 1 of its own namespaces.
# $1: its folder, $2: name, $3: the Python of the tests, $4: the checkout's sources.
set -e
folder=$1
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
cd "$folder/root"
mkdir -p dev proc sys run tmp lab/python lab/src lab/tests old
mount --rbind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind "$3" lab/python
mount --bind "$4" lab/src
mount --bind "$(dirname "$0")" lab/tests
for name in python src tests; do mount -o remount,bind,ro "lab/$name"; done
mkdir -p run/sshd
hostname "$2"
pivot_root . old
umount -l /old
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=lab.target \
    --log-level=err --log-target=null --show-status=0
