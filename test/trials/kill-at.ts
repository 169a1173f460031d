import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Ends this process by SIGKILL at its `KILL_AT`th moment around a file operation: before one, after one, or when a half
 * of what it writes is written. Without that it counts them.
 */
const at = Number(process.env.KILL_AT ?? Infinity);
let moments = 0;
let on = false;

/** Counts from now on. */
export const countMoments = (): void => {
  on = true;
};
export const momentsSoFar = (): number => moments;

function moment(): boolean {
  if (on && ++moments === at) process.kill(process.pid, 'SIGKILL');
  return on && moments + 1 === at;
}

type Any = (...args: any[]) => any;

function around(of: Record<string, Any>, name: string): void {
  const real = of[name];
  of[name] = function (this: unknown, ...args: unknown[]) {
    const next = moment();
    const [first] = args;
    const writes = /^(writeFile|appendFile|write)$/.test(name) && args.length > 0;
    if (next && writes && (typeof first === 'string' || first instanceof Uint8Array)) {
      return real.call(this, first.slice(0, first.length >> 1)).then(() => process.kill(process.pid, 'SIGKILL'));
    }
    const result: unknown = real.apply(this, args);
    if (!(result instanceof Promise)) return (moment(), result);
    return result.then((value: unknown) => (moment(), value));
  };
}

const promises = fs.promises as unknown as Record<string, Any>;
for (const name of ['open', 'rename', 'unlink', 'link', 'mkdir', 'copyFile', 'appendFile']) around(promises, name);
for (const name of ['writeFileSync', 'linkSync', 'unlinkSync', 'rmSync', 'truncateSync', 'mkdirSync', 'openSync'])
  around(fs as unknown as Record<string, Any>, name);
const handle = await fs.promises.open(process.execPath, 'r');
const prototype = Object.getPrototypeOf(handle) as Record<string, Any>;
await handle.close();
for (const name of ['writeFile', 'appendFile', 'sync', 'close']) around(prototype, name);
syncBuiltinESMExports();
