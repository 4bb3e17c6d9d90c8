/**
 * What a developer needs inside the fence, as data. Each runs as a shell line in a linked worktree with `set -e -o pipefail`;
 * it works when it ends well and printed `says`. `needs` names programs without which the row is left out.
 */
export interface Need {
  name: string;
  run: string;
  says?: string;
  needs?: string[];
  /** On a terminal. */
  tty?: boolean;
}

const git: Need[] = [
  { name: 'status', run: 'git status --short --branch', says: '## feature' },
  {
    name: 'add, commit, amend',
    run: 'echo a > a1; git add a1; git commit -qm one; git commit -q --amend -m two; git log -1 --format=%s',
    says: 'two',
  },
  { name: 'log -p and show', run: 'git log -p -2 > /dev/null; git show --stat HEAD', says: 'commit' },
  {
    name: 'branch, switch, merge',
    run: 'b=$(git branch --show-current); git switch -qc topic; echo t > t; git add t; git commit -qm topic; git switch -q $b; git merge -q --no-ff -m merged topic; git log -1 --format=%s',
    says: 'merged',
  },
  {
    name: 'stash',
    run: 'echo dirty >> a.txt; git stash -uq; git status --short | wc -l; git stash pop -q; git checkout -q a.txt',
    says: '0',
  },
  {
    name: 'rebase',
    run: 'git switch -qc r1 main; echo r > r; git add r; git commit -qm r; git rebase -q feature; git switch -q feature; git log r1 -1 --format=%s',
    says: 'r',
  },
  {
    name: 'interactive rebase',
    run: 'git switch -qC r2; for n in 1 2; do echo $n > i$n; git add i$n; git commit -qm i$n; done; GIT_SEQUENCE_EDITOR="sed -i 2s/pick/squash/" GIT_EDITOR=true git rebase -qi HEAD~2; git log -1 --format=%s; git switch -q feature',
    says: 'i1',
  },
  {
    name: 'cherry-pick, revert, reset',
    run: 'git switch -qC c1; echo c > c; git add c; git commit -qm c; git revert --no-edit HEAD >/dev/null; git reset -q --hard HEAD~1; git switch -qC c2 main; git cherry-pick c1 >/dev/null; git switch -q feature; echo fine',
    says: 'fine',
  },
  { name: 'tag, describe', run: 'git tag -am v v9; git describe --tags', says: 'v9' },
  { name: 'gc, fsck, repack', run: 'git gc -q; git fsck --no-dangling 2>&1; git status >/dev/null; echo fine', says: 'fine' },
  {
    name: 'hooks of its own',
    run: 'h=$(git rev-parse --git-path hooks); mkdir -p $h; printf "#!/bin/sh\\necho hooked >&2\\n" > $h/pre-commit; chmod +x $h/pre-commit; git commit --allow-empty -qm h 2>&1; rm $h/pre-commit',
    says: 'hooked',
  },
  {
    name: 'a worktree of its own',
    run: 'git worktree add -q /tmp/own HEAD; git -C /tmp/own status; git worktree remove /tmp/own; echo fine',
    says: 'fine',
  },
  {
    name: 'a clone of its own, and a submodule-less init',
    run: 'rm -rf /tmp/c; git clone -q . /tmp/c; git -C /tmp/c log -1 --format=%h; rm -rf /tmp/c; git init -q /tmp/i; rm -rf /tmp/i; echo fine',
    says: 'fine',
  },
  {
    name: 'bisect',
    run: 'git bisect start HEAD $(git rev-list --max-parents=0 HEAD) >/dev/null; git bisect run true >/dev/null; git bisect reset >/dev/null 2>&1; echo fine',
    says: 'fine',
  },
  {
    name: 'blame, grep, diff, apply',
    run: 'echo more >> a.txt; git diff > /tmp/d; git checkout -q a.txt; git apply /tmp/d; git checkout -q a.txt; git blame a.txt; git grep -n hello',
    says: 'hello',
  },
  { name: 'clean', run: 'touch junk; git clean -fdxq; test ! -e junk; git status --short --branch', says: '##' },
  {
    name: 'config of its own',
    run: 'git config user.name Me; git config --global alias.st status; git st >/dev/null; git config user.name',
    says: 'Me',
  },
];

const tools: Need[] = [
  {
    name: 'gcc and make',
    run: 'mkdir -p cc; cd cc; printf "#include <stdio.h>\\nint main(){puts(\\"built\\");}\\n" > m.c; printf "m: m.c\\n\\tcc -o m m.c\\n" > Makefile; make -s; ./m',
    says: 'built',
    needs: ['gcc', 'make'],
  },
  {
    name: 'node and its child processes',
    run: "node -e \"const c=require('child_process');console.log(c.execSync('echo child').toString())\"",
    says: 'child',
    needs: ['node'],
  },
  {
    name: 'npm install of a local tarball, npm test',
    run: 'mkdir -p np/lib; cd np/lib; echo "{\\"name\\":\\"lib\\",\\"version\\":\\"1.0.0\\"}" > package.json; echo "module.exports=7" > index.js; npm pack -s >/dev/null; cd ..; echo "{\\"scripts\\":{\\"test\\":\\"node -p \\\\\\"require(\'lib\')*6\\\\\\"\\"}}" > package.json; npm install -s --offline --no-audit ./lib/lib-1.0.0.tgz; npm test -s',
    says: '42',
    needs: ['npm'],
  },
  {
    name: 'python and venv',
    run: 'python3 -m venv --without-pip ve; ve/bin/python -c "import sqlite3,ssl,multiprocessing;print(\'py\', 6*7)"',
    says: 'py 42',
    needs: ['python3'],
  },
  {
    name: 'python multiprocessing (semaphores in /dev/shm)',
    run: 'printf "from multiprocessing import Pool\\nif __name__==\'__main__\':\\n  print(sum(Pool(2).map(abs,[-1,-2])))\\n" > mp.py; python3 mp.py',
    says: '3',
    needs: ['python3'],
  },
  { name: 'cargo', run: 'cargo init -q --vcs none --name x cg; cd cg; cargo run -q --offline', says: 'Hello, world!', needs: ['cargo'] },
  {
    name: 'go',
    run: 'mkdir -p gg; cd gg; printf "package main\\nfunc main(){println(\\"go\\")}\\n" > m.go; GO111MODULE=off go run m.go 2>&1',
    says: 'go',
    needs: ['go'],
  },
  {
    name: 'pytest',
    run: 'mkdir -p pt; cd pt; echo "def test_a(): assert True" > test_a.py; python3 -m pytest -q test_a.py',
    says: '1 passed',
    needs: ['pytest'],
  },
  {
    name: 'sqlite',
    run: 'sqlite3 db "pragma journal_mode=wal; create table if not exists t(a); insert into t values(7); select a from t limit 1"',
    says: '7',
    needs: ['sqlite3'],
  },
  {
    name: 'tar and zip with symlinks',
    run: 'mkdir -p z; ln -sf ../a.txt z/l; tar cf z.tar z; rm -r z; tar xf z.tar; readlink z/l',
    says: '../a.txt',
  },
  {
    name: 'zip',
    run: 'mkdir -p zz; ln -sf ../a.txt zz/l; zip -qry z.zip zz; rm -r zz; unzip -q z.zip; readlink zz/l',
    says: '../a.txt',
    needs: ['zip', 'unzip'],
  },
  {
    name: 'vim on a terminal',
    run: 'vim -es -u NONE -c "%s/hello/changed/" -c "w! v.txt" -c "qa!" a.txt; cat v.txt',
    says: 'changed',
    needs: ['vim'],
    tty: true,
  },
  {
    name: 'tmux',
    run: 'tmux -L t new -d "echo in-tmux > tm; sleep 0.2"; for n in $(seq 50); do [ -s tm ] && break; sleep 0.1; done; cat tm',
    says: 'in-tmux',
    needs: ['tmux'],
    tty: true,
  },
  {
    name: 'script, a terminal of its own',
    run: 'script -qec "tty; echo in-script" /dev/null </dev/null',
    says: 'in-script',
    needs: ['script'],
  },
  { name: 'gdb-like tracing of its own child', run: 'strace -f -e trace=none -o /dev/null echo traced', says: 'traced', needs: ['strace'] },
  {
    name: 'chromium, headless',
    run: 'timeout 40 chromium --headless --no-sandbox --disable-gpu --dump-dom "data:text/html,<p>page</p>" 2>/dev/null',
    says: '<p>page</p>',
    needs: ['chromium'],
  },
];

const system: Need[] = [
  { name: 'mktemp and /var/tmp', run: 'f=$(mktemp); echo x > $f; d=$(mktemp -d); touch $d/a /var/tmp/x; ls $d', says: 'a' },
  {
    name: '/dev/shm, /dev/null, /dev/urandom, /dev/stdout',
    run: 'echo s > /dev/shm/x; cat /dev/shm/x > /dev/stdout; head -c 3 /dev/urandom > /dev/null; echo e > /dev/stderr',
    says: 's',
  },
  { name: 'named pipes', run: 'rm -f fifo; mkfifo fifo; (echo through-pipe > fifo) & cat fifo; rm fifo', says: 'through-pipe' },
  { name: 'process substitution', run: 'diff <(echo a) <(echo a) && echo same', says: 'same' },
  {
    name: 'Unix sockets between own processes',
    run: 'perl -e \'use Socket; socket(L,1,1,0); bind(L,sockaddr_un("/tmp/s1")) or die; listen(L,1); if(!fork){socket(S,1,1,0);connect(S,sockaddr_un("/tmp/s1"));syswrite S,"socket\\n";exit} accept(C,L); print scalar <C>; unlink "/tmp/s1"\'',
    says: 'socket',
  },
  {
    name: 'a loopback server, and a low port',
    run: 'perl -e \'use Socket; for my $p (8080, $> ? 1025 : 80) { socket(L,2,1,0); setsockopt(L,SOL_SOCKET,SO_REUSEADDR,1); bind(L,sockaddr_in($p,INADDR_LOOPBACK)) or ($p == 80 ? next : die "$p $!"); listen(L,1); if(!fork){socket(S,2,1,0);connect(S,sockaddr_in($p,INADDR_LOOPBACK));syswrite S,"served $p\\n";exit} accept(C,L); print scalar <C>; }\'',
    says: 'served 8080',
  },
  { name: 'background jobs and wait', run: 'sleep 0.1 & wait $!; (exit 3) & wait $! || echo code $?', says: 'code 3' },
  {
    name: 'signals and traps',
    run: 'trap "echo got" USR1; kill -USR1 $$; (trap "echo term; exit" TERM; sleep 5 & wait) & sleep 0.2; kill $!; wait $! || true',
    says: 'term',
  },
  { name: 'kill 0 that its own trap survives', run: 'trap : TERM; sleep 30 & kill 0; wait || true; echo survived', says: 'survived' },
  {
    name: 'job control on a terminal',
    run: 'set -m; sleep 30 & jobs; kill %1; wait || true; echo controlled',
    says: 'controlled',
    tty: true,
  },
  {
    name: 'locale and names in UTF-8',
    run: 'echo x > "naïve ünï 日本.txt"; ls | grep 日本; git add -A; git commit -qm names; git ls-files -z | tr "\\0" "\\n" | grep 日本',
    says: '日本',
  },
  {
    name: 'names with newlines and escapes',
    run: 'printf x > "$(printf "a\\nb\\033[31m")"; git add -A; git commit -qm odd; git status --short | wc -l',
    says: '0',
  },
  {
    name: 'long paths',
    run: 'd=$(printf "%0200d" 1); p=$d; for n in 1 2 3 4 5 6; do p=$p/$d; done; mkdir -p $p; echo deep > $p/f; cat $p/f; rm -r $d',
    says: 'deep',
  },
  {
    name: 'modes and links in the worktree',
    run: 'echo "echo ran" > x.sh; chmod 755 x.sh; ./x.sh; ln -sf a.txt link; ln -f a.txt hard; cat link hard; rm hard link',
    says: 'ran',
  },
  {
    name: 'ps, df, id, nproc, uptime',
    run: 'ps ax >/dev/null; df . >/dev/null; df >/dev/null; id -un; nproc; hostname >/dev/null',
    says: '',
  },
  {
    name: 'file watching',
    run: "node -e \"const fs=require('fs');const w=fs.watch('.',(e,f)=>{if(f==='watched'){console.log('saw',f);w.close()}});setTimeout(()=>fs.writeFileSync('watched','x'),50)\"",
    says: 'saw watched',
    needs: ['node'],
  },
  {
    name: 'a thousand files',
    run: 'mkdir -p many; for n in $(seq 1000); do echo $n > many/$n; done; ls many | wc -l; rm -r many',
    says: '1000',
  },
  {
    name: 'HOME holds what is put there',
    run: 'echo kept > ~/note; cat ~/note; mkdir -p ~/.cache/x ~/.config/y ~/.local/share/z; mv ~/.cache/x ~/.config/; test -d ~/.config/x; rm -r ~/.config/x',
    says: 'kept',
  },
  { name: 'how many processors, and which', run: 'lscpu | grep -c "^CPU(s):"; nproc', says: '1\n' },
  {
    name: 'a sanitizer’s shadow memory',
    run: 'printf "#include <stdlib.h>\nint main(){char*p=malloc(4);p[0]=1;free(p);return 0;}" > s.c; gcc -fsanitize=address -o s s.c; ./s; echo clean',
    says: 'clean',
    needs: ['gcc'],
  },
  {
    name: 'a debugger on its own program',
    run: 'printf "int main(){return 3;}" > g.c; gcc -g -o g g.c; gdb -batch -ex "break main" -ex run -ex continue ./g 2>&1 | grep "exited with code 03"',
    says: 'exited with code 03',
    needs: ['gdb', 'gcc'],
  },
  {
    name: 'Java',
    run: 'printf "class A{public static void main(String[] a){System.out.println(Runtime.getRuntime().availableProcessors()>0);}}" > A.java; java A.java',
    says: 'true',
    needs: ['java', 'javac'],
  },
  {
    name: 'cmake and ninja',
    run: 'mkdir -p cm; cd cm; printf "cmake_minimum_required(VERSION 3.5)\nproject(x C)\nadd_executable(x x.c)\n" > CMakeLists.txt; echo "int main(){return 0;}" > x.c; cmake -G Ninja -B b . >/dev/null; ninja -C b >/dev/null; b/x; echo built',
    says: 'built',
    needs: ['cmake', 'ninja', 'gcc'],
  },
  {
    name: 'worker threads in Node',
    run: `node -e 'const{Worker}=require("worker_threads");new Worker("require(\\"worker_threads\\").parentPort.postMessage(7)",{eval:true}).on("message",m=>console.log("worker",m))'`,
    says: 'worker 7',
    needs: ['node'],
  },
  {
    name: 'keys and certificates of its own',
    run: 'openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=localhost -days 1 2>/dev/null; openssl x509 -in c.pem -noout -subject',
    says: 'localhost',
    needs: ['openssl'],
  },
  {
    name: 'ssh keys of its own',
    run: 'ssh-keygen -q -t ed25519 -N "" -f ~/.k; cat ~/.k.pub; rm ~/.k*',
    says: 'ssh-ed25519',
    needs: ['ssh-keygen'],
  },
  { name: 'locks and memory maps', run: 'flock lock echo locked', says: 'locked' },
  { name: 'threads and big memory', run: 'perl -e \'my $x = "a" x (300 * 1024 * 1024); print length($x)\'', says: '314572800' },
];

export const WORKS: [string, Need[]][] = [
  ['git', git],
  ['tools', tools],
  ['system', system],
];
