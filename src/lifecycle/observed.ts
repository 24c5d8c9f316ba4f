/**
 * A promise for TypeORM, which stops waiting for its subscribers when another of them throws at once. A rejection that nothing
 * listens to would end the process.
 */
export function observed<P extends Promise<unknown> | undefined>(promise: P): P {
  promise?.catch(() => {});
  return promise;
}
