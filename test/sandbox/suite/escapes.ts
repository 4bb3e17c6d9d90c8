/**
 * Ways out of the fence, as data. Each runs as a shell line inside. It got through when it printed a canary or THROUGH, or
 * when anything of the person's changed on the host. Names it may use: $OUT a folder of the person's with `secret.txt`
 * (CANARY-out), $REPO the main checkout with an untracked `.env`, $SIBLING another task's worktree, $DATA the folder of
 * Signalbox, $PERSON the person's home, $PORT a server on the host's loopback, $SOCKET its Unix socket, $ABSTRACT the
 * name of its abstract one. `p` is perl with the socket and system call names it needs.
 */
export interface Row {
  name: string;
  run: string;
}

const p = (text: string) => `perl -e 'use Socket; ${text}'`;
/** A system call by its numbers on x86-64 and arm64: through when it succeeds. */
const call = (x64: number, arm64: number, args: string) =>
  p(`my $n = (\`uname -m\` =~ /x86/) ? ${x64} : ${arm64}; my $r = syscall($n, ${args}); print "THROUGH $r\\n" if $r >= 0;`);

const reading: Row[] = [
  { name: 'the person’s keys by absolute path', run: 'cat $PERSON/.ssh/* $PERSON/.aws/* $PERSON/.netrc $PERSON/.npmrc $PERSON/.gitconfig' },
  {
    name: 'the person’s keys by ~ and by /proc',
    run: 'cat ~/.ssh/id_rsa ~/.netrc; cat /proc/self/root$PERSON/.ssh/id_rsa /proc/1/root$PERSON/.ssh/id_rsa',
  },
  { name: 'a folder of the person’s', run: 'cat $OUT/secret.txt; ls $OUT; find / -name secret.txt -exec cat {} + 2>/dev/null' },
  {
    name: 'untracked and ignored files of the main checkout',
    run: 'cat $REPO/.env $REPO/untracked.txt; git -C $REPO show :untracked.txt; ls $REPO',
  },
  {
    name: 'tokens in the repository’s settings',
    run: 'cat $REPO/.git/config* $REPO/.git/*/config*; git config --list --show-origin; git remote -v',
  },
  { name: 'a sibling’s worktree', run: 'cat $SIBLING/sibling.txt; ls $SIBLING; git --work-tree=$SIBLING diff' },
  {
    name: 'a sibling’s index and unharvested work',
    run: 'cat $REPO/.git/worktrees/*/index | strings | grep sibling; git show signalbox-other:sibling.txt',
  },
  { name: 'the app’s own data', run: 'ls $DATA && echo THROUGH; cat $DATA/secrets.json $DATA/*/*.json $DATA/core.lock' },
  { name: 'the environment of any process', run: 'env; cat /proc/*/environ | tr "\\0" "\\n"' },
  {
    name: 'command lines, memory maps and folders of process 1',
    run: 'cat /proc/1/environ; ls /proc/1/cwd/ /proc/1/fd/ && echo THROUGH; cat /proc/1/mem',
  },
  {
    name: 'the root of every process',
    run: 'for r in /proc/[0-9]*/root /proc/[0-9]*/cwd; do cat $r/$OUT/secret.txt $r/oldroot/$OUT/secret.txt; done',
  },
  {
    name: 'inherited descriptors',
    run: 'for f in $(seq 0 255); do cat /proc/self/fd/$f/../../../../../../../..$OUT/secret.txt; done; for f in $(seq 3 60); do [ -e /proc/$$/fd/$f ] && readlink /proc/$$/fd/$f | grep -v "^/proc/" && echo THROUGH; done',
  },
  {
    name: 'a walk up through ..',
    run: 'cat ../../../../../../../../../..$OUT/secret.txt; cd /proc/self/cwd/../../../../../../..$OUT && cat secret.txt',
  },
  { name: 'symlinks to the outside', run: 'ln -sfn $OUT out; cat out/secret.txt; ln -sf $REPO/.env env; cat env' },
  { name: 'hard links to the outside', run: 'ln $OUT/secret.txt hard && cat hard; ln /etc/passwd hard2 && echo THROUGH' },
  { name: 'the old root that a launcher leaves', run: 'ls -d /oldroot /newroot /.oldroot && echo THROUGH; cat /oldroot$OUT/secret.txt' },
  { name: 'files by inode number', run: call(304, 265, '3, "\\0" x 128, 0') },
  { name: 'host secrets in /etc', run: 'cat /etc/shadow /etc/sudoers /etc/ssh/* /etc/machine-id && echo THROUGH' },
  {
    name: 'host folders: /root /home /var /run /sys /boot /mnt /srv',
    run: 'for d in /var/lib /var/log /run /sys/kernel /boot /mnt /media /srv /lost+found; do ls -A $d 2>/dev/null | grep -q . && echo THROUGH $d; done',
  },
  {
    name: 'block devices and kernel memory',
    run: 'for d in /dev/vda /dev/sda /dev/nvme0n1 /dev/mem /dev/kmsg /dev/fuse /dev/kvm /dev/loop0 /dev/net/tun /proc/kcore; do head -c 1 $d >/dev/null 2>&1 && echo THROUGH $d; done',
  },
  { name: 'kernel messages', run: `dmesg && echo THROUGH; ${call(103, 116, '10, 0, 0')}` },
  {
    name: 'keyrings',
    run: [call(250, 219, '0, -3, 0'), call(248, 217, '"user", "x", "y", 1, -3'), call(249, 218, '"user", "x", 0, 0')].join('; '),
  },
  { name: 'objects of what was never committed', run: 'git cat-file --batch-all-objects --batch | grep -a CANARY-untracked' },
  {
    name: 'alternates to another store',
    run: 'C=$(git rev-parse --git-common-dir); cp $C/objects/info/alternates a; echo $DATA/checkpoints >> $C/objects/info/alternates; git cat-file --batch-all-objects --batch | grep -a CANARY; cp a $C/objects/info/alternates',
  },
];

const writing: Row[] = [
  {
    name: 'files outside',
    run: 'echo x > $OUT/new; echo x >> $OUT/secret.txt; rm -rf $OUT/*; touch $PERSON/.bashrc /usr/bin/ls /etc/ld.so.preload $REPO/new',
  },
  { name: 'through a symlink', run: 'ln -sfn $OUT o; echo x > o/new; ln -sf $OUT/secret.txt s; echo x > s' },
  {
    name: 'the real git directory by its path',
    run: 'G=$(git rev-parse --git-common-dir); echo "#!/bin/sh" > $G/hooks/post-commit; echo "[core]fsmonitor=x" >> $G/config; rm -rf $G/refs/heads/main; mkdir -p $REPO/.git/hooks; echo x > $REPO/.git/hooks/pre-push',
  },
  {
    name: 'the real objects',
    run: 'rm -rf /signalbox/objects/0/*; echo x > /signalbox/objects/0/pack/x; git gc --prune=now -q; git prune',
  },
  {
    name: 'the pointer to the git directory',
    run: 'rm -f .git; mv .git .git2; echo "gitdir: /tmp/evil" > .git; mv -T /tmp .git; perl -e \'rename("a.txt", ".git")\'; ln -sf /tmp/x .git',
  },
  {
    name: 'another worktree added over the sibling',
    run: 'git worktree add -f $SIBLING HEAD; git worktree remove -f $SIBLING; git worktree prune',
  },
  {
    name: 'folders above the mounts replaced by a link to the old root',
    run: 'for area in /tmp "$HOME"; do for d in $area/* $area/.[a-z]* $area/*/*; do [ -d "$d" ] && mv "$d" "$d.moved" && ln -s /oldroot$OUT "$d" && echo moved; done; done; cd $(dirname $PWD) && mv -T . ../x; true',
  },
  {
    name: 'and the same, raced by a daemon',
    run: 'setsid perl -e \'for (1..20000) { for my $d (glob("/tmp/*")) { rename($d, "$d.x") and symlink("/oldroot$ENV{OUT}", $d) } }\' >/dev/null 2>&1 & sleep 0.2',
  },
  {
    name: 'a link where a tool’s folder may be mounted later',
    run: 'ln -s /oldroot$OUT ~/.nvm; ln -s /oldroot$OUT ~/.local/bin; ls -ld ~/.nvm',
  },
  {
    name: 'what a login shell outside would read',
    run: 'echo "touch $OUT/pwned" | tee ~/.bashrc ~/.profile ~/.zshenv ~/.bash_profile >/dev/null; printf "[core]\\n\\tfsmonitor = touch $OUT/pwned\\n" > ~/.gitconfig',
  },
  {
    name: 'kernel settings',
    run: 'for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sys/fs/binfmt_misc/register /proc/sysrq-trigger /proc/sys/kernel/hostname /proc/self/attr/exec; do (echo x > $f) 2>/dev/null && echo THROUGH $f; done',
  },
  {
    name: 'anything writable in /proc or /sys',
    run: 'find /proc /sys -path "/proc/[0-9]*" -prune -o -path /proc/self -prune -o -path /proc/thread-self -prune -o -type f -writable -print 2>/dev/null | sed "s/^/THROUGH /"',
  },
  {
    name: 'cgroups',
    run: 'mkdir /sys/fs/cgroup/x && echo THROUGH; find / -name release_agent -writable 2>/dev/null | sed "s/^/THROUGH /"; mount -t cgroup2 none /tmp && echo THROUGH',
  },
  {
    name: 'setuid bits, in every way',
    run: [
      'cp /bin/sh sh; chmod u+s sh; chmod 6755 sh',
      'install -m 4755 /bin/sh sh2',
      'mkdir -m 2777 d',
      p('sysopen(F, "s3", 0101, 04755); mkdir("d2", 02755); chmod 04755, "s3"; open(G, ">s4"); chmod(04755, *G);'),
      'find . -perm /6000 | sed "s/^/THROUGH /"',
    ].join('; '),
  },
  {
    name: 'device nodes',
    run: 'mknod n b 254 0 && head -c1 n >/dev/null && echo THROUGH; mknod m c 1 1 && head -c1 m > /dev/null && echo THROUGH',
  },
  {
    name: 'file capabilities and immutable flags',
    run: 'cp /bin/true t; setcap cap_sys_admin+ep t && echo THROUGH; chattr +i t && echo THROUGH',
  },
];

const network: Row[] = [
  {
    name: 'the host’s loopback',
    run: '(exec 3<>/dev/tcp/127.0.0.1/$PORT) && echo THROUGH; (exec 3<>/dev/tcp/::1/$PORT) && echo THROUGH; (exec 3<>/dev/tcp/0.0.0.0/$PORT) && echo THROUGH',
  },
  { name: 'the host by its own addresses', run: 'for a in $ADDRESSES; do (exec 3<>/dev/tcp/$a/$PORT) && echo THROUGH; done' },
  {
    name: 'a Unix socket by path',
    run: p('socket(S,AF_UNIX,SOCK_STREAM,0); connect(S, sockaddr_un($ENV{SOCKET})) and print "THROUGH\\n"'),
  },
  {
    name: 'an abstract Unix socket',
    run: p('socket(S,AF_UNIX,SOCK_STREAM,0); connect(S, pack("S a*", 1, "\\0$ENV{ABSTRACT}")) and print "THROUGH\\n"'),
  },
  {
    name: 'docker, D-Bus, ssh-agent, X11',
    run: 'for s in /run/docker.sock /var/run/docker.sock /run/dbus/system_bus_socket /run/user/*/bus /tmp/.X11-unix/X0 /tmp/ssh-*/agent*; do [ -e $s ] && echo THROUGH $s; done',
  },
  {
    name: 'the outside and its names',
    run: 'timeout 2 bash -c "exec 3<>/dev/tcp/1.1.1.1/443" && echo THROUGH; getent hosts example.com && echo THROUGH; timeout 2 bash -c "echo x > /dev/udp/8.8.8.8/53" && echo THROUGH',
  },
  { name: 'the metadata address', run: 'timeout 2 bash -c "exec 3<>/dev/tcp/169.254.169.254/80" && echo THROUGH' },
  {
    name: 'an interface other than lo',
    run: 'tail -n +3 /proc/net/dev | grep -v " lo:" | sed "s/^/THROUGH /"; ip link add d type dummy && echo THROUGH; ip link set lo down && echo THROUGH',
  },
  {
    name: 'raw and packet sockets',
    run: p(
      'socket(S,2,3,1) and print "THROUGH raw\\n"; socket(S,10,3,58) and print "THROUGH raw6\\n"; socket(S,17,3,3) and print "THROUGH packet\\n"; socket(S,2,10,3) and print "THROUGH old packet\\n"; socket(S,17,2,3) and print "THROUGH dgram packet\\n"',
    ),
  },
  { name: 'vsock', run: p('socket(S,40,1,0) and print "THROUGH\\n"; socket(S,40,2,0) and print "THROUGH\\n"') },
  {
    name: 'odd socket families',
    run: p('for my $f (3..9, 11..15, 18..46) { for my $t (1,2,3,5) { socket(S,$f,$t,0) and print "THROUGH $f $t\\n" } }'),
  },
  { name: 'netlink beyond routes', run: p('for my $k (1..22) { socket(S,16,3,$k) and print "THROUGH $k\\n" }') },
  { name: 'socket pairs of odd families', run: p('for my $f (2,16,17,38,40) { socketpair(A,B,$f,1,0) and print "THROUGH $f\\n" }') },
];

const kernel: Row[] = [
  {
    name: 'capabilities',
    run: 'grep -E "^Cap(Inh|Prm|Eff|Amb):" /proc/self/status | grep -v 0000000000000000 | sed "s/^/THROUGH /"; grep -q "NoNewPrivs:.1" /proc/self/status || echo THROUGH',
  },
  {
    name: 'new namespaces',
    run: [
      'for n in -U -m -n -p -i -u -C -T; do unshare $n true 2>/dev/null && echo THROUGH $n; done',
      call(272, 97, '0x10000000'),
      call(272, 97, '0x80'),
      p(
        'my $n = (`uname -m` =~ /x86/) ? 56 : 220; for my $f (0x10000000, 0x20000, 0x40000000, 0x20000000) { my $r = syscall($n, $f | 17, 0, 0, 0, 0); if ($r == 0) { exit } print "THROUGH $f\\n" if $r > 0 }',
      ),
    ].join('; '),
  },
  { name: 'clone3', run: call(435, 435, '"\\0" x 88, 88') },
  { name: 'bwrap in the fence', run: 'bwrap --ro-bind / / true && echo THROUGH; bwrap --unshare-all --ro-bind / / true && echo THROUGH' },
  {
    name: 'setns to process 1',
    run: 'nsenter -t 1 -a true && echo THROUGH; nsenter -t 1 -n true && echo THROUGH; nsenter -t 1 -U true && echo THROUGH',
  },
  {
    name: 'setns to descriptors of a sibling process',
    run: p(
      'for my $d (glob("/proc/[0-9]*/ns/*"), glob("/proc/self/fd/*")) { open(F, "<", $d) or next; my $n = (`uname -m` =~ /x86/) ? 308 : 268; syscall($n, fileno(F), 0) == 0 and print "THROUGH $d\\n" }',
    ),
  },
  {
    name: 'mount, umount, remount',
    run: `mount -t tmpfs x /tmp && echo THROUGH; mount -o remount,rw / && echo THROUGH; umount .git && echo THROUGH; umount -l /proc/sys && echo THROUGH; ${call(165, 40, '"x", "/tmp", "tmpfs", 0, 0')}`,
  },
  {
    name: 'the new mount interface',
    run: [
      call(428, 428, '-100, "/", 1'),
      call(430, 430, '"tmpfs", 0'),
      call(442, 442, '-100, "/", 0, "\\0" x 32, 32'),
      call(467, 467, '-100, "/", 1, "\\0" x 32, 32'),
    ].join('; '),
  },
  { name: 'chroot and pivot_root', run: `chroot . true && echo THROUGH; ${call(161, 51, '"."')}; ${call(155, 41, '".", "."')}` },
  { name: 'io_uring', run: call(425, 425, '8, "\\0" x 120') },
  { name: 'bpf', run: [call(321, 280, '0, "\\0" x 120, 120'), call(321, 280, '5, "\\0" x 120, 120')].join('; ') },
  { name: 'userfaultfd', run: [call(323, 282, '1'), call(323, 282, '0')].join('; ') },
  { name: 'perf', run: call(298, 241, '"\\0" x 120, 0, -1, -1, 0') },
  {
    name: 'kernel modules, kexec, reboot, swap',
    run: [
      call(175, 105, '"x", 1, ""'),
      call(313, 273, '0, "", 0'),
      call(246, 104, '0, 0, 0, 0'),
      call(167, 224, '"x", 0'),
      'modprobe dummy && echo THROUGH; true',
    ].join('; '),
  },
  { name: 'clock and host name', run: `hostname x && echo THROUGH; date -s 2001-01-01 && echo THROUGH; ${call(170, 161, '"x", 1')}` },
  { name: 'fanotify, quota, accounting', run: [call(300, 262, '0, 0'), call(163, 89, '"x"')].join('; ') },
  {
    name: 'I/O ports',
    run: p(
      'exit unless `uname -m` =~ /x86/; syscall(172, 3) == 0 and print "THROUGH\\n"; syscall(173, 0, 8, 1) == 0 and print "THROUGH\\n"',
    ),
  },
  {
    name: 'x32 system calls',
    run: `${p('exit unless `uname -m` =~ /x86/; my $r = syscall(0x40000000 + 39); print "THROUGH $r\\n" if $r > 0; $r = syscall(0x40000000 + 272, 0x10000000); print "THROUGH\\n" if $r == 0')}; true`,
  },
  {
    name: 'int 0x80',
    run: 'printf \'int main(){long r;__asm__ volatile("int $0x80":"=a"(r):"a"(20));return r>0?0:1;}\' > i.c; [ $(uname -m) = x86_64 ] && gcc -o i i.c && ./i && echo THROUGH; true',
  },
  {
    name: 'typing into the terminal',
    run: p(
      'my $b = "x"; for my $r (0x5412, 0x541c, 0x5423, 0x541d) { my $n = (`uname -m` =~ /x86/) ? 16 : 29; for my $hi (0, 1 << 32) { my $x = syscall($n, 0, $r + $hi, $b); print "THROUGH\\n" if $x == 0 } }',
    ),
  },
  {
    name: 'tracing process 1 and the launcher',
    run: p(
      'my $n = (`uname -m` =~ /x86/) ? 101 : 117; for my $p (1, getppid()) { next if $p == $$; syscall($n, 16, $p, 0, 0) == 0 and $p == 1 and print "THROUGH $p\\n"; } my $o = (`uname -m` =~ /x86/) ? 310 : 270; syscall($o, 1, "", 0, "", 0, 0) > 0 and print "THROUGH\\n"',
    ),
  },
  {
    name: 'signals to what is not the workspace’s',
    run: 'kill -9 1; kill -0 1 2>/dev/null; for p in $(seq 2 40); do [ -r /proc/$p/comm ] && grep -q "^\\(node\\|bwrap\\|nsenter\\)$" /proc/$p/comm && echo THROUGH; done; test -d /proc/1 || echo THROUGH',
  },
  { name: 'System V shared memory of the host', run: 'ipcs -m | grep -c 0x5a5a5a5a | grep -v "^0" | sed "s/^/THROUGH /"' },
  {
    name: 'scheduling and limits raised',
    run: 'ulimit -u unlimited 2>/dev/null && echo THROUGH; ulimit -f unlimited 2>/dev/null && echo THROUGH; nice -n -5 true 2>&1 | grep -q denied || [ $(id -u) = 0 ] && chrt -f 1 true 2>/dev/null && echo THROUGH; echo -1000 2>/dev/null > /proc/self/oom_score_adj && echo THROUGH',
  },
  {
    name: 'memory that no process is charged for',
    run: '[ $(df --output=size -k /dev/shm | tail -1) -gt $(($(sed -n "s/MemTotal: *\\([0-9]*\\).*/\\1/p" /proc/meminfo) / 4)) ] && echo THROUGH; touch /dev/x && echo THROUGH; mkdir /dev/d && echo THROUGH; true',
  },
  { name: 'the last to go when memory ends', run: '[ $(cat /proc/self/oom_score_adj) -ge 500 ] || echo THROUGH' },
  {
    name: 'sudo, su, pkexec',
    run: 'sudo -n true && echo THROUGH; su -c true </dev/null 2>/dev/null && [ $(id -u) != 0 ] && echo THROUGH; pkexec true && echo THROUGH',
  },
];

/** No key of ours or of the person's can be seen: $OPENAI_API_KEY of the core is CANARY-key. */
const secrets: Row[] = [
  {
    name: 'keys in any environment, argument or auxiliary vector',
    run: 'for f in /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/auxv /proc/[0-9]*/task/*/environ; do tr "\\0" "\\n" < $f; done 2>/dev/null | grep -a CANARY',
  },
  {
    name: 'keys behind any descriptor',
    run: 'for f in /proc/[0-9]*/fd/*; do t=$(readlink $f); case $t in pipe:*|socket:*|/dev/*|anon_inode*|"") ;; *) timeout 1 head -c 4096 "$f" | grep -a CANARY;; esac; done 2>/dev/null',
  },
  {
    name: 'keys in the memory of any process',
    run: p(
      'my $n = (`uname -m` =~ /x86/) ? 310 : 270; for my $m (glob("/proc/[0-9]*/maps")) { my ($pid) = $m =~ /(\\d+)/; next if $pid == $$; open(M, "<", $m) or next; while (<M>) { /^([0-9a-f]+)-([0-9a-f]+) r/ or next; my ($a, $z) = (hex $1, hex $2); my $l = $z - $a; $l = 1 << 20 if $l > 1 << 20; my $b = "\\0" x $l; my $to = pack("QQ", unpack("Q", pack("P", $b)), $l); my $from = pack("QQ", $a, $l); syscall($n, $pid, $to, 1, $from, 1, 0) > 0 and $b =~ /(CANARY-key)/ and print "$1\\n"; } }',
    ),
  },
  { name: 'key rings as files', run: 'cat /proc/keys /proc/key-users 2>/dev/null | grep -a -i -E "CANARY|signalbox|electron"' },
  {
    name: 'keys in what our own folders or the launcher left behind',
    run: 'grep -r -a -l CANARY-ke[y] /tmp ~ /dev/shm /etc /var /signalbox . 2>/dev/null | sed "s/^/THROUGH /"; git config --list | grep CANARY; set | grep -a CANARY-ke[y]',
  },
  {
    name: 'a core dump of one that holds secrets, or a handler of the host’s',
    run: 'ulimit -c unlimited 2>/dev/null && echo THROUGH; sh -c "kill -SEGV \\$\\$"; ls core* 2>/dev/null && echo THROUGH; true',
  },
  {
    name: 'addresses of the kernel',
    run: 'head -3 /proc/kallsyms 2>/dev/null | grep -v "^0000000000000000" | sed "s/^/THROUGH /"; cat /proc/kmsg /proc/iomem 2>/dev/null | grep -v " *00000000-00000000" | head -2 | sed "s/^/THROUGH /"',
  },
];

const host: Row[] = [
  {
    name: 'services that run things for others',
    run: 'echo "touch $OUT/pwned" | at now && echo THROUGH; echo "* * * * * touch $OUT/pwned" | crontab - && echo THROUGH; systemd-run true && echo THROUGH; systemctl --user start x && echo THROUGH; dbus-send --system --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames && echo THROUGH; loginctl && echo THROUGH; true',
  },
  {
    name: 'the person’s terminals and the system’s log',
    run: '(echo x > /dev/tty) 2>/dev/null && echo THROUGH; for t in /dev/pts/[0-9]* /dev/tty[0-9]* /dev/console /dev/log; do [ -w $t ] && echo THROUGH $t; done; logger x 2>/dev/null && [ -S /dev/log ] && echo THROUGH; true',
  },
  {
    name: 'sockets of the host, as listed',
    run: 'grep -a "$ABSTRACT\\|$SOCKET" /proc/net/unix && echo THROUGH; grep -i ":$(printf %04X $PORT) " /proc/net/tcp /proc/net/tcp6 && echo THROUGH; true',
  },
  {
    name: 'the processors’ switches, and /sys around them',
    run: 'for f in $(find /sys -type f -writable 2>/dev/null | head -50); do (echo 1 > $f) 2>/dev/null && echo THROUGH $f; done; for d in /sys/class /sys/kernel /sys/bus /sys/block /sys/fs /sys/devices/virtual /sys/devices/system/cpu/../memory /sys/devices/system/cpu/cpu0/subsystem/devices; do ls $d 2>/dev/null | grep -q . && echo THROUGH $d; done',
  },
  {
    name: 'programs in place of the launcher’s own',
    run: 'mkdir -p ~/bin ~/.local/bin bin; for d in ~/bin ~/.local/bin bin .; do for n in sh bash bwrap nsenter env cat git node; do printf "#!/bin/sh\\ntouch $OUT/pwned\\n" > $d/$n; chmod +x $d/$n; done; done; echo "PATH=~/bin:$PATH" > ~/.profile; hash -r; /usr/bin/git status > /dev/null; rm -rf ./sh ./bash ./bwrap ./nsenter ./env ./cat ./git ./node bin',
  },
  {
    name: 'archives and patches with names that lead out',
    run: 'mkdir -p t; (cd t; echo x > pwned; tar -P -cf ../t.tar --transform "s|^|$OUT/|" pwned; tar -cf ../u.tar --transform "s|^|../../../../../../../../..$OUT/|" pwned); tar -P -xf t.tar; tar -P -xf u.tar; printf "diff --git a/x b/x\\nnew file mode 100644\\n--- /dev/null\\n+++ b/../../../../../../../..$OUT/pwned\\n@@ -0,0 +1 @@\\n+x\\n" | git apply --unsafe-paths; cp -r t $OUT/; install -D t/pwned $OUT/pwned; rm -rf t t.tar u.tar',
  },
  {
    name: 'git that is told to read or write elsewhere',
    run: 'git -c include.path=$PERSON/.gitconfig config --list | grep CANARY; git --git-dir=$REPO/.git --work-tree=$REPO status; git -C $SIBLING show HEAD:sibling.txt; git -c protocol.file.allow=always clone -q $SIBLING c1; cat c1/sibling.txt; git -c protocol.file.allow=always submodule add $OUT s; git diff --no-index /dev/null $OUT/secret.txt; git hash-object -w $OUT/secret.txt; git bundle create $OUT/b HEAD; git archive -o $OUT/a.tar HEAD; git format-patch -o $OUT -1; git daemon --export-all --base-path=$OUT --inetd </dev/null; rm -rf c1; git rm -qf --cached s; true',
  },
  {
    name: 'files without a name, exchanged and linked by descriptor',
    run: p(
      'my $x = `uname -m` =~ /x86/; my ($open, $link, $ren) = $x ? (257, 265, 316) : (56, 37, 276); my $fd = syscall($open, -100, my $dot = ".", 020200002, 0600); my $to = "$ENV{OUT}/pwned"; my $self = "/proc/self/fd/$fd"; my $e = ""; syscall($link, $fd, $e, -100, $to, 0x1000); syscall($link, -100, $self, -100, $to, 0x400); my $a = "a.txt"; my $g = ".git"; syscall($ren, -100, $a, -100, $g, 2); my $s = "$ENV{OUT}/secret.txt"; syscall($ren, -100, $a, -100, $s, 2);',
    ),
  },
  {
    name: 'numbers that the whole machine shares',
    run: '(echo 300 > /proc/sys/kernel/ns_last_pid) 2>/dev/null && echo THROUGH; (echo 65536 > /proc/sys/kernel/pid_max) 2>/dev/null && echo THROUGH; (echo 1 > /proc/sys/user/max_user_namespaces) 2>/dev/null && echo THROUGH; sysctl -w kernel.core_pattern=x 2>/dev/null && echo THROUGH; true',
  },
  {
    name: 'a message queue or a semaphore of the host',
    run: 'ls /dev/mqueue 2>/dev/null && echo THROUGH; ipcs -a | grep -E "^0x" | sed "s/^/THROUGH /"; cat /proc/sysvipc/* | grep -v key | sed "s/^/THROUGH /"',
  },
];

export const ESCAPES: [string, Row[]][] = [
  ['secrets', secrets],
  ['the host', host],
  ['reading', reading],
  ['writing', writing],
  ['network', network],
  ['kernel', kernel],
];
