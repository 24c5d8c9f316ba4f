import { aimTable } from "../aims.js";
import { type Environment, listOf } from "../environment.js";
import type { Section } from "./part.js";

/** All tables of a run, as Markdown. */
export function results(sections: readonly Section[]): string {
  return `## Aims

${aimTable(sections.flatMap(({ outcomes }) => outcomes))}

${sections.map(({ title, text }) => `## ${title}\n\n${text}`).join("\n\n")}
`;
}

/** docs/growth.md. */
export function page(sections: readonly Section[], environment: Environment): string {
  return `# How costs grow

This page is written by a program; run it yourself, on a Linux machine that does nothing else. It takes six minutes at most:

\`\`\`sh
npm ci && npm run bench:growth
\`\`\`

PostgreSQL takes part where \`TEST_POSTGRES_URL\` names a server. What a download costs beside others' is on [the page of downloads](performance.md),
which says how downloads are measured, too: the application, the load, the rounds, the medians of ratios. Here as there, CPU is that of all threads of
the measured process, user and system. Of several sizes the dearest has to reach the aim. On a machine that has other things to do, applications
that do not differ at all came out a fifth apart.

${listOf(environment)}

${results(sections)}`;
}
