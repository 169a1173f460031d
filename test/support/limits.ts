import { vi } from 'vitest';
import { patience } from '../../scripts/speed.mjs';

/** What a test may take, by the machine's speed as its file begins. */
const testTimeout = patience(180_000);
vi.setConfig({ testTimeout, hookTimeout: testTimeout });
