import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Flag, parseArgs } from '../../src/cli/args.js';
import { checkFlags } from '../../src/cli/check-flags.js';
import type { Command } from '../../src/cli/command.js';
import { compare } from '../../src/cli/compare.js';
import { convert } from '../../src/cli/convert.js';
import { doctor } from '../../src/cli/doctor.js';
import { embed } from '../../src/cli/embed.js';
import { experiment } from '../../src/cli/experiment.js';
import { exportEncoder } from '../../src/cli/export.js';
import { finetune, finetuneSettings } from '../../src/cli/finetune.js';
import { flagOf, settingFlags, settingsFrom } from '../../src/cli/flags.js';
import { knn } from '../../src/cli/knn.js';
import { linear } from '../../src/cli/linear.js';
import { pretrain } from '../../src/cli/pretrain.js';
import { profile } from '../../src/cli/profile.js';
import { search } from '../../src/cli/search.js';
import { summary } from '../../src/cli/summary.js';
import { shown, whole } from '../../src/core/check.js';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import {
  type ConfigOf,
  checkConfigOf,
  defaultsOf,
  readFields,
  type Setting,
  type Settings,
  settings,
} from '../../src/core/settings.js';
import { linearSettings } from '../../src/eval/linear-config.js';
import { checkConfig, demoConfig, type PretrainConfig, pretrainSettings } from '../../src/moco/config.js';
import { presets } from '../../src/moco/presets.js';
import { fourWaySettings } from '../../src/studies/four-way.js';
import { mechanismsBase, mechanismsSettings } from '../../src/studies/mechanisms.js';

const tables: [name: string, of: Settings][] = [
  ['pretraining', pretrainSettings],
  ['linear evaluation', linearSettings],
  ['fine-tuning', finetuneSettings],
  ['four-way', fourWaySettings],
  ['mechanisms', mechanismsSettings],
  ['base of mechanisms', mechanismsBase],
];
const rows = tables.flatMap(([table, of]) => Object.entries(of).map(([name, row]) => [table, name, row] as const));

/** Values that some setting takes and others must not. */
const values = [7, 0.7, 0, -1, 1.5, NaN, Infinity, 'x', '', true, null, [], [3, 5, 7], [0.5, 0.25, 0.125], ['x'], {}];

const goodOf = ({ default: value, rule, choices }: Setting): unknown =>
  [...(choices ?? []), !value, ...values].find(
    (v) => rule.holds(v) && String(v) !== String(value) && typeof v === typeof value,
  );

/** Whether the command line can say it. */
const writable = (v: unknown): boolean =>
  Array.isArray(v) ? v.every(Number.isFinite) : typeof v === 'string' || Number.isFinite(v);

/** As words of the command line; the rows of one setting, so that a short flag has no namesake. */
function wordsFor(name: string, value: unknown): string[] {
  if (typeof value === 'boolean') return [`--${value ? '' : 'no-'}${flagOf(name)}`];
  return [`--${flagOf(name)}`, Array.isArray(value) ? value.join() : String(value)];
}

describe('a setting', () => {
  it.each(rows)('of %s, %s: a default that its rule allows, and a flag with help that shows it', (_, name, row) => {
    expect(row.rule.holds(row.default)).toBe(true);
    const [flag, off, ...more] = settingFlags({ [name]: row });
    expect([flag.name, flag.help, flag.help.length > 2, more]).toEqual([flagOf(name), row.help, true, []]);
    if (typeof row.default === 'boolean')
      expect([flag.kind, off.name, flag.default ?? off.default]).toEqual([
        'switch',
        `no-${flagOf(name)}`,
        row.default ? 'on' : 'default',
      ]);
    else expect([off, flag.default]).toEqual([undefined, String(row.default) || 'none']);
  });

  it.each(rows)('of %s, %s: its flag sets it and nothing else', (_, name, row) => {
    const [of, good] = [{ [name]: row, beside: row }, goodOf(row)];
    const known = settingFlags({ [name]: row });
    const args = parseArgs('any', wordsFor(name, good), known);
    checkFlags(args, known);
    expect(settingsFrom(args, of, defaultsOf(of))).toEqual({ [name]: good, beside: row.default });
  });

  it.each(rows)('of %s, %s: refuses what its rule does, in a configuration and as a flag', (_, name, row) => {
    const bad = values.filter((v) => !row.rule.holds(v));
    expect(bad.length).toBeGreaterThan(3);
    for (const value of bad) {
      const ended = () => checkConfigOf('any', { [name]: row }, { [name]: value });
      expect(ended).toThrow(new ConfigError(`${name}: it must be ${row.rule.is}; got ${shown(value)}. Correct it.`));
    }
    expect(() => checkConfigOf('any', { [name]: row }, {})).toThrow(
      `${name}: it must be ${row.rule.is}; got undefined`,
    );
    expect(() => checkConfigOf('any', { [name]: row }, { [`${name}s`]: 1 })).toThrow(`got the unknown option ${name}s`);
    const known = settingFlags({ [name]: row });
    const written = bad.find((v) => typeof v === typeof row.default && writable(v));
    if (written === undefined) return; // any text is a model's name as far as flags know, and a switch takes no value
    const refused = () => checkFlags(parseArgs('any', wordsFor(name, written), known), known);
    expect(refused).toThrow(`--${flagOf(name)}: it must be ${row.rule.is}; got ${shown(written)}. `);
  });

  it('more costs one row', () => {
    const of = settings({ ...pretrainSettings, ringCount: { default: 3, rule: whole(1), help: 'rings of a picture' } });
    const added = settingFlags(of).filter((f) => !settingFlags(pretrainSettings).some((g) => g.name === f.name));
    expect(added).toMatchObject([{ name: 'ring-count', kind: 'number', help: 'rings of a picture', default: '3' }]);
    const config: ConfigOf<typeof of> = settingsFrom(
      parseArgs('any', ['--ring-count', '5', '--no-shuffle'], settingFlags(of)),
      of,
      defaultsOf(of),
    );
    expect(config).toEqual({ ...demoConfig, shuffle: false, ringCount: 5 });
    expectTypeOf(config.ringCount).toEqualTypeOf<number>();
    expect(readFields('file', { ringCount: 4 }, of)).toEqual({ ringCount: 4 });
    expect(() => checkConfigOf('any', of, { ...config, ringCount: 0 })).toThrow(
      'ringCount: it must be a whole number above 0; got 0. Correct it.',
    );
  });

  it('has the type that its row says', () => {
    expectTypeOf<PretrainConfig['schedule']>().toEqualTypeOf<'cosine' | 'cosine-1' | 'step'>();
    expectTypeOf<PretrainConfig['T']>().toEqualTypeOf<number>();
    expectTypeOf<PretrainConfig['blur']>().toEqualTypeOf<boolean>();
    expectTypeOf<PretrainConfig['model']>().toEqualTypeOf<string>();
    expectTypeOf<PretrainConfig['mean']>().toEqualTypeOf<readonly number[]>();
  });

  it('of a preset is one of the table', () => {
    for (const preset of Object.values(presets)) expect(checkConfig(preset, 1281167)).toEqual([]);
  });
});

describe('readFields', () => {
  it('refuses what is no object, and an unknown field with the nearest one', () => {
    for (const json of [null, 3, 'x', [1]])
      expect(() => readFields('c.json', json, pretrainSettings)).toThrow(FormatError);
    expect(() => readFields('c.json', { warmpu: 1 }, pretrainSettings)).toThrow(
      'c.json: every field must be known; got warmpu. Did you mean warmup?',
    );
    expect(readFields('c.json', { preset: 'demo', K: 4 }, pretrainSettings, ['preset'])).toEqual({
      preset: 'demo',
      K: 4,
    });
  });
});

describe('flags', () => {
  const commands: [string, Command][] = [
    ...Object.entries({
      compare,
      convert,
      doctor,
      embed,
      export: exportEncoder,
      finetune,
      knn,
      linear,
      pretrain,
      profile,
      search,
      summary,
    }),
    ...(Object.entries(experiment.commands) as [string, Command][]),
  ];

  it.each(commands)('%s: each has one name and help, and what every command has', (_, { flags }) => {
    const names = flags.map((f: Flag) => f.name);
    expect([...new Set(names)]).toEqual(names);
    expect(names).toEqual(expect.arrayContaining(['json', 'quiet', 'verbose', 'help']));
    expect(flags.filter((f) => f.help.trim() === '')).toEqual([]);
    for (const { excludes } of flags) if (excludes !== undefined) expect(names).toContain(excludes);
  });

  it.each(commands)('%s: a flag that several commands have means the same', (_, { flags }) => {
    const others = commands.flatMap(([, command]) => command.flags);
    for (const { name, kind } of flags)
      expect([...new Set(others.filter((f) => f.name === name).map((f) => f.kind))]).toEqual([kind]);
  });

  it.each([
    [['--stream', '--no-stream'], '--stream: it and --no-stream exclude each other; got both. Leave one out.'],
    [['--quiet', '--verbose'], '--quiet: it and --verbose exclude each other; got both. Leave one out.'],
    [['--shuffle', '--no-shuffle'], '--shuffle: it and --no-shuffle exclude each other; got both. Leave one out.'],
    [['--limit', '0'], '--limit: it must be a whole number above 0; got 0. Leave it out to use every picture.'],
    [['--ahead', '65'], '--ahead: it must be a whole number of steps in [0, 64]; got 65. Use 2.'],
    [
      ['--adapter', 'hardwear'],
      "--adapter: it must be any, hardware or software; got 'hardwear'. Did you mean hardware?",
    ],
    [['--mean', '1,x,3'], '--mean: it takes numbers; got 1,x,3. Write them with commas between.'],
    [['--std', '1,2'], '--std: it must be a list of 3, each a number above 0; got [1, 2]. Correct it.'],
  ])('%j: %s', (words, sentence) => {
    expect(() => checkFlags(parseArgs('pretrain', words, pretrain.flags), pretrain.flags)).toThrow(
      new ConfigError(sentence),
    );
  });
});
