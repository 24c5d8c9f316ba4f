import type { PrivateFiles, Problem } from "typeorm-private-files";

/** What a check finds. How the server keeps its commits is not the test's. */
export async function checked({ files }: { files: PrivateFiles }): Promise<Problem[]> {
  return (await files.check()).filter(({ code }) => code !== "COMMIT_NOT_SYNCED");
}

/** The problems without their messages. */
export function brief(problems: Problem[]): string[] {
  return problems.map(({ code, severity, subject }) => `${severity} ${code} ${subject}`);
}
