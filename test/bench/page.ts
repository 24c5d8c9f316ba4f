import { type Environment, listOf } from "./environment.js";
import type { Findings } from "./run.js";
import { wholeFiles } from "./scenes.js";
import {
  lookupTable,
  memoryTable,
  otherAnswersTable,
  requestsWithoutFileTable,
  targetTable,
  wholeFileTable,
} from "./tables.js";
import { targets } from "./targets.js";

/** All tables of a run, as Markdown. */
export function results(findings: Findings): string {
  const { samples } = findings;
  return `## Targets

On better-sqlite3, and a lookup on PostgreSQL.

${targetTable(findings, targets)}

## Whole downloads

${wholeFiles.map(({ name }) => `### ${name}\n\n${wholeFileTable(samples, name)}`).join("\n\n")}

## Other answers

A range is compared with koa-send's whole small file, too: koa-send has no ranges.

${otherAnswersTable(samples)}

## Before the file

What a request costs that ends before its file is looked at: HTTP, Koa, two routers, the sign-in, and, but for the constant, the
lookup, the condition, and an answer that is made from an error.

${requestsWithoutFileTable(samples)}

The lookup without HTTP, one after the other, and what the driver's own call takes with the statement that TypeORM logged:

${lookupTable(findings)}

## Memory

What a server that has just started and sent 200 small files needs beyond its idle memory, while 8 clients download 100 MiB at
once, each twice.

${memoryTable(findings)}
`;
}

/** docs/performance.md. */
export function page(findings: Findings, environment: Environment): string {
  const servers = findings.lookups.flatMap(({ database, server }) => (server ? `${database} ${server}` : []));
  return `# Performance

This page is written by a program; run it yourself, on a Linux machine that does nothing else. It takes ten minutes:

\`\`\`sh
npm ci && npm run bench
\`\`\`

How costs grow with rows, columns, downloads at once and sizes is on [a page of its own](growth.md).

PostgreSQL takes part where \`TEST_POSTGRES_URL\` names a server, nginx where it is installed.

![CPU for a whole download, of koa-send's, at four file sizes](performance.svg)

${METHOD}
## On what

${listOf({ ...environment, versions: [...environment.versions, ...servers] })}
- rounds: ${findings.rounds}

${results(findings)}
${MEANING}`;
}

const METHOD = `## What is measured

- **typeorm-private-files** is a whole application: Koa, a sign-in, one SELECT through TypeORM in a table of a hundred rows, a condition
  that compares the user with a column of the row, an asynchronous \`beforeDownload\` hook that counts in memory, and the file
  from a \`DiskStorage\`.
- **koa-send** is Koa and koa-send without its search for compressed siblings, and nothing else: no database, no rule, no hook.
  Anyone gets any file.
- **send** and **sirv** are on bare \`node:http\`, **@fastify/static** on Fastify; likewise with nothing before them. sirv lists its folder once,
  at the start.
- **nginx** sends static files with \`sendfile\` from one worker: the limit.

All send the same files of random bytes over HTTP/1.1 keep-alive on loopback, 16 requests at once up to 64 KiB and 8 above. Each server is a
process of its own, on one core with all its threads; the load comes from another process on another core. Every answer's status and length
is checked, and of each kind one answer byte for byte. All Node servers load TypeORM, so that their heaps are of like size: in a small heap
garbage is collected more often.

After a warm-up come rounds: in each, every kind of request visits every server, for a second or, at 100 MiB, for 8 downloads, in an order
that begins with another server each time. CPU is that of all threads of the server's process (nginx: its worker), user and system. Numbers
are medians over the rounds, but peak memory is the greatest. "Of koa-send's" is the median of the ratios within each round, so that what
disturbs a round disturbs both sides.
`;

const MEANING = `## What it means, and what it does not

- Look at CPU first: it says how many downloads a core can serve, and moves least from run to run. Requests a second move more, and those
  of nginx for small files are bounded by the load's own core.
- The CPU of large files is mostly the kernel's. It does a part of that for whoever happens to run, server or client, so it moves more
  than that of small files.
- Latency is that of a server that is as busy as it can be: a request waits for those before it.
- Files are in the page cache, the network is loopback, and there is no TLS. With a cold disk, a slow client or encryption all servers
  come closer to each other.
- The condition and the hook cost next to nothing here. Relations, a condition that asks the database, and a counter in the database cost their
  statements.
- On PostgreSQL only the application's CPU is counted, not the database server's, which shares the cores with both sides.
- django-private-files was measured apart, with gunicorn on another day: 0.26 of koa-send's requests of 1 KiB.
- koa-send reads each small file into 64 KiB of new memory. How often that has garbage collected is a matter of its heap's state, and its CPU for 1 KiB
  swings between 180 and 480 µs on the machine that this page was first written on. What is "of koa-send's" for small files swings with it.
- It is one machine. On others the numbers are others, and the ratios may be.
`;
