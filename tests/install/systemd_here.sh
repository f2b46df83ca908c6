# A systemd of the test's own: `unshare --mount sh systemd_here.sh FOLDER GROUP`, until standard input ends.
# It is a user's instance, with a /run and /tmp of its own, units from FOLDER/units alone, and cgroups below GROUP.
set -e
folder=$1 group=$2
mount --make-rprivate /
mount --bind "$folder" /mnt
mount -t tmpfs none /run
mkdir -p /run/systemd/system
mkdir -m 700 /run/user
for nodes in /run/systemd/inaccessible /run/user/systemd/inaccessible; do # what paths are hidden behind
    mkdir -p $nodes
    mkdir -m 000 $nodes/dir
    touch $nodes/reg
    mkfifo $nodes/fifo
    mknod $nodes/chr c 0 0
    mknod $nodes/blk b 0 0
done
mount -t tmpfs none /tmp
mkdir -p "$folder"
mount --bind /mnt "$folder"
umount /mnt
for tree in systemd unified; do
    if [ -d /sys/fs/cgroup/$tree ]; then
        mkdir -p "/sys/fs/cgroup/$tree/$group"
        echo $$ > "/sys/fs/cgroup/$tree/$group/cgroup.procs"
    fi
done
export HOME="$folder/home" XDG_RUNTIME_DIR=/run/user SYSTEMD_UNIT_PATH="$folder/units"
/lib/systemd/systemd --user --log-target=console --log-level=info < /dev/null > "$folder/systemd.log" 2>&1 &
while read -r command; do
    sh -c "$command" 2>&1 || true
    echo "=== $?"
done
systemctl --user exit > /dev/null 2>&1 || true
wait
