import { describe, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { gpu, reference } from '../support/devices.js';
import { compare, type Distance } from './golden.js';
import { features } from './networks.js';
import { moco, v3 } from './training.js';

it('measures', async () => {
  const { appendFileSync } = await import('node:fs');
  const log = (...a: unknown[]) => appendFileSync('/tmp/golden/log3.txt', a.join(' ') + '\n');
  const w = (v: ArrayLike<number>) => v;
  for (const b of process.env.ONLY_GPU ? [await gpu()] : [await gpu(), reference]) {
    if (!b.f16) continue;
    for (const n of (process.env.NAMES ?? '').split(',')) {
      const [t, c] = [performance.now(), process.cpuUsage()];
      const kind = n.startsWith('moco') ? 'moco' : n.startsWith('v3') ? 'v3' : 'features';
      const f = await (kind === 'features' ? features(b, n, { precision: 'f16' }) : kind === 'moco' ? moco(b, n, 'f16') : v3(b, n, 'f16'));
      const u = process.cpuUsage(c);
      for (const re of [/\/y$/, /\/after\//, /\/grad\//, /loss/, /end\/(?!optim)/, /end\/optim/]) try {
        const d = compare(`${kind}/${n}`, f, {}, (s) => re.test(s) && !/norm.bias|qkv.bias|head.1.running_mean|queue_ptr/.test(s) ? w : undefined);
        if (Number.isFinite(d.error)) log(b.name, n, re, JSON.stringify(d), performance.now() - t | 0, (u.user + u.system) / 1e6);
      } catch (e: any) { log(b.name, n, e.message.slice(0, 300)); }
    }
  }
}, 600_000);
