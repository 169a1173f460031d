import { page } from './html-page.js';
import type { ReportData } from './run-data.js';

/** A page of the given sections, with a heading that says what made it. */
export const reportPage = (
  { title, version, adapter, seed }: Pick<ReportData, 'title' | 'version' | 'adapter' | 'seed'>,
  sections: string[],
): string => page({ title, about: `dawngrad ${version} on ${adapter}, seed ${seed}`, sections });
