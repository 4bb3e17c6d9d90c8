import { addApproval, addQuestion, addTask, emptyFixture, project, type Fixture, type Spec } from './fixture-board.ts';

const working: [string, number, number, [number, number], number, Spec['activity'], Partial<Spec>?][] = [
  [
    'Backfill tax regions for accounts before 2023',
    0,
    26,
    [54, 0],
    0.39,
    { verb: 'running', subject: 'psql -f tax.sql', seconds: 4 },
    { mode: 'full' },
  ],
  ['Virtualise the invoice table', 1, 24, [183, 97], 1.12, { verb: 'running', subject: 'pnpm test', seconds: 38 }, { attempts: 2 }],
  ['Rotate refresh tokens on every use', 1, 15, [128, 61], 0.44, { verb: 'editing', subject: 'src/auth/session.ts', seconds: 0 }],
  ['Fix the checkout test that flakes on WebKit', 1, 11, [19, 8], 0.29, { verb: 'running', subject: 'playwright', seconds: 52 }],
  ['Replace lodash with built-ins in the client', 1, 9, [46, 112], 0.18, { verb: 'thinking', subject: '', seconds: 6 }],
  ['Return problem details from every ledger endpoint', 0, 7, [22, 9], 0.12, { verb: 'running', subject: 'cargo check', seconds: 11 }],
];
const review: [string, number, number, [number, number], string, number][] = [
  ['Navigate the command menu by keyboard', 1, 72, [96, 18], '128 passed', 0.41],
  ['Rate-limit password resets', 0, 48, [118, 9], '214 passed', 2.04],
  ['Cache exchange rates per day', 1, 22, [214, 36], '128 passed', 0.84],
  ['Stream CSV exports instead of buffering them', 2, 17, [131, 47], '63 passed', 0.66],
  ['Type the webhook payloads', 1, 8, [188, 64], '128 passed', 0.52],
  ['Split the month-end report by region', 1, 3, [162, 58], '131 passed', 0.77],
];
const done: [string, number, number][] = [
  ['Pin GitHub Actions to digests', 1, 40],
  ['Fix the off-by-one in cursor paging', 0, 60],
  ['Cut the docs build from 94 s to 31 s', 3, 80],
  ['Upgrade Vite 7 to 8', 1, 110],
  ['Drop the unused S3 client', 2, 130],
  ['Explain decline codes in e-mails', 1, 150],
  ['Add a request id to every log line', 0, 180],
  ['Use container queries on the pricing page', 1, 200],
  ['Reject negative line items', 0, 230],
];

/** The board of the picture. */
export function busyFixture(now = Date.now()): Fixture {
  const fixture = emptyFixture();
  const projects = [
    project('ledger', now - 3),
    project('atlas-web', now),
    project('export-worker', now - 4),
    project('atlas-docs', now - 5),
  ] as const;
  const [ledger, web, worker, docs] = projects;
  const add = (spec: Spec) => addTask(fixture, spec, now);
  addApproval(
    fixture,
    add({
      title: 'Regenerate the API client from the staging schema',
      project: web,
      minutes: 14,
      status: 'approval',
      lines: [38, 12],
      cost: 0.31,
    }),
    {
      subject: 'curl -fsS https://staging.atlas.dev/openapi.json -o schema/openapi.json',
      reason: 'Reaches staging.atlas.dev, which is outside this task’s sandbox. The schema in the repository is 23 days old.',
      prefix: ['curl', '-fsS'],
    },
  );
  addQuestion(
    fixture,
    add({
      title: 'Show report times in the account’s own zone',
      project: web,
      minutes: 6,
      status: 'question',
      lines: [71, 24],
      cost: 0.47,
    }),
    '412 accounts have no zone set. Fall back to Europe/Berlin, or ask when they next sign in?',
    ['Fall back', 'Ask at sign-in'],
  );
  const split = add({
    title: 'Split the posting module out of the ledger crate',
    project: ledger,
    minutes: 2,
    status: 'failed',
    lines: [402, 388],
    cost: 1.06,
    check: [false, '2 of 214 failed'],
  });
  add({ title: 'Port the invoice PDF to the new template', project: web, minutes: 31, status: 'limited', lines: [167, 140], cost: 0.58 });
  add({ title: 'Add idempotency keys to POST /payments', project: ledger, minutes: 18, status: 'queued', dependsOn: [split.id] });
  add({ title: 'Remove feature flags that shipped in Q2', project: web, minutes: 18, status: 'queued' });
  add({ title: 'Document the webhook retry schedule', project: docs, minutes: 12, status: 'queued' });
  add({ title: 'Measure cold start of the export worker', project: worker, minutes: 12, status: 'queued' });
  for (const [title, at, minutes, lines, cost, activity, more] of working)
    add({ title, project: projects[at]!, minutes, status: 'working', lines, cost, activity, ...more });
  for (const [title, at, minutes, lines, summary, cost] of review)
    add({
      title,
      project: projects[at]!,
      minutes,
      status: 'review',
      lines,
      cost,
      check: [true, summary],
      ...(title.startsWith('Rate') ? { attempts: 4 } : {}),
    });
  for (const [title, at, minutes] of done) add({ title, project: projects[at]!, minutes, status: 'done' });
  return fixture;
}

/** The inbox of the picture: one command asked by six tasks, and five more things. */
export function inboxFixture(now = Date.now()): Fixture {
  const fixture = busyFixture(now);
  const [web] = Object.values(fixture.board.projects).filter(({ name }) => name === 'atlas-web');
  const six: [string, number][] = [
    ['Virtualise the invoice table again', 21],
    ['Rotate the signing keys', 19],
    ['Replace moment with built-ins', 15],
    ['Retry webhooks with jitter', 11],
    ['Split the report by month', 8],
    ['Link decline e-mails to the help page', 3],
  ];
  for (const [title, minutes] of six) {
    addApproval(fixture, addTask(fixture, { title, project: web!, minutes, status: 'approval' }, now), {
      subject: 'pnpm test --run --reporter=dot',
      prefix: ['pnpm', 'test'],
      effect: 'Opens localhost:5432 to this command and its children. Writes stay inside each worktree.',
      reason: 'The integration tests under test/db open a connection to the local database. Without it 41 of 128 tests are skipped.',
    });
  }
  return fixture;
}

/** Many cards, for the bench and the scrolling test: `count` tasks spread over all columns. */
export function manyFixture(count: number, now = Date.now()): Fixture {
  const fixture = emptyFixture();
  const projects = Array.from({ length: 8 }, (_, index) => project(`repo-${index}`, now - index));
  const states = ['working', 'queued', 'review', 'done', 'failed'] as const;
  for (let index = 0; index < count; index++) {
    const status = states[index % states.length]!;
    addTask(
      fixture,
      {
        title: `Task ${index}: ${index % 3 ? 'make the export stream instead of buffering it' : 'fix the flaky test'}`,
        project: projects[index % 8]!,
        minutes: index % 300,
        status,
        lines: [index, index % 50],
        cost: index / 100,
        ...(status === 'working' ? { activity: { verb: 'running', subject: 'pnpm test', seconds: index % 60 } } : {}),
        ...(status === 'review' ? { check: [true, '128 passed'] } : {}),
      },
      now,
    );
  }
  return fixture;
}
