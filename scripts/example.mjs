/** `npm run example`: builds what is missing and serves the browser example on this machine alone. */

import { serveFiles } from './serve.mjs';
import { build, install } from './setup.mjs';

await install();
await build({ types: false });
const { url } = await serveFiles(Number(process.env.PORT ?? 8080));
console.log(`${url}examples/browser/ (Ctrl-C ends it)`);
