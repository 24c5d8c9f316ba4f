import { LONGEST_WAIT } from "../support/eventually.js";

/** A session of a browser behind a WebDriver, as the W3C specifies it. */
export interface WebDriverSession {
  capabilities: { browserVersion: string };
  /** Sends a command of the session, such as POST and "/url", and gives the value that comes back. */
  send(method: string, command: string, parameters?: object): Promise<unknown>;
}

/** Whether a driver listens and would start a browser. */
export async function isReady(driver: string): Promise<boolean> {
  return ((await ask(driver, "GET", "status")) as { ready: boolean }).ready;
}

/** Has a driver start its browser. */
export async function startSession(driver: string): Promise<WebDriverSession> {
  const capabilities = { alwaysMatch: { timeouts: { script: LONGEST_WAIT } } };
  const session = (await ask(driver, "POST", "session", { capabilities })) as {
    sessionId: string;
    capabilities: { browserVersion: string };
  };
  const send = (method: string, command: string, parameters?: object) =>
    ask(driver, method, `session/${session.sessionId}${command}`, parameters);
  return { capabilities: session.capabilities, send };
}

async function ask(driver: string, method: string, path: string, parameters?: object): Promise<unknown> {
  const answer = await fetch(`${driver}/${path}`, { method, body: parameters && JSON.stringify(parameters) });
  const { value } = (await answer.json()) as { value: { error: string; message: string } };
  if (!answer.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
  return value;
}
