import type { Context, Middleware } from "koa";
import { ConfigurationError } from "../../errors.js";
import { warnOnce } from "../../warnings.js";

/** The place of some routes in an application. An application may have them twice, and a place may be another than links say. */
export class Mount {
  /** The middleware of all routes in the process, as `app.use` gets it. */
  static readonly #mounts = new WeakMap<object, Mount>();
  #isChecked = false;

  /**
   * @param prefix the path below which the routes are, as they know it.
   * @param baseUrl what links have before that.
   */
  constructor(
    private readonly prefix: string,
    private readonly baseUrl: string,
  ) {}

  /** The same middleware, which notices at the first request where it is. */
  watch<M extends Middleware<object, object>>(routes: M): M {
    const watching = (ctx: Context, next: () => Promise<unknown>) => {
      this.#checkLinks(ctx, ctx.path);
      return (routes as unknown as Middleware)(ctx, next);
    };
    // A router that these routes are nested in takes them from a property.
    const middleware = Object.assign(watching, routes);
    Mount.#mounts.set(middleware, this);
    return middleware as unknown as M;
  }

  /**
   * Checks the place of the routes that got a request.
   *
   * @param path the request's path, below what the routes are mounted at.
   * @throws ConfigurationError when routes of another `PrivateFiles` come later whose requests these would take.
   */
  check(ctx: Context, path: string): void {
    this.#checkLinks(ctx, path);
    const mounts = ctx.app.middleware.flatMap((one) => Mount.#mounts.get(one) ?? []);
    // Routes that are nested, as by koa-mount, are not among them, and get only requests below the path of their own.
    const later = mounts.includes(this) ? mounts.slice(mounts.indexOf(this) + 1) : [];
    const hidden = later.find((other) => other !== this && this.#hides(other));
    if (!hidden) return;
    throw new ConfigurationError(
      hidden.prefix === this.prefix
        ? `PrivateFiles: two of them have routes at "${hidden.prefix}" in one application, and the first would answer for both. Give each a "prefix" of its own.`
        : `PrivateFiles: the routes at "${this.prefix || "/"}" come before those at "${hidden.prefix}" in one application, and would answer for them. Use the others first.`,
    );
  }

  #hides({ prefix }: Mount): boolean {
    return prefix === this.prefix || prefix.startsWith(`${this.prefix}/`);
  }

  #checkLinks({ originalUrl }: Context, path: string): void {
    if (this.#isChecked) return;
    this.#isChecked = true;
    // Not parsed as a URL: a request may say anything.
    const whole = originalUrl.replace(/^\w+:\/\/[^/]*/, "").replace(/[?#].*$/s, "");
    const mountedAt = whole.endsWith(path) ? whole.slice(0, whole.length - path.length) : "";
    const { origin, pathname: base } = new URL(this.baseUrl, "http://localhost");
    // A proxy in front may add a path and take it away again, but none adds what only this application knows.
    if (mountedAt === "" || base.endsWith(mountedAt)) return;
    const wanted = `${this.baseUrl.startsWith("http") ? origin : ""}${mountedAt}`;
    warnOnce(
      this,
      "PRIVATE_FILE_MOUNT_POINT",
      `PrivateFiles: the routes are at "${mountedAt}${this.prefix}", but links begin with "${this.baseUrl}${this.prefix}". Set baseUrl: "${wanted}".`,
    );
  }
}
